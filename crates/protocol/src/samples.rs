//! Samples of a host's resources: its last hour, as it serves it.

use crate::{InstanceId, OperationId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of [`HostSamples`] that this code writes.
pub const SAMPLES_VERSION: u32 = 1;

/// `GET /host/v1/samples?after=TICK&limit=N`: one sample a second, of the last hour. 404 from a host that does not
/// sample, because it works on another machine.
///
/// Ticks count the seconds of the host's process since it began to sample. They do not leap when the clock of the
/// machine is set. `now_tick` less a tick is the age of that sample.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct HostSamples {
    /// Format of this document.
    pub version: u32,
    /// Process of the host whose ticks these are.
    pub instance: InstanceId,
    /// Identity of the machine: hosts with the same one share their machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// Current position on the scale of ticks, in seconds.
    pub now_tick: f64,
    /// Newest tick of the host; more samples follow if it is not the last of `ticks`.
    #[serde(default)]
    pub newest_tick: u64,
    /// Ticks of the samples, ascending.
    pub ticks: Vec<u64>,
    /// Values by metric, in the order of `ticks`; `null` is unknown. docs/monitoring.md describes the metrics.
    pub metrics: BTreeMap<String, Vec<Option<f64>>>,
    /// Samples of the attempts that ran, for the seconds of `ticks`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<AttemptSamples>,
}

/// Samples of one attempt.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AttemptSamples {
    pub id: OperationId,
    pub attempt: u32,
    /// Ticks of its samples, ascending; each is one of the host's ticks.
    pub ticks: Vec<u64>,
    /// Values by metric, in the order of `ticks`; `null` is unknown.
    pub metrics: BTreeMap<String, Vec<Option<f64>>>,
}

/// Whether a metric is that of the machine, so that all hosts on it share it. Others are those of a host's process.
pub fn is_of_machine(metric: &str) -> bool {
    let area = metric.split('.').next().unwrap_or_default();
    matches!(area, "cpu" | "load" | "tasks" | "memory" | "swap" | "pressure" | "disk" | "network" | "files")
}
