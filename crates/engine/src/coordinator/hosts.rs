//! Reports from and about hosts.
//!
//! Reconciliation always compares what the coordinator believes with what the host has, and resolves the difference. It
//! runs whenever a host connects: after a start of the server, a start of the host, or a silence.

use super::{Coordinator, NOT_STARTED_PAUSE};
use crate::clock::RoundTrip;
use crate::error::EngineError;
use crate::host_registry::PauseReason;
use crate::host_request;
use crate::lifecycle::{Message, host_lost};
use protocol::api::{HostLink, HostStatus};
use protocol::host::{
    About, Health, HostEvent, HostEventBody, HostOperation, HostOperations, HostState, Outcome,
};
use protocol::{
    Action, Actor, AuditEntry, Checkpoint, Failure, FailureReason, HostName, InstanceId, OperationId, State,
    Time,
};
use store::{Change, HostCursor};
use tokio::sync::oneshot;

/// Minimum interval between two health events of a host.
const HEALTH_EVERY_SECONDS: f64 = 5.0;

impl Coordinator {
    /// Handles a connected host; returns the position from which to follow its feed.
    pub(super) fn host_up(
        &mut self,
        host: &HostName,
        about: About,
        list: &HostOperations,
        clock: RoundTrip,
        reset: bool,
        now: Time,
    ) -> u64 {
        let Some(entry) = self.host_registry.get_mut(host) else { return list.seq };
        entry.offset.learn(clock, about.now);
        let instance = about.instance;
        if entry.about.as_ref().is_none_or(|known| known.instance != instance) {
            entry.health = None;
            entry.health_asked = false;
        }
        let same_life = entry.cursor.is_some_and(|c| c.instance == instance);
        let after = match entry.cursor {
            Some(cursor) if same_life && !reset => cursor.seq,
            _ if reset => list.seq,
            _ => 0,
        };
        entry.cursor = Some(HostCursor { instance, seq: after });
        let was = entry.link;
        entry.link = HostLink::Up;
        entry.trouble.clear();
        entry.paused_kinds.clear();
        self.kind_registry.declare(host, &about.kinds);
        entry.about = Some(about);
        let status = entry.status();
        self.moved.insert(host.clone());
        if was != HostLink::Up || !same_life {
            tracing::info!(%host, %instance, after, "host connected");
            self.transaction.host(status, now);
        }
        // With the same process and position, the feed brings everything that was missed.
        let feed_continues = same_life && !reset;
        self.stop_orphaned_attempts(host, list);
        for id in self.on_host(host) {
            self.step(id, Message::HostResponded, now);
            if let Some(live) = self.live.get_mut(&id) {
                live.pace.ignore_gap(now);
            }
            let held = list.operations.iter().find(|o| o.id == id);
            self.reconcile(id, held, (instance, list.seq), feed_continues, now);
        }
        self.dispatch(now);
        after
    }

    /// Takes the current kinds and values of a connected host. Nothing happens if they are unchanged.
    pub(super) fn host_offers(&mut self, host: &HostName, about: About, now: Time) {
        let Some(entry) = self.host_registry.get_mut(host) else { return };
        let same_life = entry.about.as_ref().is_some_and(|known| known.instance == about.instance);
        let is_new = entry.about.as_ref().is_some_and(|known| known.kinds != about.kinds);
        if entry.link != HostLink::Up || !same_life || !is_new {
            return;
        }
        self.kind_registry.declare(host, &about.kinds);
        entry.about = Some(about);
        entry.offers += 1;
        let status = entry.status();
        self.transaction.host(status, now);
    }

