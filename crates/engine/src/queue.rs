//! Queues, one per kind, ordered by priority and then by arrival; published reasons for waiting; and held-back
//! operations, which join a queue later.

use protocol::{ConditionKind, KindName, OperationId, Time};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// All queues.
#[derive(Default)]
pub(crate) struct Queues {
    lines: BTreeMap<KindName, Line>,
    /// Operations not in a queue yet: until when, with kind and priority.
    held: BTreeSet<(Time, OperationId, KindName, i8)>,
}

/// Queue of one kind.
#[derive(Default)]
struct Line {
    waiting: VecDeque<Waiting>,
    /// Reason for waiting, as published for the operations that were told.
    reason: Option<(ConditionKind, String)>,
    untold: usize,
}

struct Waiting {
    id: OperationId,
    priority: i8,
    told: bool,
}

impl Queues {
    /// Adds an operation behind all of the same or a higher priority.
    pub(crate) fn push(&mut self, kind: &KindName, id: OperationId, priority: i8) {
        let line = self.lines.entry(kind.clone()).or_default();
        let at = line.waiting.partition_point(|w| w.priority >= priority);
        line.waiting.insert(at, Waiting { id, priority, told: false });
        line.untold += 1;
    }

    /// Stops holding back an operation.
    pub(crate) fn unhold(&mut self, id: OperationId) {
        self.held.retain(|(_, held, ..)| *held != id);
    }

    /// Holds back an operation until a time.
    pub(crate) fn hold(&mut self, kind: &KindName, id: OperationId, priority: i8, until: Time) {
        self.held.insert((until, id, kind.clone(), priority));
    }

    /// Moves the times of held-back operations after a jump of the clock, so that they wait as long as before.
    pub(crate) fn moved(&mut self, micros: i64) {
        let held = std::mem::take(&mut self.held);
        self.held =
            held.into_iter().map(|(until, id, kind, p)| (until.plus_micros(micros), id, kind, p)).collect();
    }

    /// Queues the operations that were held back until now.
    pub(crate) fn release_held(&mut self, now: Time) {
        while self.held.first().is_some_and(|(until, ..)| *until <= now) {
            if let Some((_, id, kind, priority)) = self.held.pop_first() {
                self.push(&kind, id, priority);
            }
        }
    }

    /// Removes an operation from its queue.
    pub(crate) fn remove(&mut self, kind: &KindName, id: OperationId) {
        self.unhold(id);
        if let Some(line) = self.lines.get_mut(kind)
            && let Some(at) = line.waiting.iter().position(|w| w.id == id)
        {
            line.take(at);
        }
    }

    /// Kinds with queued operations.
    pub(crate) fn kinds(&self) -> Vec<KindName> {
        self.lines.iter().filter(|(_, l)| !l.waiting.is_empty()).map(|(k, _)| k.clone()).collect()
    }

    /// First operation in the queue of a kind.
    pub(crate) fn first(&self, kind: &KindName) -> Option<OperationId> {
        self.lines.get(kind)?.waiting.front().map(|w| w.id)
    }

    /// Removes the first operation.
    pub(crate) fn pop(&mut self, kind: &KindName) {
        if let Some(line) = self.lines.get_mut(kind) {
            line.take(0);
        }
    }

    /// Sets the reason why a queue waits, and returns the operations that must be told.
    pub(crate) fn tell(&mut self, kind: &KindName, reason: (ConditionKind, String)) -> Vec<OperationId> {
        let Some(line) = self.lines.get_mut(kind) else { return Vec::new() };
        let news = line.reason.as_ref() != Some(&reason);
        line.reason = Some(reason);
        if !news && line.untold == 0 {
            return Vec::new();
        }
        line.untold = 0;
        let mut untold = Vec::new();
        for waiting in &mut line.waiting {
            if news || !waiting.told {
                untold.push(waiting.id);
            }
            waiting.told = true;
        }
        untold
    }
}

impl Line {
    fn take(&mut self, at: usize) {
        if let Some(removed) = self.waiting.remove(at)
            && !removed.told
        {
            self.untold -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kind() -> KindName {
        KindName::new("data.load").unwrap()
    }

    #[test]
    fn the_reason_for_waiting_is_published_once_and_when_it_changes() {
        let kind = kind();
        let mut queues = Queues::default();
        let ids: Vec<OperationId> = (0..3).map(|_| OperationId::new()).collect();
        queues.push(&kind, ids[0], 0);
        queues.push(&kind, ids[1], 0);
        let full = (ConditionKind::Waiting, "full".to_owned());
        assert_eq!(queues.tell(&kind, full.clone()), ids[..2]);
        queues.push(&kind, ids[2], 5);
        assert_eq!(queues.tell(&kind, full.clone()), ids[2..]);
        assert!(queues.tell(&kind, full).is_empty());
        queues.remove(&kind, ids[1]);
        assert_eq!(queues.tell(&kind, (ConditionKind::NoHost, "away".into())), [ids[2], ids[0]]);
        assert_eq!(queues.first(&kind), Some(ids[2]), "higher priority first");
        queues.pop(&kind);
        assert_eq!(queues.first(&kind), Some(ids[0]));
    }

    #[test]
    fn a_delayed_entry_joins_the_queue_on_time_and_can_be_removed_before() {
        let kind = kind();
        let t = Time::from_micros;
        let mut queues = Queues::default();
        let ids: Vec<OperationId> = (0..2).map(|_| OperationId::new()).collect();
        queues.hold(&kind, ids[0], 0, t(10));
        queues.hold(&kind, ids[1], 0, t(20));
        queues.release_held(t(9));
        assert_eq!(queues.first(&kind), None);
        queues.remove(&kind, ids[1]);
        queues.release_held(t(30));
        assert_eq!(queues.first(&kind), Some(ids[0]));
        queues.pop(&kind);
        assert!(queues.kinds().is_empty());
    }

    #[test]
    fn the_delay_of_an_entry_is_independent_of_clock_jumps() {
        let t = |seconds: i64| Time::from_micros(1_000_000_000_000 + seconds * 1_000_000);
        for hours in [-1, 1] {
            let (kind, mut queues, id) = (kind(), Queues::default(), OperationId::new());
            queues.hold(&kind, id, 0, t(10));
            let jump = hours * 3_600;
            queues.moved(jump * 1_000_000);
            queues.release_held(t(jump + 9));
            assert_eq!(queues.first(&kind), None);
            queues.release_held(t(jump + 10));
            assert_eq!(queues.first(&kind), Some(id));
        }
    }

    proptest! {
        #[test]
        fn the_queue_is_ordered_by_priority_then_arrival(priorities in proptest::collection::vec(-3i8..4, 0..40)) {
            let kind = kind();
            let mut queues = Queues::default();
            let mut expected: Vec<(i8, OperationId)> = Vec::new();
            for priority in priorities {
                let id = OperationId::new();
                queues.push(&kind, id, priority);
                expected.push((priority, id));
            }
            expected.sort_by_key(|(priority, _)| std::cmp::Reverse(*priority));
            for (_, id) in expected {
                prop_assert_eq!(queues.first(&kind), Some(id));
                queues.pop(&kind);
            }
            prop_assert_eq!(queues.first(&kind), None);
        }
    }
}
