//! Recorder: the thread that writes the history, and those that read it.
//!
//! A history that is full, corrupt, slow or deleted costs samples at most: the hosts keep their last hour, and what
//! could not be written is requested again.

use super::latest::Latest;
use history::{Anchor, Batch, HistoryError, Store, Tallied};
use parking_lot::Mutex;
use protocol::HostName;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// Largest number of waiting jobs; beyond it, collectors wait.
const MAX_JOBS: usize = 64;
/// Interval at which old values are deleted.
const PRUNE_INTERVAL: Duration = Duration::from_secs(600);
/// Time after which another host samples the machine, when the one that did is silent.
const CLAIM_TIMEOUT: Duration = Duration::from_secs(20);

/// The history can't be read or written at the moment.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct HistoryUnavailable(String);

/// Writes and reads the history; clones share everything.
#[derive(Clone)]
pub struct Recorder {
    jobs: mpsc::Sender<Job>,
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    /// Connection for reading, opened when it is first needed.
    reader: Mutex<Option<Store>>,
    /// Machine by host.
    machines: Mutex<HashMap<HostName, String>>,
    /// Which source samples each machine, and when it last did.
    claims: Mutex<HashMap<String, (String, Instant)>>,
    latest: Latest,
}

type Written = Result<(), HistoryUnavailable>;

struct Job {
    batches: Vec<Batch>,
    tallies: Vec<Tallied>,
    /// Source, and the machine on which it is from a second on.
    on_machine: Option<(String, String, i64)>,
    done: oneshot::Sender<Written>,
}

/// What a collector must know to continue.
#[derive(Clone, Debug, Default)]
pub struct Position {
    pub anchor: Option<Anchor>,
    /// Newest second with a value.
    pub newest: Option<i64>,
}

impl Recorder {
    /// Starts the writing thread.
    pub fn start(path: &Path) -> Self {
        let (jobs, waiting) = mpsc::channel(MAX_JOBS);
        let shared = Arc::new(Shared {
            path: path.to_owned(),
            reader: Mutex::default(),
            machines: Mutex::default(),
            claims: Mutex::default(),
            latest: Latest::default(),
        });
        let path = path.to_owned();
        let written = std::thread::Builder::new().name("history".into()).spawn(move || write(&path, waiting));
        if let Err(error) = written {
            tracing::error!(%error, "can't start the thread of the metrics history; no metrics are stored until the server restarts");
        }
        Self { jobs, shared }
    }

    /// Writes batches, and returns when they are stored.
    ///
    /// # Errors
    /// If they are not stored.
    pub async fn write(
        &self,
        batches: Vec<Batch>,
        on_machine: Option<(String, String, i64)>,
    ) -> Result<(), HistoryUnavailable> {
        let machine = on_machine.as_ref().map(|(source, machine, _)| (source.as_str(), machine.as_str()));
        self.shared.latest.record(&batches, machine);
        self.stored(|done| Job { batches, tallies: Vec::new(), on_machine, done }).await
    }

    /// Adds tallies, and returns when they are stored.
    ///
    /// # Errors
    /// If they are not stored.
    pub async fn write_tallies(&self, tallies: Vec<Tallied>) -> Result<(), HistoryUnavailable> {
        self.stored(|done| Job { batches: Vec::new(), tallies, on_machine: None, done }).await
    }

    async fn stored(&self, job: impl FnOnce(oneshot::Sender<Written>) -> Job) -> Written {
        let (done, stored) = oneshot::channel();
        let stopped = || HistoryUnavailable("the thread of the metrics history has ended".into());
        self.jobs.send(job(done)).await.map_err(|_| stopped())?;
        stored.await.map_err(|_| stopped())?
    }

    /// Newest values.
    pub(super) fn latest(&self) -> &Latest {
        &self.shared.latest
    }

