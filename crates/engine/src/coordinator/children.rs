//! Child operations: they end with their parent, unless they ended before.

use super::Coordinator;
use super::requests::entry;
use crate::error::Denied;
use crate::lifecycle::Message;
use protocol::{Action, Actor, OperationId, State, Time};
use std::collections::HashSet;

/// Beginning of the reason for which a child is cancelled; the ID of its parent follows.
pub(crate) const PARENT_ENDED: &str = "the parent operation ";
/// The same in operations of earlier versions.
pub(crate) const PARENT_ENDED_BEFORE: &str = "its parent operation ";

impl Coordinator {
    /// Whether the parent accepts children: it has not ended and is not being cancelled.
    pub(super) fn accepts_children(&self, parent: OperationId) -> bool {
        self.live.get(&parent).is_some_and(|live| {
            let state = live.record.operation.state;
            !state.ended() && state != State::Cancelling
        })
    }

    /// Whether the end of this operation must wait: it is being cancelled, or about to be, and has children that have
    /// not ended.
    pub(super) fn waits_for_children(&self, id: OperationId) -> bool {
        self.parents.contains(&id)
            && self
                .live
                .get(&id)
                .is_some_and(|live| matches!(live.record.operation.state, State::Cancelling | State::Queued))
            && self.has_live_children(id)
    }

    fn has_live_children(&self, parent: OperationId) -> bool {
        self.live.values().any(|live| live.record.operation.parent == Some(parent))
    }

    /// Handles the end of a child of a parent that may be being cancelled.
    pub(super) fn child_ended(&mut self, parent: OperationId, state: State, now: Time) {
        let cancelling =
            self.live.get(&parent).is_some_and(|live| live.record.operation.state == State::Cancelling);
        if cancelling && state != State::Succeeded {
            self.step(parent, Message::ChildCut, now);
        }
        self.publish_held_end(parent, now);
    }

    /// Publishes the held end of a parent after its last child has ended.
    fn publish_held_end(&mut self, parent: OperationId, now: Time) {
        let waits = self.live.get(&parent).is_some_and(|live| live.record.held_end.is_some());
        if waits && !self.has_live_children(parent) {
            self.step(parent, Message::ChildrenEnded, now);
        }
    }

    /// Checks whether a child may have another attempt.
    ///
    /// # Errors
    /// If its parent is being cancelled.
    pub(super) fn may_go_on(&self, parent: Option<OperationId>) -> Result<(), Denied> {
        let cancelling = parent
            .and_then(|parent| self.live.get(&parent))
            .is_some_and(|live| live.record.operation.state == State::Cancelling);
        if !cancelling {
            return Ok(());
        }
        Err(Denied::ParentBeingCancelled)
    }

    /// Cancels all children.
    pub(super) fn cancel_children(&mut self, parent: OperationId, now: Time) {
        let of = |live: &&super::Live| live.record.operation.parent == Some(parent);
        let children: Vec<_> = self.live.values().filter(of).map(|live| live.record.operation.id).collect();
        for id in children {
            self.cancel_for(id, parent, now);
        }
    }

    /// Finds parents and children when the server starts. A parent ended its children in the same commit as itself; the
    /// children found of an ended parent were retried by a user since.
    pub(super) fn families(&mut self, now: Time) {
        let named: HashSet<_> = self.live.values().filter_map(|live| live.record.operation.parent).collect();
        for parent in named.into_iter().filter(|parent| self.live.contains_key(parent)).collect::<Vec<_>>() {
            self.parents.insert(parent);
            if !self.accepts_children(parent) {
                self.cancel_children(parent, now);
            }
        }
        // Operations with a held end may have no running children any more.
        let held = self.live.values().filter(|live| live.record.held_end.is_some());
        for parent in held.map(|live| live.record.operation.id).collect::<Vec<_>>() {
            self.publish_held_end(parent, now);
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
        let reason = format!("{PARENT_ENDED}{} ended or was cancelled", parent.short());
        match self.try_step(id, Message::Cancel { reason: reason.clone() }, now) {
            Ok(operation) => {
                let by = Actor::signalbox();
                self.transaction.audit(entry(&operation, Action::Cancel, &by, reason, now));
            }
            Err(denied) => {
                tracing::warn!(operation = %id, why = %denied, "can't cancel a child operation; it keeps its state")
            }
        }
    }
}
