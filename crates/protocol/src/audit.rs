//! Audit log: the audit log, when and from where.

use crate::{HostName, OperationId, Time};
use serde::{Deserialize, Serialize};

/// Entry of the audit log. Stored in the same transaction as the action, and never changed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    pub at: Time,
    pub action: Action,
    pub by: Actor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationId>,
    /// Attempt that the action affected or created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostName>,
    /// Reason given by the user, or the changes; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

impl AuditEntry {
    /// Entry without operation, attempt, host and detail.
    pub fn new(at: Time, action: Action, by: Actor) -> Self {
        Self { at, action, by, operation: None, attempt: None, host: None, detail: String::new() }
    }
}

/// Audited action. Rejected requests are not audited, because they change nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Start,
    Cancel,
    Abandon,
    Retry,
    Resume,
    Delete,
    Drain,
    Undrain,
    /// An auto-cancel rule was set.
    SetRule,
    /// The auto-cancel rule was removed.
    DropRule,
    /// The server was started with a changed configuration.
    Configure,
    /// A token for programs was created.
    CreateToken,
    /// A token for programs was revoked.
    RevokeToken,
    /// A user was added.
    AddUser,
    /// The role or the password of a user was changed.
    ChangeUser,
    /// A user was removed.
    RemoveUser,
    /// A user signed in.
    SignIn,
    /// A rule of alerts was created.
    AddAlertRule,
    /// A rule of alerts was changed or switched off or on, or a built-in one was overridden.
    ChangeAlertRule,
    /// A rule of alerts was deleted, or a built-in one was reset.
    RemoveAlertRule,
}

/// Who performed an action, as far as the server knows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Actor {
    pub via: Via,
    /// Name of the user or the token that authenticated the request; or user name, set by an authenticating proxy in
    /// front of the server (`user_header`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// ID of the token that authenticated the request, unless it was the server's shared token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// IP address that the request came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// `User-Agent` of the browser or program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

/// Origin of an action.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// The dashboard in a browser.
    Page,
    /// A program, through the API.
    Program,
    /// Signalbox itself: an automatic retry, or a cancellation by a rule.
    Signalbox,
}

impl Actor {
    /// Signalbox itself as the actor.
    pub fn signalbox() -> Self {
        Self { via: Via::Signalbox, name: None, token: None, address: None, agent: None }
    }
}
