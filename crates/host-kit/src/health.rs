//! Health of the host: dependencies of its works, and load of the machine.
//!
//! The machine is measured on request, at most once a second, on a blocking thread. A report never waits for the first
//! measurement.

use crate::work::AnyWork;
use futures::FutureExt;
use protocol::KindName;
use protocol::host::Check;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use sysinfo::{Networks, Pid, ProcessRefreshKind, ProcessesToUpdate, System};
use tokio::time::Instant;

/// Age up to which figures are reused.
const FRESH: Duration = Duration::from_secs(1);
/// Age from which averages since the last measurement say nothing about the present; a short measurement is made first.
const STALE: Duration = Duration::from_secs(10);
/// Length of the short measurement; the operating system's counters are not finer.
const SHORT_MEASUREMENT: Duration = sysinfo::MINIMUM_CPU_UPDATE_INTERVAL;
/// Timeout of a check, after which it counts as failed.
const CHECK_DEADLINE: Duration = Duration::from_secs(2);

/// Load of the machine.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct MachineLoad {
    /// Share of all cores in use, 0 to 1.
    pub cpu: f64,
    /// Resident memory of this process in bytes.
    pub memory_bytes: u64,
    /// Bytes per second, without loopback.
    pub network_in: f64,
    pub network_out: f64,
}

/// Measures the machine, one measurement at a time.
#[derive(Default)]
pub(crate) struct MachineMonitor {
    place: Arc<tokio::sync::Mutex<Place>>,
}

/// State of the measurements.
#[derive(Default)]
enum Place {
    /// Not measured yet, or the last measurement failed.
    #[default]
    Empty,
    /// A short measurement is being made.
    Measuring,
    Known(Box<Instruments>),
    /// The last measurement failed, and nobody was told yet.
    Failed(String),
}

struct Instruments {
    system: System,
    networks: Networks,
    pid: Pid,
    looked_at: Instant,
    received: u64,
    sent: u64,
    load: MachineLoad,
}

impl MachineMonitor {
    /// Load, at most one second old; `None` while it is unknown. Never waits for a short measurement: a host without
    /// health report gets no operations.
    ///
    /// # Errors
    /// If the operating system does not provide it, with a message.
    pub async fn load(&self) -> Result<Option<MachineLoad>, String> {
        let mut place = self.place.lock().await;
        let known = match std::mem::take(&mut *place) {
            Place::Known(known) if known.looked_at.elapsed() < FRESH => {
                let load = known.load;
                *place = Place::Known(known);
                return Ok(Some(load));
            }
            Place::Known(known) if known.looked_at.elapsed() <= STALE => {
                let known = measured(move || Ok(known)).await?;
                let load = known.load;
                *place = Place::Known(known);
                return Ok(Some(load));
            }
            Place::Failed(why) => return Err(why),
            Place::Measuring => {
                *place = Place::Measuring;
                return Ok(None);
            }
            Place::Known(known) => Some(known),
            Place::Empty => None,
        };
        *place = Place::Measuring;
        let later = Arc::clone(&self.place);
        tokio::spawn(async move {
            let measured = measured(move || {
                let mut instruments = known.map_or_else(|| Instruments::new().map(Box::new), Ok)?;
                instruments.measure_now();
                #[expect(clippy::disallowed_methods, reason = "on a blocking thread")]
                std::thread::sleep(SHORT_MEASUREMENT);
                Ok(instruments)
            });
            let outcome = measured.await.map_or_else(Place::Failed, Place::Known);
            *later.lock().await = outcome;
        });
        Ok(None)
    }
}

/// Measures with instruments, on a blocking thread.
async fn measured(
    instruments: impl FnOnce() -> Result<Box<Instruments>, sysinfo::Error> + Send + 'static,
) -> Result<Box<Instruments>, String> {
    let measured = tokio::task::spawn_blocking(move || {
        let mut instruments = instruments()?;
        instruments.measure_now();
        Ok::<_, sysinfo::Error>(instruments)
    });
    measured
        .await
        .map_err(|e| format!("Reading the machine's metrics failed: {e}."))?
        .map_err(|e| format!("The operating system does not report the machine's load: {e}."))
}

impl Instruments {
    fn new() -> Result<Self, sysinfo::Error> {
        Ok(Self {
            system: System::new()?,
            networks: Networks::new_with_refreshed_list()?,
            pid: sysinfo::get_current_pid()?,
            looked_at: Instant::now(),
            received: 0,
            sent: 0,
            load: MachineLoad::default(),
        })
    }

    fn measure_now(&mut self) {
        let passed = self.looked_at.elapsed().as_secs_f64();
        self.looked_at = Instant::now();
        self.system.refresh_cpu_usage();
        let only_memory = ProcessRefreshKind::nothing().with_memory().without_tasks();
        self.system.refresh_processes_specifics(ProcessesToUpdate::Some(&[self.pid]), true, only_memory);
        self.networks.refresh(true);
        let (mut received, mut sent) = (0, 0);
        for (name, interface) in &self.networks {
            if name != "lo" {
                received += interface.total_received();
                sent += interface.total_transmitted();
            }
        }
        // The counter of a removed interface is gone, too.
        let rate = |now: u64, before: u64| {
            if passed > 0.0 { now.saturating_sub(before) as f64 / passed } else { 0.0 }
        };
        self.load = MachineLoad {
            cpu: f64::from(self.system.global_cpu_usage() / 100.0).clamp(0.0, 1.0),
            memory_bytes: self.system.process(self.pid).map_or(0, sysinfo::Process::memory),
            network_in: rate(received, self.received),
            network_out: rate(sent, self.sent),
        };
        (self.received, self.sent) = (received, sent);
    }
}

/// Health check of a folder that must be writable: creates it and writes a probe file. Blocks its thread.
pub fn can_write(name: &str, folder: &Path) -> Check {
    let message = atomic_file::probe(folder).err().map(|e| {
        format!(
            "Cannot write to {}: {e}. Give the host's user write access, and check that the disk has free space.",
            folder.display()
        )
    });
    Check { name: name.to_owned(), ok: message.is_none(), message: message.unwrap_or_default() }
}

/// Checks of all works, and the kinds that can't run because of them.
#[derive(Default)]
pub(crate) struct Checked {
    pub checks: Vec<Check>,
    pub unready_kinds: Vec<KindName>,
}

/// Runs the checks of all works in parallel. A check that hangs or panics counts as failed.
pub(crate) async fn checks(works: &[Arc<dyn AnyWork>]) -> Checked {
    let checks_of_works = works.iter().map(|work| async move {
        let health = AssertUnwindSafe(work.health()).catch_unwind();
        let what = match tokio::time::timeout(CHECK_DEADLINE, health).await {
            Ok(Ok(checks)) => {
                let ready = std::panic::catch_unwind(AssertUnwindSafe(|| work.ready(&checks)));
                return (work, checks, ready.unwrap_or(false));
            }
            Ok(Err(_)) => "panicked. This is a bug in the host; see its log".to_owned(),
            Err(_) => {
                format!(
                    "did not finish within {} s. A file or service that it checks may hang",
                    CHECK_DEADLINE.as_secs()
                )
            }
        };
        let name = work.kind().name.to_string();
        let check = Check { ok: false, message: format!("The health check of {name} {what}."), name };
        (work, vec![check], false)
    });
    let mut all = Checked::default();
    for (work, checks, ready) in futures::future::join_all(checks_of_works).await {
        if !ready {
            all.unready_kinds.push(work.kind().name);
        }
        all.checks.extend(checks);
    }
    all
}
