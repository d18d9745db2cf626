//! Bundled hosts that a server with `--keep-hosts` left running: how the next one finds them, compares their settings,
//! and stops them.

use crate::config::Sources;
use anyhow::Context;
use pool::{Pool, PoolConfig};
use protocol::host::{About, HostOperations, HostState};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Timeout of their response.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Interval of checks whether their process has ended.
const EXIT_POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Record of these hosts. Only the server's user may read it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Left {
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

impl Left {
    /// Hosts of a record, if they still run.
    pub async fn find(file: &Path) -> Option<Self> {
        let left: Self = serde_json::from_str(&std::fs::read_to_string(file).ok()?).ok()?;
        match left.ask::<About>("/host/v1/about").await {
            Some(about) if about.name == "signalbox-host" => Some(left),
            _ => {
                tracing::info!(url = left.url, "the bundled hosts that were left running have exited");
                None
            }
        }
    }

    /// Writes the record atomically.
    pub fn keep(&self, file: &Path) -> anyhow::Result<()> {
        let write = || {
            let partial = file.with_extension("partial");
            // An existing file would keep its permissions.
            let _ = std::fs::remove_file(&partial);
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create_new(true);
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            options.open(&partial)?.write_all(serde_json::to_string(self)?.as_bytes())?;
            anyhow::Ok(std::fs::rename(&partial, file)?)
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
        let held = self.ask::<HostOperations>("/host/v1/operations").await?;
        Some(held.operations.iter().filter(|operation| operation.state != HostState::Ended).count())
    }

    async fn ask<T: serde::de::DeserializeOwned>(&self, path: &str) -> Option<T> {
        let token = self.secret.clone();
        let config =
            PoolConfig { retries: 0, connect_timeout: CONNECT_TIMEOUT, token, ..PoolConfig::default() };
        let pool = Pool::new(&self.url, config).ok()?;
        tokio::time::timeout(ANSWER_TIMEOUT, pool.get::<T>(path)).await.ok()?.ok()
    }

    /// Their process, if the PID is still theirs.
    pub fn process(&self, data: &Path) -> Option<Pid> {
        let pid = i32::try_from(self.pid?).ok()?;
        let said = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        // They may have been started with another path of the folder, or from another working folder.
        let (folder, from) =
            (hosts_folder(data).canonicalize().ok()?, std::fs::read_link(format!("/proc/{pid}/cwd")).ok()?);
        let is_folder = |argument: &[u8]| {
            from.join(OsStr::from_bytes(argument)).canonicalize().is_ok_and(|given| given == folder)
        };
        let mut arguments = said.split(|byte| *byte == 0).skip(1);
        let theirs = arguments.next() == Some(b"host".as_slice()) && arguments.any(is_folder);
        theirs.then(|| Pid::from_raw(pid)).flatten()
    }

    /// Asks them to stop, and waits until they have; kills them after `grace`. Returns whether they have ended.
    pub async fn stop(&self, data: &Path, grace: Duration) -> bool {
        if self.signal(data, Signal::TERM, grace).await {
            return true;
        }
        tracing::warn!("the bundled hosts did not stop within {} s; killing them", grace.as_secs());
        self.signal(data, Signal::KILL, grace).await
    }

    async fn signal(&self, data: &Path, signal: Signal, within: Duration) -> bool {
        let until = Instant::now() + within;
        match self.process(data).map(|pid| kill_process(pid, signal)) {
            None => return self.pid.is_some(),
            Some(Err(error)) => {
                // It may have just ended.
                tracing::warn!(%error, "can't signal the bundled hosts");
                return self.process(data).is_none();
            }
            Some(Ok(())) => {}
        }
        while self.process(data).is_some() {
            if Instant::now() >= until {
                return false;
            }
            sleep(EXIT_POLL_INTERVAL).await;
        }
        true
    }
}

/// Data folder of the bundled hosts.
pub(super) fn hosts_folder(data: &Path) -> PathBuf {
    data.join("hosts")
}
