//! Deletion of operations, by retention or on request.

use super::Coordinator;
use crate::checkpoint_transfer;
use crate::command::{Leaving, Parted};
use protocol::{Action, Actor, AuditEntry, OperationId, State, Time};
use tokio::sync::oneshot;

impl Coordinator {
    /// Deletes operations by retention, except for ones that were retried in the meantime.
    pub(super) fn delete_expired(&mut self, mut ended: Vec<(OperationId, State)>, now: Time) {
        ended.retain(|(id, _)| !self.live.contains_key(id) && !self.deleted.contains(*id));
        for (id, state) in &mut ended {
            self.deleted.add(*id);
            self.watched.remove(id);
            if let Some(record) = self.ended.get(*id) {
                // It may have been retried and ended again since it was read.
                *state = record.operation.state;
            }
        }
        let ids: Vec<OperationId> = ended.iter().map(|(id, _)| *id).collect();
        self.ended.remove(&ids);
        self.transaction.delete(ended, now);
    }

    /// Deletes operations on request, each with its children: a family is deleted as a whole or not at all.
    pub(super) fn delete(
        &mut self,
        families: Vec<Vec<Leaving>>,
        by: &Actor,
        reply: oneshot::Sender<Parted>,
        now: Time,
    ) {
        let mut parted = Parted::default();
        let mut leaving: Vec<Leaving> = Vec::new();
        for family in families {
            // Retried since it was read, or already deleted.
            if family.iter().any(|one| self.live.contains_key(&one.id) || self.deleted.contains(one.id)) {
                parted.refused += 1;
            } else {
                leaving.extend(family);
            }
        }
        parted.operations = leaving.len() as u64;
        if let Some(entry) = entry(&leaving, by, now) {
            self.transaction.audit(entry);
        }
        for one in &leaving {
            let pool = one
                .kept_on
                .as_ref()
                .and_then(|host| self.host_registry.get(host))
                .map(|entry| entry.pool.clone());
            if let Some(pool) = pool {
                self.transaction.later(checkpoint_transfer::delete(one.id, pool));
            }
        }
        self.delete_expired(leaving.into_iter().map(|one| (one.id, one.state)).collect(), now);
        self.transaction.reply(reply, parted);
    }
}

/// Audit entry for operations deleted together. It describes them, because it outlives them.
fn entry(leaving: &[Leaving], by: &Actor, now: Time) -> Option<AuditEntry> {
    let entry = AuditEntry::new(now, Action::Delete, by.clone());
    match leaving {
        [] => None,
        [one] => {
            let detail = format!("{} {}", one.kind, one.title);
            Some(AuditEntry { operation: Some(one.id), detail, ..entry })
        }
        many => {
            let lines = many.iter().map(|one| format!("{} {} {}", one.id, one.kind, one.title));
            let lines: Vec<String> = lines.collect();
            Some(AuditEntry { detail: format!("{} operations\n{}", many.len(), lines.join("\n")), ..entry })
        }
    }
}
