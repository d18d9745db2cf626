//! Resources that an attempt used, and where its time went, as its host measured them.

use serde::{Deserialize, Serialize};

/// Resources that an attempt used. What the host can't measure is absent, never 0.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResourceUsage {
    pub measured: Measured,
    /// Time between the first and the last sample in seconds.
    pub wall_seconds: f64,
    /// CPU time of all its threads or processes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_seconds: Option<f64>,
    /// Peak memory in bytes: of the cgroup of the attempt, if there is one with a memory controller; otherwise of its
    /// largest process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory_bytes: Option<u64>,
    /// Bytes read from disks, not from the page cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_bytes: Option<u64>,
    /// Bytes written to files on disks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_bytes: Option<u64>,
    /// Bytes received over the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_bytes: Option<u64>,
    /// Bytes sent over the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_bytes: Option<u64>,
    /// Largest number of its threads in a sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_threads: Option<u32>,
    /// Where its time went; absent in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<TimeSplit>,
}

/// How a host measured an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Measured {
    /// By a cgroup of its own: exact for all descendants.
    Cgroup,
    /// By its processes, sampled once a second; ended child processes count.
    Processes,
    /// By the threads of the host that did its work.
    Threads,
    /// In a way that this version does not know.
    #[serde(other)]
    Other,
}

/// Wall time of an attempt by what limited it, in seconds. The sum of all parts is the measured time.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TimeSplit {
    /// The threads of the attempt computed.
    pub on_cpu: f64,
    /// The threads were ready to run, but other threads had the CPUs.
    pub cpu_wait: f64,
    /// The threads waited for a disk.
    pub disk_wait: f64,
    /// The threads waited for memory.
    pub memory_wait: f64,
    /// The cgroup of the threads had used up its CPU quota.
    pub throttled: f64,
    /// The threads waited for something else: the network, a lock, a timer, another program.
    pub rest: f64,
    /// Not measured by the host.
    pub unknown: f64,
}

impl TimeSplit {
    /// Names of the parts, in the order of [`TimeSplit::parts`].
    pub const NAMES: [&str; 7] =
        ["on_cpu", "cpu_wait", "disk_wait", "memory_wait", "throttled", "rest", "unknown"];

    /// The parts, in the order of [`TimeSplit::NAMES`].
    pub fn parts(&self) -> [f64; 7] {
        let Self { on_cpu, cpu_wait, disk_wait, memory_wait, throttled, rest, unknown } = *self;
        [on_cpu, cpu_wait, disk_wait, memory_wait, throttled, rest, unknown]
    }

    /// Split with these parts.
    pub fn of_parts(parts: [f64; 7]) -> Self {
        let [on_cpu, cpu_wait, disk_wait, memory_wait, throttled, rest, unknown] = parts;
        Self { on_cpu, cpu_wait, disk_wait, memory_wait, throttled, rest, unknown }
    }

    /// Sum of the parts: the measured time in seconds.
    pub fn seconds(&self) -> f64 {
        self.parts().iter().sum()
    }

    /// Sum of two splits of different times.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let mut parts = self.parts();
        parts.iter_mut().zip(other.parts()).for_each(|(part, more)| *part += more);
        Self::of_parts(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_not_measured_is_absent_and_a_newer_method_is_read() {
        let usage: ResourceUsage =
            serde_json::from_value(json!({"measured": "crystal_ball", "wall_seconds": 2.5})).unwrap();
        assert_eq!((usage.measured, usage.cpu_seconds, usage.time), (Measured::Other, None, None));
        let usage = ResourceUsage { measured: Measured::Threads, cpu_seconds: Some(0.0), ..usage };
        let written = serde_json::to_value(usage).unwrap();
        assert_eq!(written, json!({"measured": "threads", "wall_seconds": 2.5, "cpu_seconds": 0.0}));
    }

    #[test]
    fn parts_have_the_names_of_their_fields() {
        let split = TimeSplit::of_parts([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        let written = serde_json::to_value(split).unwrap();
        let named = TimeSplit::NAMES.map(|name| written[name].as_f64().unwrap());
        assert_eq!((named, split.seconds()), (split.parts(), 28.0));
        assert_eq!(split.plus(&split).parts(), [2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0]);
    }
}
