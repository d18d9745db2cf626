//! User requests: start, cancel, retry, resume, abandon.

use super::{Coordinator, Live, RuleWatch};
use crate::command::{NewOperation, Reply, StartReply};
use crate::error::EngineError;
use crate::lifecycle::{self, Effect, Message, Record};
use protocol::operation::AttemptOrigin;
use protocol::{Action, Actor, AuditEntry, BandRule, Baseline, Operation, OperationId, Receipt, State, Time};
use std::sync::Arc;
use store::{Change, Stored};

impl Coordinator {
    /// Accepts a new operation with checked parameters.
    pub(super) fn start(&mut self, new: NewOperation, by: &Actor, reply: StartReply, now: Time) {
        if let Some(key) = &new.key
            && let Some((id, request)) = self.keys.get(key)
        {
            let answer = if request == new.request {
                let known = self.live.get(&id).map(|l| &l.record).or_else(|| self.ended.get(id));
                let deleted = self.deleted.contains(id);
                let why = if deleted { EngineError::KeyOfDeleted } else { EngineError::KeyAccepted };
                known.map(|r| (r.operation.clone(), false)).ok_or(why)
            } else {
                Err(EngineError::KeyReused)
            };
            self.transaction.reply(reply, answer);
            return;
        }
        if let Some(parent) = new.parent {
            if !self.accepts_children(parent) {
                self.transaction.reply(reply, Err(EngineError::ParentEnding(parent)));
                return;
            }
            self.parents.insert(parent);
        }
        if let Some(key) = &new.key {
            self.keys.add(key.clone(), new.id, new.request.clone());
            let (key, request) = (key.clone(), new.request.clone());
            self.transaction.change(Change::Key { key, id: new.id, request, at: now });
        }
        if !new.secrets.is_empty() {
            self.transaction.change(Change::Secrets { id: new.id, secrets: new.secrets });
        }
        let mut record = Record::new(new.id, new.kind, new.title, new.params, now);
        record.operation.priority = new.priority;
        record.operation.parent = new.parent;
        let rule =
            new.rule.map(|(wanted, baseline)| (BandRule::new(wanted, &baseline, by.clone(), now), baseline));
        record.operation.rule = rule.as_ref().map(|(rule, _)| rule.clone());
        self.live.insert(new.id, Live::new(record));
        self.effects(new.id, None, vec![Effect::Changed, Effect::Enqueue], now);
        let set = rule.as_ref().map(|(rule, _)| rule.sentence());
        if let Some((rule, baseline)) = rule {
            self.transaction.change(Change::RuleBand { id: new.id, attempt: 1, baseline: baseline.clone() });
            self.watched.insert(new.id, RuleWatch::new(&rule, baseline));
        }
        self.dispatch(now);
        if let Some(live) = self.live.get(&new.id) {
            let operation = live.record.operation.clone();
            self.transaction.audit(entry(&operation, Action::Start, by, String::new(), now));
            if let Some(sentence) = set {
                self.transaction.audit(entry(&operation, Action::SetRule, by, sentence, now));
            }
            self.transaction.reply(reply, Ok((operation, true)));
        }
    }

