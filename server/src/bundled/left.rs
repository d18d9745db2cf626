//! Bundled hosts that a server with `--keep-hosts` left running: how the next one finds them, what they were started
//! with, and how they are stopped.

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

/// They must answer within this.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How often it is looked whether their process has ended.
const EXIT_POLL_INTERVAL: Duration = Duration::from_millis(20);

/// What is remembered of them. Only the server's user may read it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Left {
    pub url: String,
    /// Of the process.
    pub pid: Option<u32>,
    /// Earlier versions gave them none.
    #[serde(default)]
    pub secret: Option<String>,
    /// What they were started with; earlier versions did not write it down.
    #[serde(default)]
    pub offer: Option<Offer>,
}

/// What hosts load from and which commands they offer, as it was when they were started.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Offer {
    csv: Option<PathBuf>,
    http: Option<String>,
    exec: Option<PathBuf>,
    /// The text of the file of commands.
    commands: Option<String>,
}

impl Offer {
    pub fn of(sources: &Sources) -> Self {
        Self {
            csv: sources.csv.clone(),
            http: sources.http.clone(),
            exec: sources.exec.clone(),
            // One that can't be read is told of by the hosts when they start.
            commands: sources.exec.as_ref().and_then(|path| std::fs::read_to_string(path).ok()),
        }
    }
}

impl Left {
    /// Those that a file tells of, when they are still there.
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

    /// Writes down, whole or not at all, how they are found again.
    pub fn keep(&self, file: &Path) -> anyhow::Result<()> {
        let write = || {
            let partial = file.with_extension("partial");
            // What is there keeps the rights that it has.
            let _ = std::fs::remove_file(&partial);
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create_new(true);
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            options.open(&partial)?.write_all(serde_json::to_string(self)?.as_bytes())?;
            anyhow::Ok(std::fs::rename(&partial, file)?)
        };
        write().with_context(|| format!("can't write {}", file.display()))
    }

    /// Which settings are others than they were started with, as the command line names them.
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

    /// How many operations they work on; `None` when they don't say.
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

    /// Their process, while it is theirs: its number may be another's after their end.
    pub fn process(&self, data: &Path) -> Option<Pid> {
        let pid = i32::try_from(self.pid?).ok()?;
        let said = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        // They may have been given their folder by another path than ours, from another working folder.
        let (folder, from) =
            (hosts_folder(data).canonicalize().ok()?, std::fs::read_link(format!("/proc/{pid}/cwd")).ok()?);
        let is_folder = |argument: &[u8]| {
            from.join(OsStr::from_bytes(argument)).canonicalize().is_ok_and(|given| given == folder)
        };
        let mut arguments = said.split(|byte| *byte == 0).skip(1);
        let theirs = arguments.next() == Some(b"host".as_slice()) && arguments.any(is_folder);
        theirs.then(|| Pid::from_raw(pid)).flatten()
    }

    /// Asks them to end, and waits until they have; past `grace` they are killed. Says whether they are gone.
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
                // It may have ended just now.
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

/// Where bundled hosts keep what they have.
pub(super) fn hosts_folder(data: &Path) -> PathBuf {
    data.join("hosts")
}
