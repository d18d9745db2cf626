//! An operation and its attempts, as the page and the store see them.

use crate::{BandRule, HostName, InstanceId, KindName, OperationId, Progress, Receipt, State, Time};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One piece of long-running work, as it stands: everything a row of the table shows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Operation {
    pub id: OperationId,
    pub kind: KindName,
    /// What tells it from others of its kind: "MSFT 1h · full".
    pub title: String,
    /// The operation that started it, which takes it along when it is cancelled or fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<OperationId>,
    /// As they were given, an object.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub params: Value,
    pub state: State,
    /// The number of the current attempt, from 1. Whatever comes from an older one is ignored.
    pub attempt: u32,
    /// The host of the current attempt, once one was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostName>,
    pub created_at: Time,
    /// Who goes first when hosts are full: the higher number, and among equals who waits longer.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: i8,
    /// When the current attempt came into the queue, by the server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued_at: Option<Time>,
    /// The current attempt stays in the queue until then: the pause before an automatic retry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Time>,
    /// When the current attempt began to run, by the server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When the current attempt ended, by the server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
    /// When anything about it was last heard from its host, by the server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_at: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// When it will end, as far as can be known, as of the newest progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecast: Option<Forecast>,
    /// The trail of a cancel, from the moment one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
    /// What is the matter with it just now, beside its state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// What a resume would start from: the newest checkpoint of any attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Checkpoint>,
    /// The rule that cancels it when a curve leaves the band of earlier runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<BandRule>,
    /// A result document can be asked for.
    #[serde(default)]
    pub has_result: bool,
    /// Marks that say where its data comes from, shown wherever it is: `synthetic`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The number of the event that last changed it.
    pub seq: u64,
}

impl Operation {
    /// One that was just accepted: queued for its first attempt.
    pub fn queued(id: OperationId, kind: KindName, title: String, params: Value, now: Time) -> Self {
        Self {
            id,
            kind,
            title,
            parent: None,
            params,
            state: State::Queued,
            attempt: 1,
            host: None,
            created_at: now,
            priority: 0,
            queued_at: Some(now),
            not_before: None,
            started_at: None,
            ended_at: None,
            heard_at: None,
            progress: None,
            forecast: None,
            receipt: None,
            condition: None,
            failure: None,
            checkpoint: None,
            rule: None,
            has_result: false,
            tags: Vec::new(),
            seq: 0,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(priority: &i8) -> bool {
    *priority == 0
}

/// When a running operation will end: a moment, and the band within which the kind's past forecasts came true
/// four times out of five.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Forecast {
    /// When it was made, by the server's clock.
    pub made_at: Time,
    pub ends_at: Time,
    pub earliest: Time,
    pub latest: Time,
    /// From what it was made.
    pub basis: ForecastBasis,
    /// How many ended forecasts of the kind the band comes from; 0 means that the band is a guess.
    pub judged: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ForecastBasis {
    /// How fast it goes now.
    Rate,
    /// How long such operations took before.
    History,
    /// Both, the rate weighing more the further and the older it is.
    Both,
}

/// Something that is true of an operation beside its state, and may pass.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Condition {
    pub kind: ConditionKind,
    /// Since when, by the server's clock.
    pub since: Time,
    /// For a person: what it means and what happens next.
    pub message: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ConditionKind {
    /// The host of a running operation can't be heard. The work may well go on.
    NoWord,
    /// Queued, and no host that can be heard has this kind, or those that have it are all drained or not ready.
    NoHost,
    /// Queued, and every host that has this kind is full, or as many of it run as a limit lets.
    Waiting,
    /// A cancel that could not be delivered yet; it is repeated.
    CancelUndelivered,
    /// Its host is heard, yet it made no progress for much longer than is usual for it.
    Stalled,
    /// Queued, and held back for a while before an automatic retry.
    Backoff,
    /// Starting, and the files of its checkpoint are on their way to its host.
    Carrying,
    /// Cancelling, and the work goes on: its host has no way to stop it, or the stop is not confirmed. It keeps its
    /// slot and ends as the work ends.
    Unstoppable,
    /// Running, and a signal stopped its process: it does nothing until it is continued, or cancelled.
    Paused,
    /// Cancelling: its own work has stopped, and operations that it started have not ended.
    ChildrenRunning,
}

/// Why an attempt failed: what happened, why, and what to do next.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Failure {
    pub reason: FailureReason,
    /// What happened and why, a sentence or two.
    pub message: String,
    /// What the person can do next.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum FailureReason {
    /// The work itself ended in an error.
    Work,
    /// The work panicked: a fault of the host's code.
    Panic,
    /// The host refused the params.
    Refused,
    /// The host was started anew and no longer knows the attempt.
    HostRestarted,
    /// The host lost the attempt.
    HostLost,
    /// The host shut down and stopped it.
    HostStopped,
    /// Nothing was heard of the host for longer than is waited for.
    HostSilent,
    /// A person gave it up while its host could not be heard or could not stop it.
    Abandoned,
    /// The checkpoint that it was to go on from could not be brought to its host.
    CheckpointAway,
}

/// One try at an operation on one host.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// `start`, `retry` or `resume`.
    pub origin: AttemptOrigin,
    pub state: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostName>,
    /// The life of the host in which it ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    pub created_at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AttemptOrigin {
    Start,
    Retry,
    Resume,
}

/// What a later attempt can resume from.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Checkpoint {
    /// The attempt that made it.
    pub attempt: u32,
    /// When, by the host's clock.
    pub at: Time,
    /// What is kept, for a person: "7 of 13 segments, 11,204 rows".
    pub note: String,
    /// How far the whole was then, from 0 to 1, where that was known: a later attempt stands there at first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fraction: Option<f64>,
    /// What the host needs to go on; at most 64 KiB of JSON, read by the kind that wrote it.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub state: Value,
    /// What is kept beside it on the host that made it. A host that goes on from it is given them first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<CheckpointFile>,
}

/// A file of a checkpoint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckpointFile {
    /// The number of the checkpoint within its attempt, a dash, and what the work calls it: `000005-state.json`.
    pub name: String,
    pub bytes: u64,
    /// In hex.
    pub sha256: String,
}
