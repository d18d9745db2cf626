//! Evaluator: applies the rules to what the server knows, and queues messages.

use super::Shared;
use super::mail::MAX_OPERATIONS as MAX_OPERATIONS_MAILED;
use super::message::{MAX_LISTED, Notice};
use super::readings::Observed;
use super::rules::RuleInEffect;
use super::settings::{AlertsConfig, Transport};
use super::state::State;
use crate::monitor::Monitor;
use alerts::group::Active;
use alerts::{AlertKey, Memory, Notification, Phase, Rule, Transition, sentence};
use engine::Engine;
use protocol::alerts::{Alert, AlertState, AlertSubject};
use protocol::{OperationId, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior};

/// Largest number of operations that an alert lists.
const MAX_OPERATIONS: usize = 50;
/// Longest time before the first evaluation.
const FIRST_AFTER: Duration = Duration::from_secs(3);
/// Largest time between two evaluations that counts, as a multiple of the interval: beyond it, the server slept.
const MAX_ELAPSED_INTERVALS: f64 = 3.0;

/// Evaluates for ever.
pub(super) async fn evaluate(shared: Arc<Shared>, engine: Engine, monitor: Monitor) {
    let interval = shared.config.interval;
    // Hosts that connect in the first moments of the server are not unreachable.
    let mut every = tokio::time::interval_at(Instant::now() + interval.min(FIRST_AFTER), interval);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last: Option<Instant> = None;
    loop {
        // A changed rule is evaluated at once.
        tokio::select! {
            _ = every.tick() => {}
            () = shared.edited.notified() => {}
        }
        let rules = shared.rules();
        let applied: Vec<&Rule> = applied(&rules).collect();
        let observed = Observed::read(&engine, &monitor, &applied).await;
        let now = Instant::now();
        let elapsed = last.replace(now).map_or(0.0, |last| now.duration_since(last).as_secs_f64());
        let elapsed = elapsed.min(interval.as_secs_f64() * MAX_ELAPSED_INTERVALS);
        let changed = step(&mut shared.state.lock(), &shared.config, &rules, &observed, elapsed, Time::now());
        if changed {
            // Durable before it is sent: a restart neither forgets nor repeats a message.
            shared.save().await;
            shared.queued.notify_waiters();
        }
        shared.changed.notify_one();
    }
}

fn applied(rules: &[RuleInEffect]) -> impl Iterator<Item = &Rule> {
    rules.iter().filter(|known| known.enabled).map(|known| &known.rule)
}

/// Evaluates once. Returns whether something changed that must be stored.
fn step(
    state: &mut State,
    config: &AlertsConfig,
    rules: &[RuleInEffect],
    observed: &Observed,
    elapsed: f64,
    now: Time,
) -> bool {
    let mut memories: BTreeMap<AlertKey, Memory> = BTreeMap::new();
    let mut current = Vec::new();
    let mut changed = false;
    let mut resolved = BTreeSet::new();
    for rule in applied(rules) {
        for (subject, value) in readings(state, observed, rule) {
            let key = AlertKey { rule: rule.name.clone(), subject };
            let known = state.memories.get(&key).cloned();
            let before = known.as_ref().map_or(AlertState::Inactive, |memory| memory.state);
            let mut memory = known.unwrap_or_else(|| Memory::new(now));
            let transition = memory.step(rule, value, elapsed, now);
            changed |= memory.state != before;
            if let Some(Transition::Resolved(fired_at)) = transition {
                // Without a value, the rule has another metric now.
                let shown = memory.value.is_none().then(|| state.current_of(&key).cloned()).flatten();
                let alert = shown.unwrap_or_else(|| alert(rule, &key.subject, &memory, observed));
                state.resolve(alert, fired_at, now);
                resolved.insert(key.clone());
            } else if memory.is_active() || memory.state == AlertState::Pending {
                let alert = alert(rule, &key.subject, &memory, observed);
                if transition == Some(Transition::Fired) {
                    tracing::warn!(rule = rule.name, alert = alert.sentence, "alert firing");
                }
                current.push(alert);
            }
            // An inactive one with a value says nothing that the next value does not.
            if memory.state != AlertState::Inactive || value.is_none() {
                memories.insert(key, memory);
            }
        }
    }
    // Alerts of removed rules and hosts, and of rules that were switched off, are over; their groups end.
    let removed: Vec<(AlertKey, Time)> = state
        .memories
        .iter()
        .filter(|(key, _)| !memories.contains_key(key) && !resolved.contains(key))
        .filter_map(|(key, memory)| Some((key.clone(), memory.fired_at?)))
        .collect();
    for (key, fired_at) in removed {
        if let Some(alert) = state.current_of(&key).cloned() {
            state.resolve(alert, fired_at, now);
        }
    }
    changed |= state.memories.len() != memories.len();
    state.memories = memories;
    current.sort_by(|a, b| rank(b).cmp(&rank(a)).then(a.since.cmp(&b.since)));
    let silences = state.silences().len();
    state.end_expired_silences(now);
    let groups = state.groups.clone();
    let notifications = state.groups.step(&active(state, now), config.group_wait.as_secs_f64(), elapsed, now);
    for notification in notifications {
        queue(state, config, rules, observed, &current, &notification, now);
    }
    state.current = current;
    changed || silences != state.silences().len() || groups != state.groups
}

