//! Resource usage of a command, sampled periodically, and its limits.

use crate::procs::{self, Id, Proc};
use host_kit::{Context, Reading};
use protocol::Measured;
use resources::usage::{OperationCgroup, ProcessTree};
use rustix::process::{Pid, setpriority_process};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Maximum age of a process table that commands share.
const FRESH: Duration = Duration::from_millis(100);
/// Sample intervals with and without limits.
const WATCHFUL: Duration = Duration::from_millis(200);
const CALM: Duration = Duration::from_secs(1);

/// Resource limits. Absent means unlimited.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct Limits {
    /// Resident memory of all its processes, in bytes.
    pub memory: Option<u64>,
    /// Address space per process, in bytes.
    pub address_space: Option<u64>,
    /// CPU time of all its processes.
    pub cpu_seconds: Option<f64>,
    pub wall: Option<Duration>,
    pub nice: Option<i32>,
}

impl Limits {
    /// Sample interval.
    pub fn every(&self) -> Duration {
        if self.memory.is_some() || self.cpu_seconds.is_some() { WATCHFUL } else { CALM }
    }

    /// Sets the limits of a process that the kernel enforces.
    pub fn set_limits(&self, id: Id) {
        let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) else { return };
        // A process that has ended needs no limits.
        #[cfg(target_os = "linux")]
        if let Some(bytes) = self.address_space {
            use rustix::process::{Resource, Rlimit, prlimit};
            let limit = Rlimit { current: Some(bytes), maximum: Some(bytes) };
            let _ = prlimit(Some(pid), Resource::As, limit);
        }
        if let Some(nice) = self.nice {
            let _ = setpriority_process(Some(pid), nice);
        }
    }
}

/// Exceeded limit.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Overrun {
    /// Bytes in use.
    Memory(u64),
    /// Seconds used.
    Cpu(f64),
}

/// Newest process table, shared by all commands of a host.
#[derive(Debug, Default)]
pub(crate) struct Table(tokio::sync::Mutex<Option<(Instant, Arc<Vec<Proc>>)>>);

impl Table {
    /// All processes; `None` if the process table is not available.
    async fn read(&self) -> Option<Arc<Vec<Proc>>> {
        let mut place = self.0.lock().await;
        if let Some((at, table)) = &*place
            && at.elapsed() < FRESH
        {
            return Some(Arc::clone(table));
        }
        let table = Arc::new(tokio::task::spawn_blocking(procs::all).await.ok()?.ok()?);
        *place = Some((Instant::now(), Arc::clone(&table)));
        Some(table)
    }
}

/// Counters of the command's processes, and its cgroup if it has one.
#[derive(Default)]
struct Meter {
    tree: ProcessTree,
    cgroup: Option<OperationCgroup>,
}

/// Resource usage of one command.
pub(crate) struct Usage {
    group: Id,
    limits: Limits,
    table: Arc<Table>,
    meter: Arc<Mutex<Meter>>,
    /// Latest counters.
    reading: Reading,
    /// Number of stopped processes in the last sample.
    stopped: usize,
    limited: BTreeSet<Id>,
}

impl Usage {
    /// `cgroup` is that of the command, if it could be created.
    pub fn new(group: Id, limits: Limits, table: Arc<Table>, cgroup: Option<OperationCgroup>) -> Self {
        let mut usage = Self {
            group,
            limits,
            table,
            meter: Arc::new(Mutex::new(Meter { tree: ProcessTree::default(), cgroup })),
            reading: Reading::default(),
            stopped: 0,
            limited: BTreeSet::from([group]),
        };
        usage.reading = usage.read([group].into());
        usage
    }

    /// Reads the counters of these processes. Blocks its thread.
    fn read(&self, members: BTreeSet<Id>) -> Reading {
        read(&self.meter, members)
    }

    /// Reports the latest counters.
    pub fn report(&self, ctx: &Context) {
        if self.reading.cpu.is_some() {
            let measured = if self.cgroup(|_| ()).is_some() { Measured::Cgroup } else { Measured::Processes };
            ctx.report_usage(measured, self.reading);
        }
    }

    /// Calls a function with the cgroup, if there is one.
    pub fn cgroup<T>(&self, with: impl FnOnce(&OperationCgroup) -> T) -> Option<T> {
        lock(&self.meter).cgroup.as_ref().map(with)
    }

    /// The process table that the next sample uses; `None` if it is not available.
    pub async fn table(&self) -> Option<Arc<Vec<Proc>>> {
        self.table.read().await
    }

    /// Takes a sample, and returns an exceeded limit.
    pub async fn sample(&mut self) -> Option<Overrun> {
        let table = self.table.read().await?;
        let members = procs::members(&table, &BTreeSet::from([self.group]), &BTreeSet::new());
        for one in &members {
            // Started before the leader had its limits. Later processes inherit them.
            if self.limited.insert(one.id) {
                self.limits.set_limits(one.id);
            }
        }
        self.stopped = members.iter().filter(|p| p.stopped).count();
        self.limited.retain(|id| members.iter().any(|p| p.id == *id));
        let (meter, ids) = (Arc::clone(&self.meter), members.iter().map(|p| p.id).collect());
        self.reading = tokio::task::spawn_blocking(move || read(&meter, ids)).await.ok()?;
        if let Some(limit) = self.limits.memory {
            let pages: u64 = members.iter().map(|p| p.pages).sum();
            let rough = pages.saturating_mul(rustix::param::page_size() as u64);
            if rough > limit {
                // Shared memory was counted more than once: measure precisely before the command is killed.
                let close = members.iter().map(|p| procs::fair_memory(p.id)).sum::<Option<u64>>();
                let used = close.unwrap_or(rough);
                if used > limit {
                    return Some(Overrun::Memory(used));
                }
            }
        }
        let cpu = self.cpu_seconds().unwrap_or_default();
        self.limits.cpu_seconds.filter(|limit| cpu > *limit).map(|_| Overrun::Cpu(cpu))
    }

    /// Last sample, of the leader before it is reaped: it includes the usage of its reaped children.
    pub fn last_sample(&mut self) {
        self.reading = self.read([self.group].into());
    }

    /// Number of processes stopped by a signal.
    pub fn stopped(&self) -> usize {
        self.stopped
    }

    /// CPU time so far, if measured.
    pub fn cpu_seconds(&self) -> Option<f64> {
        self.reading.cpu
    }

    /// Peak memory in bytes, if measured: of the cgroup if it counts memory, otherwise of the largest process.
    pub fn peak_memory(&self) -> Option<u64> {
        self.reading.peak_memory_bytes
    }
}

fn read(meter: &Mutex<Meter>, mut members: BTreeSet<Id>) -> Reading {
    let mut meter = lock(meter);
    let Meter { tree, cgroup } = &mut *meter;
    members.extend(cgroup.iter().flat_map(OperationCgroup::processes));
    let mut reading = tree.read(members);
    if let Some(cgroup) = cgroup {
        cgroup.complete(&mut reading);
    }
    reading
}

fn lock(meter: &Mutex<Meter>) -> std::sync::MutexGuard<'_, Meter> {
    meter.lock().unwrap_or_else(PoisonError::into_inner)
}