    /// Compares the operations of a host, requested while its feed is followed, with the coordinator. Only if the feed
    /// has been processed at least as far as the list.
    pub(super) fn host_holds(
        &mut self,
        host: &HostName,
        instance: InstanceId,
        list: &HostOperations,
        now: Time,
    ) {
        let Some(entry) = self.host_registry.get(host) else { return };
        if !entry.cursor.is_some_and(|c| c.instance == instance && c.seq >= list.seq) {
            return;
        }
        self.stop_orphaned_attempts(host, list);
        for id in self.on_host(host) {
            let Some(live) = self.live.get(&id) else { continue };
            let attempt = live.record.operation.attempt;
            let held = list.operations.iter().find(|o| o.id == id && o.attempt == attempt);
            let seen_before = live.seen_at.is_some_and(|seen| seen <= list.seq);
            let mends = match held {
                // It may be an older attempt that was never begun.
                Some(held) if held.outcome == Some(Outcome::NotStarted) => seen_before,
                // The feed did not report this end.
                Some(held) => held.state == HostState::Ended,
                // The host reported the attempt before the list was made.
                None => seen_before,
            };
            if mends {
                tracing::warn!(%host, operation = %id, "the state on a host differs from its feed; reconciling");
                self.reconcile(id, held, (instance, list.seq), false, now);
            }
        }
    }

    /// Stops attempts that a host still runs although they have ended here or run elsewhere. Unknown operations may
    /// belong to another server, and are left alone.
    fn stop_orphaned_attempts(&mut self, host: &HostName, list: &HostOperations) {
        let Some(pool) = self.host_registry.get(host).map(|entry| entry.pool.clone()) else { return };
        for held in &list.operations {
            let ours = self.live.get(&held.id).is_some_and(|live| {
                live.record.operation.attempt == held.attempt && live.on.as_ref() == Some(host)
            });
            if held.state != HostState::Ended && !ours {
                let deadline = self.rules.cancel_deadline;
                let orphaned = host_request::OrphanedAttempt {
                    id: held.id,
                    attempt: held.attempt,
                    host: host.clone(),
                    deadline,
                };
                self.transaction.later(host_request::stop_orphaned_attempt(
                    orphaned,
                    pool.clone(),
                    self.store.clone(),
                ));
            }
        }
    }

    /// Operations on a host, as far as the coordinator knows.
    fn on_host(&self, host: &HostName) -> Vec<OperationId> {
        let mut ids: Vec<OperationId> =
            self.live.iter().filter(|(_, l)| l.on.as_ref() == Some(host)).map(|(id, _)| *id).collect();
        ids.sort();
        ids
    }

    /// Compares one operation with what its host has.
    fn reconcile(
        &mut self,
        id: OperationId,
        held: Option<&HostOperation>,
        (instance, listed_at): (InstanceId, u64),
        feed_continues: bool,
        now: Time,
    ) {
        let Some(live) = self.live.get_mut(&id) else { return };
        let host = live.on.as_ref().and_then(|host| self.host_registry.get(host));
        let in_process = host.is_some_and(|entry| entry.in_process);
        let attempt = live.record.operation.attempt;
        let state = live.record.operation.state;
        let started = live.record.operation.started_at.is_some();
        let same_life = live.record.current().instance == Some(instance);
        // An attempt that was not begun and is being started again does not count as present.
        let here =
            |h: &&HostOperation| h.attempt == attempt && (started || h.outcome != Some(Outcome::NotStarted));
        match held.filter(here) {
            Some(held) => {
                live.accepted = true;
                live.seen_at.get_or_insert(listed_at);
                if !feed_continues {
                    self.catch_up(id, held, now);
                }
                if state == State::Cancelling {
                    self.send_cancel(id);
                }
            }
            None if !started && state == State::Starting && !(live.accepted && same_life) => {
                if !live.starting {
                    self.send_start(id, now);
                }
            }
            // Its start did not arrive or may be on its way; the response to the cancel will tell.
            None if !live.host_has_it() && state == State::Cancelling => self.send_cancel(id),
            None if feed_continues => {
                if state == State::Cancelling {
                    self.send_cancel(id);
                }
            }
            None => {
                let failure = if same_life {
                    host_lost()
                } else {
                    restarted(live.record.operation.checkpoint.as_ref())
                };
                let died = in_process && !same_life;
                self.step(id, if died { Message::Died(failure) } else { Message::Lost(failure) }, now);
            }
        }
    }

