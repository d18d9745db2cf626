//! Monitor: collects samples of the hosts and of the server itself, and answers questions about their history.
//!
//! Shares nothing with operations but the process: connections, thread and database are its own.

mod collector;
mod latency;
mod latest;
mod own;
mod recorder;
mod requests;
mod splitting;

pub use latest::ResourceFigures;
pub use recorder::{HistoryUnavailable, Recorder};

use crate::background::Background;
use crate::served::Served;
use collector::Collector;
use engine::{Engine, HostConfig};
use history::{Buckets, HistoryError, Query, Source, Store};
use pool::{Pool, PoolConfig};
use protocol::latency::LatencyHistory;
use protocol::samples::SAMPLES_VERSION;
use protocol::{HostName, OperationId, Time};
use splitting::attempt_source;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Timeout of a request for samples.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Source of the server's own process.
const SERVER: &str = "server";

/// Collects and answers; clones share everything.
#[derive(Clone)]
pub struct Monitor {
    recorder: Recorder,
    /// Hosts that are a part of the server's process.
    in_process: Arc<[HostName]>,
}

impl Monitor {
    /// Monitor with a history in this file.
    pub fn new(database: &Path, hosts: &[HostConfig]) -> Self {
        let in_process = hosts.iter().filter(|host| host.in_process).map(|host| host.name.clone()).collect();
        Self { recorder: Recorder::start(database), in_process }
    }

    /// Collects until `stop` is cancelled. Its connections to the hosts are its own, so that no operation waits for
    /// them.
    pub fn collect(
        &self,
        hosts: &[HostConfig],
        engine: &Engine,
        served: &Arc<Served>,
        data: &Path,
        stop: &CancellationToken,
    ) -> Background {
        let mut tasks = Background::until(stop);
        tasks.spawn(requests::record(self.recorder.clone(), engine.clone(), Arc::clone(served)));
        tasks.spawn(own::sample(self.recorder.clone(), data.to_owned()));
        for host in hosts.iter().filter(|host| !host.in_process) {
            let config = PoolConfig {
                max_connections: 1,
                retries: 0,
                connect_timeout: REQUEST_TIMEOUT,
                request_timeout: REQUEST_TIMEOUT,
                ..host.pool.clone()
            };
            // An invalid URL is reported by the engine.
            let Ok(pool) = Pool::new(&host.url, config) else { continue };
            tasks.spawn(Collector::new(host.name.clone(), pool, self.recorder.clone()).run());
        }
        tasks
    }

    /// History of a host's metrics, with those of its machine and of the server's requests to it.
    ///
    /// # Errors
    /// If the history can't be read.
    pub async fn history(&self, host: &HostName, what: Wanted) -> Result<Buckets, HistoryUnavailable> {
        let (source, requests_source) = (self.source(host), requests::source(host.as_str()));
        let is_server = self.in_process.contains(host);
        let read = move |store: &Store| {
            let mut buckets = buckets(store, &source, &what)?;
            let of_served = requests::wanted_served(&what.metrics);
            if is_server && !of_served.is_empty() {
                let tallies = store.tallies(requests::SERVED_SOURCE, what.from, what.to, what.now)?;
                requests::add(&mut buckets, &tallies, of_served);
            }
            let of_requests = requests::wanted(&what.metrics);
            if !of_requests.is_empty() {
                let tallies = store.tallies(&requests_source, what.from, what.to, what.now)?;
                requests::add(&mut buckets, &tallies, of_requests);
            }
            Ok(buckets)
        };
        self.recorder.read(read).await
    }

    /// Requests to a host by time and latency, in at most `width` columns. The time is in seconds since 1970.
    ///
    /// # Errors
    /// If the history can't be read.
    pub async fn latencies(
        &self,
        host: &HostName,
        (from, to): (i64, i64),
        now: Time,
        width: usize,
    ) -> Result<LatencyHistory, HistoryUnavailable> {
        let source = requests::source(host.as_str());
        let now = now.micros().div_euclid(1_000_000);
        let read = move |store: &Store| {
            Ok(latency::latencies(&store.tallies(&source, from, to, now)?, (from, to), width))
        };
        self.recorder.read(read).await
    }

    /// Same for several hosts.
    ///
    /// # Errors
    /// If the history can't be read.
    pub async fn histories(
        &self,
        hosts: Vec<HostName>,
        what: Wanted,
    ) -> Result<Vec<(HostName, Buckets)>, HistoryUnavailable> {
        let sources: Vec<(HostName, String)> =
            hosts.into_iter().map(|host| (host.clone(), self.source(&host))).collect();
        let all = move |store: &Store| {
            sources.into_iter().map(|(host, source)| Ok((host, buckets(store, &source, &what)?))).collect()
        };
        self.recorder.read(all).await
    }

    /// History of an attempt's own metrics.
    ///
    /// # Errors
    /// If the history can't be read.
    pub async fn attempts(
        &self,
        attempts: Vec<(OperationId, u32)>,
        what: Wanted,
    ) -> Result<Vec<Buckets>, HistoryUnavailable> {
        let sources: Vec<String> =
            attempts.into_iter().map(|(id, attempt)| attempt_source(id, attempt)).collect();
        let read = move |store: &Store| {
            let one = |source: &String| {
                let metrics = what.metrics.iter().map(String::as_str).collect();
                let Wanted { from, to, width, now, .. } = what;
                store.query(&Query { sources: vec![Source::always(source)], metrics, from, to, width, now })
            };
            sources.iter().map(one).collect()
        };
        self.recorder.read(read).await
    }

    /// Newest values of a host and its machine, with the ID of the machine if it is known; `None` if the host is silent
    /// or does not sample. Needs no history.
    pub fn latest(&self, host: &HostName) -> Option<(ResourceFigures, Option<String>)> {
        let (figures, machine) = self.recorder.latest().of(&self.source(host))?;
        Some((figures, machine.map(|machine| machine.trim_start_matches("machine/").to_owned())))
    }

    /// Source of a host's own metrics.
    fn source(&self, host: &HostName) -> String {
        if self.in_process.contains(host) { SERVER.to_owned() } else { format!("host/{host}") }
    }

    /// Hosts on the same boot of a machine as a host, with itself: also those in containers with a network of their
    /// own.
    pub fn on_same_boot(&self, host: &HostName) -> Vec<HostName> {
        self.recorder.on_same_boot(host)
    }

    /// Hosts on the same machine as a host, with itself.
    pub fn on_same_machine(&self, host: &HostName) -> Vec<HostName> {
        self.recorder.on_same_machine(host)
    }
}

/// History of a source and of the machines that it was on.
fn buckets(store: &Store, source: &str, what: &Wanted) -> Result<Buckets, HistoryError> {
    let machines = store.machines(source)?;
    let mut sources = vec![Source::always(source)];
    for (n, (machine, since)) in machines.iter().enumerate() {
        let until = machines.get(n + 1).map_or(i64::MAX, |(_, next)| *next);
        sources.push(Source { name: machine, since: *since, until });
    }
    let metrics = what.metrics.iter().map(String::as_str).collect();
    let Wanted { from, to, width, now, .. } = *what;
    store.query(&Query { sources, metrics, from, to, width, now })
}

/// What to read of a host's history. Times are in seconds since 1970.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub from: i64,
    pub to: i64,
    pub now: i64,
    pub width: usize,
    pub metrics: Vec<String>,
}

/// Whether this version reads samples of that one.
fn is_readable(version: u32) -> bool {
    version == SAMPLES_VERSION
}
