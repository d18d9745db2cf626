//! Resources of the hosts: which metrics of docs/monitoring.md become which metric of Prometheus.
//!
//! Rates become counters, so that a scraper that comes every minute misses no second.

use super::HostResources;
use super::families::family;
use crate::monitor::ResourceFigures;
use Kind::{Counter, Gauge, Sum};
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use std::fmt;

/// Metric of Prometheus.
struct Family {
    /// Name without its unit, and without `_total`.
    name: &'static str,
    help: &'static str,
    unit: Option<fn() -> Unit>,
    kind: Kind,
    /// Label that tells the samples of a host apart; empty if there is only one.
    label: &'static str,
    /// Metrics of the monitoring, each with the value of the label. `*` stands for a name, which is the value then.
    sources: &'static [(&'static str, &'static str)],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Newest value.
    Gauge,
    /// Newest value of a count that only increases.
    Counter,
    /// Sum of the values of all seconds.
    Sum,
}

const NONE: Option<fn() -> Unit> = None;
const BYTES: Option<fn() -> Unit> = Some(|| Unit::Bytes);
const SECONDS: Option<fn() -> Unit> = Some(|| Unit::Seconds);

const fn row(
    name: &'static str,
    help: &'static str,
    unit: Option<fn() -> Unit>,
    kind: Kind,
    label: &'static str,
    sources: &'static [(&'static str, &'static str)],
) -> Family {
    Family { name, help, unit, kind, label, sources }
}

/// The machine.
#[rustfmt::skip]
const MACHINE: &[Family] = &[
    row("signalbox_host_cpus", "CPUs that are online", NONE, Gauge, "", &[("cpu.count", "")]),
    row("signalbox_host_cpu", "CPU time by mode", SECONDS, Sum, "mode", &[
        ("cpu.user_ratio", "user"), ("cpu.system_ratio", "system"), ("cpu.iowait_ratio", "iowait"),
        ("cpu.steal_ratio", "steal"),
    ]),
    row("signalbox_host_load1", "Load average over 1 minute", NONE, Gauge, "", &[("load.1m", "")]),
    row("signalbox_host_load5", "Load average over 5 minutes", NONE, Gauge, "", &[("load.5m", "")]),
    row("signalbox_host_load15", "Load average over 15 minutes", NONE, Gauge, "", &[("load.15m", "")]),
    row("signalbox_host_machine_tasks", "Tasks of the machine by state", NONE, Gauge, "state", &[
        ("tasks.running", "running"), ("tasks.blocked", "blocked"),
    ]),
    row("signalbox_host_memory_total", "Total memory of the machine", BYTES, Gauge, "", &[("memory.total_bytes", "")]),
    row("signalbox_host_memory_used", "Memory that is not available", BYTES, Gauge, "", &[("memory.used_bytes", "")]),
    row("signalbox_host_memory_cached", "Memory that holds cached file contents", BYTES, Gauge, "", &[("memory.cached_bytes", "")]),
    row("signalbox_host_swap_total", "Total swap space", BYTES, Gauge, "", &[("swap.total_bytes", "")]),
    row("signalbox_host_swap_used", "Swap space in use", BYTES, Gauge, "", &[("swap.used_bytes", "")]),
    row("signalbox_host_pressure_waiting", "Time in which some task waited for the resource", SECONDS, Sum, "resource", &[
        ("pressure.cpu.some_ratio", "cpu"), ("pressure.memory.some_ratio", "memory"), ("pressure.io.some_ratio", "io"),
    ]),
    row("signalbox_host_pressure_stalled", "Time in which all tasks waited for the resource", SECONDS, Sum, "resource", &[
        ("pressure.memory.full_ratio", "memory"), ("pressure.io.full_ratio", "io"),
    ]),
    row("signalbox_host_disk_read", "Bytes read from the disk", BYTES, Sum, "device", &[("disk.*.read_bytes_per_second", "")]),
    row("signalbox_host_disk_written", "Bytes written to the disk", BYTES, Sum, "device", &[("disk.*.written_bytes_per_second", "")]),
    row("signalbox_host_disk_reads", "Completed reads of the disk", NONE, Sum, "device", &[("disk.*.reads_per_second", "")]),
    row("signalbox_host_disk_writes", "Completed writes of the disk", NONE, Sum, "device", &[("disk.*.writes_per_second", "")]),
    row("signalbox_host_disk_busy", "Time in which at least one request to the disk was in progress", SECONDS, Sum, "device", &[("disk.*.busy_ratio", "")]),
    row("signalbox_host_network_received", "Bytes received by the interface", BYTES, Sum, "interface", &[("network.*.received_bytes_per_second", "")]),
    row("signalbox_host_network_sent", "Bytes sent by the interface", BYTES, Sum, "interface", &[("network.*.sent_bytes_per_second", "")]),
    row("signalbox_host_network_receive_errors", "Errors and dropped packets while receiving", NONE, Sum, "interface", &[("network.*.received_errors_per_second", "")]),
    row("signalbox_host_network_send_errors", "Errors and dropped packets while sending", NONE, Sum, "interface", &[("network.*.sent_errors_per_second", "")]),
    row("signalbox_host_files_open", "Open files of the machine", NONE, Gauge, "", &[("files.open", "")]),
    row("signalbox_host_files_limit", "Limit of open files of the machine", NONE, Gauge, "", &[("files.limit", "")]),
];

