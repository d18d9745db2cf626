//! Commands to the coordinator, from users, hosts and the engine's own tasks.

use crate::clock::RoundTrip;
use crate::error::EngineError;
use crate::lifecycle::Message;
use protocol::alerts::AlertSummary;
use protocol::api::HostStatus;
use protocol::host::{About, Health, HostEvent, HostOperations};
use protocol::{Actor, Baseline, HostName, InstanceId, KindName, Operation, OperationId, SetRule, State};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use store::{SecretParam, Stored};
use tokio::sync::{mpsc, oneshot};

/// Sender of commands. Bounded: senders that are faster than the coordinator wait.
pub(crate) type CoordinatorSender = mpsc::Sender<Command>;
/// Response to a user request, sent once it is durable.
pub(crate) type Reply = oneshot::Sender<Result<Operation, EngineError>>;
/// Response to a start; true if the operation is new.
pub(crate) type StartReply = oneshot::Sender<Result<(Operation, bool), EngineError>>;

/// Operation to create, with checked parameters without secret values.
pub(crate) struct NewOperation {
    pub(crate) id: OperationId,
    pub(crate) kind: KindName,
    pub(crate) title: String,
    pub(crate) params: Value,
    /// Encrypted secret values.
    pub(crate) secrets: Vec<SecretParam>,
    pub(crate) priority: i8,
    /// Parent operation, if any.
    pub(crate) parent: Option<OperationId>,
    /// Idempotency key, and the request it stands for, without secret values.
    pub(crate) key: Option<String>,
    pub(crate) request: String,
    /// Auto-cancel rule from the first point on, with its baseline.
    pub(crate) rule: Option<(SetRule, Arc<Baseline>)>,
}

/// Ended operation to delete.
pub(crate) struct DeletionCandidate {
    pub(crate) id: OperationId,
    pub(crate) kind: KindName,
    pub(crate) title: String,
    pub(crate) state: State,
    /// Host that stores files of its checkpoint.
    pub(crate) kept_on: Option<HostName>,
}

impl From<Operation> for DeletionCandidate {
    fn from(operation: Operation) -> Self {
        let Operation { id, kind, title, state, host, checkpoint, .. } = operation;
        let kept_on = host.filter(|_| checkpoint.is_some_and(|c| !c.files.is_empty()));
        Self { id, kind, title, state, kept_on }
    }
}

/// Numbers of deleted families, of the operations in them, and of families that remain.
#[derive(Default)]
pub(crate) struct DeletedFamilies {
    pub(crate) operations: u64,
    pub(crate) refused: u64,
}

/// Command to the coordinator.
pub(crate) enum Command {
    /// The server's alerts changed.
    Alerts(AlertSummary),
    Start {
        new: Box<NewOperation>,
        by: Arc<Actor>,
        reply: StartReply,
    },
    /// User request about one operation: cancel, retry, resume, abandon.
    Request {
        id: OperationId,
        request: Message,
        by: Arc<Actor>,
        /// The stored operation, if it has ended.
        ended: Option<Box<Stored>>,
        /// Baseline of the rule, if the operation has ended and has one.
        band: Option<Arc<Baseline>>,
        reply: Reply,
    },
    /// Sets a rule with its baseline, or removes it.
    Rule {
        id: OperationId,
        rule: Option<(SetRule, Arc<Baseline>)>,
        by: Arc<Actor>,
        reply: Reply,
    },
    /// Result of a host request.
    Message {
        id: OperationId,
        attempt: u32,
        message: Message,
    },
    /// The host has accepted the attempt.
    Accepted {
        id: OperationId,
        attempt: u32,
    },
    /// The host has no free slot.
    Declined {
        id: OperationId,
        attempt: u32,
        retry_after: Option<Duration>,
    },
    /// The start certainly did not reach the host.
    Undelivered {
        id: OperationId,
        attempt: u32,
    },
    /// A start that is no longer wanted got no response.
    StartGivenUp {
        id: OperationId,
        attempt: u32,
    },
    /// The host does not know the attempt that it should cancel.
    CancelUnknown {
        id: OperationId,
        attempt: u32,
    },
    /// A host is connected: its identity, its operations, and the time of the request. The reply is the position from
    /// which to follow its feed.
    HostUp {
        host: HostName,
        about: Box<About>,
        list: HostOperations,
        clock: RoundTrip,
        /// The host no longer has the previous position.
        reset: bool,
        reply: oneshot::Sender<u64>,
    },
    /// What a connected host offers now.
    HostOffers {
        host: HostName,
        about: Box<About>,
    },
    HostEvents {
        host: HostName,
        instance: InstanceId,
        events: Vec<HostEvent>,
    },
    HostDown {
        host: HostName,
        why: String,
    },
    HostHealth {
        host: HostName,
        health: Box<Health>,
        clock: RoundTrip,
    },
    /// A health check got no response.
    HostHealthUnknown {
        host: HostName,
    },
    /// Operations of a host, requested while its feed is followed.
    HostHolds {
        host: HostName,
        instance: InstanceId,
        list: HostOperations,
    },
    /// Drains or undrains a host.
    Drain {
        host: HostName,
        on: bool,
        by: Arc<Actor>,
        reply: oneshot::Sender<Result<HostStatus, EngineError>>,
    },
    /// Operations to delete by retention.
    DeleteExpired {
        candidates: Vec<DeletionCandidate>,
    },
    /// Ended operations to delete on request, each with its children.
    Delete {
        families: Vec<Vec<DeletionCandidate>>,
        by: Arc<Actor>,
        reply: oneshot::Sender<DeletedFamilies>,
    },
    /// Try to place queued operations.
    Dispatch,
    /// Periodic tick.
    Tick,
}
