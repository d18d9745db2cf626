//! Operations that another one started: they end with it, unless they ended before.

use super::Desk;
use super::wishes::entry;
use crate::lifecycle::Message;
use protocol::{Action, Actor, OperationId, State, Time};
use std::collections::HashSet;

impl Desk {
    /// Whether something may be started for it: it has not ended, and nobody wants it to.
    pub(super) fn takes_children(&self, parent: OperationId) -> bool {
        self.live.get(&parent).is_some_and(|live| {
            let state = live.record.operation.state;
            !state.ended() && state != State::Cancelling
        })
    }

    /// Asks for the end of all that it started.
    pub(super) fn cancel_children(&mut self, parent: OperationId, now: Time) {
        let of = |live: &&super::Live| live.record.operation.parent == Some(parent);
        let children: Vec<_> = self.live.values().filter(of).map(|live| live.record.operation.id).collect();
        for id in children {
            self.cancel_for(id, parent, now);
        }
    }

    /// When the server starts: who has children. A parent that has ended took along what it had in the same commit;
    /// what is there of it was tried again by a person since.
    pub(super) fn families(&mut self, now: Time) {
        let named: HashSet<_> = self.live.values().filter_map(|live| live.record.operation.parent).collect();
        for parent in named.into_iter().filter(|parent| self.live.contains_key(parent)).collect::<Vec<_>>() {
            self.parents.insert(parent);
            if !self.takes_children(parent) {
                self.cancel_children(parent, now);
            }
        }
    }

    fn cancel_for(&mut self, id: OperationId, parent: OperationId, now: Time) {
        let Some(live) = self.live.get_mut(&id) else { return };
        let operation = &live.record.operation;
        if operation.state == State::Cancelling {
            return;
        }
        live.unwanted.cancel();
        if operation.state == State::Queued {
            let kind = operation.kind.clone();
            self.queues.remove(&kind, id);
        }
        let reason = format!("{} ended or was cancelled, for which it was started", parent.short());
        match self.try_step(id, Message::Cancel { reason: reason.clone() }, now) {
            Ok(operation) => {
                let by = Actor::signalbox();
                self.draft.audit(entry(&operation, Action::Cancel, &by, reason, now));
            }
            Err(denied) => tracing::warn!(operation = %id, why = denied.0, "a child was not cancelled"),
        }
    }
}