/// The process of the host.
#[rustfmt::skip]
const PROCESS: &[Family] = &[
    row("signalbox_host_process_cpu", "CPU time of the host's process", SECONDS, Sum, "", &[("process.cpu_cores", "")]),
    row("signalbox_host_process_resident", "Memory of the host's process in RAM", BYTES, Gauge, "", &[("process.resident_bytes", "")]),
    row("signalbox_host_process_threads", "Threads of the host's process", NONE, Gauge, "", &[("process.threads", "")]),
    row("signalbox_host_process_open_files", "Open files and connections of the host's process", NONE, Gauge, "", &[("process.open_files", "")]),
    row("signalbox_host_cgroup_cpu_limit_cores", "CPU limit of the host's cgroup", NONE, Gauge, "", &[("limit.cpu_cores", "")]),
    row("signalbox_host_cgroup_cpu_throttled", "Time for which the host's cgroup was throttled", SECONDS, Sum, "", &[("limit.throttled_seconds", "")]),
    row("signalbox_host_cgroup_memory_limit", "Memory limit of the host's cgroup", BYTES, Gauge, "", &[("limit.memory_bytes", "")]),
    row("signalbox_host_cgroup_memory_used", "Memory used by the host's cgroup", BYTES, Gauge, "", &[("limit.memory_used_bytes", "")]),
    row("signalbox_host_folder_free", "Free space of the folder's file system", BYTES, Gauge, "folder", &[("folder.*.free_bytes", "")]),
    row("signalbox_host_folder_total", "Size of the folder's file system", BYTES, Gauge, "folder", &[("folder.*.total_bytes", "")]),
    row("signalbox_host_free_slots", "Operations that the host could start now", NONE, Gauge, "", &[("host.free_slots", "")]),
    row("signalbox_host_event_loop_delay", "Delay of timers in the async runtime of the host", SECONDS, Gauge, "", &[("host.event_loop_delay_seconds", "")]),
    row("signalbox_host_tasks", "Tasks in the async runtime of the host", NONE, Gauge, "", &[("host.tasks", "")]),
    row("signalbox_host_queued_tasks", "Tasks in the async runtime of the host that wait for a thread", NONE, Gauge, "", &[("host.queued_tasks", "")]),
    row("signalbox_host_monitor_cpu", "CPU time used by the monitoring itself", SECONDS, Sum, "", &[("monitor.cpu_seconds", "")]),
    row("signalbox_host_monitor_refused_values", "Impossible values that were rejected since the host started", NONE, Counter, "", &[("monitor.refused_values", "")]),
];

/// Sample of a family.
enum Sample {
    Gauge(f64),
    Counter(f64),
}