    /// Reads on a thread that may block.
    ///
    /// # Errors
    /// If the history can't be read.
    pub async fn read<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Store) -> Result<T, HistoryError> + Send + 'static,
    ) -> Result<T, HistoryUnavailable> {
        let shared = Arc::clone(&self.shared);
        let read = tokio::task::spawn_blocking(move || {
            let mut reader = shared.reader.lock();
            // A new file may have taken the place of a deleted or corrupt one.
            let open = reader.take().filter(|store| store.is_file(&shared.path));
            let store = match open {
                Some(store) => store,
                None => Store::open(&shared.path)?,
            };
            let answer = question(&store)?;
            *reader = Some(store);
            Ok::<_, HistoryError>(answer)
        });
        let failed = |error: &dyn std::fmt::Display| {
            HistoryUnavailable(format!("The metrics history can't be read: {error}."))
        };
        read.await.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
    }

    /// Where a source's samples end.
    ///
    /// # Errors
    /// If the history can't be read.
    pub async fn position(&self, source: String) -> Result<Position, HistoryUnavailable> {
        self.read(move |store| {
            Ok(Position { anchor: store.anchor(&source)?, newest: store.newest(&source)? })
        })
        .await
    }

    /// Notes the machine of a host.
    pub fn found_on(&self, host: &HostName, machine: &str) {
        self.shared.machines.lock().insert(host.clone(), machine.to_owned());
    }

    /// Whether the machine's samples are to be those of this source: one of all on the machine.
    pub fn claim(&self, source: &str, machine: &str) -> Claim {
        let now = Instant::now();
        let mut claims = self.shared.claims.lock();
        match claims.get_mut(machine) {
            Some((owner, at)) if owner == source => {
                *at = now;
                Claim::Held
            }
            Some((_, at)) if now.duration_since(*at) < CLAIM_TIMEOUT => Claim::OfAnother,
            _ => {
                claims.insert(machine.to_owned(), (source.to_owned(), now));
                Claim::New
            }
        }
    }

    /// Hosts with the same boot ID as a host, with itself; only itself if its machine is unknown.
    pub fn on_same_boot(&self, host: &HostName) -> Vec<HostName> {
        // The network of a container follows the boot ID.
        let boot = |machine: &String| machine.split('/').next().unwrap_or_default().to_owned();
        let machines = self.shared.machines.lock();
        let Some(own) = machines.get(host).map(boot) else { return vec![host.clone()] };
        let mut hosts: Vec<HostName> =
            machines.iter().filter(|(_, of)| boot(of) == own).map(|(host, _)| host.clone()).collect();
        hosts.sort();
        hosts
    }

    /// Hosts on the same machine as a host, with itself; empty if its machine is unknown.
    pub fn on_same_machine(&self, host: &HostName) -> Vec<HostName> {
        let machines = self.shared.machines.lock();
        let Some(machine) = machines.get(host) else { return Vec::new() };
        let mut hosts: Vec<HostName> =
            machines.iter().filter(|(_, of)| *of == machine).map(|(host, _)| host.clone()).collect();
        hosts.sort();
        hosts
    }
}

/// Whether a source samples its machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Claim {
    /// From now on; the samples of another host may have ended a while ago.
    New,
    Held,
    OfAnother,
}

/// Writes jobs until all senders are gone.
fn write(path: &Path, mut jobs: mpsc::Receiver<Job>) {
    let mut store: Option<Store> = None;
    let mut in_trouble = false;
    let mut pruned: Option<Instant> = None;
    while let Some(job) = jobs.blocking_recv() {
        let written = (|| {
            // A deleted file would take all further samples with it.
            if store.as_ref().is_some_and(|store| !store.is_file(path)) {
                store = None;
            }
            let open = match store.take() {
                Some(open) => store.insert(open),
                None => store.insert(Store::open(path)?),
            };
            open.write(&job.batches)?;
            open.add_tallies(&job.tallies)?;
            if let Some((source, machine, since)) = &job.on_machine {
                open.on_machine(source, machine, *since)?;
            }
            if pruned.is_none_or(|at| at.elapsed() >= PRUNE_INTERVAL) {
                pruned = Some(Instant::now());
                open.prune(protocol::Time::now().micros() / 1_000_000)?;
            }
            Ok::<_, HistoryError>(())
        })();
        let answer = written.map_err(|error| {
            // Opened again by the next job: if it is corrupt, it is set aside then.
            store = None;
            if !std::mem::replace(&mut in_trouble, true) {
                tracing::error!(%error, path = %path.display(), "can't write the metrics history; retrying. Operations are not affected");
            }
            HistoryUnavailable(error.to_string())
        });
        if answer.is_ok() && std::mem::take(&mut in_trouble) {
            tracing::info!("the metrics history is written again");
        }
        // A collector that no longer waits needs no answer.
        let _ = job.done.send(answer);
    }
}
