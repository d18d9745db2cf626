//! The audit: who did what, when, and from where.

use crate::{HostName, OperationId, Time};
use serde::{Deserialize, Serialize};

/// One thing that was done. Written in the same moment as what it did, and never changed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    pub at: Time,
    pub action: Action,
    pub by: Actor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationId>,
    /// The attempt that it was about, or that it made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostName>,
    /// The reason that was given, or what changed; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

impl AuditEntry {
    /// One that says no more than who did what, when.
    pub fn new(at: Time, action: Action, by: Actor) -> Self {
        Self { at, action, by, operation: None, attempt: None, host: None, detail: String::new() }
    }
}

/// What can be done. What was refused is not among it: it changed nothing.
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
    /// A rule was set that cancels it when a curve leaves the band of earlier runs.
    SetRule,
    /// Its rule was taken away.
    DropRule,
    /// The server was started with another configuration than before.
    Configure,
}

/// Who did it, as far as the server can tell.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Actor {
    pub via: Via,
    /// The person's name, where a proxy in front of the server vouches for it (`user_header`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The address that the request came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What the browser or program calls itself (`User-Agent`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

/// By which way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// The dashboard in a browser.
    Page,
    /// A program that uses the API.
    Program,
    /// Signalbox itself, by its configuration or by a rule: an automatic retry, a cancel by a rule.
    Signalbox,
}

impl Actor {
    /// Signalbox itself.
    pub fn signalbox() -> Self {
        Self { via: Via::Signalbox, name: None, address: None, agent: None }
    }
}