    /// Executes a user request about one operation; an operation that ended long ago comes with the request, from the
    /// store.
    pub(super) fn request(
        &mut self,
        id: OperationId,
        (ended, band): (Option<Box<Stored>>, Option<Arc<Baseline>>),
        message: Message,
        by: &Actor,
        reply: Reply,
        now: Time,
    ) {
        let done = done(&message);
        let cancel = matches!(message, Message::Cancel { .. });
        if !self.live.contains_key(&id) {
            let stored = ended.map(|s| Record::stored(s.operation, s.attempts));
            let known = self.ended.get(id).cloned().or(stored).filter(|_| !self.deleted.contains(id));
            let Some(mut record) = known else {
                let problem = EngineError::OperationNotFound(id);
                // Nothing was changed, so there is no commit to wait for.
                self.transaction.when_stored_or_blocked(move |_| drop(reply.send(Err(problem))));
                return;
            };
            if let (Some(rule), Some(band)) = (&record.operation.rule, band) {
                self.watched.entry(id).or_insert_with(|| RuleWatch::new(rule, band));
            }
            let before = record.operation.state;
            let again = matches!(message, Message::Again { .. });
            let may = if again { self.may_go_on(record.operation.parent) } else { Ok(()) };
            let stepped = may.and_then(|()| lifecycle::step(&mut record, message, now));
            match stepped {
                Err(denied) if cancel => {
                    let refused = denied.into();
                    let view = self.view.clone();
                    self.transaction.when_stored_or_blocked(move |stored| {
                        // Its end is published only once stored; if pressed twice, the first cancel counts.
                        let waits = (!stored).then(|| view.read().not_stored(id)).flatten();
                        // The client may be gone.
                        let _ = reply.send(waits.ok_or(refused));
                    });
                }
                Err(denied) => self.transaction.reply(reply, Err(denied.into())),
                Ok(effects) => {
                    let operation = record.operation.clone();
                    if let Some((action, detail)) = done {
                        self.transaction.audit(entry(&operation, action, by, detail, now));
                    }
                    self.revive(record);
                    self.effects(id, Some(before), effects, now);
                    self.dispatch(now);
                    let operation = self.live.get(&id).map_or(operation, |l| l.record.operation.clone());
                    self.transaction.reply(reply, Ok(operation));
                }
            }
            return;
        }
        let Some(live) = self.live.get_mut(&id) else { return };
        if cancel {
            live.unwanted.cancel();
            if live.record.operation.state == State::Queued {
                let kind = live.record.operation.kind.clone();
                self.queues.remove(&kind, id);
            }
        }
        let before = live.record.operation.seq;
        let (attempt, reason) =
            (live.record.operation.attempt, done.as_ref().map(|(_, reason)| reason.clone()));
        let answer = match self.try_step(id, message, now) {
            Err(denied) => Err(denied.into()),
            Ok(operation) => {
                // If pressed twice, the first cancel counts.
                if operation.seq != before
                    && let Some((action, detail)) = done
                {
                    self.transaction.audit(entry(&operation, action, by, detail, now));
                }
                Ok(operation)
            }
        };
        self.dispatch(now);
        if !cancel {
            return self.transaction.reply(reply, answer);
        }
        // A cancel is answered even if nothing can be stored, because it is sent to the host anyway.
        let receipt =
            Receipt { not_stored: true, ..Receipt::requested(attempt, reason.unwrap_or_default(), now) };
        let view = self.view.clone();
        self.transaction.when_stored_or_blocked(move |stored| {
            let answer = match answer {
                Ok(_) if !stored => {
                    view.write().cancel_not_stored(id, receipt).ok_or(EngineError::NotStoredYet)
                }
                answer => answer,
            };
            // The client may be gone; the change is in the feed anyway.
            let _ = reply.send(answer);
        });
    }

    /// Takes up an ended operation that has a new attempt.
    pub(super) fn revive(&mut self, record: Record) {
        let id = record.operation.id;
        self.ended.remove(&[id]);
        // It belongs to its parent again, if that has not ended.
        if let Some(parent) = record.operation.parent.filter(|parent| self.accepts_children(*parent)) {
            self.parents.insert(parent);
        }
        self.live.insert(id, Live::new(record));
        self.restart_rule_watch(id);
    }
}

/// Audit action and reason of a request.
fn done(message: &Message) -> Option<(Action, String)> {
    match message {
        Message::Cancel { reason } => Some((Action::Cancel, reason.clone())),
        Message::Abandon { reason } => Some((Action::Abandon, reason.clone())),
        Message::Again { origin } => Some((again(*origin), String::new())),
        _ => None,
    }
}

/// Audit action of a new attempt.
pub(super) fn again(origin: AttemptOrigin) -> Action {
    if origin == AttemptOrigin::Resume { Action::Resume } else { Action::Retry }
}

/// Audit entry of an action on an operation, as it is afterwards.
pub(super) fn entry(
    operation: &Operation,
    action: Action,
    by: &Actor,
    detail: String,
    now: Time,
) -> AuditEntry {
    AuditEntry {
        operation: Some(operation.id),
        attempt: Some(operation.attempt),
        detail,
        ..AuditEntry::new(now, action, by.clone())
    }
}
