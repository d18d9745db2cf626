//! Access: roles, what they allow, tokens for programs, and users.

mod scope;
mod users;

pub use scope::{COMPOSITE_KINDS, KindPattern, KindScope, MAX_PATTERNS};
pub use users::{ChangeUser, NewUser, ProviderAccount, Session, User, UserList};

use crate::Time;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Days after which a token expires, unless its creator chooses otherwise.
pub const TOKEN_DAYS: u32 = 90;

/// Role of a user or a token, from the least to the most powerful role. Each role also has the permissions of the less
/// powerful roles.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads everything, and changes nothing.
    Viewer,
    /// Also starts, cancels, retries and deletes operations, silences alerts, and changes their rules.
    Operator,
    /// Also drains hosts, reads the whole audit log, and manages access.
    Admin,
}

impl Role {
    /// All roles, from the least to the most powerful one.
    pub const ALL: [Role; 3] = [Role::Viewer, Role::Operator, Role::Admin];

    /// Name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Role::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or_else(|| format!("'{text}' is not a role; the roles are viewer, operator and admin"))
    }
}

/// Permission that a route of the API needs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Read operations, hosts, alerts and metrics.
    Read,
    /// Start operations.
    Start,
    /// Cancel, abandon, retry and resume operations, and set their auto-cancel rules.
    Control,
    /// Delete operations.
    Delete,
    /// Silence alerts, and change their rules.
    Silence,
    /// Drain and undrain hosts.
    ManageHosts,
    /// Read the audit log of all operations, hosts and tokens.
    ReadAudit,
    /// List, create and revoke tokens, and manage users.
    ManageAccess,
}

impl Permission {
    /// All permissions.
    pub const ALL: [Permission; 8] = [
        Permission::Read,
        Permission::Start,
        Permission::Control,
        Permission::Delete,
        Permission::Silence,
        Permission::ManageHosts,
        Permission::ReadAudit,
        Permission::ManageAccess,
    ];

    /// Name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Permission::Read => "read",
            Permission::Start => "start",
            Permission::Control => "control",
            Permission::Delete => "delete",
            Permission::Silence => "silence",
            Permission::ManageHosts => "manage_hosts",
            Permission::ReadAudit => "read_audit",
            Permission::ManageAccess => "manage_access",
        }
    }
}

/// Token of a program. Its secret is stored as a hash only.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccessToken {
    /// ID, used to revoke the token.
    pub id: String,
    /// Name, unique; the audit log shows it.
    pub name: String,
    pub role: Role,
    /// Kinds that the role applies to; absent for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<String>>))]
    pub kinds: Option<KindScope>,
    pub created_at: Time,
    /// Name of the creator, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// End of its validity; absent if it never expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// Time of the last use, updated at most once a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Time>,
    /// IP address of the last use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_from: Option<String>,
}

impl AccessToken {
    /// Whether it is no longer valid.
    pub fn expired(&self, now: Time) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

/// Tokens, oldest first.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccessTokenList {
    pub tokens: Vec<AccessToken>,
}

/// Request for a new token.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewAccessToken {
    /// 1 to 100 characters, different from the names of all other tokens and of all users.
    pub name: String,
    pub role: Role,
    /// Kinds that the role applies to, such as `training.*`: 1 to 20 patterns, in which `*` matches any characters.
    /// Absent for all kinds. Not for the role admin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<String>>))]
    pub kinds: Option<KindScope>,
    /// Validity in days, 1 to 3,650; 90 if absent. `null` for a token that never expires.
    #[serde(default = "default_days")]
    pub expires_in_days: Option<u32>,
}

fn default_days() -> Option<u32> {
    Some(TOKEN_DAYS)
}

/// New token with its secret, which is shown only here.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedAccessToken {
    /// Secret that programs send: `Authorization: Bearer sbx_…`.
    pub secret: String,
    pub token: AccessToken,
}

/// Sender of a request, as the server knows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Me {
    pub via: SignedInBy,
    /// Name of the user or the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub role: Role,
    /// Kinds that the role applies to; absent for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<String>>))]
    pub kinds: Option<KindScope>,
    pub permissions: Vec<Permission>,
    /// Permissions that the sender lacks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<LackedPermission>,
    /// End of the validity of the token or the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
}

/// Permission that a sender lacks, and the least powerful role that has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LackedPermission {
    pub permission: Permission,
    /// The least powerful role that has the permission.
    pub role: Role,
}

/// Credential of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SignedInBy {
    /// None: the server listens on loopback, and has neither tokens nor users.
    Nothing,
    /// The server's shared token.
    SharedToken,
    /// A token for programs.
    Token,
    /// A user's session in a browser.
    Session,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_roles_and_permissions_are_those_on_the_wire() {
        for role in Role::ALL {
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        for permission in Permission::ALL {
            assert_eq!(serde_json::to_value(permission).unwrap(), permission.as_str());
        }
        assert!("root".parse::<Role>().unwrap_err().contains("viewer"));
    }

    #[test]
    fn a_token_expires_unless_its_creator_says_otherwise() {
        let days = |json: &str| serde_json::from_str::<NewAccessToken>(json).unwrap().expires_in_days;
        assert_eq!(days(r#"{"name":"ci","role":"viewer"}"#), Some(TOKEN_DAYS));
        assert_eq!(days(r#"{"name":"ci","role":"viewer","expires_in_days":7}"#), Some(7));
        assert_eq!(days(r#"{"name":"ci","role":"viewer","expires_in_days":null}"#), None);
    }
}
