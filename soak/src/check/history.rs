//! Checks the feed per operation: transitions are valid, an end stays, progress moves forward.

use super::{Deletions, End, Promise, Violation};
use protocol::{Event, EventBody, FailureReason, Operation, OperationId, Progress, State, Time};
use std::collections::{BTreeMap, HashMap};

/// Applies events one by one and keeps the resulting state.
#[derive(Clone, Default, Debug)]
pub struct History {
    /// Operations as last reported, in the order of their IDs, which is that of acceptance.
    pub now: BTreeMap<OperationId, Operation>,
    /// End of each ended attempt, and when the reader got it. The event's own time may be slightly early: all inputs
    /// that the server processes together have the time at which it began.
    pub ends: HashMap<(OperationId, u32), (End, Time)>,
    /// Highest fraction of the current attempt within its current count.
    furthest: HashMap<OperationId, (u32, f64)>,
    /// Latest progress, with its attempt.
    newest: HashMap<OperationId, (u32, Progress)>,
    /// Deleted operations.
    pub deleted: Deletions,
    /// Number of late reports of ended attempts.
    pub late: u64,
}

impl History {
    pub fn take(&mut self, event: &Event, read: Time) -> Vec<Violation> {
        match &event.body {
            EventBody::Operation { operation } => self.apply_operation(event, operation, read),
            EventBody::Progress { id, attempt, progress, .. } => {
                let mut found = Vec::new();
                match self.now.get_mut(id) {
                    None => {
                        let what = format!("event {} is progress of an unknown operation", event.seq);
                        found.push(Violation::of(Promise::FeedAgrees, *id, what));
                    }
                    Some(known) if known.attempt != *attempt || known.state.ended() => {
                        let what = format!(
                            "event {} is progress of attempt {attempt}, but it is {} in attempt {}",
                            event.seq, known.state, known.attempt
                        );
                        found.push(Violation::of(Promise::EndsStay, *id, what));
                    }
                    Some(known) => known.progress = Some(progress.clone()),
                }
                found.extend(self.check_progress(event.seq, *id, *attempt, progress));
                found
            }
            EventBody::Deleted { id, state } => self.deleted(event.seq, *id, *state, read),
            EventBody::Late { .. } => {
                self.late += 1;
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn apply_operation(&mut self, event: &Event, operation: &Operation, read: Time) -> Vec<Violation> {
        let (id, seq) = (operation.id, event.seq);
        let mut found = Vec::new();
        if self.deleted.contains_key(&id) {
            let what = format!("event {seq} says that it is {}, but it was deleted", operation.state);
            found.push(Violation::of(Promise::EndsStay, id, what));
        }
        if let Some(before) = self.now.get(&id) {
            found.extend(follows(seq, before, operation));
        } else if operation.state != State::Queued && operation.attempt == 1 {
            // Its acceptance and its first transition may share an event.
            let jumped = !State::Queued.may_become(operation.state);
            if jumped {
                let what = format!("event {seq} reports it for the first time, as {}", operation.state);
                found.push(Violation::of(Promise::StatesFollow, id, what));
            }
        }
        let end = End::of(operation);
        if let Some((known, reported)) = self.ends.get(&(id, operation.attempt))
            && end.as_ref() != Some(known)
        {
            let what = format!(
                "attempt {} was reported as ended at {reported}: {known:?}; event {seq} at {} says {:?} and {:?}",
                operation.attempt, event.at, operation.state, end
            );
            found.push(Violation::of(Promise::EndsStay, id, what));
        } else if let Some(end) = end {
            self.ends.entry((id, operation.attempt)).or_insert((end, read));
        }
        found.extend(self.unfinished_child(seq, operation));
        self.set_lower_bound(operation);
        if operation.state.on_host()
            && let Some(progress) = &operation.progress
        {
            found.extend(self.check_progress(seq, id, operation.attempt, progress));
        }
        self.now.insert(id, operation.clone());
        found
    }

    /// Checks a deletion: only an ended operation is deleted, with its final state.
    fn deleted(&mut self, seq: u64, id: OperationId, state: State, read: Time) -> Vec<Violation> {
        self.furthest.remove(&id);
        self.deleted.insert(id, (state, read));
        match self.now.remove(&id) {
            Some(known) if known.state == state && state.ended() => Vec::new(),
            known => {
                let was = known.map_or("unknown".to_owned(), |known| known.state.to_string());
                let what = format!("event {seq}: it was deleted as {state}, but by the feed it was {was}");
                vec![Violation::of(Promise::EndsStay, id, what)]
            }
        }
    }

    /// A cancel is over only when all child operations have ended.
    fn unfinished_child(&self, seq: u64, operation: &Operation) -> Option<Violation> {
        let id = operation.id;
        let was_cancelling = self.now.get(&id).is_some_and(|before| before.state == State::Cancelling);
        let given_up = operation.failure.as_ref().is_some_and(|f| f.reason == FailureReason::Abandoned);
        if !was_cancelling || !operation.state.ended() || given_up {
            return None;
        }
        let mut children = self.now.values().filter(|child| child.parent == Some(id));
        let left = children.find(|child| !child.state.ended() || cancelled_with(child, operation))?;
        let what = format!(
            "event {seq} says that it is {}, but its child {} is {}",
            operation.state, left.id, left.state
        );
        Some(Violation::of(Promise::CancelledIsOver, id, what))
    }

    /// Sets the lower bound for progress of an attempt that resumes from a checkpoint.
    fn set_lower_bound(&mut self, operation: &Operation) {
        if operation.state == State::Queued && operation.progress.is_none() {
            // From the beginning: a manual retry replaced an automatic one that would have resumed.
            self.furthest.remove(&operation.id);
        }
        let (id, attempt) = (operation.id, operation.attempt);
        let kept = operation.checkpoint.as_ref().filter(|checkpoint| checkpoint.attempt < attempt);
        let begun = self.furthest.get(&id).is_some_and(|(known, _)| *known == attempt);
        if let Some(fraction) = kept.and_then(|checkpoint| checkpoint.fraction).filter(|_| !begun) {
            self.furthest.insert(id, (attempt, fraction));
        }
    }

    fn check_progress(
        &mut self,
        seq: u64,
        id: OperationId,
        attempt: u32,
        progress: &Progress,
    ) -> Option<Violation> {
        let before = self.newest.insert(id, (attempt, progress.clone()));
        if before.is_some_and(|(of, before)| of == attempt && !progress.continues(&before)) {
            self.furthest.remove(&id);
        }
        let fraction = progress.fraction?;
        let furthest = self.furthest.entry(id).or_insert((attempt, fraction));
        if furthest.0 != attempt || fraction >= furthest.1 {
            *furthest = (attempt, fraction);
            return None;
        }
        let what =
            format!("event {seq}: progress of attempt {attempt} fell from {} to {fraction}", furthest.1);
        Some(Violation::of(Promise::ProgressForward, id, what))
    }
}

/// Whether a child was cancelled together with its parent, although the parent reports an end of its own.
fn cancelled_with(child: &Operation, parent: &Operation) -> bool {
    let requested = |o: &Operation| o.receipt.as_ref().map(|receipt| receipt.requested);
    let by_itself = match &parent.failure {
        None => parent.state == State::Succeeded,
        Some(failure) => failure.reason == FailureReason::Work,
    };
    // Both requests are in one commit, with one time.
    by_itself && child.state == State::Cancelled && requested(child) == requested(parent)
}

/// Checks that one reported state of an operation may follow the other.
fn follows(seq: u64, before: &Operation, now: &Operation) -> Option<Violation> {
    let may = if now.attempt == before.attempt && before.state.ended() {
        now.state == before.state
    } else if now.attempt == before.attempt {
        // There may have been one transition in between without an event of its own.
        now.state == before.state
            || before.state.may_become(now.state)
            || State::ALL
                .iter()
                .filter(|s| !s.ended())
                .any(|s| before.state.may_become(*s) && s.may_become(now.state))
    } else {
        now.attempt == before.attempt + 1
            && before.state.ended()
            && before.state != State::Succeeded
            && (now.state == State::Queued || State::Queued.may_become(now.state))
    };
    let what = format!(
        "event {seq}: from {} in attempt {} to {} in attempt {}",
        before.state, before.attempt, now.state, now.attempt
    );
    (!may).then(|| Violation::of(Promise::StatesFollow, now.id, what))
}

#[cfg(test)]
mod tests {
    use super::super::made::{at, event, failure, operation};
    use super::*;
    use protocol::{Checkpoint, FailureReason, Progress};

    fn promises(states: &[(State, u32)]) -> Vec<Promise> {
        let (id, mut history) = (OperationId::new(), History::default());
        let events =
            states.iter().zip(1..).map(|((state, attempt), seq)| event(seq, operation(id, *state, *attempt)));
        events.flat_map(|event| history.take(&event, at(0))).map(|v| v.promise).collect()
    }

    #[test]
    fn a_normal_run_and_a_retry_are_good() {
        use State::*;
        assert_eq!(promises(&[(Queued, 1), (Starting, 1), (Running, 1), (Succeeded, 1)]), []);
        assert_eq!(promises(&[(Queued, 1), (Starting, 1), (Failed, 1), (Queued, 2), (Starting, 2)]), []);
    }

    #[test]
    fn an_end_that_changes_is_found() {
        use State::*;
        assert!(
            promises(&[(Queued, 1), (Starting, 1), (Failed, 1), (Succeeded, 1)]).contains(&Promise::EndsStay)
        );
        let (id, mut history) = (OperationId::new(), History::default());
        let mut over = operation(id, Failed, 1);
        over.failure = Some(failure(FailureReason::Work));
        assert_eq!(history.take(&event(1, operation(id, Queued, 1)), at(0)), []);
        assert_eq!(history.take(&event(2, over.clone()), at(0)), []);
        // A repetition is no change.
        assert_eq!(history.take(&event(3, over.clone()), at(0)), []);
        over.failure = Some(failure(FailureReason::HostLost));
        assert_eq!(history.take(&event(4, over.clone()), at(0))[0].promise, Promise::EndsStay);
        over.failure = Some(failure(FailureReason::Work));
        over.receipt = Some(protocol::Receipt::requested(1, String::new(), at(1)));
        assert_eq!(history.take(&event(5, over), at(0))[0].promise, Promise::EndsStay);
    }

    #[test]
    fn a_parent_that_reports_its_own_end_after_its_children_were_cancelled_is_found() {
        let made = |state, cancel| Operation {
            receipt: Some(protocol::Receipt::requested(1, String::new(), at(cancel))),
            ..operation(OperationId::new(), state, 1)
        };
        for (state, cancel, found) in
            [(State::Succeeded, 5, 1), (State::Cancelled, 5, 0), (State::Succeeded, 4, 0)]
        {
            let mut history = History::default();
            let parent = made(State::Cancelling, 5);
            let child = Operation { parent: Some(parent.id), ..made(State::Cancelled, cancel) };
            history.take(&event(1, operation(parent.id, State::Queued, 1)), at(0));
            history.take(&event(2, parent.clone()), at(0));
            history.take(&event(3, child), at(0));
            let ended = Operation { state, ..parent };
            assert_eq!(history.take(&event(4, ended), at(0)).len(), found, "{state}");
        }
    }

    #[test]
    fn only_ended_operations_are_deleted_and_stay_deleted() {
        let (id, mut history) = (OperationId::new(), History::default());
        let gone = |seq, state| Event { seq, at: at(seq as i64), body: EventBody::Deleted { id, state } };
        history.take(&event(1, operation(id, State::Queued, 1)), at(0));
        assert_eq!(history.clone().take(&gone(2, State::Queued), at(0))[0].promise, Promise::EndsStay);
        history.take(&event(2, operation(id, State::Cancelled, 1)), at(0));
        assert_eq!(history.clone().take(&gone(3, State::Failed), at(0))[0].promise, Promise::EndsStay);
        assert_eq!(history.take(&gone(3, State::Cancelled), at(0)), []);
        assert!(history.now.is_empty());
        let back = history.take(&event(4, operation(id, State::Cancelled, 1)), at(0));
        assert_eq!(back[0].promise, Promise::EndsStay);
    }

    #[test]
    fn an_invalid_transition_is_found() {
        use State::*;
        assert_eq!(
            promises(&[(Queued, 1), (Starting, 1), (Cancelling, 1), (Running, 1)]),
            [Promise::StatesFollow]
        );
        assert_eq!(
            promises(&[(Queued, 1), (Starting, 1), (Running, 1), (Queued, 2)]),
            [Promise::StatesFollow]
        );
        assert!(
            promises(&[(Queued, 1), (Starting, 1), (Succeeded, 1), (Queued, 2)])
                .contains(&Promise::StatesFollow)
        );
    }

    #[test]
    fn progress_that_decreases_or_follows_the_end_is_found() {
        let (id, mut history) = (OperationId::new(), History::default());
        let progress = |seq, attempt, fraction| Event {
            seq,
            at: at(1),
            body: EventBody::Progress {
                id,
                attempt,
                progress: Progress { fraction: Some(fraction), ..Progress::start(at(1)) },
                forecast: None,
            },
        };
        history.take(&event(1, operation(id, State::Running, 1)), at(0));
        assert_eq!(history.take(&progress(2, 1, 0.5), at(0)), []);
        assert_eq!(history.take(&progress(3, 1, 0.5), at(0)), []);
        assert_eq!(history.take(&progress(4, 1, 0.4), at(0))[0].promise, Promise::ProgressForward);
        history.take(&event(5, operation(id, State::Failed, 1)), at(0));
        assert_eq!(history.take(&progress(6, 1, 0.9), at(0))[0].promise, Promise::EndsStay);
        history.take(&event(7, operation(id, State::Queued, 2)), at(0));
        assert_eq!(history.take(&progress(8, 2, 0.1), at(0)), []);
        let (note, state, files) = ("half".into(), serde_json::Value::Null, vec![]);
        let kept = Checkpoint { attempt: 2, at: at(1), note, fraction: Some(0.5), state, files };
        history.take(&event(9, operation(id, State::Failed, 2)), at(0));
        let resumed = Operation { checkpoint: Some(kept), ..operation(id, State::Queued, 3) };
        assert_eq!(history.take(&event(10, resumed), at(0)), []);
        assert_eq!(history.take(&progress(11, 3, 0.4), at(0))[0].promise, Promise::ProgressForward);
    }
}
