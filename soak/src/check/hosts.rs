//! Compares what hosts run after a schedule with what the server says, and checks that the queue moves.

use super::{Promise, Violation};
use protocol::host::{HostOperation, HostState};
use protocol::{HostName, Operation, OperationId, State};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use tokio::time::Instant;

/// A free slot is assigned within this time; otherwise the queue is stuck.
const MAX_QUEUE_WAIT: Duration = Duration::from_secs(15);

/// Attempts that hosts have and that have not ended.
pub fn running(held: &[(HostName, HostOperation)]) -> impl Iterator<Item = &(HostName, HostOperation)> {
    held.iter().filter(|(_, o)| o.state != HostState::Ended)
}

/// Work that continues although its attempt has ended, or runs elsewhere, according to the server.
pub fn left_running(
    held: &[(HostName, HostOperation)],
    now: &BTreeMap<OperationId, Operation>,
) -> Vec<Violation> {
    let mut found = Vec::new();
    for (host, work) in running(held) {
        let Some(operation) = now.get(&work.id) else {
            let what = format!("{host} runs attempt {} of it, but the feed never reported it", work.attempt);
            found.push(Violation::of(Promise::NothingLeftRunning, work.id, what));
            continue;
        };
        let meant = operation.state.on_host()
            && operation.attempt == work.attempt
            && operation.host.as_ref() == Some(host);
        if !meant {
            let what = format!(
                "on {host}, attempt {} is {:?}; according to the server, it is {} in attempt {} on {}",
                work.attempt,
                work.state,
                operation.state,
                operation.attempt,
                operation.host.as_ref().map_or("no host", HostName::as_str)
            );
            found.push(Violation::of(Promise::NothingLeftRunning, work.id, what));
        }
    }
    found
}

/// Watches operations that wait although a host has a free slot.
#[derive(Default, Debug)]
pub struct Queue {
    since: HashMap<OperationId, Instant>,
}

impl Queue {
    /// Checks the queue once, while all hosts are up. `free_slots` says whether any of them has a free slot.
    pub fn check<'a>(
        &mut self,
        operations: impl Iterator<Item = &'a Operation>,
        free_slots: bool,
        now: Instant,
    ) -> Vec<Violation> {
        let waiting: Vec<OperationId> =
            operations.filter(|o| o.state == State::Queued && o.not_before.is_none()).map(|o| o.id).collect();
        if !free_slots {
            self.since.clear();
        }
        self.since.retain(|id, _| waiting.contains(id));
        let mut found = Vec::new();
        for id in waiting.into_iter().filter(|_| free_slots) {
            let since = *self.since.entry(id).or_insert(now);
            if now.duration_since(since) >= MAX_QUEUE_WAIT {
                let what = format!("queued for {} s while hosts had free slots", MAX_QUEUE_WAIT.as_secs());
                found.push(Violation::of(Promise::QueueMoves, id, what));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::super::made::operation;
    use super::*;

    #[test]
    fn work_that_continues_after_its_end_is_found() {
        let id = OperationId::new();
        let host: HostName = "soak-1".parse().unwrap();
        let held = |attempt, state| {
            let kind = "soak.count".parse().unwrap();
            [(host.clone(), HostOperation { id, attempt, kind, state, outcome: None, progress: None })]
        };
        let server = |state, attempt| {
            let mut operation = operation(id, state, attempt);
            operation.host = Some(host.clone());
            BTreeMap::from([(id, operation)])
        };
        assert_eq!(left_running(&held(1, HostState::Running), &server(State::Running, 1)), []);
        assert_eq!(left_running(&held(1, HostState::Ended), &server(State::Failed, 1)), []);
        for now in [server(State::Failed, 1), server(State::Running, 2), BTreeMap::new()] {
            let found = left_running(&held(1, HostState::Running), &now);
            assert_eq!(found[0].promise, Promise::NothingLeftRunning);
        }
        let mut elsewhere = server(State::Running, 1);
        elsewhere.get_mut(&id).unwrap().host = Some("soak-2".parse().unwrap());
        assert_eq!(left_running(&held(1, HostState::Stopping), &elsewhere).len(), 1);
    }

    #[test]
    fn a_long_wait_despite_free_slots_is_found() {
        let (begin, mut queue) = (Instant::now(), Queue::default());
        let waiting = [operation(OperationId::new(), State::Queued, 1)];
        assert_eq!(queue.check(waiting.iter(), true, begin), []);
        // A moment without a free slot restarts the count.
        assert_eq!(queue.check(waiting.iter(), false, begin + MAX_QUEUE_WAIT), []);
        assert_eq!(queue.check(waiting.iter(), true, begin + MAX_QUEUE_WAIT), []);
        assert_eq!(
            queue.check(waiting.iter(), true, begin + MAX_QUEUE_WAIT * 2)[0].promise,
            Promise::QueueMoves
        );
    }
}
