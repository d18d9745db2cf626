//! Running bundled hosts, and their record: how a restarted server finds hosts that were left running, compares their
//! settings, and how they are watched and stopped.

use super::process;
use crate::config::Sources;
use anyhow::Context;
use host_kit::AtomicFile;
use pool::{Pool, PoolConfig};
use protocol::host::{About, HostOperations, HostState};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Timeout of their response.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Interval of checks whether their process has ended.
const EXIT_CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Longest interval of checks whether they answer.
const ANSWER_CHECK_INTERVAL: Duration = Duration::from_secs(5);
const ABOUT: &str = "/host/v1/about";

/// Bundled hosts. With `--keep-hosts`, this is recorded in a file that only the server's user may read.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct LeftHosts {
    pub url: String,
    /// PID of their process.
    pub pid: Option<u32>,
    /// Absent in records of earlier versions.
    #[serde(default)]
    pub secret: Option<String>,
    /// Settings that they were started with; absent in records of earlier versions.
    #[serde(default)]
    pub offer: Option<Offer>,
}

/// Data sources and commands of the hosts at the time of their start.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Offer {
    csv: Option<PathBuf>,
    http: Option<String>,
    exec: Option<PathBuf>,
    /// Content of the file with commands.
    commands: Option<String>,
}

impl Offer {
    pub fn of(sources: &Sources) -> Self {
        Self {
            csv: sources.csv.clone(),
            http: sources.http.clone(),
            exec: sources.exec.clone(),
            // If it can't be read, the hosts report that when they start.
            commands: sources.exec.as_ref().and_then(|path| std::fs::read_to_string(path).ok()),
        }
    }
}

impl LeftHosts {
    /// Hosts of a record, if they still run. They may not answer yet.
    pub async fn find(file: &Path, data: &Path) -> Option<Self> {
        let left: Self = serde_json::from_str(&std::fs::read_to_string(file).ok()?).ok()?;
        let about = match left.pool() {
            Some(pool) => ask::<About>(&pool, ABOUT).await,
            None => None,
        };
        if about.is_some_and(|about| about.name == "signalbox-host") {
            tracing::info!(url = left.url, "reconnected to the bundled hosts that were left running");
            return Some(left);
        }
        if left.runs(data) == Some(true) {
            tracing::warn!(
                url = left.url,
                pid = left.pid,
                "the bundled hosts that were left running do not answer; waiting for them, because their operations may \
                 still run. To replace the hosts immediately, kill their process"
            );
            return Some(left);
        }
        tracing::info!(url = left.url, "the bundled hosts that were left running have exited");
        None
    }

    /// Writes the record atomically. It has the secret of the hosts.
    pub fn keep(&self, file: &Path) -> anyhow::Result<()> {
        let write = || {
            let mut partial = AtomicFile::private(file)?;
            partial.write_all(serde_json::to_string(self)?.as_bytes())?;
            anyhow::Ok(partial.commit()?)
        };
        write().with_context(|| format!("can't write {}", file.display()))
    }

    /// Settings that have changed, as named on the command line.
    pub fn changed(&self, now: &Offer) -> Vec<&'static str> {
        let Some(then) = &self.offer else { return Vec::new() };
        let mut changed = Vec::new();
        if then.csv != now.csv {
            changed.push("--csv");
        }
        if then.http != now.http {
            changed.push("--http-source");
        }
        if then.exec != now.exec {
            changed.push("--exec");
        } else if then.commands != now.commands {
            changed.push("the --exec file");
        }
        changed
    }

    /// Number of their running operations; `None` if they do not answer.
    pub async fn at_work(&self) -> Option<usize> {
        let held = ask::<HostOperations>(&self.pool()?, "/host/v1/operations").await?;
        Some(held.operations.iter().filter(|operation| operation.state != HostState::Ended).count())
    }

    fn pool(&self) -> Option<Pool> {
        let token = self.secret.clone();
        let config =
            PoolConfig { retries: 0, connect_timeout: CONNECT_TIMEOUT, token, ..PoolConfig::default() };
        Pool::new(&self.url, config).ok()
    }

    /// Whether their process still runs; `None` in records without a PID.
    pub fn runs(&self, data: &Path) -> Option<bool> {
        self.pid.map(|pid| process::running(pid, data).is_some())
    }

    /// Asks them to stop, and waits until they have; kills them after `grace`. Returns whether they have ended.
    pub async fn stop(&self, data: &Path, grace: Duration) -> bool {
        match self.pid {
            Some(pid) => process::end(pid, data, grace).await,
            None => false,
        }
    }

    /// Returns when their process has ended; never without a PID.
    pub async fn exited(&self, data: &Path) {
        while self.runs(data).unwrap_or(true) {
            sleep(EXIT_CHECK_INTERVAL).await;
        }
    }

    /// Returns when they have not answered for `lost_after`, in which this server was running.
    pub async fn unresponsive(&self, lost_after: Duration) {
        let Some(pool) = self.pool() else { return std::future::pending().await };
        let interval = ANSWER_CHECK_INTERVAL.min(lost_after / 3);
        let mut unanswered = Duration::ZERO;
        while unanswered < lost_after {
            sleep(interval).await;
            let asked_at = Instant::now();
            unanswered = match ask::<About>(&pool, ABOUT).await {
                Some(_) => Duration::ZERO,
                // Not more than the timeout, which is exceeded while this server is stopped.
                None => unanswered + interval + asked_at.elapsed().min(ANSWER_TIMEOUT),
            };
        }
    }
}

async fn ask<T: serde::de::DeserializeOwned>(pool: &Pool, path: &str) -> Option<T> {
    tokio::time::timeout(ANSWER_TIMEOUT, pool.get::<T>(path)).await.ok()?.ok()
}
