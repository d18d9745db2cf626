//! Placement: queued operations get slots, host requests carry them to hosts, and free slots are used at once.

use super::{Command, Coordinator, Live};
use crate::checkpoint_transfer::CheckpointTransfer;
use crate::host_registry::{KindPause, PauseReason};
use crate::host_request::{self, HostRequest};
use crate::lifecycle::{Message, Record};
use protocol::host::{CancelAttempt, StartAttempt};
use protocol::operation::AttemptOrigin;
use protocol::{ConditionKind, HostName, KindName, OperationId, Time};
use std::time::Duration;

impl Coordinator {
    /// Queues an operation, at once or after its pause.
    pub(super) fn enqueue(&mut self, id: OperationId, now: Time) {
        let Some(live) = self.live.get(&id) else { return };
        let operation = &live.record.operation;
        // A user may want a held-back operation now.
        self.queues.unhold(id);
        match operation.not_before.filter(|until| *until > now) {
            Some(until) => self.queues.hold(&operation.kind, id, operation.priority, until),
            None => self.queues.push(&operation.kind, id, operation.priority),
        }
    }

    /// Releases its slot, if it has one.
    pub(super) fn release(&mut self, id: OperationId) {
        let Some(live) = self.live.get_mut(&id) else { return };
        if live.record.operation.state.ended() {
            // Measurements are kept; the forecasts still learn from them.
            live.stop.cancel();
        } else {
            live.new_requests();
        }
        let Some(host) = live.on.take() else { return };
        if let Some(placed) = self.placed.get_mut(&live.record.operation.kind) {
            *placed = placed.saturating_sub(1);
        }
        if let Some(entry) = self.host_registry.get_mut(&host) {
            entry.give_back(&live.record.operation.kind);
        }
    }

    /// Places queued operations on hosts with free slots.
    pub(super) fn dispatch(&mut self, now: Time) {
        self.queues.release_held(now);
        for kind in self.queues.kinds() {
            let mut in_use = self.in_use(&kind);
            while let Some(id) = self.queues.first(&kind, |id| self.blocker(id, &in_use).is_none()) {
                let keeper = self.live.get(&id).and_then(|live| keeper(&live.record)).cloned();
                match self.room(&kind).and_then(|()| self.host_registry.choose(&kind, keeper.as_ref(), now)) {
                    Ok(entry) => {
                        let host = entry.name.clone();
                        let Some(instance) = entry.about.as_ref().map(|a| a.instance) else { break };
                        self.queues.take(&kind, id);
                        let Some(live) = self.live.get_mut(&id) else { continue };
                        live.on = Some(host.clone());
                        *self.placed.entry(kind.clone()).or_default() += 1;
                        if let Some(entry) = self.host_registry.get_mut(&host) {
                            entry.take(&kind);
                        }
                        self.use_exclusively(id, &mut in_use);
                        self.step(id, Message::Chosen { host, instance }, now);
                    }
                    Err(reason) => {
                        let (condition, message) = reason.clone();
                        for id in self.queues.publish_reason(&kind, reason) {
                            if self.blocker(id, &in_use).is_some() {
                                continue;
                            }
                            let message = message.clone();
                            self.step(id, Message::Waiting { kind: condition, message }, now);
                        }
                        break;
                    }
                }
            }
            self.explain_blocked(&kind, &in_use, now);
        }
    }

    /// Checks whether the kind's limit allows another operation.
    fn room(&self, kind: &KindName) -> Result<(), (ConditionKind, String)> {
        let Some(most) = self.rules.limits.get(kind).copied() else { return Ok(()) };
        if self.placed.get(kind).copied().unwrap_or(0) < most {
            return Ok(());
        }
        let text = format!(
            "The configured limit of parallel {kind} operations ({most}) is reached. The operation starts when one of these operations ends."
        );
        Err((ConditionKind::Waiting, text))
    }

    /// Requeues an operation whose host has no slot after all, or whose start certainly did not arrive.
    pub(super) fn declined(
        &mut self,
        id: OperationId,
        attempt: u32,
        why: PauseReason,
        wait: Duration,
        now: Time,
    ) {
        if !self.is_current(id, attempt) {
            return;
        }
        self.skip_host(id, why, wait, now);
        self.step(id, Message::Declined, now);
        self.dispatch(now);
    }

    /// Stops placing operations of this kind on this host for a moment.
    pub(super) fn skip_host(&mut self, id: OperationId, why: PauseReason, wait: Duration, now: Time) {
        let Some(live) = self.live.get(&id) else { return };
        if let Some(entry) = live.on.as_ref().and_then(|host| self.host_registry.get_mut(host)) {
            let until = now.plus_micros(wait.as_micros() as i64);
            entry.paused_kinds.insert(live.record.operation.kind.clone(), KindPause { until, why });
        }
        let coordinator = self.sender.clone();
        self.transaction.later(async move {
            tokio::time::sleep(wait).await;
            let _ = coordinator.send(Command::Dispatch).await;
        });
    }

