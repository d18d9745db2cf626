//! Operations that ended recently, and IDs of those deleted recently.

use crate::lifecycle::Record;
use protocol::OperationId;
use std::collections::{HashMap, HashSet, VecDeque};

/// Number of ended operations kept in memory, for retries and late reports.
const MAX_ENDED: usize = 512;
/// Number of deleted operations kept in memory. A command with an operation that was read from the store just before
/// arrives well within as many.
const MAX_DELETED: usize = 4_096;

/// The last ended operations.
#[derive(Default)]
pub(super) struct EndedOperations {
    records: HashMap<OperationId, Record>,
    order: VecDeque<OperationId>,
}

impl EndedOperations {
    pub(super) fn get(&self, id: OperationId) -> Option<&Record> {
        self.records.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: OperationId) -> Option<&mut Record> {
        self.records.get_mut(&id)
    }

    /// Adds an operation; returns those that are no longer kept for it.
    pub(super) fn add(&mut self, record: Record) -> Vec<OperationId> {
        let id = record.operation.id;
        self.records.insert(id, record);
        self.order.push_back(id);
        let surplus = self.order.len().saturating_sub(MAX_ENDED);
        let dropped: Vec<OperationId> = self.order.drain(..surplus).collect();
        for id in &dropped {
            self.records.remove(id);
        }
        dropped
    }

    /// Removes operations that have another attempt or are deleted; returns their records.
    pub(super) fn remove(&mut self, ids: &[OperationId]) -> Vec<Record> {
        let removed: Vec<Record> = ids.iter().filter_map(|id| self.records.remove(id)).collect();
        if !removed.is_empty() {
            self.order.retain(|id| self.records.contains_key(id));
        }
        removed
    }
}

/// The last deleted operations, which must not return.
#[derive(Default)]
pub(super) struct DeletedOperations {
    ids: HashSet<OperationId>,
    order: VecDeque<OperationId>,
}

impl DeletedOperations {
    pub(super) fn contains(&self, id: OperationId) -> bool {
        self.ids.contains(&id)
    }

    pub(super) fn add(&mut self, id: OperationId) {
        if self.ids.insert(id) {
            self.order.push_back(id);
        }
        while self.order.len() > MAX_DELETED {
            if let Some(oldest) = self.order.pop_front() {
                self.ids.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Time;
    use serde_json::Value;

    fn record() -> Record {
        let kind = "test.count".parse().unwrap();
        Record::new(OperationId::new(), kind, "count".into(), Value::Null, Time::now())
    }

    #[test]
    fn the_newest_ended_operations_are_kept() {
        let mut ended = EndedOperations::default();
        let records: Vec<Record> = (0..MAX_ENDED).map(|_| record()).collect();
        let ids: Vec<OperationId> = records.iter().map(|r| r.operation.id).collect();
        for record in records {
            assert_eq!(ended.add(record), []);
        }
        assert_eq!(ended.remove(&[ids[5], OperationId::new()]).len(), 1);
        assert_eq!(ended.add(record()), []);
        assert_eq!(ended.add(record()), [ids[0]]);
        assert!(ended.get(ids[0]).is_none() && ended.get(ids[5]).is_none() && ended.get(ids[1]).is_some());
    }

    #[test]
    fn the_newest_deleted_operations_are_known() {
        let mut deleted = DeletedOperations::default();
        let ids: Vec<OperationId> = (0..=MAX_DELETED).map(|_| OperationId::new()).collect();
        ids.iter().for_each(|id| deleted.add(*id));
        deleted.add(ids[MAX_DELETED]);
        assert!(!deleted.contains(ids[0]) && deleted.contains(ids[1]) && deleted.contains(ids[MAX_DELETED]));
    }
}
