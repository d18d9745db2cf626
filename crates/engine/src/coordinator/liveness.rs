//! What the coordinator does by itself over time: gives up hosts, detects stalled attempts, retries.

use super::{Command, Coordinator, Live, requests};
use crate::lifecycle::{self, Message, Record};
use protocol::api::HostLink;
use protocol::operation::AttemptOrigin;
use protocol::{Actor, ConditionKind, OperationId, State, Time};
use std::time::Duration;
use store::Change;
use tokio::time::Instant;

impl Coordinator {
    /// Called about once a second.
    pub(super) fn tick(&mut self, now: Time) {
        let since = self.suspend.tick(Instant::now());
        if let Some(slept) = since.slept {
            tracing::info!(seconds = slept.as_secs_f64(), "the server resumed after it was suspended");
        }
        // Progress is not seen while the server sleeps or the store has no space, so nothing counts as stalled.
        if since.slept.is_some() || !self.writer.room().is_there() {
            self.live.values_mut().for_each(|live| live.pace.ignore_gap(now));
        }
        self.give_up_silent_hosts(since.listened, now);
        self.detect_stalls(now);
        self.dispatch(now);
    }

    /// Handles a jump of the wall clock: pauses keep their length, and measurements restart.
    pub(super) fn clock_jumped(&mut self, micros: i64, now: Time) {
        tracing::warn!(seconds = micros as f64 / 1e6, "the system clock jumped");
        self.queues.moved(micros);
        self.host_registry.moved(micros);
        let mut held = Vec::new();
        for (id, live) in &mut self.live {
            live.pace.ignore_gap(now);
            live.track.clock_jumped();
            held.extend(live.record.operation.not_before.map(|until| (*id, until.plus_micros(micros))));
        }
        for (id, until) in held {
            self.step(id, Message::HeldUntil(until), now);
        }
    }

    /// Shortens the pause of a loaded attempt if the clock was set back while the server was down: no pause is longer
    /// than its policy's longest.
    pub(super) fn limit_pause(&mut self, id: OperationId, now: Time) {
        let Some(operation) = self.live.get(&id).map(|live| &live.record.operation) else { return };
        let policy = self.rules.retry.get(&operation.kind);
        let longest = policy.map_or(Duration::ZERO, |policy| policy.longest_pause);
        let latest = now.plus_micros(longest.as_micros() as i64);
        if operation.not_before.is_some_and(|until| until > latest) {
            self.step(id, Message::HeldUntil(latest), now);
        }
    }

    /// Fails attempts whose host has been unreachable for too long, and ignores their numbers from then on.
    ///
    /// Counts only time in which the server was awake, by a monotonic clock.
    fn give_up_silent_hosts(&mut self, listened: Duration, now: Time) {
        let Some(lost_after) = self.rules.lost_after else { return };
        let mut given_up = Vec::new();
        for (id, live) in &mut self.live {
            let operation = &live.record.operation;
            let unreachable = operation.condition.as_ref().is_some_and(|c| {
                matches!(c.kind, ConditionKind::Unreachable | ConditionKind::CancelUndelivered)
            });
            // An undelivered cancel is no silence while the host's feed is connected.
            let host = live.on.as_ref().and_then(|host| self.host_registry.get(host));
            let away = host.is_none_or(|entry| entry.link != HostLink::Up);
            if !(operation.state.on_host() && unreachable && away) {
                live.silent_for = Duration::ZERO;
                continue;
            }
            live.silent_for += listened;
            if live.silent_for >= lost_after {
                given_up.push(*id);
            }
        }
        for id in given_up {
            let host = self.live.get(&id).and_then(|l| l.record.operation.host.clone());
            let failure = lifecycle::host_silent(host.as_ref(), &words_of(lost_after));
            tracing::warn!(operation = %id, ?host, "attempt failed: its host was unreachable for too long");
            self.step(id, Message::Lost(failure), now);
        }
    }

    fn detect_stalls(&mut self, now: Time) {
        let rule = self.rules.stall;
        let stalled: Vec<(OperationId, Time, f64)> = self
            .live
            .iter()
            .filter(|(_, l)| {
                l.record.operation.state == State::Running && l.record.operation.condition.is_none()
            })
            .filter_map(|(id, live)| live.pace.stalled(now, rule).map(|(since, usual)| (*id, since, usual)))
            .collect();
        for (id, since, usual) in stalled {
            let usual = words_of(Duration::from_secs_f64(usual.max(0.1)));
            let message = format!(
                "The operation usually makes progress every {usual}, but has made none for much longer, although \
                     its host is connected. It may be stuck; check its log."
            );
            self.step(id, Message::Stalled { since, message }, now);
        }
    }

    /// Retries a failed attempt as its kind's policy says.
    pub(super) fn retry(&mut self, id: OperationId, origin: AttemptOrigin, pause: Duration, now: Time) {
        let Some(mut record) = self.ended.get(id).cloned() else { return };
        let before = record.operation.state;
        let not_before = now.plus_micros(pause.as_micros() as i64);
        let most = self.rules.retry.get(&record.operation.kind).map_or(0, |p| p.attempts);
        let why = format!(
            "Attempt {} failed. Attempt {} of at most {most} starts after a backoff, as configured.",
            record.operation.attempt,
            record.operation.attempt + 1,
        );
        let message = Message::Retry { origin, not_before, why: why.clone() };
        if let Ok(effects) = lifecycle::step(&mut record, message, now) {
            let (action, by) = (requests::again(origin), Actor::signalbox());
            self.transaction.audit(requests::entry(&record.operation, action, &by, why, now));
            self.revive(record);
            self.effects(id, Some(before), effects, now);
            let coordinator = self.sender.clone();
            self.transaction.later(async move {
                tokio::time::sleep(pause).await;
                let _ = coordinator.send(Command::Dispatch).await;
            });
        }
    }

    /// Records how a run went, for future forecasts.
    pub(super) fn learn(&mut self, live: &Live) {
        let Record { operation, .. } = &live.record;
        if operation.state != State::Succeeded {
            return;
        }
        if let Some(run) = live.track.judge(operation) {
            self.transaction.change(Change::Run { kind: operation.kind.clone(), run: run.clone() });
            self.forecasts.learn(&operation.kind, run);
        }
    }
}

/// Duration as text: `90 s`, `10 min`.
fn words_of(length: Duration) -> String {
    let seconds = length.as_secs_f64();
    match seconds {
        s if s < 1.0 => format!("{s:.1} s"),
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7_200.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.0} h", s / 3_600.0),
    }
}