    /// Notes what the response to a host request means besides its message.
    pub(super) fn note_response(&mut self, id: OperationId, message: &Message) {
        let Some(live) = self.live.get_mut(&id) else { return };
        match message {
            Message::CancelTried { .. } => live.had_at_cancel = live.host_has_it(),
            Message::CancelAnswered { .. } => live.cancelling = false,
            _ => {}
        }
    }

    /// Handles a host that does not know the attempt to cancel. The cancel is repeated until its outcome is known.
    pub(super) fn cancel_unknown(&mut self, id: OperationId, attempt: u32, now: Time) {
        if !self.is_current(id, attempt) {
            return;
        }
        let Some(live) = self.live.get(&id) else { return };
        if live.had_at_cancel {
            // The host had it: if it restarted, the attempt ended with the old process; otherwise its list and its feed
            // tell.
            if let Some((host_request, _)) = self.host_request(id) {
                self.transaction.later(host_request::check_attempt(host_request));
            }
        } else if !live.host_has_it() && (live.start_given_up || !live.starting) {
            // It never arrived, no request is pending, and a late one would be refused.
            self.step(id, Message::Declined, now);
            self.dispatch(now);
        }
    }

    pub(super) fn host_request(&self, id: OperationId) -> Option<(HostRequest, &Live)> {
        let live = self.live.get(&id)?;
        let host = live.on.clone()?;
        let entry = self.host_registry.get(&host)?;
        let host_request = HostRequest {
            coordinator: self.sender.clone(),
            pool: entry.pool.clone(),
            host,
            id,
            attempt: live.record.operation.attempt,
            stop: live.stop.clone(),
        };
        Some((host_request, live))
    }

    pub(super) fn send_start(&mut self, id: OperationId, now: Time) {
        let Some((host_request, live)) = self.host_request(id) else { return };
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
        let checkpoint_transfer = self.checkpoint_transfer(&live.record, &host_request.host);
        let way = checkpoint_transfer.as_ref().map(CheckpointTransfer::description);
        let secrets = self.secret_params.clone();
        self.transaction.later(host_request::start(
            host_request,
            body,
            checkpoint_transfer,
            secrets,
            unwanted,
        ));
        if let Some(live) = self.live.get_mut(&id) {
            live.starting = true;
            live.start_given_up = false;
        }
        if let Some(message) = way {
            self.step(id, Message::TransferringCheckpoint { message }, now);
        }
    }

    /// Files to transfer to a host before it can resume from a checkpoint.
    fn checkpoint_transfer(&self, record: &Record, host: &HostName) -> Option<CheckpointTransfer> {
        let keeper = keeper(record).filter(|keeper| *keeper != host)?;
        let checkpoint = record.operation.checkpoint.as_ref().filter(|c| !c.files.is_empty())?;
        Some(CheckpointTransfer {
            id: record.operation.id,
            attempt: checkpoint.attempt,
            files: checkpoint.files.clone(),
            keeper: keeper.clone(),
            from: self.host_registry.get(keeper).map(|entry| entry.pool.clone()),
        })
    }

    /// Asks the host to stop the attempt, unless that is pending. Does not wait for the store if nothing can be stored.
    pub(super) fn send_cancel(&mut self, id: OperationId) {
        let Some((host_request, live)) = self.host_request(id).filter(|(_, live)| !live.cancelling) else {
            return;
        };
        let reason = live.record.operation.receipt.as_ref().map(|r| r.reason.clone()).unwrap_or_default();
        let deadline_ms = self.rules.cancel_deadline.as_millis() as u64;
        let body = CancelAttempt { attempt: host_request.attempt, reason, deadline_ms, abandoned: false };
        let offset = self.host_registry.get(&host_request.host).map(|e| e.offset).unwrap_or_default();
        self.transaction.when_stored_or_unwritable(host_request::cancel(host_request, body, offset));
        if let Some(live) = self.live.get_mut(&id) {
            live.cancelling = true;
        }
    }
}

/// Host that made the checkpoint from which the current attempt resumes.
fn keeper(record: &Record) -> Option<&HostName> {
    if record.current().origin != AttemptOrigin::Resume {
        return None;
    }
    let made_by = record.operation.checkpoint.as_ref()?.attempt;
    record.attempts.iter().find(|attempt| attempt.number == made_by)?.host.as_ref()
}
