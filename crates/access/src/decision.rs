//! Decision: whether a role, limited to a scope or not, has a permission.

use protocol::access::{KindScope, Permission, Role};

/// Role of a sender, and the kinds that it applies to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Grant<'a> {
    pub role: Role,
    /// `None` for all kinds.
    pub scope: Option<&'a KindScope>,
}

/// What a route is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// Only what is in the sender's scope: the route filters what it shows and changes.
    Scope,
    /// Operations of all kinds, or the whole server: not for senders with a scope.
    AllKinds,
}

impl Reach {
    /// Name in the description of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Reach::Scope => "scope",
            Reach::AllKinds => "all_kinds",
        }
    }
}

/// Result of [`decide`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    Allowed,
    /// The least powerful role that has the permission.
    Needs(Role),
    /// The role has the permission, and would need it for all kinds.
    NeedsAllKinds,
}

/// The least powerful role with a permission. More powerful roles have it, too.
pub fn minimum_role(permission: Permission) -> Role {
    match permission {
        Permission::Read => Role::Viewer,
        Permission::Start | Permission::Control | Permission::Delete | Permission::Silence => Role::Operator,
        Permission::ManageHosts | Permission::ReadAudit | Permission::ManageAccess => Role::Admin,
    }
}

/// Whether a permission has a meaning within a scope. The others are about all kinds.
fn is_scoped(permission: Permission) -> bool {
    match permission {
        Permission::Read | Permission::Start | Permission::Control | Permission::Delete => true,
        Permission::Silence | Permission::ManageHosts | Permission::ReadAudit | Permission::ManageAccess => {
            false
        }
    }
}

/// Decides whether a sender may use a route that needs a permission.
pub fn decide(grant: Grant<'_>, permission: Permission, reach: Reach) -> Decision {
    let needed = minimum_role(permission);
    if grant.role < needed {
        return Decision::Needs(needed);
    }
    match grant.scope {
        Some(_) if reach == Reach::AllKinds || !is_scoped(permission) => Decision::NeedsAllKinds,
        _ => Decision::Allowed,
    }
}

/// All permissions of a sender, within its scope.
pub fn permissions(grant: Grant<'_>) -> Vec<Permission> {
    let has = |permission: &Permission| decide(grant, *permission, Reach::Scope) == Decision::Allowed;
    Permission::ALL.into_iter().filter(has).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use protocol::KindName;

    fn whole(role: Role) -> Grant<'static> {
        Grant { role, scope: None }
    }

    #[test]
    fn a_more_powerful_role_may_do_everything_that_a_weaker_one_may() {
        for pair in Role::ALL.windows(2) {
            let [weaker, stronger] = [permissions(whole(pair[0])), permissions(whole(pair[1]))];
            assert!(weaker.iter().all(|permission| stronger.contains(permission)), "{pair:?}");
            assert!(weaker.len() < stronger.len(), "{pair:?} differ");
        }
        assert_eq!(permissions(whole(Role::Admin)), Permission::ALL);
    }

    #[test]
    fn a_viewer_only_reads() {
        assert_eq!(permissions(whole(Role::Viewer)), [Permission::Read]);
        let start = decide(whole(Role::Viewer), Permission::Start, Reach::Scope);
        assert_eq!(start, Decision::Needs(Role::Operator));
    }

    #[test]
    fn an_operator_can_not_raise_its_own_role() {
        let manage = decide(whole(Role::Operator), Permission::ManageAccess, Reach::AllKinds);
        assert_eq!(manage, Decision::Needs(Role::Admin));
    }

    fn scopes() -> impl Strategy<Value = KindScope> {
        let patterns = prop::sample::select(vec!["data.load", "data.*", "*.run", "*", "training.run", "t*"]);
        prop::collection::vec(patterns, 1..5).prop_map(|patterns| patterns.join(",").parse().unwrap())
    }

    fn kinds() -> impl Strategy<Value = KindName> {
        prop::sample::select(vec!["data.load", "training.run", "exec.fit", "analysis.sweep", "demo.run"])
            .prop_map(|kind| KindName::new(kind).unwrap())
    }

    proptest! {
        /// Whatever the scope, it takes away and gives nothing, and nothing that is about all kinds remains.
        #[test]
        fn a_scope_only_takes_away(
            role in prop::sample::select(&Role::ALL[..]),
            permission in prop::sample::select(&Permission::ALL[..]),
            scope in scopes(),
        ) {
            let limited = Grant { role, scope: Some(&scope) };
            for reach in [Reach::Scope, Reach::AllKinds] {
                if decide(limited, permission, reach) == Decision::Allowed {
                    prop_assert_eq!(decide(whole(role), permission, reach), Decision::Allowed);
                    prop_assert_eq!(reach, Reach::Scope);
                }
            }
            for permission in [Permission::ManageAccess, Permission::ManageHosts, Permission::ReadAudit] {
                prop_assert!(!permissions(limited).contains(&permission));
            }
        }

        /// More patterns cover more kinds: each kind that a part covers, and no other.
        #[test]
        fn a_scope_covers_what_one_of_its_patterns_covers(scope in scopes(), kind in kinds()) {
            let alone = |pattern: &protocol::access::KindPattern| {
                KindScope::try_from(vec![pattern.clone()]).unwrap().covers(&kind)
            };
            prop_assert_eq!(scope.covers(&kind), scope.patterns().iter().any(alone));
        }
    }
}
