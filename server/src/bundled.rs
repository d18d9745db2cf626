//! Bundled hosts as a child process, so that heavy work never blocks the page, and a crash does not end the server.
//! They listen on a loopback port with a secret, because other users of the machine must not run commands through them.
//!
//! The lock of their data folder says whether they run, however their server ended: new ones never start beside them.

mod left;
mod process;

use crate::adapters::secret;
use crate::config::Sources;
use crate::host_lock::HostLock;
use anyhow::{Context, bail};
use backoff::Backoff;
use engine::HostConfig;
use left::{LeftHosts, Offer};
use pool::PoolConfig;
use protocol::HostName;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, ChildStdin, Command};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Time within which the hosts must listen, once no other host uses their data folder.
const READY_TIMEOUT: Duration = Duration::from_secs(20);
/// Start of the names of ready files.
const READY_FILE: &str = "hosts-ready-";
const READY_POLL_INTERVAL: Duration = Duration::from_millis(5);
/// Time that they have to end their work before they are killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(8);

/// Supervised bundled hosts.
pub struct Bundled {
    url: String,
    secret: Option<String>,
    watch: JoinHandle<()>,
    stop: CancellationToken,
}

impl Bundled {
    /// Finds hosts that were left running, or starts new ones. Found hosts keep the settings that they were started
    /// with while they are busy; idle ones are replaced if the settings have changed.
    ///
    /// Hosts that exit, or do not answer for `lost_after`, are replaced at the same address.
    ///
    /// # Errors
    /// If they do not start, with their message.
    pub async fn start(data: &Path, sources: &Sources, lost_after: Option<Duration>) -> anyhow::Result<Self> {
        let mut spawner = Spawner {
            record: data.join("hosts-left-running.json"),
            data: data.to_owned(),
            sources: sources.clone(),
            secret: Some(secret()?),
        };
        let found = match LeftHosts::find(&spawner.record, data).await {
            Some(left) if !replace(&left, &spawner).await => Some(left),
            _ => None,
        };
        let hosts = match found {
            Some(left) => {
                if left.secret.is_none() {
                    tracing::warn!(
                        pid = left.pid,
                        "an older version started the bundled hosts without a secret, so every user of this machine \
                         can use them; end the process of these hosts and restart the server"
                    );
                }
                // The engine keeps using it if they are replaced.
                spawner.secret = left.secret.clone();
                Hosts { left, child: None }
            }
            None => {
                let mut hosts = spawner.spawn("127.0.0.1:0").await?;
                if let Err(error) = spawner.record(&hosts.left) {
                    hosts.stop(data).await;
                    return Err(error);
                }
                hosts
            }
        };
        let (url, secret) = (hosts.left.url.clone(), hosts.left.secret.clone());
        let stop = CancellationToken::new();
        let watch = tokio::spawn(watch(spawner, hosts, lost_after, stop.clone()));
        Ok(Self { url, secret, watch, stop })
    }

    /// Configuration for the engine.
    pub fn config(&self) -> anyhow::Result<HostConfig> {
        Ok(HostConfig {
            name: HostName::new("local")?,
            url: self.url.clone(),
            pool: PoolConfig { token: self.secret.clone(), ..PoolConfig::default() },
            configured_at: None,
            in_process: false,
        })
    }

    /// Stops the hosts, unless they are kept.
    pub async fn close(self) {
        self.stop.cancel();
        if self.watch.await.is_err() {
            tracing::error!("the task that supervises the bundled hosts panicked");
        }
    }
}

/// Whether hosts that were left running were stopped, to be replaced.
async fn replace(left: &LeftHosts, spawner: &Spawner) -> bool {
    let changed = left.changed(&Offer::of(&spawner.sources));
    if changed.is_empty() {
        return false;
    }
    let changed = changed.join(", ");
    match left.at_work().await {
        Some(0) if left.stop(&spawner.data, STOP_TIMEOUT).await => {
            tracing::info!(changed, "restarting the bundled hosts because their settings changed");
            true
        }
        running => {
            tracing::warn!(
                changed,
                running,
                "the change of the settings is NOT in effect: the bundled hosts are busy or do not answer, and keep their \
                 old settings; restart the server when they are idle"
            );
            false
        }
    }
}

/// Running hosts.
struct Hosts {
    left: LeftHosts,
    /// Their process and its standard input, if this server started them. Waiting for a child closes its standard
    /// input, which would stop it, so the pipe is apart.
    child: Option<(Child, Option<ChildStdin>)>,
}

/// Why hosts must be replaced.
enum Over {
    /// Their process ended, with this status.
    Exited(String),
    /// Their process runs, but has not answered for this long.
    Unresponsive(Duration),
}

