//! Rules and alerts in plain English.

use crate::metric::{HistoryMetric, Metric, Scope};
use crate::rule::Rule;
use display::format::{bytes_of, counted, figure, share, span};
use protocol::alerts::{AlertSubject, Comparison};

/// What a metric measures, as the subject of a sentence: `memory usage`.
pub fn label(rule: &Rule) -> String {
    let name = rule.spec().metric.as_str();
    match (&rule.metric, name) {
        (Metric::RequestErrors, _) => "the share of failed requests".into(),
        (Metric::RequestP95 | Metric::RequestP95Growth, _) => "the p95 latency of requests".into(),
        (Metric::QueueWait, _) => "the longest queue wait of an operation".into(),
        (Metric::Failures(seconds), _) => format!("the number of failures in {}", span(*seconds)),
        (Metric::Stalled, _) => "the time without progress".into(),
        (Metric::History(HistoryMetric::FullInHours(_)), _) => {
            "the predicted time until the host's disk is full".into()
        }
        (_, "cpu.busy_ratio") => "CPU usage".into(),
        (_, "memory.used_ratio") => "memory usage".into(),
        (_, "swap.used_ratio") => "swap usage".into(),
        (_, "pressure.cpu.some_ratio") => "the share of time in which tasks waited for a CPU".into(),
        (_, "pressure.memory.some_ratio") => "the share of time in which tasks waited for memory".into(),
        (_, "pressure.io.some_ratio") => "the share of time in which tasks waited for a disk".into(),
        (_, "folder.data.free_ratio") => "the free space of the data folder".into(),
        (_, name) => name.to_owned(),
    }
}

/// A value of a metric with its unit.
pub fn value_text(metric: &str, value: f64) -> String {
    let last = metric.rsplit('.').next().unwrap_or_default();
    let unit = |suffix: &str| last.ends_with(suffix);
    if unit("_per_second") {
        format!("{} per second", figure(value))
    } else if unit("_ratio") {
        share(value)
    } else if unit("_bytes") {
        bytes_of(value)
    } else if unit("_seconds") {
        span(value)
    } else if unit("_hours") {
        span(value * 3_600.0)
    } else if unit("_growth") {
        format!("{} times", figure((value * 10.0).round() / 10.0))
    } else {
        figure(value)
    }
}

/// A rule as a sentence.
pub fn of_rule(rule: &Rule) -> String {
    let held =
        if rule.for_seconds > 0.0 { format!(" for {}", span(rule.for_seconds)) } else { String::new() };
    match rule.metric {
        Metric::HostUnreachable => return format!("Fires when a host is unreachable{held}."),
        Metric::StoreTrouble => {
            return format!("Fires when the database of operations can't be written{held}.");
        }
        Metric::Failures(seconds) if counts(rule) => return of_failures(rule, seconds),
        Metric::Stalled if is_any(rule) => return format!("Fires when an operation has been stalled{held}."),
        _ => {}
    }
    let subject = match rule.metric.scope() {
        Scope::Host if matches!(rule.metric, Metric::History(HistoryMetric::FullInHours(_))) => "",
        Scope::Host if rule.spec().metric.starts_with("pressure.") => "on a host ",
        Scope::Host if rule.spec().metric.starts_with("requests.") => "to a host ",
        Scope::Host => "of a host ",
        Scope::Kind if matches!(rule.metric, Metric::Failures(_)) => "per kind ",
        Scope::Kind => "",
        Scope::Operation => "of an operation ",
        Scope::Server => "",
    };
    let threshold = value_text(&rule.spec().metric, rule.threshold);
    let recovery = value_text(&rule.spec().metric, rule.recovery());
    let (bad, good) = match rule.comparison {
        Comparison::Above => ("above", "at most"),
        Comparison::Below => ("below", "at least"),
    };
    let recovered = match rule.recover_for_seconds {
        seconds if seconds > 0.0 => format!(" for {}", span(seconds)),
        _ => String::new(),
    };
    let usual = of_usual(rule);
    format!(
        "Fires when {} {subject}is {bad} {threshold}{usual}{held}; resolves when it is {good} {recovery}{recovered}.",
        label(rule)
    )
}

/// What a growth is relative to, after its value.
fn of_usual(rule: &Rule) -> &'static str {
    if matches!(rule.metric, Metric::RequestP95Growth) { " its usual value" } else { "" }
}

/// Whether a rule fires above a number of operations.
fn counts(rule: &Rule) -> bool {
    rule.comparison == Comparison::Above && rule.threshold >= 0.0
}

/// Whether a rule fires for each value that is not 0.
fn is_any(rule: &Rule) -> bool {
    rule.comparison == Comparison::Above && rule.threshold.abs() < f64::EPSILON
}

/// Smallest count above the threshold.
fn least(rule: &Rule) -> u64 {
    rule.threshold.floor() as u64 + 1
}

fn of_failures(rule: &Rule, seconds: f64) -> String {
    let within = span(seconds);
    let lasts = |seconds: f64| {
        if seconds > 0.0 { format!(", and this stays true for {}", span(seconds)) } else { String::new() }
    };
    let failing = match (least(rule), rule.for_seconds > 0.0) {
        (1, false) => "an operation fails".to_owned(),
        (1, true) => format!("an operation has failed in the last {within}"),
        (number, false) => format!("{number} or more operations of the same kind fail within {within}"),
        (number, true) => {
            format!("{number} or more operations of the same kind have failed in the last {within}")
        }
    };
    let failed = match rule.recovery().max(0.0).floor() as u64 {
        0 => "no operation of this kind has".to_owned(),
        1 => "at most 1 operation of this kind has".to_owned(),
        most => format!("at most {most} operations of this kind have"),
    };
    let (held, recovered) = (lasts(rule.for_seconds), lasts(rule.recover_for_seconds));
    format!("Fires when {failing}{held}; resolves when {failed} failed in the last {within}{recovered}.")
}

/// The alert as a sentence.
pub fn of_alert(rule: &Rule, subject: &AlertSubject, value: Option<f64>) -> String {
    let of = subject_text(subject);
    match rule.metric {
        Metric::HostUnreachable => return format!("{of} is unreachable."),
        Metric::StoreTrouble => return "The database of operations can't be written.".into(),
        Metric::Failures(seconds)
            if counts(rule)
                && let Some(value) = value =>
        {
            let failed = counted(value.max(0.0) as u64, "operation", "operations");
            return format!("{of}: {failed} failed within {} (threshold: {}).", span(seconds), least(rule));
        }
        Metric::Stalled
            if is_any(rule)
                && let Some(value) = value =>
        {
            return format!("{of} has been stalled for {}.", span(value));
        }
        _ => {}
    }
    let side = match rule.comparison {
        Comparison::Above => "above",
        Comparison::Below => "below",
    };
    let threshold = value_text(&rule.spec().metric, rule.threshold);
    let now = value.map_or("unknown".into(), |value| {
        format!("{}{}", value_text(&rule.spec().metric, value), of_usual(rule))
    });
    format!("{of}: {} is {now} (threshold: {side} {threshold}).", label(rule))
}

/// Host, kind or operation of an alert.
pub fn subject_text(subject: &AlertSubject) -> String {
    match subject {
        AlertSubject { operation: Some(operation), kind: Some(kind), .. } => {
            format!("{kind} {}", operation.short())
        }
        AlertSubject { operation: Some(operation), .. } => format!("Operation {}", operation.short()),
        AlertSubject { kind: Some(kind), .. } => kind.to_string(),
        AlertSubject { host: Some(host), .. } => host.to_string(),
        AlertSubject { .. } => "Server".into(),
    }
}
