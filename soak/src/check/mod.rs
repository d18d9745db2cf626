//! Checker: compares what the server reported with what really happened. Pure: evidence in, violations out.

pub mod answers;
pub mod feed;
pub mod history;
pub mod hosts;
pub mod reasons;
pub mod runs;

use protocol::{Failure, Operation, OperationId, Receipt, State, Time};
use serde::Serialize;
use std::collections::HashMap;

/// Broken promise, with evidence.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Violation {
    pub promise: Promise,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationId>,
    /// Description of what was found.
    pub evidence: String,
}

/// Promise that must hold after any fault schedule; docs/reliability.md lists when each is broken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Promise {
    /// No accepted operation is lost.
    NoneLost,
    /// An idempotency key creates one operation.
    KeyedOnce,
    /// An accepted request left its trace.
    RequestsKept,
    /// Deleted operations are gone, and only those.
    DeletesKept,
    /// No two runs of an operation overlap, unless the server had given up the first one with a reason.
    NeverTwiceAtOnce,
    /// A process of a host runs an attempt once.
    StartedOnce,
    /// An ended attempt never changes.
    EndsStay,
    /// Only valid state transitions occur.
    StatesFollow,
    /// Progress of an attempt never decreases, nor falls below the checkpoint from which it resumed.
    ProgressForward,
    /// Each event comes once, in order; only events reported as skipped are missing.
    FeedWhole,
    /// The feed matches the API.
    FeedAgrees,
    /// `cancelled` is reported only after the work stopped, and its receipt says so, too.
    CancelledIsOver,
    /// A succeeded operation was run to its last step, and has its result.
    SuccessIsTrue,
    /// A host that is reported as silent or restarted had a fault.
    ReasonsAreTrue,
    /// No host runs an attempt that has ended according to the server.
    NothingLeftRunning,
    /// Waiting operations get free slots.
    QueueMoves,
    /// Without faults, every operation ends.
    ReachesQuiescence,
    /// No process ends by itself, panics, or fails to stop when asked.
    ProcessesLive,
}

/// Operations that the feed reported as deleted: final state, and time at which a reader got it.
pub type Deletions = HashMap<OperationId, (State, Time)>;

impl Promise {
    /// Its name, as in the JSON.
    pub fn name(self) -> String {
        serde_json::to_value(self).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

impl Violation {
    pub fn of(promise: Promise, operation: OperationId, evidence: impl Into<String>) -> Self {
        Self { promise, operation: Some(operation), evidence: evidence.into() }
    }

    pub fn general(promise: Promise, evidence: impl Into<String>) -> Self {
        Self { promise, operation: None, evidence: evidence.into() }
    }
}

/// Parts of an ended attempt that must never change.
#[derive(Clone, PartialEq, Debug)]
pub struct End {
    pub state: State,
    pub failure: Option<Failure>,
    pub receipt: Option<Receipt>,
    pub ended_at: Option<Time>,
}

impl End {
    /// End of the operation's current attempt, if it has ended.
    pub fn of(operation: &Operation) -> Option<Self> {
        operation.state.ended().then(|| Self {
            state: operation.state,
            failure: operation.failure.clone(),
            receipt: operation.receipt.clone(),
            ended_at: operation.ended_at,
        })
    }

    /// End of the attempt, if it has ended.
    pub fn of_attempt(attempt: &protocol::Attempt) -> Option<Self> {
        attempt.state.ended().then(|| Self {
            state: attempt.state,
            failure: attempt.failure.clone(),
            receipt: attempt.receipt.clone(),
            ended_at: attempt.ended_at,
        })
    }
}

#[cfg(test)]
pub mod made {
    //! Hand-made evidence for tests.

    use protocol::operation::AttemptOrigin;
    use protocol::{Attempt, Event, EventBody, Failure, FailureReason, Operation, OperationId, State, Time};

    pub fn at(micros: i64) -> Time {
        Time::from_micros(1_000_000_000 + micros)
    }

    pub fn operation(id: OperationId, state: State, attempt: u32) -> Operation {
        let kind = "soak.count".parse().unwrap();
        let params = serde_json::json!({"mark": "m"});
        let mut operation = Operation::queued(id, kind, "m".into(), params, at(0));
        operation.state = state;
        operation.attempt = attempt;
        operation.ended_at = state.ended().then(|| at(500));
        operation
    }

    pub fn event(seq: u64, operation: Operation) -> Event {
        Event { seq, at: at(seq as i64), body: EventBody::Operation { operation: Box::new(operation) } }
    }

    pub fn failure(reason: FailureReason) -> Failure {
        Failure { reason, message: "x".into(), hint: String::new() }
    }

    pub fn attempt(number: u32, state: State) -> Attempt {
        Attempt {
            number,
            origin: AttemptOrigin::Start,
            state,
            host: None,
            instance: None,
            created_at: at(0),
            started_at: None,
            ended_at: state.ended().then(|| at(500)),
            failure: None,
            receipt: None,
            resumed_from: None,
            usage: None,
        }
    }
}