    /// Applies the state that a host lists, for events that its feed no longer has.
    fn catch_up(&mut self, id: OperationId, held: &HostOperation, now: Time) {
        let attempt = held.attempt;
        let at = now;
        if held.state != HostState::Accepted {
            self.step(id, Message::Host { attempt, at, body: HostEventBody::Running }, now);
        }
        if let Some(progress) = held.progress.clone() {
            self.step(id, Message::Host { attempt, at, body: HostEventBody::Progress { progress } }, now);
        }
        if let (HostState::Ended, Some(outcome)) = (held.state, held.outcome)
            && let Some((host_request, _)) = self.host_request(id)
        {
            self.transaction.later(host_request::fetch_end(host_request, outcome));
        }
    }

    /// Processes events of a host's feed, each once.
    pub(super) fn host_events(
        &mut self,
        host: &HostName,
        instance: InstanceId,
        events: Vec<HostEvent>,
        now: Time,
    ) {
        for event in events {
            let Some(entry) = self.host_registry.get_mut(host) else { return };
            let offset = entry.offset;
            let Some(cursor) = entry.cursor.as_mut().filter(|c| c.instance == instance) else { return };
            if event.seq <= cursor.seq {
                continue;
            }
            if event.seq != cursor.seq + 1 {
                tracing::error!(%host, from = cursor.seq, to = event.seq, "gap in the feed of a host; continuing after the missing events");
            }
            cursor.seq = event.seq;
            let at = offset.happened(event.at, now);
            let mut ours = self.live.get_mut(&event.id).filter(|l| l.on.as_ref() == Some(host));
            if let Some(live) = ours.as_mut().filter(|l| l.record.operation.attempt == event.attempt) {
                live.seen_at.get_or_insert(event.seq);
            }
            if ours.is_some() || self.ended.get(event.id).is_some() {
                if let HostEventBody::Ended { outcome: Outcome::NotStarted, failure, .. } = &event.body
                    && self.is_current(event.id, event.attempt)
                {
                    let why = failure.as_ref().map(|failure| failure.message.clone()).unwrap_or_default();
                    self.skip_host(event.id, PauseReason::NotStarted(why), NOT_STARTED_PAUSE, now);
                }
                let message = Message::Host { attempt: event.attempt, at, body: event.body };
                self.step(event.id, message, now);
            }
        }
        self.moved.insert(host.clone());
        self.dispatch(now);
    }

    /// Drains or undrains a host.
    pub(super) fn drain(
        &mut self,
        host: &HostName,
        on: bool,
        by: &Actor,
        reply: oneshot::Sender<Result<HostStatus, EngineError>>,
        now: Time,
    ) {
        let Some(entry) = self.host_registry.get_mut(host) else {
            self.transaction.reply(reply, Err(EngineError::HostNotFound(host.clone())));
            return;
        };
        let changed = entry.draining != on;
        entry.draining = on;
        let status = entry.status();
        if changed {
            self.transaction.change(Change::Drain { host: host.clone(), on });
            let action = if on { Action::Drain } else { Action::Undrain };
            let entry = AuditEntry::new(now, action, by.clone());
            self.transaction.audit(AuditEntry { host: Some(host.clone()), ..entry });
            self.transaction.host(status.clone(), now);
            self.dispatch(now);
        }
        self.transaction.reply(reply, Ok(status));
    }

