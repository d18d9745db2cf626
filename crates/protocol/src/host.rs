//! The host contract: what the server and a host say to each other under `/host/v1`.

use crate::operation::{Checkpoint, CheckpointFile};
use crate::{
    ConditionKind, Failure, InstanceId, KindName, KindSpec, LogLine, OperationId, Points, Progress, Time,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// `GET /host/v1/about`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct About {
    /// What the host calls itself.
    pub name: String,
    pub version: String,
    /// New at each start of the host.
    pub instance: InstanceId,
    pub kinds: Vec<KindSpec>,
    /// How many operations it runs at once.
    pub capacity: u32,
    /// How many of a kind it runs at once, for kinds that have such a limit of their own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub max_parallel: BTreeMap<KindName, u32>,
    /// The host's clock.
    pub now: Time,
}

/// `POST /host/v1/operations`: 202; the same id and attempt again 200; bad params 422; full, or as many of the kind
/// as it runs at once, 429; cancelled before it came 409.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StartAttempt {
    pub id: OperationId,
    pub attempt: u32,
    pub kind: KindName,
    pub params: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume_from: Option<Checkpoint>,
}

/// `POST /host/v1/preview`: 200 with a [`crate::Preview`]; bad params 422; a kind without previews 404.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PreviewParams {
    pub kind: KindName,
    pub params: Value,
}

/// Where an attempt stands on its host.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostState {
    Accepted,
    Running,
    /// A cancel came and the work has not stopped yet.
    Stopping,
    Ended,
}

/// How an attempt ended on its host.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Succeeded,
    Failed,
    Cancelled,
    /// Nothing of it was begun: the attempt goes back into the queue.
    NotStarted,
}

/// `GET /host/v1/operations[/{id}]`: what the host holds of an operation; its newest attempt.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct HostOperation {
    pub id: OperationId,
    pub attempt: u32,
    pub kind: KindName,
    pub state: HostState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
}

/// The answer of `GET /host/v1/operations`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct HostOperations {
    pub instance: InstanceId,
    /// The list is true at this place of the host's feed.
    pub seq: u64,
    pub operations: Vec<HostOperation>,
    /// The host's clock.
    pub now: Time,
}

/// `GET /host/v1/operations/{id}/checkpoints/{attempt}`: the files of checkpoints that the host keeps of an attempt,
/// be they its own or given to it, in the order of their names. One file is read at `…/{name}` and given by `PUT` there
/// with `?sha256=`; `DELETE /host/v1/operations/{id}/checkpoints` throws away all of an operation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CheckpointFiles {
    pub files: Vec<CheckpointFile>,
}

/// `POST /host/v1/operations/{id}/cancel`: 202 acknowledged, with [`CancelAck`]; 404 for an attempt that is not here. A
/// start of that attempt that comes later, in the same life of the host, is refused.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CancelAttempt {
    pub attempt: u32,
    #[serde(default)]
    pub reason: String,
    /// Past this the host stops asking and aborts the work.
    pub deadline_ms: u64,
    /// The attempt is over for the server, which no longer waits for its end: the host aborts also a work that it
    /// otherwise lets end by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub abandoned: bool,
}

/// The host will stop the attempt, or it had already ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CancelAck {
    pub state: HostState,
    /// The host's clock.
    pub now: Time,
}

/// One record of a host's feed. `seq` rises by one, without gaps, within one life of the host.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct HostEvent {
    pub seq: u64,
    /// By the host's clock.
    pub at: Time,
    pub id: OperationId,
    pub attempt: u32,
    #[serde(flatten)]
    pub body: HostEventBody,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum HostEventBody {
    Running,
    Progress {
        progress: Progress,
    },
    Points {
        series: Vec<Points>,
    },
    Log {
        lines: Vec<LogLine>,
    },
    Checkpoint {
        checkpoint: Checkpoint,
    },
    /// A cancel was taken; the work is asked to stop.
    Acknowledged,
    /// A condition of the attempt that its host knows of; `None` when it is over. It changes no state. The server
    /// takes `cancel_undelivered` and `unstoppable` from hosts.
    Condition {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        condition: Option<HostCondition>,
    },
    /// The work no longer computes; what it holds is not free yet.
    Stopped,
    /// Over, and everything it held is released: its memory, its files, its place on the host.
    Ended {
        outcome: Outcome,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
        /// The result document, at most 256 KiB of JSON; what is larger is an artifact.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        result: Option<ResultDoc>,
    },
    /// Something that this version does not know, of a newer host: it changes nothing.
    #[serde(other)]
    Unknown,
}

/// A condition as a host reports it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HostCondition {
    pub kind: ConditionKind,
    /// For a person: what it means and what happens next.
    pub message: String,
}

/// Result of an attempt.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResultDoc {
    /// Result document. The page reads known kinds as types, such as `data.load` as [`crate::results::LoadResult`].
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub document: Value,
    /// Artifacts that can be fetched by name.
    #[serde(default)]
    pub artifacts: Vec<Artifact>,
    /// Tags that are shown with the operation, such as `synthetic`.
    #[serde(default)]
    pub tags: Vec<String>,
}

/// Output of an attempt that stays on its host.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Artifact {
    /// Name to fetch it by, such as `bars`.
    pub name: String,
    /// Media type of the content.
    pub media_type: String,
    /// Path on the host, below `/host/v1/artifacts/`. Stays valid when the host restarts.
    pub path: String,
    /// Human-readable description.
    #[serde(default)]
    pub description: String,
}

/// `GET /host/v1/events?after=SEQ` as JSON: a long poll of the records that SSE carries.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct HostEvents {
    pub instance: InstanceId,
    /// The asked-for place is no longer held: list the operations and follow from that list's seq.
    pub reset: bool,
    pub events: Vec<HostEvent>,
    /// The newest record there is.
    pub head: u64,
    /// The host's clock.
    pub now: Time,
}

/// First message of a host's stream (`event: hello`), and its heartbeat (`event: beat`).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct HostBeat {
    pub instance: InstanceId,
    pub head: u64,
    /// The host's clock.
    pub now: Time,
    /// Seconds between two beats.
    pub beat_seconds: f64,
}

/// `GET /host/v1/health`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Health {
    pub ready: bool,
    /// Kinds that the host can't run at the moment; none of them are scheduled on it. Empty while `ready` is false means
    /// all kinds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unready_kinds: Vec<KindName>,
    /// Health checks of the host's dependencies.
    pub checks: Vec<Check>,
    /// CPU usage of the whole machine as a share of all cores, 0 to 1.
    pub cpu: f64,
    /// Resident memory of the host process in bytes.
    pub memory_bytes: u64,
    /// Network traffic of the machine, received, in bytes per second.
    pub network_in: f64,
    /// Network traffic of the machine, sent, in bytes per second.
    pub network_out: f64,
    /// Number of running operations.
    pub running: u32,
    /// Number of free slots.
    pub free: u32,
    /// The host's clock.
    pub now: Time,
}

/// Health check of one dependency of a host.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Check {
    pub name: String,
    pub ok: bool,
    /// Why the check failed, and what to do.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}
