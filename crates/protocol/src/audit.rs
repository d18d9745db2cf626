//! Entries of the audit log, and their query.

use crate::{HostName, OperationId, Time};
use serde::{Deserialize, Serialize};

/// Entry of the audit log. Stored in the same transaction as the action, and never changed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    pub at: Time,
    pub action: Action,
    /// Absent if the action was performed.
    #[serde(default, skip_serializing_if = "Outcome::is_done")]
    pub outcome: Outcome,
    pub by: Actor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationId>,
    /// Attempt that the action affected or created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostName>,
    /// Reason given by the user, the changes, or why the action was refused; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

impl AuditEntry {
    /// Entry of a performed action, without operation, attempt, host and detail.
    pub fn new(at: Time, action: Action, by: Actor) -> Self {
        Self {
            at,
            action,
            outcome: Outcome::Done,
            by,
            operation: None,
            attempt: None,
            host: None,
            detail: String::new(),
        }
    }
}

/// Audited action.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
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
    /// An alert rule was created.
    AddAlertRule,
    /// An alert rule was changed or switched off or on, or a built-in rule was overridden.
    ChangeAlertRule,
    /// An alert rule was deleted, or a built-in rule was reset.
    RemoveAlertRule,
    /// Alerts were silenced.
    SilenceAlerts,
    /// A silence was ended.
    EndSilence,
    /// A request that was refused: without a valid credential, or without the permission that it needs.
    Request,
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 23] = [
        Self::Start,
        Self::Cancel,
        Self::Abandon,
        Self::Retry,
        Self::Resume,
        Self::Delete,
        Self::Drain,
        Self::Undrain,
        Self::SetRule,
        Self::DropRule,
        Self::Configure,
        Self::CreateToken,
        Self::RevokeToken,
        Self::AddUser,
        Self::ChangeUser,
        Self::RemoveUser,
        Self::SignIn,
        Self::AddAlertRule,
        Self::ChangeAlertRule,
        Self::RemoveAlertRule,
        Self::SilenceAlerts,
        Self::EndSilence,
        Self::Request,
    ];

    /// Name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Cancel => "cancel",
            Self::Abandon => "abandon",
            Self::Retry => "retry",
            Self::Resume => "resume",
            Self::Delete => "delete",
            Self::Drain => "drain",
            Self::Undrain => "undrain",
            Self::SetRule => "set_rule",
            Self::DropRule => "drop_rule",
            Self::Configure => "configure",
            Self::CreateToken => "create_token",
            Self::RevokeToken => "revoke_token",
            Self::AddUser => "add_user",
            Self::ChangeUser => "change_user",
            Self::RemoveUser => "remove_user",
            Self::SignIn => "sign_in",
            Self::AddAlertRule => "add_alert_rule",
            Self::ChangeAlertRule => "change_alert_rule",
            Self::RemoveAlertRule => "remove_alert_rule",
            Self::SilenceAlerts => "silence_alerts",
            Self::EndSilence => "end_silence",
            Self::Request => "request",
        }
    }
}

/// Query of the audit log. Empty: all entries, from the newest.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    /// Only entries of this operation.
    pub operation: Option<OperationId>,
    /// Only this action.
    pub action: Option<Action>,
    /// Only entries of the user or token with this name.
    pub name: Option<String>,
    /// Only refused attempts.
    #[serde(default)]
    pub refused: bool,
    /// Only entries from this time on.
    pub since: Option<Time>,
    /// Only entries before this time.
    pub until: Option<Time>,
    /// Only entries with a smaller number.
    pub before: Option<u64>,
    /// Largest number of entries; 50 if absent.
    pub limit: Option<u32>,
}

impl AuditQuery {
    /// Names and values of a URL's query.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let Self { operation, action, name, refused, since, until, before, limit } = self;
        [
            ("operation", operation.map(|id| id.to_string())),
            ("action", action.map(|action| action.as_str().to_owned())),
            ("name", name.clone()),
            ("refused", refused.then(|| "true".to_owned())),
            ("since", since.map(|at| at.to_string())),
            ("until", until.map(|at| at.to_string())),
            ("before", before.map(|n| n.to_string())),
            ("limit", limit.map(|n| n.to_string())),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }
}

/// Whether an audited action was performed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The action was performed.
    #[default]
    Done,
    /// The action was refused, and nothing was changed.
    Refused,
}

impl Outcome {
    fn is_done(&self) -> bool {
        *self == Self::Done
    }
}

/// Who performed an action, as far as the server knows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Actor {
    pub via: Via,
    /// Name of the user or the token that authenticated the request; or the user name that an authenticating proxy in
    /// front of the server set (`user_header`).
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_has_the_same_name_everywhere() {
        for action in Action::ALL {
            assert_eq!(serde_json::to_value(action).unwrap(), action.as_str());
        }
    }
}
