//! Resources of one operation: of its processes, of its cgroup, or of the threads of this process that do its work.

mod cgroup;
mod pressure;
mod processes;
mod task;
mod threads;
mod totals;

pub use cgroup::{CgroupLimits, OperationCgroup, ReachedLimits};
pub use processes::ProcessTree;
pub use threads::{PollClock, ThreadGroup, ThreadGuard};

/// Counters of an operation since its start; `None` is unknown. They never decrease, except for the memory in use.
///
/// Times are seconds, added up over all threads.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Reading {
    pub cpu: Option<f64>,
    /// Ready to run, but without a CPU.
    pub cpu_wait: Option<f64>,
    pub disk_wait: Option<f64>,
    pub memory_wait: Option<f64>,
    /// Time for which its CPU quota was used up; `None` also without a quota.
    pub throttled: Option<f64>,
    /// Time in which it neither ran nor was idle, and the cause is unknown.
    pub unknown: f64,
    /// Bytes read from disks.
    pub read_bytes: Option<u64>,
    /// Bytes written to files on disks.
    pub written_bytes: Option<u64>,
    /// Memory in use now.
    pub resident_bytes: Option<u64>,
    pub peak_memory_bytes: Option<u64>,
    /// Threads now.
    pub threads: Option<u32>,
}

/// The larger one of two figures, or the one that is known.
fn larger(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    a.into_iter().chain(b).max_by(f64::total_cmp)
}