/// Values of a rule. An operation that has ended no longer stalls, and a kind without operations has neither a queue
/// nor failures.
fn readings(state: &State, observed: &Observed, rule: &Rule) -> Vec<(AlertSubject, Option<f64>)> {
    let mut readings = observed.of(rule);
    let missing = |subject: &AlertSubject| !readings.iter().any(|(known, _)| known == subject);
    let ended: Vec<AlertSubject> = state
        .memories
        .keys()
        .filter(|key| key.rule == rule.name && missing(&key.subject))
        .filter(|key| key.subject.operation.is_some() || key.subject.host.is_none())
        .map(|key| key.subject.clone())
        .collect();
    readings.extend(ended.into_iter().map(|subject| (subject, Some(0.0))));
    readings
}

fn active(state: &State, now: Time) -> Vec<Active> {
    let fired = state.memories.iter().filter(|(_, memory)| memory.is_active());
    let active = fired.map(|(key, _)| Active {
        key: key.clone(),
        silenced: state.silence_of(&key.rule, &key.subject, now).is_some(),
    });
    active.collect()
}

/// Order of the list: what fires first, then by severity.
fn rank(alert: &Alert) -> (bool, protocol::alerts::Severity) {
    (alert.fired_at.is_some(), alert.severity)
}

fn alert(rule: &Rule, subject: &AlertSubject, memory: &Memory, observed: &Observed) -> Alert {
    Alert {
        rule: rule.name.clone(),
        metric: rule.spec().metric.clone(),
        subject: subject.clone(),
        severity: rule.severity,
        state: memory.state,
        since: memory.since,
        fired_at: memory.fired_at,
        resolved_at: None,
        value: memory.value,
        sentence: sentence::of_alert(rule, subject, memory.value),
        action: rule.action.clone(),
        operations: touched(subject, observed),
        silence: None,
    }
}

/// Operations that have not ended, of the host or kind; newest first.
fn touched(subject: &AlertSubject, observed: &Observed) -> Vec<OperationId> {
    if let Some(id) = subject.operation {
        return vec![id];
    }
    if subject.host.is_none() && subject.kind.is_none() {
        return Vec::new();
    }
    let mut touched: Vec<OperationId> = observed
        .operations
        .iter()
        .filter(|op| !op.state.ended())
        .filter(|op| subject.host.is_none() || op.host == subject.host)
        .filter(|op| subject.kind.as_ref().is_none_or(|kind| op.kind == *kind))
        .map(|op| op.id)
        .collect();
    touched.sort_unstable_by(|a, b| b.cmp(a));
    touched.truncate(MAX_OPERATIONS);
    touched
}

/// Queues a notification for each destination.
fn queue(
    state: &mut State,
    config: &AlertsConfig,
    rules: &[RuleInEffect],
    observed: &Observed,
    current: &[Alert],
    notification: &Notification,
    now: Time,
) {
    let of = |key: &AlertKey| {
        let known = current.iter().find(|alert| alert.rule == key.rule && alert.subject == key.subject);
        let resolved = || state.resolved(&key.rule, &key.subject);
        known.or_else(resolved).cloned().or_else(|| {
            // Its host was removed from the configuration, or its rule was switched off while the server was down.
            let known = rules.iter().find(|known| known.rule.name == key.rule)?;
            Some(alert(&known.rule, &key.subject, &Memory::new(now), observed))
        })
    };
    let mut alerts: Vec<Alert> = notification.alerts.iter().filter_map(of).collect();
    if notification.phase == Phase::Resolved {
        for alert in &mut alerts {
            alert.state = AlertState::Inactive;
            alert.resolved_at.get_or_insert(now);
        }
    }
    for destination in &config.destinations {
        let notice = Notice::new(
            notification.group,
            notification.phase,
            notification.began_at,
            now,
            &alerts,
            destination.severity,
        );
        if let Some(mut notice) = notice {
            if matches!(destination.transport, Transport::Email(_)) {
                notice.operations = titles(&notice, observed);
            }
            state.queue(destination, notice, now);
        }
    }
}

/// Kinds and titles of the operations that an e-mail lists.
fn titles(notice: &Notice, observed: &Observed) -> BTreeMap<OperationId, String> {
    let listed = notice
        .alerts
        .iter()
        .take(MAX_LISTED)
        .flat_map(|alert| alert.operations.iter().take(MAX_OPERATIONS_MAILED));
    let title = |id: &OperationId| {
        let operation = observed.operations.iter().find(|operation| operation.id == *id)?;
        Some((*id, format!("{} {}", operation.kind, operation.title)))
    };
    listed.filter_map(title).collect()
}