    /// Handles an unreachable host.
    pub(super) fn host_down(&mut self, host: &HostName, why: String, now: Time) {
        let Some(entry) = self.host_registry.get_mut(host) else { return };
        let seen_by_server = entry.last_seen.get();
        let changed = entry.link != HostLink::Away || entry.trouble != why;
        entry.link = HostLink::Away;
        entry.trouble = why;
        self.kind_registry.away(host);
        if changed {
            let entry = self.host_registry.get(host).map(crate::host_registry::Entry::status);
            if let Some(status) = entry {
                tracing::warn!(%host, why = status.trouble, "host unreachable");
                self.transaction.host(status, now);
            }
        }
        for id in self.on_host(host) {
            let since = seen_by_server
                .or_else(|| self.live.get(&id).and_then(|l| l.record.operation.heard_at))
                .unwrap_or(now);
            let message = format!(
                "Lost contact with {host}. The operation may still be running. Its state is updated when the host reconnects."
            );
            self.step(id, Message::Silent { since, message }, now);
        }
        self.dispatch(now);
    }

    /// Handles the health of a host.
    pub(super) fn host_health(&mut self, host: &HostName, health: Health, clock: RoundTrip, now: Time) {
        let Some(entry) = self.host_registry.get_mut(host) else { return };
        entry.offset.learn(clock, health.now);
        if entry.health.as_ref().is_none_or(|known| worth_telling(known, &health)) {
            entry.health = Some(health);
            entry.health_asked = true;
            let status = entry.status();
            self.transaction.host(status, now);
            self.dispatch(now);
        }
    }

    /// Handles a failed health check, which does not mean that the host is not ready.
    pub(super) fn health_unknown(&mut self, host: &HostName, now: Time) {
        if let Some(entry) = self.host_registry.get_mut(host)
            && !std::mem::replace(&mut entry.health_asked, true)
        {
            self.dispatch(now);
        }
    }
}

/// Whether a host's health differs enough from the last published one.
fn worth_telling(known: &Health, health: &Health) -> bool {
    known.ready != health.ready
        || known.unready_kinds != health.unready_kinds
        || known.running != health.running
        // In either direction, because the host's clock may have been set back.
        || health.now.seconds_since(known.now).abs() >= HEALTH_EVERY_SECONDS
}

/// Failure of an attempt whose host restarted. Work of a foreign service may continue on its own, and its checkpoint
/// says where; only without a checkpoint does the message say that the work has ended, and does the hint leave out
/// *Resume*.
fn restarted(checkpoint: Option<&Checkpoint>) -> Failure {
    let (message, hint) = match checkpoint {
        None => (
            "The host restarted during the run, so the work ended.".to_owned(),
            "Retry the operation from the beginning.",
        ),
        Some(checkpoint) => (
            format!(
                "The host restarted during the run, so this attempt ended. Last checkpoint: {}.",
                checkpoint.note
            ),
            "Resume the operation from its checkpoint, or retry it from the beginning.",
        ),
    };
    Failure { reason: FailureReason::HostRestarted, message, hint: hint.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_attempt_with_a_checkpoint_is_told_to_resume() {
        assert_eq!(restarted(None).hint, "Retry the operation from the beginning.");
        let checkpoint: Checkpoint = serde_json::from_value(serde_json::json!({
            "attempt": 1, "at": "2026-11-23T10:00:00Z", "note": "epoch 4", "state": {}
        }))
        .unwrap();
        let failure = restarted(Some(&checkpoint));
        assert!(failure.hint.starts_with("Resume the operation from its checkpoint"), "{}", failure.hint);
        assert!(failure.message.ends_with("Last checkpoint: epoch 4."), "{}", failure.message);
    }

    #[test]
    fn host_health_is_published_after_its_clock_was_set_back() {
        let at = |seconds: i64| Health {
            ready: true,
            unready_kinds: Vec::new(),
            checks: Vec::new(),
            cpu: None,
            memory_bytes: None,
            network_in: None,
            network_out: None,
            running: 0,
            free: 1,
            now: Time::from_micros(seconds * 1_000_000),
        };
        assert!(!worth_telling(&at(100), &at(104)));
        assert!(worth_telling(&at(100), &at(105)));
        assert!(worth_telling(&at(10_000), &at(6_400)));
    }
}
