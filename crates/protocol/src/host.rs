//! Host contract: the API between server and host under `/host/v1`.

use crate::operation::{Checkpoint, CheckpointFile};
use crate::{
    ConditionKind, Failure, InstanceId, KeyFigure, KindName, KindSpec, LogLine, OperationId, Points,
    Progress, ResourceUsage, Time,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Routes of the contract, by which the server counts its requests.
pub const ROUTES: &[&str] = &[
    "/host/v1/about",
    "/host/v1/health",
    "/host/v1/samples",
    "/host/v1/operations",
    "/host/v1/preview",
    "/host/v1/operations/{id}",
    "/host/v1/operations/{id}/cancel",
    "/host/v1/operations/{id}/result",
    "/host/v1/operations/{id}/checkpoints",
    "/host/v1/operations/{id}/checkpoints/{attempt}",
    "/host/v1/operations/{id}/checkpoints/{attempt}/{name}",
    "/host/v1/events",
    "/host/v1/artifacts/{*path}",
];

/// `GET /host/v1/about`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct About {
    /// Name of the host's program.
    pub name: String,
    pub version: String,
    /// New at each start of the host.
    pub instance: InstanceId,
    pub kinds: Vec<KindSpec>,
    /// Number of slots.
    pub capacity: u32,
    /// Largest number of parallel operations, for kinds with their own limit.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub max_parallel: BTreeMap<KindName, u32>,
    /// The host's clock.
    pub now: Time,
}

/// `POST /host/v1/operations`: 202; the same ID and attempt again 200; invalid parameters 422; no free slot, or the
/// kind's limit, 429; cancelled before it arrived 409.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StartAttempt {
    pub id: OperationId,
    pub attempt: u32,
    pub kind: KindName,
    pub params: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume_from: Option<Checkpoint>,
}

/// `POST /host/v1/preview`: 200 with a [`crate::Preview`]; invalid parameters 422; a kind without previews 404.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PreviewParams {
    pub kind: KindName,
    pub params: Value,
}

/// State of an attempt on its host.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostState {
    Accepted,
    Running,
    /// A cancel arrived, and the work has not stopped yet.
    Stopping,
    Ended,
}

/// Outcome of an attempt on its host.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Succeeded,
    Failed,
    Cancelled,
    /// Nothing of it was begun; the attempt is queued again.
    NotStarted,
}

/// `GET /host/v1/operations[/{id}]`: newest attempt of an operation on the host.
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

/// Response to `GET /host/v1/operations`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct HostOperations {
    pub instance: InstanceId,
    /// Position in the host's feed that the list reflects.
    pub seq: u64,
    pub operations: Vec<HostOperation>,
    /// The host's clock.
    pub now: Time,
}

/// `GET /host/v1/operations/{id}/checkpoints/{attempt}`: files of an attempt's checkpoints that the host stores, its
/// own or transferred ones, ordered by name. A file is read at `…/{name}`, and written with `PUT` there with
/// `?sha256=`; `DELETE /host/v1/operations/{id}/checkpoints` deletes all files of an operation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CheckpointFiles {
    pub files: Vec<CheckpointFile>,
}

/// `POST /host/v1/operations/{id}/cancel`: 202 with [`CancelAck`]; 404 if the attempt is not here. A later start of
/// that attempt is refused while this process of the host runs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CancelAttempt {
    pub attempt: u32,
    #[serde(default)]
    pub reason: String,
    /// Time after which the host aborts the work.
    pub deadline_ms: u64,
    /// The server has abandoned the attempt: the host also aborts work that it otherwise lets end by itself.
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

/// Record of a host's feed. `seq` increases by one, without gaps, while one process of the host runs.
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
    /// A cancel was accepted; the work is asked to stop.
    Acknowledged,
    /// Condition of the attempt that its host knows of; `None` when it ends. It changes no state. The server accepts
    /// `cancel_undelivered`, `unstoppable` and `paused` from hosts.
    Condition {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        condition: Option<HostCondition>,
    },
    /// The work has stopped; its resources are not released yet.
    Stopped,
    /// The attempt has ended, and its resources are released: memory, files, slot.
    Ended {
        outcome: Outcome,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
        /// Result document, at most 256 KiB of JSON; larger results are artifacts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        result: Option<ResultDoc>,
        /// Resources that the attempt used, if the host measured them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        usage: Option<Box<ResourceUsage>>,
    },
    /// Report of a newer host that this version does not know; it is ignored.
    #[serde(other)]
    Unknown,
}

/// Condition as reported by a host.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HostCondition {
    pub kind: ConditionKind,
    /// Message for users: what it means and what happens next.
    pub message: String,
}

/// Result of an attempt.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResultDoc {
    /// Result document. Its schema depends on the kind: `LoadResult` for `data.load`, for example.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub document: Value,
    /// Artifacts that can be fetched by name.
    #[serde(default)]
    pub artifacts: Vec<Artifact>,
    /// Tags that are shown with the operation, such as `synthetic`.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Key figures of the result, most important first: lists show the first figures. At most 6 are kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<KeyFigure>,
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

/// `GET /host/v1/events?after=SEQ` as JSON: a long poll of the same records as the stream.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct HostEvents {
    pub instance: InstanceId,
    /// The requested position is no longer available: list the operations and follow from that list's seq.
    pub reset: bool,
    pub events: Vec<HostEvent>,
    /// Number of the newest record.
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
    /// Interval of heartbeats in seconds.
    pub beat_seconds: f64,
}

/// `GET /host/v1/health`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Health {
    pub ready: bool,
    /// Kinds that the host can't run at the moment; none of them are scheduled on it. If the list is empty while
    /// `ready` is false, the host can't run any kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unready_kinds: Vec<KindName>,
    /// Health checks of the host's dependencies.
    pub checks: Vec<Check>,
    /// CPU usage of the whole machine as a share of all cores, 0 to 1. `cpu`, `memory_bytes`, `network_in` and
    /// `network_out` are absent while they are unknown: before the first measurement, and if the work runs on another
    /// machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
    /// Resident memory of the host process in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Received network traffic of the machine, in bytes per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_in: Option<f64>,
    /// Sent network traffic of the machine, in bytes per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_out: Option<f64>,
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
