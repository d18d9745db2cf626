//! What a command uses, looked at from time to time, and its limits.

use crate::procs::{self, Id, Proc};
use rustix::process::{Pid, setpriority_process};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A table of processes younger than this serves all commands.
const FRESH: Duration = Duration::from_millis(100);
/// Between two looks, with limits to keep and without.
const WATCHFUL: Duration = Duration::from_millis(200);
const CALM: Duration = Duration::from_secs(1);

/// What a command may use. Absent is "as much as there is".
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct Limits {
    /// Resident memory of all its processes, bytes.
    pub memory: Option<u64>,
    /// Address space of each of its processes, bytes.
    pub address_space: Option<u64>,
    /// CPU time of all its processes.
    pub cpu_seconds: Option<f64>,
    pub wall: Option<Duration>,
    pub nice: Option<i32>,
}

impl Limits {
    /// How often to look.
    pub fn every(&self) -> Duration {
        if self.memory.is_some() || self.cpu_seconds.is_some() { WATCHFUL } else { CALM }
    }

    /// Sets on a process what the system keeps by itself.
    pub fn impose(&self, id: Id) {
        let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) else { return };
        // A process that is gone already needs no limits.
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

/// A limit that was overrun.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Overrun {
    /// Bytes in use.
    Memory(u64),
    /// Seconds used.
    Cpu(f64),
}

/// The newest table of processes, shared by all commands of a host.
#[derive(Debug, Default)]
pub(crate) struct Table(tokio::sync::Mutex<Option<(Instant, Arc<Vec<Proc>>)>>);

impl Table {
    /// All processes, or `None` where they can't be seen.
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

/// What one command has used so far.
#[derive(Debug)]
pub(crate) struct Usage {
    group: Id,
    limits: Limits,
    table: Arc<Table>,
    ticks: u64,
    seen: bool,
    peak: Option<u64>,
    /// How many of its processes a signal had stopped at the last look.
    stopped: usize,
    limited: BTreeSet<Id>,
}

impl Usage {
    pub fn new(group: Id, limits: Limits, table: Arc<Table>) -> Self {
        Self {
            group,
            limits,
            table,
            ticks: 0,
            seen: false,
            peak: None,
            stopped: 0,
            limited: BTreeSet::from([group]),
        }
    }

    /// Looks once, and says which limit is overrun.
    pub async fn look(&mut self) -> Option<Overrun> {
        let table = self.table.read().await?;
        let members = procs::members(&table, self.group, &BTreeSet::new());
        for one in &members {
            // Begun before the leader had its limits; later ones inherit them.
            if self.limited.insert(one.id) {
                self.limits.impose(one.id);
            }
            self.peak = self.peak.max(procs::peak_memory(one.id));
        }
        self.stopped = members.iter().filter(|p| p.stopped).count();
        self.limited.retain(|id| members.iter().any(|p| p.id == *id));
        self.count(members.iter().map(|p| p.cpu_ticks).sum());
        if let Some(limit) = self.limits.memory {
            let pages: u64 = members.iter().map(|p| p.pages).sum();
            let rough = pages.saturating_mul(rustix::param::page_size() as u64);
            if rough > limit {
                // What processes share was counted several times: look closely before anything is ended for it.
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

    /// The last look, at the leader that has ended and was not yet waited for: all that its children used has
    /// become its own, if it waited for them.
    pub fn last_look(&mut self) {
        if let Some(leader) = procs::one(self.group) {
            self.count(leader.cpu_ticks);
        }
    }

    /// How many of its processes a signal has stopped.
    pub fn stopped(&self) -> usize {
        self.stopped
    }

    fn count(&mut self, ticks: u64) {
        self.seen = true;
        self.ticks = self.ticks.max(ticks);
    }

    /// CPU time so far, where it can be seen.
    pub fn cpu_seconds(&self) -> Option<f64> {
        self.seen.then(|| self.ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
    }

    /// The most resident memory of one of the processes, bytes, where it can be seen.
    pub fn peak_memory(&self) -> Option<u64> {
        self.peak
    }
}
