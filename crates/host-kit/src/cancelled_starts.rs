//! Cancels that arrived before the start of their attempt, so that a late start is refused.

use protocol::OperationId;
use std::collections::{HashMap, VecDeque};

/// Largest number of operations remembered; the oldest are forgotten first.
const MAX_CANCELLED_STARTS: usize = 4_096;

/// Newest attempt per operation that was cancelled while this host did not have it.
#[derive(Debug, Default)]
pub(crate) struct CancelledStarts {
    attempts: HashMap<OperationId, u32>,
    /// Oldest first.
    order: VecDeque<OperationId>,
}

impl CancelledStarts {
    /// Refuses attempts up to this one from now on.
    pub fn note(&mut self, id: OperationId, attempt: u32) {
        if let Some(known) = self.attempts.get_mut(&id) {
            *known = attempt.max(*known);
            return;
        }
        self.attempts.insert(id, attempt);
        self.order.push_back(id);
        while self.order.len() > MAX_CANCELLED_STARTS {
            if let Some(oldest) = self.order.pop_front() {
                self.attempts.remove(&oldest);
            }
        }
    }

    /// Whether this attempt was cancelled.
    pub fn has(&self, id: OperationId, attempt: u32) -> bool {
        self.attempts.get(&id).is_some_and(|cancelled| attempt <= *cancelled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_attempt_and_earlier_ones_are_rejected_but_not_later_ones() {
        let (mut starts, id) = (CancelledStarts::default(), OperationId::new());
        assert!(!starts.has(id, 1));
        starts.note(id, 2);
        starts.note(id, 1);
        assert!(starts.has(id, 1) && starts.has(id, 2) && !starts.has(id, 3));
    }

    #[test]
    fn the_memory_of_cancelled_starts_is_bounded() {
        let mut starts = CancelledStarts::default();
        let ids: Vec<OperationId> = (0..=MAX_CANCELLED_STARTS).map(|_| OperationId::new()).collect();
        ids.iter().for_each(|id| starts.note(*id, 1));
        assert!(!starts.has(ids[0], 1) && starts.has(ids[1], 1));
        assert_eq!(starts.attempts.len(), MAX_CANCELLED_STARTS);
    }
}
