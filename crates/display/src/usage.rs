//! Cost of an operation as text: CPU time, memory, bytes, threads.

use crate::format;
use protocol::{Measured, ResourceUsage};

/// What was not measured.
pub const UNKNOWN: &str = "unknown";

/// Line of the cost: what, how much, and what exactly it means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CostLine {
    pub name: &'static str,
    pub value: String,
    pub means: &'static str,
}

/// CPU time: `12 s`.
pub fn cpu(usage: &ResourceUsage) -> String {
    usage.cpu_seconds.map_or_else(unknown, format::span)
}

/// CPU time with the average number of busy cores: `12 s · 1.9 cores`.
fn cpu_and_cores(usage: &ResourceUsage) -> String {
    match usage.cpu_seconds {
        Some(seconds) if usage.wall_seconds >= 1.0 => {
            let cores = format::decimal(seconds / usage.wall_seconds, 1);
            format!("{} · {cores} cores", format::span(seconds))
        }
        _ => cpu(usage),
    }
}

/// Peak memory: `48.2 MiB`.
pub fn memory(usage: &ResourceUsage) -> String {
    usage.peak_memory_bytes.map_or_else(unknown, format::bytes)
}

/// Bytes read from disks.
pub fn read(usage: &ResourceUsage) -> String {
    usage.read_bytes.map_or_else(unknown, format::bytes)
}

/// Bytes written to disks.
pub fn written(usage: &ResourceUsage) -> String {
    usage.written_bytes.map_or_else(unknown, format::bytes)
}

/// Peak number of threads.
pub fn threads(usage: &ResourceUsage) -> String {
    usage.peak_threads.map_or_else(unknown, |threads| format::count(threads.into()))
}

/// Bytes of the network; `None` if both directions are unknown, as they mostly are.
fn network(usage: &ResourceUsage) -> Option<String> {
    if usage.received_bytes.is_none() && usage.sent_bytes.is_none() {
        return None;
    }
    let [received, sent] =
        [usage.received_bytes, usage.sent_bytes].map(|bytes| bytes.map_or_else(unknown, format::bytes));
    Some(format!("{received} received, {sent} sent"))
}

fn unknown() -> String {
    UNKNOWN.to_owned()
}

/// All lines of the cost.
pub fn lines(usage: &ResourceUsage) -> Vec<CostLine> {
    let memory_means = match usage.measured {
        Measured::Threads => {
            "Threads of one process share their memory, so it can't be measured for one operation"
        }
        _ => "Of the largest process, or of the whole cgroup if the cgroup counts memory",
    };
    let disk = match (usage.read_bytes, usage.written_bytes) {
        (None, None) => unknown(),
        _ => format!("{} read, {} written", read(usage), written(usage)),
    };
    let line = |name, value, means| CostLine { name, value, means };
    let mut lines = vec![
        line(
            "CPU time",
            cpu_and_cores(usage),
            "Of all threads and processes; the number of cores is an average",
        ),
        line("Peak memory", memory(usage), memory_means),
        line("Disk", disk, "Bytes read from disks, not from the page cache, and bytes written to files"),
        line("Threads", threads(usage), "Largest number of threads in a sample; one sample per second"),
    ];
    lines.extend(network(usage).map(|bytes| line("Network", bytes, "Bytes received and sent")));
    lines
}

/// How it was measured, as a sentence.
pub fn measured(how: Measured) -> &'static str {
    match how {
        Measured::Cgroup => "Measured by the operation's cgroup: exact, including all child processes.",
        Measured::Processes => "Measured by sampling the operation's processes once per second.",
        Measured::Threads => "Measured on the threads that ran the operation.",
        Measured::Other => "Measured by the host.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_measured_is_unknown_and_not_0() {
        let usage = ResourceUsage {
            measured: Measured::Processes,
            wall_seconds: 10.0,
            cpu_seconds: Some(19.0),
            peak_memory_bytes: Some(48 << 20),
            read_bytes: None,
            written_bytes: Some(0),
            received_bytes: None,
            sent_bytes: None,
            peak_threads: Some(1_204),
            time: None,
        };
        let texts: Vec<_> =
            lines(&usage).iter().map(|line| format!("{} {}", line.name, line.value)).collect();
        assert_eq!(
            texts,
            [
                "CPU time 19 s · 1.9 cores",
                "Peak memory 48.0 MiB",
                "Disk unknown read, 0 B written",
                "Threads 1,204"
            ]
        );
        let short = ResourceUsage { wall_seconds: 0.2, cpu_seconds: Some(0.12), ..usage };
        assert_eq!(lines(&short)[0].value, "120 ms");
    }
}
