//! Deletion of operations, by retention or on request.

use super::Coordinator;
use crate::checkpoint_transfer;
use crate::command::{DeletedFamilies, DeletionCandidate};
use protocol::{Action, Actor, AuditEntry, OperationId, Time};
use store::EndedOperation;
use tokio::sync::oneshot;

impl Coordinator {
    /// Deletes operations by retention, except for ones that were retried in the meantime.
    pub(super) fn delete_expired(&mut self, mut candidates: Vec<DeletionCandidate>, now: Time) {
        candidates.retain(|one| !self.live.contains_key(&one.id) && !self.deleted.contains(one.id));
        for one in &mut candidates {
            if let Some(record) = self.ended.get(one.id) {
                // It may have been retried and ended again since it was read.
                *one = DeletionCandidate::from(record.operation.clone());
            }
        }
        self.remove(candidates, now);
    }

    /// Removes ended operations, also their checkpoint files on hosts.
    fn remove(&mut self, candidates: Vec<DeletionCandidate>, now: Time) {
        for one in &candidates {
            self.deleted.add(one.id);
            self.watched.remove(&one.id);
            let host = one.kept_on.as_ref().and_then(|host| self.host_registry.get(host));
            if let Some(pool) = host.map(|entry| entry.pool.clone()) {
                self.transaction.later(checkpoint_transfer::delete(one.id, pool));
            }
        }
        let ids: Vec<OperationId> = candidates.iter().map(|one| one.id).collect();
        self.ended.remove(&ids);
        let ended = |DeletionCandidate { id, kind, state, .. }| EndedOperation { id, kind, state };
        self.transaction.delete(candidates.into_iter().map(ended).collect(), now);
    }

    /// Deletes operations on request, each with its children: a family is deleted as a whole or not at all.
    pub(super) fn delete(
        &mut self,
        families: Vec<Vec<DeletionCandidate>>,
        by: &Actor,
        reply: oneshot::Sender<DeletedFamilies>,
        now: Time,
    ) {
        let mut deleted_families = DeletedFamilies::default();
        let mut candidates: Vec<DeletionCandidate> = Vec::new();
        for family in families {
            // Retried since it was read, or already deleted.
            if family.iter().any(|one| self.live.contains_key(&one.id) || self.deleted.contains(one.id)) {
                deleted_families.refused += 1;
            } else {
                candidates.extend(family);
            }
        }
        deleted_families.operations = candidates.len() as u64;
        if let Some(entry) = entry(&candidates, by, now) {
            self.transaction.audit(entry);
        }
        self.remove(candidates, now);
        self.transaction.reply(reply, deleted_families);
    }
}

/// Audit entry for operations deleted together. It describes them, because it outlives them.
fn entry(candidates: &[DeletionCandidate], by: &Actor, now: Time) -> Option<AuditEntry> {
    let entry = AuditEntry::new(now, Action::Delete, by.clone());
    match candidates {
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
