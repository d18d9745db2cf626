//! Users and their sessions.

use super::{KindScope, Role};
use crate::Time;
use serde::{Deserialize, Serialize};

/// User: local, or of the OpenID Connect provider.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct User {
    /// Name with which the user signs in; unique.
    pub name: String,
    pub role: Role,
    /// Kinds that the role applies to; absent for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<String>>))]
    pub kinds: Option<KindScope>,
    pub created_at: Time,
    /// Whether the user must set a new password at the next sign-in.
    pub must_change_password: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sign_in_at: Option<Time>,
    /// Account with which the user signs in; absent for local users, who have a password. Its groups set the role at
    /// each sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderAccount>,
}

/// Account at the OpenID Connect provider.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProviderAccount {
    /// URL of the provider.
    pub issuer: String,
    /// ID of the user at the provider, which never changes.
    pub subject: String,
}

/// Users, by name.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserList {
    pub users: Vec<User>,
}

/// Request for a new user.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// 1 to 100 characters, different from all other names.
    pub name: String,
    pub role: Role,
    /// Kinds that the role applies to, such as `training.*`: 1 to 20 patterns, in which `*` matches any characters.
    /// Absent for all kinds. Not for the role admin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<String>>))]
    pub kinds: Option<KindScope>,
    /// Temporary password, 12 to 200 characters. The user must replace it at the first sign-in.
    pub password: String,
}

/// Request to change a user; absent fields stay unchanged. A new role replaces the kinds, too.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ChangeUser {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Kinds that the new role applies to; absent for all. Only together with `role`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Vec<String>>))]
    pub kinds: Option<KindScope>,
    /// Temporary password, which the user must replace at the next sign-in. All sessions of the user end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// Session of a user in a browser. Its secret is stored as a hash only.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Session {
    /// ID, used to end the session.
    pub id: String,
    /// Name of the user.
    pub user: String,
    pub created_at: Time,
    /// Last use, stored once a minute. A session ends 12 hours after it.
    pub last_used_at: Time,
    /// Time at which the session ends, even if it is used.
    pub expires_at: Time,
    /// IP address of the last use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// `User-Agent` of the browser that signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}
