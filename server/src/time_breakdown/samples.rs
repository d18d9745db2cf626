//! Samples of an attempt and of its machine, as figures.

use history::Buckets;
use protocol::time_breakdown::TimeCourse;
use protocol::{Measured, ResourceUsage, Time, TimeSplit};
use std::collections::BTreeMap;

/// Means of a metric by bucket; empty if it is unknown.
pub fn mean_of<'a>(read: &'a Buckets, metric: &str) -> &'a [Option<f64>] {
    read.metrics.get(metric).map_or(&[], |series| &series.mean)
}

/// Sum of a rate over the time: its mean in each bucket times the length; `None` if it is unknown everywhere.
pub fn total_of(read: &Buckets, metric: &str) -> Option<f64> {
    let known = mean_of(read, metric).iter().flatten();
    known.copied().reduce(|a, b| a + b).map(|sum| sum * read.bucket_seconds as f64)
}

fn largest_of(read: &Buckets, metric: &str) -> Option<f64> {
    read.metrics.get(metric)?.max.iter().flatten().copied().reduce(f64::max)
}

fn average_of(read: &Buckets, metric: &str) -> Option<f64> {
    let known: Vec<f64> = mean_of(read, metric).iter().flatten().copied().collect();
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
}

/// Parts of the time by bucket.
pub fn course(read: &Buckets) -> TimeCourse {
    let part = |name: &str| {
        let mean = mean_of(read, &format!("time.{name}_ratio"));
        let round = |share: &Option<f64>| share.map(|share| (share * 1e3).round() / 1e3);
        let values: Vec<Option<f64>> = mean.iter().map(round).collect();
        values.iter().flatten().any(|share| *share > 0.0).then(|| (name.to_owned(), values))
    };
    TimeCourse {
        from: Time::from_micros(read.start.saturating_mul(1_000_000)),
        bucket_seconds: u32::try_from(read.bucket_seconds).unwrap_or(u32::MAX),
        parts: TimeSplit::NAMES.into_iter().filter_map(part).collect::<BTreeMap<_, _>>(),
    }
}

/// Cost so far of an attempt that runs.
pub fn usage_of(read: &Buckets, wall_seconds: f64) -> ResourceUsage {
    let bytes = |figure: f64| figure.max(0.0) as u64;
    ResourceUsage {
        measured: Measured::Other,
        wall_seconds,
        cpu_seconds: total_of(read, "usage.cpu_cores"),
        peak_memory_bytes: largest_of(read, "usage.resident_bytes").map(bytes),
        read_bytes: total_of(read, "usage.read_bytes_per_second").map(bytes),
        written_bytes: total_of(read, "usage.written_bytes_per_second").map(bytes),
        received_bytes: None,
        sent_bytes: None,
        peak_threads: largest_of(read, "usage.threads").map(|threads| threads as u32),
        time: None,
    }
}

/// What one attempt used within a time.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Used {
    pub cpu_seconds: f64,
    pub disk_bytes: f64,
    /// On average.
    pub memory_bytes: f64,
}

impl Used {
    /// Metrics from which it is read.
    pub const METRICS: [&str; 1] = ["usage.*"];

    /// `None` if the attempt has no samples in the time.
    pub fn of(read: &Buckets) -> Option<Self> {
        let known = |metric: &str| total_of(read, metric).unwrap_or(0.0);
        (!read.metrics.is_empty()).then(|| Self {
            cpu_seconds: known("usage.cpu_cores"),
            disk_bytes: known("usage.read_bytes_per_second") + known("usage.written_bytes_per_second"),
            memory_bytes: average_of(read, "usage.resident_bytes").unwrap_or(0.0),
        })
    }
}

/// What the machine used within a time.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Machine {
    /// Its cores, or the limit of the host.
    pub cores: Option<f64>,
    pub cpu_seconds: Option<f64>,
    pub disk_bytes: Option<f64>,
    /// In use: of the limit of the host if there is one, else of the machine.
    pub memory_bytes: Option<f64>,
    /// Whether the memory of the host is limited, so that only its own operations use that memory.
    pub is_memory_limited: bool,
}

