//! The checker: holds what the server said against what really happened. Pure: evidence in, violations out.

pub mod answers;
pub mod feed;
pub mod hosts;
pub mod reasons;
pub mod runs;
pub mod story;

use protocol::{Failure, Operation, OperationId, Receipt, State, Time};
use serde::Serialize;
use std::collections::HashMap;

/// A promise that was broken, and what shows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Violation {
    pub promise: Promise,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationId>,
    /// What was found, for a person.
    pub evidence: String,
}

/// What must hold after any storm.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Promise {
    /// Every accepted operation is accounted for.
    NoneLost,
    /// One key, one operation.
    KeyedOnce,
    /// A wish that was accepted left its trace.
    WishesKept,
    /// What was deleted is no more, and nothing else is.
    DeletesKept,
    /// No two runs of an operation at once, unless the server had said why it gave the first one up.
    NeverTwiceAtOnce,
    /// An attempt is run once in a life of a host.
    StartedOnce,
    /// An attempt that ended never changes.
    EndsStay,
    /// States follow each other as they may.
    StatesFollow,
    /// Within an attempt progress never runs backwards, nor before the checkpoint from which it goes on.
    ProgressForward,
    /// Each event once, in order, none missing but those said to be skipped.
    FeedWhole,
    /// The feed leads to what the API says.
    FeedAgrees,
    /// `cancelled` is said after the work stopped, and no sooner than its receipt has it.
    CancelledIsOver,
    /// What succeeded was done to its last step, and its result is there.
    SuccessIsTrue,
    /// A host that is called silent or restarted had trouble.
    ReasonsAreTrue,
    /// Nothing runs on a host that ended for the server.
    NothingLeftRunning,
    /// Whoever waits gets a free place.
    QueueMoves,
    /// Once all is well again everything comes to its end.
    ComesToCalm,
    /// No process ends by itself, panics, or does not stop when asked.
    ProcessesLive,
}

/// What the feed said to be no more: as what it ended, and when a reader had heard of it.
pub type Forgotten = HashMap<OperationId, (State, Time)>;

impl Promise {
    /// The word for it, as in the JSON.
    pub fn word(self) -> String {
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

/// What must never change of an attempt that ended.
#[derive(Clone, PartialEq, Debug)]
pub struct End {
    pub state: State,
    pub failure: Option<Failure>,
    pub receipt: Option<Receipt>,
    pub ended_at: Option<Time>,
}

impl End {
    /// Of the operation's current attempt, if that has ended.
    pub fn of(operation: &Operation) -> Option<Self> {
        operation.state.ended().then(|| Self {
            state: operation.state,
            failure: operation.failure.clone(),
            receipt: operation.receipt.clone(),
            ended_at: operation.ended_at,
        })
    }

    /// Of an attempt, if it has ended.
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
    //! Hand-made evidence for the tests.

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
        }
    }
}
