//! Decision: whether a role has a permission.

use protocol::access::{LackedPermission, Permission, Role};

/// Result of [`decide`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    Allowed,
    /// The least powerful role that has the permission.
    Needs(Role),
}

/// The least powerful role with a permission. More powerful roles have it, too.
pub fn minimum_role(permission: Permission) -> Role {
    match permission {
        Permission::Read => Role::Viewer,
        Permission::Start | Permission::Control | Permission::Delete | Permission::Silence => Role::Operator,
        Permission::ManageHosts | Permission::ReadAudit | Permission::ManageAccess => Role::Admin,
    }
}

/// Decides whether a role has a permission.
pub fn decide(role: Role, permission: Permission) -> Decision {
    let needed = minimum_role(permission);
    if role >= needed { Decision::Allowed } else { Decision::Needs(needed) }
}

/// All permissions of a role.
pub fn permissions(role: Role) -> Vec<Permission> {
    Permission::ALL.into_iter().filter(|permission| decide(role, *permission) == Decision::Allowed).collect()
}

/// All permissions that a role lacks, each with the least powerful role that has it.
pub fn lacked(role: Role) -> Vec<LackedPermission> {
    let lacked = |permission| match decide(role, permission) {
        Decision::Allowed => None,
        Decision::Needs(role) => Some(LackedPermission { permission, role }),
    };
    Permission::ALL.into_iter().filter_map(lacked).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_more_powerful_role_may_do_everything_that_a_weaker_one_may() {
        for pair in Role::ALL.windows(2) {
            let [weaker, stronger] = [permissions(pair[0]), permissions(pair[1])];
            assert!(weaker.iter().all(|permission| stronger.contains(permission)), "{pair:?}");
            assert!(weaker.len() < stronger.len(), "{pair:?} differ");
        }
        assert_eq!(permissions(Role::Admin), Permission::ALL);
    }

    #[test]
    fn a_viewer_only_reads() {
        assert_eq!(permissions(Role::Viewer), [Permission::Read]);
        assert_eq!(decide(Role::Viewer, Permission::Start), Decision::Needs(Role::Operator));
    }

    #[test]
    fn a_role_has_or_lacks_each_permission() {
        for role in Role::ALL {
            let lacked: Vec<Permission> = lacked(role).into_iter().map(|lacked| lacked.permission).collect();
            assert_eq!([permissions(role), lacked].concat(), Permission::ALL, "{role}");
        }
        assert_eq!(lacked(Role::Viewer)[0].role, Role::Operator);
    }

    #[test]
    fn an_operator_can_not_raise_its_own_role() {
        assert_eq!(decide(Role::Operator, Permission::ManageAccess), Decision::Needs(Role::Admin));
    }
}
