//! The way to hosts: who waits gets a place, errands carry the wish, and a place that is free is used at once.

use super::{Command, Desk, Live};
use crate::carry::Carry;
use crate::errand::{self, Errand};
use crate::lifecycle::{self, Message, Record};
use protocol::host::{CancelAttempt, StartAttempt};
use protocol::operation::AttemptOrigin;
use protocol::{ConditionKind, HostName, KindName, OperationId, Time};
use std::time::Duration;

impl Desk {
    /// Gets in line, at once or when its pause is over.
    pub(super) fn enqueue(&mut self, id: OperationId, now: Time) {
        let Some(live) = self.live.get(&id) else { return };
        let operation = &live.record.operation;
        match operation.not_before.filter(|until| *until > now) {
            Some(until) => self.queues.hold(&operation.kind, id, operation.priority, until),
            None => self.queues.push(&operation.kind, id, operation.priority),
        }
    }

    /// Gives back its place on the host, if it has one.
    pub(super) fn release(&mut self, id: OperationId) {
        let Some(live) = self.live.get_mut(&id) else { return };
        if live.record.operation.state.ended() {
            // What was measured of it is still to be learnt from.
            live.stop.cancel();
        } else {
            live.fresh_errands();
        }
        let Some(host) = live.on.take() else { return };
        if let Some(placed) = self.placed.get_mut(&live.record.operation.kind) {
            *placed = placed.saturating_sub(1);
        }
        if let Some(entry) = self.roster.get_mut(&host) {
            entry.assigned = entry.assigned.saturating_sub(1);
        }
    }

    /// Gives those who wait to hosts that have a place.
    pub(super) fn dispatch(&mut self, now: Time) {
        self.queues.release_held(now);
        for kind in self.queues.kinds() {
            while let Some(id) = self.queues.first(&kind) {
                let keeper = self.live.get(&id).and_then(|live| keeper(&live.record)).cloned();
                match self.room(&kind).and_then(|()| self.roster.choose(&kind, keeper.as_ref(), now)) {
                    Ok(entry) => {
                        let host = entry.name.clone();
                        let Some(instance) = entry.about.as_ref().map(|a| a.instance) else { break };
                        self.queues.pop(&kind);
                        let Some(live) = self.live.get_mut(&id) else { continue };
                        live.on = Some(host.clone());
                        *self.placed.entry(kind.clone()).or_default() += 1;
                        if let Some(entry) = self.roster.get_mut(&host) {
                            entry.assigned += 1;
                        }
                        self.step(id, Message::Chosen { host, instance }, now);
                    }
                    Err(reason) => {
                        let (condition, message) = reason.clone();
                        for id in self.queues.tell(&kind, reason) {
                            let message = message.clone();
                            self.step(id, Message::Waiting { kind: condition, message }, now);
                        }
                        break;
                    }
                }
            }
        }
    }

    /// Whether the kind's limit lets one more run.
    fn room(&self, kind: &KindName) -> Result<(), (ConditionKind, String)> {
        let Some(most) = self.rules.limits.get(kind).copied() else { return Ok(()) };
        if self.placed.get(kind).copied().unwrap_or(0) < most {
            return Ok(());
        }
        let text = format!(
            "No more than {most} of {kind} may run at once, as the configuration has it. It starts as soon as one of them ends."
        );
        Err((ConditionKind::Waiting, text))
    }

    /// A host has no place after all.
    pub(super) fn declined(
        &mut self,
        id: OperationId,
        attempt: u32,
        retry_after: Option<Duration>,
        now: Time,
    ) {
        if !self.is_current(id, attempt) {
            return;
        }
        let wait = retry_after.unwrap_or(Duration::from_secs(1)).min(Duration::from_secs(30));
        if let Some(host) = self.live.get(&id).and_then(|l| l.on.clone())
            && let Some(entry) = self.roster.get_mut(&host)
        {
            entry.full_until = Some(now.plus_micros(wait.as_micros() as i64));
        }
        self.step(id, Message::Declined, now);
        self.dispatch(now);
        let desk = self.sender.clone();
        self.draft.later(async move {
            tokio::time::sleep(wait).await;
            let _ = desk.send(Command::Dispatch).await;
        });
    }

    /// A host does not know what it is asked to cancel.
    pub(super) fn cancel_unknown(&mut self, id: OperationId, attempt: u32, now: Time) {
        if !self.is_current(id, attempt) {
            return;
        }
        let Some(live) = self.live.get(&id) else { return };
        let message = if live.accepted || live.record.operation.started_at.is_some() {
            Message::Lost(lifecycle::host_lost())
        } else if live.start_given_up || !live.starting {
            // It never got there, and no try is under way.
            Message::Declined
        } else {
            return;
        };
        self.step(id, message, now);
        self.dispatch(now);
    }

    pub(super) fn errand(&self, id: OperationId) -> Option<(Errand, &Live)> {
        let live = self.live.get(&id)?;
        let host = live.on.clone()?;
        let entry = self.roster.get(&host)?;
        let errand = Errand {
            desk: self.sender.clone(),
            pool: entry.pool.clone(),
            host,
            id,
            attempt: live.record.operation.attempt,
            stop: live.stop.clone(),
        };
        Some((errand, live))
    }

    pub(super) fn send_start(&mut self, id: OperationId, now: Time) {
        let Some((errand, live)) = self.errand(id) else { return };
        let operation = &live.record.operation;
        let resume = live.record.current().origin == AttemptOrigin::Resume;
        let body = StartAttempt {
            id,
            attempt: operation.attempt,
            kind: operation.kind.clone(),
            params: operation.params.clone(),
            resume_from: operation.checkpoint.clone().filter(|_| resume),
        };
        let unwanted = live.unwanted.clone();
        let carry = self.carry(&live.record, &errand.host);
        let way = carry.as_ref().map(Carry::said);
        self.draft.later(errand::start(errand, body, carry, unwanted));
        if let Some(live) = self.live.get_mut(&id) {
            live.starting = true;
            live.start_given_up = false;
        }
        if let Some(message) = way {
            self.step(id, Message::Carrying { message }, now);
        }
    }

    /// What has to be brought to a host before it can go on from a checkpoint.
    fn carry(&self, record: &Record, host: &HostName) -> Option<Carry> {
        let keeper = keeper(record).filter(|keeper| *keeper != host)?;
        let checkpoint = record.operation.checkpoint.as_ref().filter(|c| !c.files.is_empty())?;
        Some(Carry {
            id: record.operation.id,
            attempt: checkpoint.attempt,
            files: checkpoint.files.clone(),
            keeper: keeper.clone(),
            from: self.roster.get(keeper).map(|entry| entry.pool.clone()),
        })
    }

    pub(super) fn send_cancel(&mut self, id: OperationId) {
        let Some((errand, live)) = self.errand(id) else { return };
        let reason = live.record.operation.receipt.as_ref().map(|r| r.reason.clone()).unwrap_or_default();
        let deadline_ms = self.rules.cancel_deadline.as_millis() as u64;
        let body = CancelAttempt { attempt: errand.attempt, reason, deadline_ms, abandoned: false };
        let offset = self.roster.get(&errand.host).map(|e| e.offset).unwrap_or_default();
        self.draft.later(errand::cancel(errand, body, offset));
    }
}

/// The host that made the checkpoint from which the current attempt is to go on.
fn keeper(record: &Record) -> Option<&HostName> {
    if record.current().origin != AttemptOrigin::Resume {
        return None;
    }
    let made_by = record.operation.checkpoint.as_ref()?.attempt;
    record.attempts.iter().find(|attempt| attempt.number == made_by)?.host.as_ref()
}
