//! Rules and alerts in plain English.

use crate::metric::{HistoryMetric, Metric, Scope};
use crate::rule::Rule;
use display::format::{bytes_of, figure, share, span};
use protocol::alerts::{AlertSubject, Comparison};

/// What a metric measures, as the subject of a sentence: `memory usage`.
pub fn label(rule: &Rule) -> String {
    let name = rule.spec().metric.as_str();
    match (&rule.metric, name) {
        (Metric::RequestErrors, _) => "the share of failed requests".into(),
        (Metric::RequestP95, _) => "the p95 latency of requests".into(),
        (Metric::RequestP95Growth, _) => "the p95 latency of requests relative to its usual value".into(),
        (Metric::QueueWait, _) => "the longest wait for a host".into(),
        (Metric::Failures(seconds), _) => format!("the number of failures in {}", span(*seconds)),
        (Metric::Stalled, _) => "the time without progress".into(),
        (Metric::History(HistoryMetric::FullInHours(_)), _) => {
            "the time until the disk is full, by its trend,".into()
        }
        (_, "cpu.busy_ratio") => "CPU usage".into(),
        (_, "memory.used_ratio") => "memory usage".into(),
        (_, "swap.used_ratio") => "swap usage".into(),
        (_, "pressure.cpu.some_ratio") => "the share of time in which work waited for a CPU".into(),
        (_, "pressure.memory.some_ratio") => "the share of time in which work waited for memory".into(),
        (_, "pressure.io.some_ratio") => "the share of time in which work waited for a disk".into(),
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
        _ => {}
    }
    let subject = match rule.metric.scope() {
        Scope::Host => "of a host ",
        Scope::Kind => "of a kind ",
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
    format!(
        "Fires when {} {subject}is {bad} {threshold}{held}; ends when it is {good} {recovery}{recovered}.",
        label(rule)
    )
}

/// What happens, as a sentence.
pub fn of_alert(rule: &Rule, subject: &AlertSubject, value: Option<f64>) -> String {
    let of = subject_text(subject);
    match rule.metric {
        Metric::HostUnreachable => return format!("{of} is unreachable."),
        Metric::StoreTrouble => return "The database of operations can't be written.".into(),
        _ => {}
    }
    let side = match rule.comparison {
        Comparison::Above => "above",
        Comparison::Below => "below",
    };
    let threshold = value_text(&rule.spec().metric, rule.threshold);
    let now = value.map_or("unknown".into(), |value| value_text(&rule.spec().metric, value));
    format!("{of}: {} is {now} (fires {side} {threshold}).", label(rule))
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
