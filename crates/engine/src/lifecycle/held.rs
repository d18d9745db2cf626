//! Held ends: a parent that is being cancelled ends with its last child.

use super::{Effect, Record};
use protocol::receipt::Step;
use protocol::{Condition, ConditionKind, Failure, FailureReason, Operation, State, Time};

/// End that is published once all children have ended, too.
#[derive(Clone, PartialEq, Debug)]
pub struct HeldEnd {
    pub(super) state: State,
    pub(super) failure: Option<Failure>,
}

impl HeldEnd {
    /// Held end of a stored operation that is being cancelled.
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
    /// Ends the current attempt and releases its slot. If it is being cancelled and has children that have not ended,
    /// the end waits for them; the slot does not.
    pub(super) fn conclude(
        &mut self,
        mut state: State,
        mut failure: Option<Failure>,
        at: Time,
    ) -> Vec<Effect> {
        if self.is_cut_short(state, failure.as_ref()) {
            self.note(Step::Stopped, at);
            (state, failure) = (State::Cancelled, None);
        }
        if !(self.children_run && self.operation.state == State::Cancelling) {
            if state == State::Cancelled {
                self.note(Step::Released, at);
            }
            // If the clock was set back, the receipt's steps stay in order, and its last one is the end.
            let released = self.operation.receipt.as_ref().and_then(|receipt| receipt.released);
            self.end(state, failure, released.unwrap_or(at));
            return vec![Effect::Changed, Effect::Release];
        }
        if self.held_end.is_some() {
            return Vec::new();
        }
        // Also stored with the record, so that the server knows it after a restart.
        self.operation.failure.clone_from(&failure);
        self.held_end = Some(HeldEnd { state, failure });
        self.operation.forecast = None;
        self.operation.host_condition = None;
        self.operation.condition = Some(Condition {
            kind: ConditionKind::ChildrenRunning,
            since: at,
            message: "The work of the operation has stopped, but child operations have not ended. The operation ends when its last child operation ends."
                .to_owned(),
        });
        vec![Effect::Changed, Effect::Release]
    }

    /// Whether an end of its own work is the effect of the cancel: it came back because children were cancelled with
    /// it, so what it made of them is neither a success nor a failure of its own.
    pub(super) fn is_cut_short(&self, state: State, failure: Option<&Failure>) -> bool {
        let by_itself = match state {
            State::Succeeded => true,
            State::Failed => failure.is_some_and(|failure| failure.reason == FailureReason::Work),
            _ => false,
        };
        self.children_cut && self.operation.state == State::Cancelling && by_itself
    }

    /// Notes that a child was cancelled with it, also for the end of its own work if that is held.
    pub(super) fn cut_short(&mut self) -> Vec<Effect> {
        self.children_cut = true;
        let Some(held) = self.held_end.take() else { return Vec::new() };
        if !self.is_cut_short(held.state, held.failure.as_ref()) {
            self.held_end = Some(held);
            return Vec::new();
        }
        let stopped = self.operation.condition.as_ref().map(|condition| condition.since);
        if let Some(at) = stopped {
            self.note(Step::Stopped, at);
        }
        self.held_end = Some(HeldEnd { state: State::Cancelled, failure: None });
        self.operation.failure = None;
        self.operation.has_result = false;
        self.operation.figures.clear();
        vec![Effect::Changed]
    }
}
