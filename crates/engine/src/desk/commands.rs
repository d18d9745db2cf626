//! What the desk can be told.

use super::forget::{Leaving, Parted};
use crate::clock::Exchange;
use crate::lifecycle::Message;
use protocol::api::HostStatus;
use protocol::host::{About, Health, HostEvent, HostOperations};
use protocol::{
    Actor, Envelope, HostName, InstanceId, KindName, Operation, OperationId, Problem, SetRule, State,
};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use store::Stored;
use tokio::sync::{mpsc, oneshot};

/// Where commands go in. Bounded: whoever is faster than the desk waits.
pub(crate) type DeskSender = mpsc::Sender<Command>;
/// The answer to a person's wish, given once it is durable.
pub(crate) type Reply = oneshot::Sender<Result<Operation, Problem>>;
/// The same for a start; true when the operation is new.
pub(crate) type StartReply = oneshot::Sender<Result<(Operation, bool), Problem>>;

/// An operation to be made; its params are checked.
pub(crate) struct NewOperation {
    pub(crate) id: OperationId,
    pub(crate) kind: KindName,
    pub(crate) title: String,
    pub(crate) params: Value,
    pub(crate) priority: i8,
    /// The operation that starts it.
    pub(crate) parent: Option<OperationId>,
    /// The idempotency key, and the request that it stands for.
    pub(crate) key: Option<String>,
    pub(crate) request: String,
    /// Its rule from the first point on, with the band that it goes by.
    pub(crate) rule: Option<(SetRule, Arc<Envelope>)>,
}

pub(crate) enum Command {
    Start {
        new: Box<NewOperation>,
        by: Arc<Actor>,
        reply: StartReply,
    },
    /// A person's wish about one operation: its end, another attempt, to give it up.
    Wish {
        id: OperationId,
        wish: Message,
        by: Arc<Actor>,
        /// As the store has it.
        ended: Option<Box<Stored>>,
        /// What its rule goes by, where it has one and has ended.
        band: Option<Arc<Envelope>>,
        reply: Reply,
    },
    /// A person sets a rule with the band that it goes by, or takes it away.
    Rule {
        id: OperationId,
        rule: Option<(SetRule, Arc<Envelope>)>,
        by: Arc<Actor>,
        reply: Reply,
    },
    /// An errand came back.
    Message {
        id: OperationId,
        attempt: u32,
        message: Message,
    },
    /// The host has the attempt.
    Accepted {
        id: OperationId,
        attempt: u32,
    },
    /// The host has no place.
    Declined {
        id: OperationId,
        attempt: u32,
        retry_after: Option<Duration>,
    },
    /// The start surely never reached the host.
    Undelivered {
        id: OperationId,
        attempt: u32,
    },
    /// Nobody answered a start that is no longer wanted.
    StartGivenUp {
        id: OperationId,
        attempt: u32,
    },
    /// The host does not know what it is asked to cancel.
    CancelUnknown {
        id: OperationId,
        attempt: u32,
    },
    /// A host was reached: who it is, what it holds, and when it was asked. The reply is the place
    /// from which its feed is to be followed.
    HostUp {
        host: HostName,
        about: Box<About>,
        list: HostOperations,
        clock: Exchange,
        /// The place from before is no longer held.
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
        clock: Exchange,
    },
    /// A host gave no answer about its health.
    HostHealthUnknown {
        host: HostName,
    },
    /// What a host holds, asked for while its feed is followed.
    HostHolds {
        host: HostName,
        instance: InstanceId,
        list: HostOperations,
    },
    /// A person wants a host to take no new work, or to take it again.
    Drain {
        host: HostName,
        on: bool,
        by: Arc<Actor>,
        reply: oneshot::Sender<Result<HostStatus, Problem>>,
    },
    /// Operations that are too old to be kept.
    Forget {
        ended: Vec<(OperationId, State)>,
    },
    /// Operations that have ended and that a person wants deleted, each with what it started.
    Delete {
        families: Vec<Vec<Leaving>>,
        by: Arc<Actor>,
        reply: oneshot::Sender<Parted>,
    },
    /// Look whether somebody who waits can go.
    Dispatch,
    /// Time goes by.
    Tick,
}
