//! The end of an operation that started others: while it is being cancelled, it is told with the last of theirs.

use super::{Effect, Record};
use protocol::receipt::Step;
use protocol::{Condition, ConditionKind, Failure, Operation, State, Time};

/// An end that is told once everything that the operation started has ended, too.
#[derive(Clone, PartialEq, Debug)]
pub struct HeldEnd {
    pub(super) state: State,
    pub(super) failure: Option<Failure>,
}

impl HeldEnd {
    /// What a stored operation that is being cancelled tells of it.
    pub(super) fn of(operation: &Operation) -> Option<Self> {
        let waits = operation.condition.as_ref().is_some_and(|c| c.kind == ConditionKind::ChildrenRunning);
        if operation.state != State::Cancelling || !waits {
            return None;
        }
        let stopped = operation.receipt.as_ref().is_some_and(|receipt| receipt.stopped.is_some());
        let failure = operation.failure.clone();
        let state = match (&failure, stopped) {
            (Some(_), _) => State::Failed,
            (None, true) => State::Cancelled,
            (None, false) => State::Succeeded,
        };
        Some(Self { state, failure })
    }
}

impl Record {
    /// Ends the current attempt and gives its place back. While it is being cancelled and what it started has not
    /// ended, the end waits for that; the place does not.
    pub(super) fn conclude(&mut self, state: State, failure: Option<Failure>, at: Time) -> Vec<Effect> {
        if !(self.children_run && self.operation.state == State::Cancelling) {
            if state == State::Cancelled {
                self.note(Step::Released, at);
            }
            // By a clock that was set back the receipt's steps stay in order, and its last one is the end.
            let released = self.operation.receipt.as_ref().and_then(|receipt| receipt.released);
            self.end(state, failure, released.unwrap_or(at));
            return vec![Effect::Changed, Effect::Release];
        }
        if self.held_end.is_some() {
            return Vec::new();
        }
        // Of the record that is stored, too: a server that comes after knows it from there.
        self.operation.failure.clone_from(&failure);
        self.held_end = Some(HeldEnd { state, failure });
        self.operation.forecast = None;
        self.operation.condition = Some(Condition {
            kind: ConditionKind::ChildrenRunning,
            since: at,
            message: "Its own work has stopped, but child operations have not ended. It ends with the last of them."
                .to_owned(),
        });
        vec![Effect::Changed, Effect::Release]
    }
}
