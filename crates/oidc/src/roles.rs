//! Groups of a person as a role.

use protocol::access::{KindPattern, KindScope, MAX_PATTERNS, Role};

/// Role of the members of a group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupRole {
    pub group: String,
    pub role: Role,
    /// Kinds that the role applies to; `None` for all.
    pub kinds: Option<KindScope>,
}

/// Roles of all groups; at least one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoleMapping(Vec<GroupRole>);

impl RoleMapping {
    /// Mapping of these groups.
    ///
    /// # Errors
    /// A sentence that names the group.
    pub fn new(groups: Vec<GroupRole>) -> Result<Self, String> {
        if groups.is_empty() {
            return Err("no group has a role, so nobody could sign in".to_owned());
        }
        for (n, one) in groups.iter().enumerate() {
            let group = &one.group;
            if group.trim().is_empty() {
                return Err("a group has no name".to_owned());
            }
            if groups[..n].iter().any(|earlier| earlier.group == *group) {
                return Err(format!("the group '{group}' has two roles; give the group one role"));
            }
            if one.role == Role::Admin && one.kinds.is_some() {
                return Err(format!(
                    "the group '{group}' has the role admin, which can't be limited to kinds, because this role manages access"
                ));
            }
        }
        // A member of all groups of a role has the kinds of all of them.
        for role in Role::ALL {
            let kinds = groups.iter().filter(|one| one.role == role).filter_map(|one| one.kinds.as_ref());
            let mut patterns: Vec<&KindPattern> = kinds.flat_map(|kinds| kinds.patterns()).collect();
            patterns.sort();
            patterns.dedup();
            if patterns.len() > MAX_PATTERNS {
                return Err(format!(
                    "the groups with the role {role} have {} kind patterns in total; use at most {MAX_PATTERNS}",
                    patterns.len()
                ));
            }
        }
        Ok(Self(groups))
    }

    /// Whether a group has the role admin.
    pub fn has_admins(&self) -> bool {
        self.0.iter().any(|one| one.role == Role::Admin)
    }

    /// Role of a person in these groups: the most powerful one, with the kinds of all groups that have it. `None` if no
    /// group has a role.
    pub fn role_of(&self, groups: &[String]) -> Option<(Role, Option<KindScope>)> {
        let mine = || self.0.iter().filter(|one| groups.contains(&one.group));
        let role = mine().map(|one| one.role).max()?;
        let scopes: Option<Vec<&KindScope>> =
            mine().filter(|one| one.role == role).map(|one| one.kinds.as_ref()).collect();
        // A group without kinds has all of them.
        let Some(scopes) = scopes else { return Some((role, None)) };
        let patterns: Vec<KindPattern> =
            scopes.into_iter().flat_map(|scope| scope.patterns().iter().cloned()).collect();
        let kinds = KindScope::try_from(patterns).expect("`new` limits the patterns of a role");
        Some((role, Some(kinds)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn group(group: &str, role: Role, kinds: Option<&str>) -> GroupRole {
        GroupRole { group: group.to_owned(), role, kinds: kinds.map(|kinds| kinds.parse().unwrap()) }
    }

    fn mapping() -> RoleMapping {
        RoleMapping::new(vec![
            group("everyone", Role::Viewer, None),
            group("loaders", Role::Operator, Some("data.*")),
            group("trainers", Role::Operator, Some("training.*")),
            group("operators", Role::Operator, None),
            group("admins", Role::Admin, None),
        ])
        .unwrap()
    }

    fn role_of(groups: &[&str]) -> Option<(Role, Option<String>)> {
        let groups: Vec<String> = groups.iter().map(|&group| group.to_owned()).collect();
        mapping().role_of(&groups).map(|(role, kinds)| (role, kinds.map(|kinds| kinds.to_string())))
    }

    #[test]
    fn the_most_powerful_role_counts_with_the_kinds_of_all_its_groups() {
        assert_eq!(role_of(&[]), None);
        assert_eq!(role_of(&["Everyone", "admin"]), None, "names are compared exactly");
        assert_eq!(role_of(&["everyone"]), Some((Role::Viewer, None)));
        assert_eq!(role_of(&["everyone", "loaders"]), Some((Role::Operator, Some("data.*".into()))));
        let both = Some((Role::Operator, Some("data.*, training.*".into())));
        assert_eq!(role_of(&["trainers", "other", "loaders"]), both);
        assert_eq!(role_of(&["trainers", "operators"]), Some((Role::Operator, None)));
        assert_eq!(role_of(&["loaders", "admins"]), Some((Role::Admin, None)));
    }

    #[test]
    fn a_mapping_that_can_not_be_meant_is_rejected() {
        let error = |groups| RoleMapping::new(groups).unwrap_err();
        assert!(error(vec![]).contains("nobody"));
        assert!(error(vec![group(" ", Role::Viewer, None)]).contains("no name"));
        let twice = vec![group("a", Role::Viewer, None), group("a", Role::Admin, None)];
        assert!(error(twice).contains("two roles"));
        assert!(error(vec![group("a", Role::Admin, Some("data.*"))]).contains("manages access"));
        let many = |from: usize| {
            let patterns: Vec<String> = (from..from + 15).map(|n| format!("kind.{n}")).collect();
            patterns.join(",")
        };
        let (first, second) = (many(0), many(15));
        let both = vec![group("a", Role::Viewer, Some(&first)), group("b", Role::Viewer, Some(&second))];
        assert!(error(both).contains("30 kind patterns"));
    }

    proptest! {
        #[test]
        fn more_groups_never_lower_a_role(mine in prop::collection::vec(0usize..5, 0..5), added in 0usize..5) {
            let names = ["everyone", "loaders", "trainers", "operators", "admins"];
            let groups: Vec<String> = mine.iter().map(|&n| names[n].to_owned()).collect();
            let mut more = groups.clone();
            more.push(names[added].to_owned());
            let role = |groups: &[String]| mapping().role_of(groups).map(|(role, _)| role);
            prop_assert!(role(&groups) <= role(&more));
        }
    }
}
