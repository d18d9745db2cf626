//! Exclusive use: queued operations wait while another one of their kind uses the same thing, such as a data set.
//!
//! The schema of a kind names the parameters (`x-exclusive`). The wait is in the queue, so it takes no slot.

use super::Coordinator;
use crate::lifecycle::Message;
use protocol::{ConditionKind, KindName, Operation, OperationId, Time};
use std::collections::HashMap;

/// Things in use by operations of one kind that occupy a slot, each by key.
#[derive(Default)]
pub(super) struct InUse(HashMap<String, OperationId>);

impl Coordinator {
    /// Things in use by operations of a kind; empty if its operations share nothing.
    pub(super) fn in_use(&self, kind: &KindName) -> InUse {
        if !self.kind_registry.is_exclusive(kind) {
            return InUse::default();
        }
        let placed = self.live.values().filter(|live| live.on.is_some());
        let operations =
            placed.map(|live| &live.record.operation).filter(|operation| operation.kind == *kind);
        InUse(
            operations.filter_map(|operation| Some((self.exclusive_key(operation)?, operation.id))).collect(),
        )
    }

    /// Notes that an operation of the kind was placed.
    pub(super) fn use_exclusively(&self, id: OperationId, in_use: &mut InUse) {
        if let Some(key) = self.live.get(&id).and_then(|live| self.exclusive_key(&live.record.operation)) {
            in_use.0.insert(key, id);
        }
    }

    /// Operation that uses what this one needs.
    pub(super) fn blocker(&self, id: OperationId, in_use: &InUse) -> Option<OperationId> {
        if in_use.0.is_empty() {
            return None;
        }
        let operation = &self.live.get(&id)?.record.operation;
        in_use.0.get(&self.exclusive_key(operation)?).copied()
    }

    /// Gives the operations in the queue of a kind that are blocked by another one their reason.
    pub(super) fn explain_blocked(&mut self, kind: &KindName, in_use: &InUse, now: Time) {
        let waiting = self.queues.waiting(kind);
        let blocked: HashMap<OperationId, OperationId> =
            waiting.filter_map(|id| Some((id, self.blocker(id, in_use)?))).collect();
        if blocked.is_empty() {
            return;
        }
        // Once they are no longer blocked, they get the reason of the queue.
        self.queues.unpublish(kind, &|id| blocked.contains_key(&id));
        for (id, by) in blocked {
            let Some(title) = self.live.get(&by).map(|live| live.record.operation.title.clone()) else {
                continue;
            };
            let names = self.kind_registry.exclusive(kind).join(", ");
            let message = format!(
                "Operation {by} ({title}) is using the same {names}. This operation starts when the other operation has ended."
            );
            self.step(id, Message::Waiting { kind: ConditionKind::Waiting, message }, now);
        }
    }

    fn exclusive_key(&self, operation: &Operation) -> Option<String> {
        self.kind_registry.exclusive_key(&operation.kind, &operation.params)
    }
}
