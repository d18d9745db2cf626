//! Metrics that users choose from, in groups. Rules may also name any other metric of a host, such as one of a disk.

/// Group of metrics.
#[derive(Clone, Copy, Debug)]
pub struct MetricGroup {
    pub label: &'static str,
    /// Name and label of each metric.
    pub metrics: &'static [(&'static str, &'static str)],
}

/// Groups in the order in which they are shown.
pub const GROUPS: &[MetricGroup] = &[
    MetricGroup {
        label: "CPU",
        metrics: &[
            ("cpu.busy_ratio", "CPU usage"),
            ("cpu.iowait_ratio", "I/O wait"),
            ("cpu.steal_ratio", "Steal"),
            ("load.5m", "Load, 5 min"),
            ("pressure.cpu.some_ratio", "CPU pressure"),
        ],
    },
    MetricGroup {
        label: "Memory",
        metrics: &[
            ("memory.used_ratio", "Memory usage"),
            ("memory.used_bytes", "Used memory"),
            ("swap.used_ratio", "Swap usage"),
            ("pressure.memory.some_ratio", "Memory pressure"),
        ],
    },
    MetricGroup {
        label: "Disk",
        metrics: &[
            ("folder.data.free_ratio", "Free space, share"),
            ("folder.data.free_bytes", "Free space"),
            ("folder.data.full_in_hours", "Predicted time until full"),
            ("pressure.io.some_ratio", "I/O pressure"),
        ],
    },
    MetricGroup {
        label: "Host",
        metrics: &[
            ("host.unreachable", "Unreachable"),
            ("host.running", "Running operations"),
            ("host.free_slots", "Free slots"),
            ("host.event_loop_delay_seconds", "Event-loop delay"),
            ("process.cpu_cores", "CPU cores used by the process"),
            ("process.resident_bytes", "Memory of the process"),
            ("process.threads", "Threads of the process"),
            ("process.open_files", "Open files of the process"),
            ("files.used_ratio", "Open files of the machine, share"),
        ],
    },
    MetricGroup {
        label: "Requests to the host",
        metrics: &[
            ("requests.error_ratio", "Failed requests, share"),
            ("requests.p95_seconds", "p95 latency"),
            ("requests.p95_growth", "p95 latency, relative to its usual value"),
        ],
    },
    MetricGroup {
        label: "Operations",
        metrics: &[
            ("queue.wait_seconds", "Longest queue wait"),
            ("operations.failed.15m", "Failures in 15 min"),
            ("operations.failed.1h", "Failures in 1 h"),
            ("operations.failed.6h", "Failures in 6 h"),
            ("operations.failed.24h", "Failures in 24 h"),
            ("operation.stalled_seconds", "Time without progress"),
        ],
    },
    MetricGroup { label: "Server", metrics: &[("server.store_trouble", "Database can't be written")] },
];

/// Label of a metric; `None` if it is in no group.
pub fn label_of(metric: &str) -> Option<&'static str> {
    GROUPS.iter().flat_map(|group| group.metrics).find(|(name, _)| *name == metric).map(|(_, label)| *label)
}

/// Whether a metric is 1 or 0, so that its threshold is always the same.
pub fn is_flag(metric: &str) -> bool {
    matches!(metric, "host.unreachable" | "server.store_trouble")
}

/// Threshold of a metric that is 1 or 0.
pub const FLAG_THRESHOLD: f64 = 0.5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Metric, defaults};
    use std::collections::BTreeSet;

    #[test]
    fn each_metric_exists_and_is_listed_once() {
        let names: Vec<&str> = GROUPS.iter().flat_map(|group| group.metrics).map(|(name, _)| *name).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        for name in names {
            assert!(Metric::parse(name).is_some(), "{name}");
        }
        for rule in defaults::rules() {
            assert!(label_of(&rule.spec().metric).is_some(), "{} of a built-in rule", rule.spec().metric);
        }
    }
}
