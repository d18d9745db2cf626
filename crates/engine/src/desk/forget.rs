//! Operations that are no more: those that retention found too old, and those that a person wants deleted.

use super::Desk;
use crate::carry;
use protocol::{Action, Actor, AuditEntry, HostName, KindName, OperationId, State, Time};
use std::collections::{HashSet, VecDeque};
use tokio::sync::oneshot;

/// Of so many operations that went last it is known that they are gone. Whoever looked one up in the store just before
/// comes to the desk well within as many.
const GONE: usize = 4_096;

/// An operation that has ended and shall be no more.
pub(crate) struct Leaving {
    pub(crate) id: OperationId,
    pub(crate) kind: KindName,
    pub(crate) title: String,
    pub(crate) state: State,
    /// The host that keeps files of its checkpoint.
    pub(crate) kept_on: Option<HostName>,
}

/// How many families are gone, how many operations that makes, and how many families stay.
#[derive(Default)]
pub(crate) struct Parted {
    pub(crate) operations: u64,
    pub(crate) refused: u64,
}

/// The operations that went last.
#[derive(Default)]
pub(super) struct Gone {
    ids: HashSet<OperationId>,
    order: VecDeque<OperationId>,
}

impl Gone {
    pub(super) fn has(&self, id: OperationId) -> bool {
        self.ids.contains(&id)
    }

    fn add(&mut self, id: OperationId) {
        if self.ids.insert(id) {
            self.order.push_back(id);
        }
        while self.order.len() > GONE {
            if let Some(old) = self.order.pop_front() {
                self.ids.remove(&old);
            }
        }
    }
}

impl Desk {
    /// Operations that retention found too old. One that has another attempt by now stays.
    pub(super) fn forget(&mut self, mut ended: Vec<(OperationId, State)>, now: Time) {
        ended.retain(|(id, _)| !self.live.contains_key(id) && !self.gone.has(*id));
        for (id, state) in &mut ended {
            self.gone.add(*id);
            self.watched.remove(id);
            if let Some(record) = self.ended.remove(id) {
                // It may have been tried again since it was looked up.
                *state = record.operation.state;
            }
        }
        self.ended_order.retain(|id| !self.gone.has(*id));
        self.draft.forget(ended, now);
    }

    /// Operations that a person wants deleted, each with what it started: a family goes as a whole or stays as a whole.
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
            // Tried again since it was looked up, or deleted by somebody else.
            if family.iter().any(|one| self.live.contains_key(&one.id) || self.gone.has(one.id)) {
                parted.refused += 1;
            } else {
                leaving.extend(family);
            }
        }
        parted.operations = leaving.len() as u64;
        if let Some(entry) = entry(&leaving, by, now) {
            self.draft.audit(entry);
        }
        for one in &leaving {
            let pool =
                one.kept_on.as_ref().and_then(|host| self.roster.get(host)).map(|entry| entry.pool.clone());
            if let Some(pool) = pool {
                self.draft.later(carry::forget(one.id, pool));
            }
        }
        self.forget(leaving.into_iter().map(|one| (one.id, one.state)).collect(), now);
        self.draft.reply(reply, parted);
    }
}

/// What the audit says of those that leave together. It outlives them, so it says what they were.
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
