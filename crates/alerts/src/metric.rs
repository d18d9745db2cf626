//! Metrics of rules: their names, what they are about, and their values in the history.

use std::collections::BTreeMap;

/// Value of a trend that does not lead to a full disk, in hours: a year.
pub const NOT_FILLING_HOURS: f64 = 8_760.0;
/// Minutes of free space that a trend is computed from.
pub const TREND_MINUTES: usize = 360;
/// Fewest minutes with a value for a trend.
const MIN_TREND_MINUTES: usize = 30;
/// Time spans of [`Metric::Failures`], by the last part of the name.
const SPANS: [(&str, f64); 4] = [("15m", 900.0), ("1h", 3_600.0), ("6h", 21_600.0), ("24h", 86_400.0)];

/// What a rule compares.
#[derive(Clone, PartialEq, Debug)]
pub enum Metric {
    /// 1 while the host is unreachable.
    HostUnreachable,
    /// Share of failed requests to the host in the last five minutes.
    RequestErrors,
    /// 95th percentile of the latency of requests to the host in the last five minutes.
    RequestP95,
    /// The same, divided by that of all requests since the start of the server.
    RequestP95Growth,
    /// Longest time that an operation of the kind has been ready to start.
    QueueWait,
    /// Failed operations of the kind in a time span, in seconds.
    Failures(f64),
    /// Time for which an operation has been stalled.
    Stalled,
    /// 1 while the database of operations can't be written.
    StoreTrouble,
    /// Value from the history of a host.
    History(HistoryMetric),
}

/// Value that is computed from the history of a host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HistoryMetric {
    /// Metric as it is stored.
    Stored(String),
    /// One metric divided by another.
    Share(String, String),
    /// Hours until this number of free bytes is zero, by its trend.
    FullInHours(String),
}

/// What an alert of a metric is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    Host,
    Kind,
    Operation,
    Server,
}

impl Metric {
    /// Metric with a name; `None` if there is none.
    pub fn parse(name: &str) -> Option<Self> {
        let parts: Vec<&str> = name.split('.').collect();
        Some(match parts[..] {
            ["host", "unreachable"] => Metric::HostUnreachable,
            ["requests", "error_ratio"] => Metric::RequestErrors,
            ["requests", "p95_seconds"] => Metric::RequestP95,
            ["requests", "p95_growth"] => Metric::RequestP95Growth,
            ["queue", "wait_seconds"] => Metric::QueueWait,
            ["operations", "failed", span] => {
                Metric::Failures(SPANS.iter().find(|(name, _)| *name == span)?.1)
            }
            ["operation", "stalled_seconds"] => Metric::Stalled,
            ["server", "store_trouble"] => Metric::StoreTrouble,
            _ => Metric::History(HistoryMetric::parse(&parts)?),
        })
    }

    /// What its alerts are about.
    pub fn scope(&self) -> Scope {
        match self {
            Metric::HostUnreachable
            | Metric::RequestErrors
            | Metric::RequestP95
            | Metric::RequestP95Growth
            | Metric::History(_) => Scope::Host,
            Metric::QueueWait | Metric::Failures(_) => Scope::Kind,
            Metric::Stalled => Scope::Operation,
            Metric::StoreTrouble => Scope::Server,
        }
    }
}

impl HistoryMetric {
    fn parse(parts: &[&str]) -> Option<Self> {
        let name = |names: &[&str]| names.join(".");
        Some(match parts {
            ["memory", "used_ratio"] => Self::Share("memory.used_bytes".into(), "memory.total_bytes".into()),
            ["swap", "used_ratio"] => Self::Share("swap.used_bytes".into(), "swap.total_bytes".into()),
            ["files", "used_ratio"] => Self::Share("files.open".into(), "files.limit".into()),
            ["folder", folder, "free_ratio"] => {
                Self::Share(name(&["folder", folder, "free_bytes"]), name(&["folder", folder, "total_bytes"]))
            }
            ["folder", folder, "full_in_hours"] => Self::FullInHours(name(&["folder", folder, "free_bytes"])),
            [
                "cpu" | "load" | "tasks" | "memory" | "swap" | "pressure" | "disk" | "network" | "files"
                | "process" | "limit" | "folder" | "host" | "monitor",
                _,
                ..,
            ] if parts.iter().all(|part| !part.is_empty() && *part != "*") => Self::Stored(name(parts)),
            _ => return None,
        })
    }

    /// Names of the stored metrics that it needs.
    pub fn inputs(&self) -> Vec<&str> {
        match self {
            Self::Stored(name) | Self::FullInHours(name) => vec![name],
            Self::Share(part, whole) => vec![part, whole],
        }
    }

    /// Whether it looks back over [`TREND_MINUTES`], so that its inputs must be minutes.
    pub fn is_trend(&self) -> bool {
        matches!(self, Self::FullInHours(_))
    }

    /// Its values by bucket, from those of its inputs.
    pub fn values(&self, inputs: &BTreeMap<String, Vec<Option<f64>>>) -> Vec<Option<f64>> {
        let of = |name: &String| inputs.get(name).map_or(&[][..], Vec::as_slice);
        match self {
            Self::Stored(name) => of(name).to_vec(),
            Self::Share(part, whole) => {
                let share =
                    |(part, whole): (&Option<f64>, &Option<f64>)| match (part.as_ref()?, whole.as_ref()?) {
                        (part, whole) if *whole > 0.0 => Some(part / whole),
                        _ => None,
                    };
                of(part).iter().zip(of(whole)).map(share).collect()
            }
            Self::FullInHours(free) => {
                let free = of(free);
                let until = |end: usize| full_in_hours(&free[(end + 1).saturating_sub(TREND_MINUTES)..=end]);
                (0..free.len()).map(until).collect()
            }
        }
    }
}

/// Hours until free space is used up, by the least-squares line through its minutes. `None` without a newest value, or
/// with too few values.
fn full_in_hours(minutes: &[Option<f64>]) -> Option<f64> {
    let newest = minutes.last().copied().flatten()?;
    let known: Vec<(f64, f64)> =
        minutes.iter().enumerate().filter_map(|(minute, free)| Some((minute as f64, (*free)?))).collect();
    if known.len() < MIN_TREND_MINUTES {
        return None;
    }
    let count = known.len() as f64;
    let mean_x = known.iter().map(|(x, _)| x).sum::<f64>() / count;
    let mean_y = known.iter().map(|(_, y)| y).sum::<f64>() / count;
    let both: f64 = known.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let spread: f64 = known.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let per_minute = both / spread;
    if per_minute >= 0.0 {
        return Some(NOT_FILLING_HOURS);
    }
    Some((newest / -per_minute / 60.0).min(NOT_FILLING_HOURS))
}
