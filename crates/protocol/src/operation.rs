//! Operations and their attempts.

use crate::{
    BandRule, HostName, InstanceId, KeyFigure, KindName, OperationId, Progress, Receipt, ResourceUsage,
    State, Time,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Current state of an operation: everything that a row of the table shows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Operation {
    pub id: OperationId,
    pub kind: KindName,
    /// Title that distinguishes the operation from others of its kind: "MSFT 1h · full".
    pub title: String,
    /// Parent operation, which started this operation. If the parent fails or is cancelled, this operation is
    /// cancelled, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<OperationId>,
    /// Parameters as given in the request, an object. A secret parameter has `{"secret": true}` instead of its value,
    /// which is never shown.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub params: Value,
    pub state: State,
    /// Number of the current attempt, from 1. Reports of older attempts are ignored.
    pub attempt: u32,
    /// Host of the current attempt, once it is assigned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostName>,
    pub created_at: Time,
    /// Priority in the queue: operations with a higher priority start first, the others in queue order.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: i8,
    /// When the current attempt was queued, by the server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued_at: Option<Time>,
    /// Earliest start of the current attempt: the end of the backoff before an automatic retry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Time>,
    /// When the current attempt started to run, by the server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When the current attempt ended, by the server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
    /// When its host last reported about it, by the server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_at: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// Forecast of its end, based on the latest progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecast: Option<Forecast>,
    /// Receipt of its cancellation, once one is requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
    /// Current condition in addition to the state, such as stalled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
    /// Active condition that the host reported. `condition` may show another condition meanwhile, such as an
    /// unreachable host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_condition: Option<Condition>,
    /// Reason of the failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Checkpoint that a resume would start from: the latest one of all attempts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Checkpoint>,
    /// Auto-cancel rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<BandRule>,
    /// True if a result document is available.
    #[serde(default)]
    pub has_result: bool,
    /// Tags about the origin of its data, such as `synthetic`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Key figures of its result, most important first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<KeyFigure>,
    /// Resources that the current attempt used, once it has ended and if its host measured them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<ResourceUsage>,
    /// Sequence number of the event that last changed it.
    pub seq: u64,
}

impl Operation {
    /// New operation, queued for its first attempt.
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
            host_condition: None,
            failure: None,
            checkpoint: None,
            rule: None,
            has_result: false,
            tags: Vec::new(),
            figures: Vec::new(),
            usage: None,
            seq: 0,
        }
    }

    /// Time from which on the current attempt could have started: since it is queued, or the end of its backoff.
    pub fn ready_at(&self) -> Time {
        let queued = self.queued_at.unwrap_or(self.created_at);
        self.not_before.map_or(queued, |not_before| queued.max(not_before))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(priority: &i8) -> bool {
    *priority == 0
}

/// Forecast of the end of a running operation: an estimate and an 80 % interval from the accuracy of the kind's past
/// forecasts.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Forecast {
    /// When the forecast was made, by the server's clock.
    pub made_at: Time,
    pub ends_at: Time,
    pub earliest: Time,
    pub latest: Time,
    /// Data that the forecast is based on.
    pub basis: ForecastBasis,
    /// Number of past forecasts for this kind on which the interval is based; 0 means that the interval is not
    /// calibrated.
    pub judged: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ForecastBasis {
    /// Current rate.
    Rate,
    /// Durations of past operations.
    History,
    /// Both. The weight of the rate increases with progress and run time.
    Both,
}

/// Temporary condition of an operation, in addition to its state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Condition {
    pub kind: ConditionKind,
    /// Start of the condition, by the server's clock.
    pub since: Time,
    /// Human-readable message: what it means and what happens next.
    pub message: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ConditionKind {
    /// The host of a running operation is unreachable. The operation may still be running.
    #[serde(alias = "no_word")]
    Unreachable,
    /// Queued: no connected host supports the kind, or all that do are drained or not ready.
    NoHost,
    /// Queued: all hosts that support the kind are full, the limit of the kind is reached, or another operation uses
    /// the same resource.
    Waiting,
    /// A cancel request is not delivered yet; it is retried.
    CancelUndelivered,
    /// No progress for much longer than usual, although its host is connected.
    Stalled,
    /// Queued: waiting for the backoff before an automatic retry.
    Backoff,
    /// Starting: the files of its checkpoint are being transferred to its host.
    #[serde(alias = "carrying")]
    TransferringCheckpoint,
    /// Cancelling, but still running: its host can't stop it, or has not confirmed the stop. It keeps its slot until
    /// the work ends.
    Unstoppable,
    /// Running, but its process is suspended by a signal until it is continued or cancelled.
    Paused,
    /// Cancelling: its own work has stopped, but child operations have not ended.
    ChildrenRunning,
}

/// Failure of an attempt: what happened, why, and what to do next.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Failure {
    pub reason: FailureReason,
    /// What happened and why, in one or two sentences.
    pub message: String,
    /// What the user can do next.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum FailureReason {
    /// The work returned an error.
    Work,
    /// The work panicked: a bug in the host's code.
    Panic,
    /// The host rejected the operation, for example because of its parameters.
    Refused,
    /// The host restarted and no longer knows the attempt.
    HostRestarted,
    /// The host lost the attempt.
    HostLost,
    /// The host shut down and stopped the attempt.
    HostStopped,
    /// The host was unreachable for longer than the timeout.
    HostSilent,
    /// A user abandoned the operation while its host was unreachable or could not stop it.
    Abandoned,
    /// The checkpoint to resume from could not be transferred to the host.
    CheckpointAway,
    /// The secret parameters could not be decrypted, because their key is missing.
    SecretsUnreadable,
}

/// Attempt to run an operation on a host.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Attempt {
    /// Attempt number, from 1.
    pub number: u32,
    /// Reason for the attempt: `start`, `retry` or `resume`.
    pub origin: AttemptOrigin,
    pub state: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostName>,
    /// Instance ID of the host process that ran it.
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
    /// Note of the checkpoint that it resumes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed_from: Option<String>,
    /// Resources that it used, and where its time went, if its host measured them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<ResourceUsage>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AttemptOrigin {
    Start,
    Retry,
    Resume,
}

/// Checkpoint that a later attempt can resume from.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Checkpoint {
    /// Number of the attempt that saved it.
    pub attempt: u32,
    /// When it was saved, by the host's clock.
    pub at: Time,
    /// Human-readable summary: "7 of 13 segments, 11,204 rows".
    pub note: String,
    /// Progress of the operation at this checkpoint, 0 to 1, if known. A resumed attempt starts with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fraction: Option<f64>,
    /// State that the host needs to resume, at most 64 KiB of JSON. Only the kind that wrote it reads it.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub state: Value,
    /// Files of the checkpoint, stored on the host that saved it. They are transferred to a host that resumes from it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<CheckpointFile>,
}

/// File of a checkpoint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckpointFile {
    /// Number of the checkpoint within its attempt, a dash, and the name that the host gave: `000005-state.json`.
    pub name: String,
    pub bytes: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}