impl EncodeMetric for Sample {
    fn encode(&self, encoder: MetricEncoder<'_>) -> fmt::Result {
        match self {
            Sample::Gauge(value) => ConstGauge::new(*value).encode(encoder),
            Sample::Counter(value) => ConstCounter::new(*value).encode(encoder),
        }
    }

    fn metric_type(&self) -> MetricType {
        match self {
            Sample::Gauge(_) => MetricType::Gauge,
            Sample::Counter(_) => MetricType::Counter,
        }
    }
}

/// Encodes the resources of all hosts, and their machines.
pub(super) fn encode(out: &mut DescriptorEncoder<'_>, hosts: &[HostResources]) -> fmt::Result {
    let machines = hosts.iter().filter_map(|host| {
        Some((
            vec![("host", host.host.as_str()), ("machine", host.machine.as_deref()?)],
            ConstGauge::new(1_u64),
        ))
    });
    let help = "Machine of the host; hosts on the same machine share its resources";
    family(out, "signalbox_host_machine_info", help, None, machines)?;
    for of in MACHINE.iter().chain(PROCESS) {
        let samples = hosts.iter().flat_map(|host| {
            of.samples(&host.figures).into_iter().map(|(value, sample)| {
                let mut labels = vec![("host", host.host.as_str())];
                if !of.label.is_empty() {
                    labels.push((of.label, value));
                }
                (labels, sample)
            })
        });
        family(out, of.name, of.help, of.unit.map(|unit| unit()), samples)?;
    }
    Ok(())
}

impl Family {
    /// Samples of a host, each with the value of the label.
    fn samples<'a>(&self, figures: &'a ResourceFigures) -> Vec<(&'a str, Sample)> {
        let values = if self.kind == Sum { &figures.sums } else { &figures.values };
        let sample = |value: f64| match self.kind {
            Gauge => Sample::Gauge(value),
            Counter | Sum => Sample::Counter(value),
        };
        let mut samples = Vec::new();
        for (metric, label) in self.sources {
            match metric.split_once('*') {
                None => samples.extend(values.get(*metric).map(|value| (*label, sample(*value)))),
                Some((start, end)) => {
                    let of_area =
                        values.range(start.to_owned()..).take_while(|(name, _)| name.starts_with(start));
                    samples.extend(of_area.filter_map(|(name, value)| {
                        Some((name.strip_prefix(start)?.strip_suffix(end)?, sample(*value)))
                    }));
                }
            }
        }
        samples
    }

    /// Name in the text format.
    #[cfg(test)]
    fn full_name(&self) -> String {
        let unit = self.unit.map(|unit| format!("_{}", unit().as_str())).unwrap_or_default();
        let total = if self.kind == Gauge { "" } else { "_total" };
        format!("{}{unit}{total}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn docs(file: &str) -> String {
        std::fs::read_to_string(format!("{}/../docs/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    #[test]
    fn each_metric_is_listed_in_the_docs_and_made_of_metrics_that_are_described_there() {
        let (metrics, monitoring) = (docs("observability.md"), docs("monitoring.md"));
        for family in MACHINE.iter().chain(PROCESS) {
            let name = family.full_name();
            assert!(metrics.contains(&format!("`{name}`")), "{name} is missing in docs/observability.md");
            for (source, _) in family.sources {
                let end = source.rsplit('.').next().unwrap();
                assert!(monitoring.contains(end), "{source} is missing in docs/monitoring.md");
            }
        }
    }

    #[test]
    fn names_of_devices_become_labels_also_with_a_dot() {
        let of = MACHINE.iter().find(|family| family.name == "signalbox_host_network_sent").unwrap();
        let sums = ["network.eth0.sent_bytes_per_second", "network.eth0.7.sent_bytes_per_second"];
        let sums = sums.into_iter().map(|name| (name.to_owned(), 8.0)).collect();
        let figures = ResourceFigures { values: BTreeMap::new(), sums };
        let names: BTreeSet<&str> = of.samples(&figures).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, BTreeSet::from(["eth0", "eth0.7"]));
    }
}