impl Machine {
    /// Metrics from which it is read.
    pub const METRICS: [&str; 7] = [
        "cpu.count",
        "cpu.busy_ratio",
        "limit.cpu_cores",
        "limit.memory_used_bytes",
        "memory.used_bytes",
        "disk.*.read_bytes_per_second",
        "disk.*.written_bytes_per_second",
    ];

    /// Figures of the history of a host.
    pub fn of(read: &Buckets) -> Self {
        let count = average_of(read, "cpu.count");
        let disks = read.metrics.keys().filter(|name| name.starts_with("disk."));
        let limited = average_of(read, "limit.memory_used_bytes");
        let moved: Vec<f64> = disks.filter_map(|name| total_of(read, name)).collect();
        Self {
            cores: average_of(read, "limit.cpu_cores").or(count),
            cpu_seconds: total_of(read, "cpu.busy_ratio").zip(count).map(|(busy, count)| busy * count),
            disk_bytes: (!moved.is_empty()).then(|| moved.iter().sum()),
            memory_bytes: limited.or_else(|| average_of(read, "memory.used_bytes")),
            is_memory_limited: limited.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::{Series, Tier};

    fn read(metrics: &[(&str, [Option<f64>; 3])]) -> Buckets {
        let series = |values: &[Option<f64>; 3]| Series {
            min: values.to_vec(),
            mean: values.to_vec(),
            max: values.to_vec(),
        };
        Buckets {
            tier: Tier::Second,
            start: 100,
            bucket_seconds: 2,
            count: 3,
            metrics: metrics.iter().map(|(name, values)| ((*name).to_owned(), series(values))).collect(),
        }
    }

    #[test]
    fn rates_become_totals_and_what_is_unknown_stays_unknown() {
        let read = read(&[
            ("usage.cpu_cores", [Some(1.5), None, Some(0.5)]),
            ("usage.resident_bytes", [Some(10.0), Some(30.0), None]),
        ]);
        let usage = usage_of(&read, 6.0);
        assert_eq!((usage.cpu_seconds, usage.peak_memory_bytes), (Some(4.0), Some(30)));
        assert_eq!((usage.read_bytes, usage.peak_threads), (None, None));
        assert_eq!(Used::of(&read), Some(Used { cpu_seconds: 4.0, disk_bytes: 0.0, memory_bytes: 20.0 }));
    }

    #[test]
    fn a_limit_of_the_host_counts_instead_of_the_resources_of_its_machine() {
        let whole = [Some(4.0), Some(4.0), Some(4.0)];
        let busy = [Some(0.5), Some(1.0), None];
        let machine = Machine::of(&read(&[("cpu.count", whole), ("cpu.busy_ratio", busy)]));
        assert_eq!((machine.cores, machine.cpu_seconds, machine.disk_bytes), (Some(4.0), Some(12.0), None));
        let limited = read(&[("cpu.count", whole), ("limit.cpu_cores", [Some(1.5); 3])]);
        assert_eq!(Machine::of(&limited).cores, Some(1.5));
        let used = [("memory.used_bytes", [Some(90.0); 3]), ("limit.memory_used_bytes", [Some(7.0); 3])];
        let (whole, limited) = (Machine::of(&read(&used[..1])), Machine::of(&read(&used)));
        assert_eq!((whole.memory_bytes, whole.is_memory_limited), (Some(90.0), false));
        assert_eq!((limited.memory_bytes, limited.is_memory_limited), (Some(7.0), true));
    }

    #[test]
    fn a_course_has_only_parts_that_occurred() {
        let course = course(&read(&[
            ("time.on_cpu_ratio", [Some(0.25), None, Some(1.0)]),
            ("time.throttled_ratio", [Some(0.0), Some(0.0), Some(0.0)]),
        ]));
        assert_eq!(course.parts.keys().collect::<Vec<_>>(), ["on_cpu"]);
        assert_eq!(course.parts["on_cpu"], [Some(0.25), None, Some(1.0)]);
    }
}