impl Hosts {
    /// Returns when they must be replaced.
    async fn over(&mut self, data: &Path, lost_after: Option<Duration>) -> Over {
        let Self { left, child } = self;
        let left = &*left;
        let exited = async {
            match child {
                Some((child, _)) => child.wait().await.map_or_else(|e| e.to_string(), |s| s.to_string()),
                None => {
                    left.exited(data).await;
                    "unknown exit status".to_owned()
                }
            }
        };
        let unresponsive = async {
            match lost_after {
                Some(lost_after) => {
                    left.unresponsive(lost_after).await;
                    lost_after
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            status = exited => Over::Exited(status),
            silent = unresponsive => Over::Unresponsive(silent),
        }
    }

    /// Asks them to stop, and kills them if they do not. Returns whether they have ended.
    async fn stop(&mut self, data: &Path) -> bool {
        let Some((child, input)) = &mut self.child else { return self.left.stop(data, STOP_TIMEOUT).await };
        drop(input.take());
        if let Some(pid) = child.id() {
            process::ask_to_stop(pid);
        }
        if timeout(STOP_TIMEOUT, child.wait()).await.is_ok() {
            return true;
        }
        tracing::warn!("the bundled hosts did not stop within {} s; killing them", STOP_TIMEOUT.as_secs());
        match timeout(STOP_TIMEOUT, child.kill()).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::error!(%error, "can't kill the bundled hosts");
                false
            }
            Err(_) => false,
        }
    }
}

/// Replaces the hosts when they exit or do not answer. When the server stops, stops them unless they are kept.
async fn watch(spawner: Spawner, mut hosts: Hosts, lost_after: Option<Duration>, stop: CancellationToken) {
    let data = &spawner.data;
    let listen = hosts.left.url.trim_start_matches("http://").to_owned();
    let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(30));
    loop {
        let over = tokio::select! {
            () = stop.cancelled() => break,
            over = hosts.over(data, lost_after) => over,
        };
        match over {
            Over::Exited(status) => {
                let wait = backoff.ceiling().as_secs();
                tracing::error!(status, "the bundled hosts exited; restarting them in {wait} s");
            }
            Over::Unresponsive(silent) => {
                let pid = hosts.left.pid;
                tracing::error!(
                    pid,
                    "the bundled hosts have not answered for {} s; ending these hosts and their operations, then starting new hosts",
                    silent.as_secs()
                );
                if !hosts.stop(data).await {
                    tracing::error!(
                        pid,
                        "the bundled hosts can't be ended, so no new bundled hosts start; end their process manually"
                    );
                    continue;
                }
            }
        }
        hosts = loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(backoff.next_ceiling()) => {}
            }
            match spawner.spawn(&listen).await {
                Ok(again) => break again,
                Err(error) => tracing::error!("{error:#}"),
            }
        };
        // They run, whether or not the restarted server will find them.
        if let Err(error) = spawner.record(&hosts.left) {
            tracing::error!("{error:#}");
        }
    }
    if spawner.sources.keep {
        return;
    }
    if hosts.stop(data).await {
        let _ = std::fs::remove_file(&spawner.record);
    } else {
        tracing::warn!(pid = hosts.left.pid, "the bundled hosts did not stop; end their process manually");
    }
}

struct Spawner {
    data: PathBuf,
    sources: Sources,
    /// Absent if hosts of an earlier version had none.
    secret: Option<String>,
    /// File with the record of kept hosts.
    record: PathBuf,
}

impl Spawner {
    /// Starts hosts, and waits until they listen. Hosts that were left running before a restart end first.
    async fn spawn(&self, listen: &str) -> anyhow::Result<Hosts> {
        self.free_folder(None).await?;
        if !self.sources.keep {
            // The restarted server must not take these hosts for kept ones.
            let _ = std::fs::remove_file(&self.record);
        }
        let program = std::env::current_exe().context("can't determine the path of this program")?;
        let ready = self.data.join(format!("{READY_FILE}{}", std::process::id()));
        // A ready file of an earlier process with the same PID would be read otherwise.
        let _ = std::fs::remove_file(&ready);
        let mut command = Command::new(program);
        command.args(["host", "--bundled", "--listen", listen]);
        command.arg("--data").arg(hosts_folder(&self.data)).arg("--ready-file").arg(&ready);
        if let Some(csv) = &self.sources.csv {
            command.arg("--csv").arg(csv);
        }
        if let Some(http) = &self.sources.http {
            command.arg("--http-source").arg(http);
        }
        command.args(self.sources.texts.flags());
        if let Some(exec) = &self.sources.exec {
            command.arg("--exec").arg(exec);
        }
        // All users may read the arguments of a process, only its own user the environment. Also overrides a token
        // meant for other hosts.
        match &self.secret {
            Some(secret) => command.env("SIGNALBOX_HOST_TOKEN", secret),
            None => command.env_remove("SIGNALBOX_HOST_TOKEN"),
        };
        command.stdout(Stdio::null());
        #[cfg(unix)]
        command.process_group(0);
        if self.sources.keep {
            command.stdin(Stdio::null());
        } else {
            // This pipe closes however the server ends; then the hosts stop, too.
            command.stdin(Stdio::piped()).arg("--with-parent").kill_on_drop(true);
        }
        let offer = Some(Offer::of(&self.sources));
        let mut child = command.spawn().context("can't start the bundled hosts")?;
        let url = self.ready(&mut child, &ready).await;
        self.remove_ready_files();
        match url {
            Ok(url) => {
                let left = LeftHosts { url, pid: child.id(), secret: self.secret.clone(), offer };
                let input = child.stdin.take();
                Ok(Hosts { left, child: Some((child, input)) })
            }
            Err(error) => {
                // Nobody would find them.
                let _ = child.kill().await;
                Err(error)
            }
        }
    }

