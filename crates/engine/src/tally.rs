//! Tallies: operations that started and ended since the server started, by kind.

use histogram::Histogram;
use protocol::{KindName, Operation, State};
use std::collections::BTreeMap;

/// Started and ended operations of one kind. A retry starts and ends again.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Tally {
    /// Number of attempts that a host started.
    pub started: u64,
    /// Number of ends by final state.
    pub ended: BTreeMap<State, u64>,
    /// Seconds from the time an attempt could have started to its start.
    pub queue_wait: Histogram,
    /// Seconds from the start of an attempt to its end; without attempts that never started.
    pub duration: Histogram,
}

/// Tallies of all kinds.
#[derive(Debug, Default)]
pub(crate) struct Tallies(BTreeMap<KindName, Tally>);

impl Tallies {
    pub(crate) fn by_kind(&self) -> &BTreeMap<KindName, Tally> {
        &self.0
    }

    /// Counts a change of an operation: `known` is the operation as published before, if it is in memory, and `before`
    /// its state then; neither exists for a new one.
    pub(crate) fn count(&mut self, known: Option<&Operation>, now: &Operation, before: Option<State>) {
        let was_started = known.is_some_and(|known| known.started_at == now.started_at);
        let has_ended = now.state.ended() && !before.is_some_and(State::ended);
        // An ended operation that is not in memory started earlier.
        let began = now.started_at.filter(|_| !was_started && !before.is_some_and(State::ended));
        if began.is_none() && !has_ended {
            return;
        }
        let tally = self.0.entry(now.kind.clone()).or_default();
        if let Some(began) = began {
            tally.started += 1;
            // Negative if the clock was set back meanwhile; then the wait is not known.
            let _ = tally.queue_wait.record(began.seconds_since(now.ready_at()));
        }
        if has_ended {
            *tally.ended.entry(now.state).or_default() += 1;
            if let Some((started, ended)) = now.started_at.zip(now.ended_at) {
                let _ = tally.duration.record(ended.seconds_since(started));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{OperationId, Time};
    use serde_json::json;

    fn at(second: i64) -> Time {
        Time::from_micros(second * 1_000_000)
    }

    #[test]
    fn each_start_and_each_end_counts_once_also_after_a_retry() {
        let kind: KindName = "data.load".parse().unwrap();
        let mut tallies = Tallies::default();
        let queued = Operation::queued(OperationId::new(), kind.clone(), String::new(), json!({}), at(100));
        let running = Operation { state: State::Running, started_at: Some(at(104)), ..queued.clone() };
        let failed = Operation { state: State::Failed, ended_at: Some(at(112)), ..running.clone() };
        let again = Operation {
            state: State::Queued,
            attempt: 2,
            queued_at: Some(at(113)),
            not_before: Some(at(120)),
            started_at: None,
            ended_at: None,
            ..queued.clone()
        };
        let rerun = Operation { state: State::Running, started_at: Some(at(121)), ..again.clone() };
        let tagged = Operation { tags: vec!["nightly".into()], ..rerun.clone() };
        let done = Operation { state: State::Succeeded, ended_at: Some(at(122)), ..tagged.clone() };
        let history = [queued, running, failed, again, rerun, tagged, done];
        tallies.count(None, &history[0], None);
        for pair in history.windows(2) {
            tallies.count(Some(&pair[0]), &pair[1], Some(pair[0].state));
        }
        let tally = &tallies.by_kind()[&kind];
        assert_eq!(tally.started, 2);
        assert_eq!(tally.ended, BTreeMap::from([(State::Failed, 1), (State::Succeeded, 1)]));
        assert_eq!((tally.queue_wait.sum(), tally.duration.sum()), (4.0 + 1.0, 8.0 + 1.0));
    }

    #[test]
    fn an_operation_that_is_cancelled_in_the_queue_never_started() {
        let kind: KindName = "data.load".parse().unwrap();
        let queued = Operation::queued(OperationId::new(), kind.clone(), String::new(), json!({}), at(100));
        let cancelled = Operation { state: State::Cancelled, ended_at: Some(at(101)), ..queued.clone() };
        let mut tallies = Tallies::default();
        tallies.count(Some(&queued), &cancelled, Some(State::Queued));
        let tally = &tallies.by_kind()[&kind];
        assert_eq!((tally.started, tally.ended[&State::Cancelled], tally.duration.count()), (0, 1, 0));
    }
}
