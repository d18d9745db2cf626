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
    unpublished: usize,
}

struct Waiting {
    id: OperationId,
    priority: i8,
    published: bool,
}

impl Queues {
    /// Adds an operation behind all of the same or a higher priority.
    pub(crate) fn push(&mut self, kind: &KindName, id: OperationId, priority: i8) {
        let line = self.lines.entry(kind.clone()).or_default();
        let at = line.waiting.partition_point(|w| w.priority >= priority);
        line.waiting.insert(at, Waiting { id, priority, published: false });
        line.unpublished += 1;
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
        self.take(kind, id);
    }

    /// Kinds with queued operations.
    pub(crate) fn kinds(&self) -> Vec<KindName> {
        self.lines.iter().filter(|(_, l)| !l.waiting.is_empty()).map(|(k, _)| k.clone()).collect()
    }

    /// Operations in the queue of a kind, in order.
    pub(crate) fn waiting(&self, kind: &KindName) -> impl Iterator<Item = OperationId> {
        self.lines.get(kind).into_iter().flat_map(|line| line.waiting.iter().map(|w| w.id))
    }

    /// First operation in the queue of a kind that may start.
    pub(crate) fn first(
        &self,
        kind: &KindName,
        may_start: impl Fn(OperationId) -> bool,
    ) -> Option<OperationId> {
        self.waiting(kind).find(|id| may_start(*id))
    }

    /// Removes an operation that starts.
    pub(crate) fn take(&mut self, kind: &KindName, id: OperationId) {
        if let Some(line) = self.lines.get_mut(kind)
            && let Some(at) = line.waiting.iter().position(|w| w.id == id)
        {
            line.take(at);
        }
    }

    /// Marks operations that were given another reason than that of their queue.
    pub(crate) fn unpublish(&mut self, kind: &KindName, other_reason: &dyn Fn(OperationId) -> bool) {
        let Some(line) = self.lines.get_mut(kind) else { return };
        for waiting in line.waiting.iter_mut().filter(|w| w.published && other_reason(w.id)) {
            waiting.published = false;
            line.unpublished += 1;
        }
    }

    /// Sets the reason why a queue waits, and returns the operations that must be told.
    pub(crate) fn publish_reason(
        &mut self,
        kind: &KindName,
        reason: (ConditionKind, String),
    ) -> Vec<OperationId> {
        let Some(line) = self.lines.get_mut(kind) else { return Vec::new() };
        let news = line.reason.as_ref() != Some(&reason);
        line.reason = Some(reason);
        if !news && line.unpublished == 0 {
            return Vec::new();
        }
        line.unpublished = 0;
        let mut unpublished = Vec::new();
        for waiting in &mut line.waiting {
            if news || !waiting.published {
                unpublished.push(waiting.id);
            }
            waiting.published = true;
        }
        unpublished
    }
}

impl Line {
    fn take(&mut self, at: usize) {
        if let Some(removed) = self.waiting.remove(at)
            && !removed.published
        {
            self.unpublished -= 1;
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

    fn first(queues: &Queues) -> Option<OperationId> {
        queues.first(&kind(), |_| true)
    }

    #[test]
    fn the_reason_for_waiting_is_published_once_and_when_it_changes() {
        let kind = kind();
        let mut queues = Queues::default();
        let ids: Vec<OperationId> = (0..3).map(|_| OperationId::new()).collect();
        queues.push(&kind, ids[0], 0);
        queues.push(&kind, ids[1], 0);
        let full = (ConditionKind::Waiting, "full".to_owned());
        assert_eq!(queues.publish_reason(&kind, full.clone()), ids[..2]);
        queues.push(&kind, ids[2], 5);
        assert_eq!(queues.publish_reason(&kind, full.clone()), ids[2..]);
        assert!(queues.publish_reason(&kind, full).is_empty());
        queues.remove(&kind, ids[1]);
        assert_eq!(queues.publish_reason(&kind, (ConditionKind::NoHost, "away".into())), [ids[2], ids[0]]);
        assert_eq!(first(&queues), Some(ids[2]), "higher priority first");
        queues.take(&kind, ids[2]);
        assert_eq!(first(&queues), Some(ids[0]));
    }

    #[test]
    fn an_operation_with_another_reason_gets_that_of_the_queue_later() {
        let kind = kind();
        let mut queues = Queues::default();
        let ids: Vec<OperationId> = (0..2).map(|_| OperationId::new()).collect();
        ids.iter().for_each(|id| queues.push(&kind, *id, 0));
        assert_eq!(queues.first(&kind, |id| id != ids[0]), Some(ids[1]), "the first one may not start");
        let full = (ConditionKind::Waiting, "full".to_owned());
        assert_eq!(queues.publish_reason(&kind, full.clone()), ids);
        queues.unpublish(&kind, &|id| id == ids[0]);
        assert_eq!(queues.publish_reason(&kind, full.clone()), ids[..1]);
        assert!(queues.publish_reason(&kind, full).is_empty());
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
        assert_eq!(first(&queues), None);
        queues.remove(&kind, ids[1]);
        queues.release_held(t(30));
        assert_eq!(first(&queues), Some(ids[0]));
        queues.take(&kind, ids[0]);
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
            assert_eq!(first(&queues), None);
            queues.release_held(t(jump + 10));
            assert_eq!(first(&queues), Some(id));
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
                prop_assert_eq!(first(&queues), Some(id));
                queues.take(&kind, id);
            }
            prop_assert_eq!(first(&queues), None);
        }
    }
}