    /// Removes ready files, including those of servers that were killed while they started their hosts.
    fn remove_ready_files(&self) {
        for entry in std::fs::read_dir(&self.data).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(READY_FILE) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    /// Waits until started hosts listen, and returns their URL.
    async fn ready(&self, child: &mut Child, ready: &Path) -> anyhow::Result<String> {
        let mut started = Instant::now();
        loop {
            if let Ok(url) = std::fs::read_to_string(ready)
                && url.ends_with('\n')
            {
                return Ok(url.trim().to_owned());
            }
            if let Some(status) = child.try_wait()? {
                bail!("the bundled hosts exited during startup ({status}); their output is above");
            }
            // A server that was killed while it started its hosts may have left some that begin only now.
            if self.free_folder(child.id()).await? {
                started = Instant::now();
            }
            if started.elapsed() > READY_TIMEOUT {
                bail!(
                    "the bundled hosts did not start within {} s; their output is above",
                    READY_TIMEOUT.as_secs()
                );
            }
            sleep(READY_POLL_INTERVAL).await;
        }
    }

    /// Ends hosts that were left running before a restart and still use the data folder, except `own`. They have no
    /// record, so they can't be used: they were not kept, or their server was killed while it started them. Returns
    /// whether there were any.
    async fn free_folder(&self, own: Option<u32>) -> anyhow::Result<bool> {
        let folder = hosts_folder(&self.data);
        let shown = folder.display();
        let until = Instant::now() + STOP_TIMEOUT;
        let mut found = false;
        loop {
            let Some(holder) = HostLock::holder(&folder) else { return Ok(found) };
            let pid = holder.pid.and_then(|pid| u32::try_from(pid.as_raw_pid()).ok());
            if own.is_some() && pid == own {
                return Ok(found);
            }
            found = true;
            match (holder.bundled, pid) {
                (Some(false), _) => bail!(
                    "{} uses the data folder {shown}. End this host, or start the server with another --data, or use \
                     this host instead of the bundled hosts: see [[host]] in docs/configuration.md",
                    pid.map_or_else(
                        || "`signalbox host`".to_owned(),
                        |pid| format!("`signalbox host` (PID {pid})")
                    )
                ),
                (Some(true), Some(pid)) => {
                    tracing::warn!(
                        pid,
                        "waiting until bundled hosts that were left running before the restart have ended"
                    );
                    if !process::end(pid, &self.data, STOP_TIMEOUT).await {
                        bail!(
                            "bundled hosts that were left running before the restart (PID {pid}) can't be ended, and \
                             still use the data folder {shown}. End that process, then restart the server"
                        );
                    }
                }
                // The process has not yet written what it is.
                _ if Instant::now() < until => sleep(READY_POLL_INTERVAL).await,
                _ => bail!(
                    "another host uses the data folder {shown}, perhaps in another container. End that host, or start \
                     the server with another --data"
                ),
            }
        }
    }

    /// Records hosts that are to be kept.
    fn record(&self, left: &LeftHosts) -> anyhow::Result<()> {
        if !self.sources.keep {
            return Ok(());
        }
        left.keep(&self.record)?;
        tracing::info!(
            url = left.url,
            pid = left.pid,
            "the bundled hosts keep running when the server stops. To end these hosts, stop the server, then run \
             `kill {}`. Or restart the server without --keep-hosts: then the hosts stop together with the server",
            left.pid.unwrap_or_default()
        );
        Ok(())
    }
}

/// Data folder of the bundled hosts.
fn hosts_folder(data: &Path) -> PathBuf {
    data.join("hosts")
}
