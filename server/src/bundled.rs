//! Bundled hosts as a child process, so that heavy work never blocks the page, and a crash does not end the server.
//! They listen on a loopback port with a secret, because other users of the machine must not run commands through them.

mod left;

use crate::adapters::secret;
use crate::config::Sources;
use anyhow::{Context, bail};
use engine::HostConfig;
use left::{Left, Offer, hosts_folder};
use pool::PoolConfig;
use protocol::HostName;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Time within which the hosts must listen.
const READY: Duration = Duration::from_secs(15);
/// Interval of checks whether hosts that were left running still run.
const LEFT_CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Time that they have to end their work when the server stops.
const STOP: Duration = Duration::from_secs(8);

/// Running bundled hosts.
pub struct Bundled {
    url: String,
    secret: Option<String>,
    watch: Option<JoinHandle<()>>,
    stop: CancellationToken,
}

impl Bundled {
    /// Finds hosts that were left running, or starts new ones. Found hosts keep the settings that they were started
    /// with while they are busy; idle ones are replaced if the settings have changed.
    ///
    /// # Errors
    /// If they do not start, with their message.
    pub async fn start(data: &Path, sources: &Sources) -> anyhow::Result<Self> {
        let stop = CancellationToken::new();
        let left_file = data.join("hosts-left-running.json");
        let offer = Offer::of(sources);
        let secret = secret()?;
        let spawner = Spawner { data: data.to_owned(), sources: sources.clone(), secret: secret.clone() };
        if let Some(left) = Left::find(&left_file).await
            && !replace(&left, &left_file, data, &offer).await
        {
            return Ok(Self::take_up(left, left_file, spawner, stop));
        }
        let (child, url) = spawner.spawn("127.0.0.1:0").await?;
        if sources.keep {
            let pid = child.id();
            tracing::info!(
                url,
                pid,
                "the bundled hosts keep running when the server stops. To end them, run `kill {}`, or start the server \
                 without --keep-hosts and stop it",
                pid.unwrap_or(0)
            );
            let left = Left { url, pid, secret: Some(secret), offer: Some(offer) };
            left.keep(&left_file)?;
            return Ok(Self { url: left.url, secret: left.secret, watch: None, stop });
        }
        let watch = tokio::spawn(watch(spawner, child, url.clone(), stop.clone()));
        Ok(Self { url, secret: Some(secret), watch: Some(watch), stop })
    }

    /// Uses hosts that were left running. Without `--keep-hosts`, they are stopped with this server.
    fn take_up(left: Left, left_file: PathBuf, spawner: Spawner, stop: CancellationToken) -> Self {
        tracing::info!(url = left.url, "reconnected to the bundled hosts that were left running");
        if left.secret.is_none() {
            tracing::warn!(
                pid = left.pid,
                "an older version started the bundled hosts without a secret, so every user of this machine can use \
                 them; end that process and restart the server"
            );
        }
        let (url, secret) = (left.url.clone(), left.secret.clone());
        let watch = (!spawner.sources.keep).then(|| {
            // If they end before, they are replaced at the same address with the same secret.
            let spawner = Spawner { secret: secret.clone().unwrap_or_default(), ..spawner };
            tokio::spawn(watch_left(left, left_file, spawner, stop.clone()))
        });
        Self { url, secret, watch, stop }
    }

    /// Configuration for the engine.
    pub fn config(&self) -> anyhow::Result<HostConfig> {
        Ok(HostConfig {
            name: HostName::new("local")?,
            url: self.url.clone(),
            pool: PoolConfig { token: self.secret.clone(), ..PoolConfig::default() },
            configured_at: None,
        })
    }

    /// Stops the hosts, unless they are kept.
    pub async fn close(self) {
        self.stop.cancel();
        if let Some(watch) = self.watch
            && watch.await.is_err()
        {
            tracing::error!("the task that supervises the bundled hosts panicked");
        }
    }
}

/// Whether hosts that were left running were stopped, to be replaced.
async fn replace(left: &Left, left_file: &Path, data: &Path, offer: &Offer) -> bool {
    let changed = left.changed(offer);
    if changed.is_empty() {
        return false;
    }
    let changed = changed.join(", ");
    match left.at_work().await {
        Some(0) if left.stop(data, STOP).await => {
            let _ = std::fs::remove_file(left_file);
            tracing::info!(changed, "restarting the bundled hosts because their settings changed");
            true
        }
        running => {
            tracing::warn!(
                changed,
                running,
                "the bundled hosts are busy and still run with their old settings, so the change is NOT in effect; \
                 restart the server when they are idle"
            );
            false
        }
    }
}

/// Stops hosts that were left running when the server stops, and replaces them on the same port if they end before.
async fn watch_left(left: Left, left_file: PathBuf, spawner: Spawner, stop: CancellationToken) {
    let mut every = tokio::time::interval(LEFT_CHECK_INTERVAL);
    loop {
        tokio::select! {
            () = stop.cancelled() => {
                if left.stop(&spawner.data, STOP).await {
                    let _ = std::fs::remove_file(&left_file);
                } else {
                    tracing::warn!(pid = left.pid, "the bundled hosts did not stop; end that process manually");
                }
                return;
            }
            _ = every.tick() => {}
        }
        // Without a known process, they can't be watched.
        if left.pid.is_none() || left.process(&spawner.data).is_some() {
            continue;
        }
        let _ = std::fs::remove_file(&left_file);
        tracing::error!("the bundled hosts that were left running exited; starting new ones");
        match spawner.spawn(left.url.trim_start_matches("http://")).await {
            Ok((child, url)) => return watch(spawner, child, url, stop).await,
            Err(error) => tracing::error!("{error:#}"),
        }
    }
}

struct Spawner {
    data: PathBuf,
    sources: Sources,
    secret: String,
}

impl Spawner {
    async fn spawn(&self, listen: &str) -> anyhow::Result<(Child, String)> {
        let program = std::env::current_exe().context("can't determine the path of this program")?;
        let ready = self.data.join(format!("hosts-ready-{}", std::process::id()));
        // A ready file of an earlier process with the same PID would be read otherwise.
        let _ = std::fs::remove_file(&ready);
        let mut command = Command::new(program);
        command.arg("host").args(["--listen", listen]);
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
        command.env("SIGNALBOX_HOST_TOKEN", &self.secret).stdout(Stdio::null());
        #[cfg(unix)]
        command.process_group(0);
        if self.sources.keep {
            command.stdin(Stdio::null());
        } else {
            // This pipe closes however the server ends; then the hosts stop, too.
            command.stdin(Stdio::piped()).arg("--with-parent").kill_on_drop(true);
        }
        let mut child = command.spawn().context("can't start the bundled hosts")?;
        let started = tokio::time::Instant::now();
        loop {
            if let Ok(url) = std::fs::read_to_string(&ready)
                && url.ends_with('\n')
            {
                let _ = std::fs::remove_file(&ready);
                return Ok((child, url.trim().to_owned()));
            }
            if let Some(status) = child.try_wait()? {
                bail!("the bundled hosts exited during startup ({status}); their output is above");
            }
            if started.elapsed() > READY {
                bail!("the bundled hosts did not start within {} s; their output is above", READY.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Restarts the hosts on the same port when they end unexpectedly, and stops them when the server stops.
async fn watch(spawner: Spawner, mut child: Child, url: String, stop: CancellationToken) {
    let listen = url.trim_start_matches("http://").to_owned();
    let mut wait = Duration::from_secs(1);
    // Waiting for a child closes its standard input, which would stop it, so keep the pipe apart.
    let mut pipe = child.stdin.take();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            status = child.wait() => {
                drop(pipe.take());
                let status = status.map_or_else(|e| e.to_string(), |s| s.to_string());
                tracing::error!(status, "the bundled hosts exited; restarting them in {} s", wait.as_secs());
            }
        }
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
            wait = (wait * 2).min(Duration::from_secs(30));
            match spawner.spawn(&listen).await {
                Ok((again, _)) => {
                    child = again;
                    pipe = child.stdin.take();
                    break;
                }
                Err(error) => tracing::error!("{error:#}"),
            }
        }
    }
    drop(pipe);
    if tokio::time::timeout(STOP, child.wait()).await.is_err() {
        tracing::warn!("the bundled hosts did not stop within {} s; killing them", STOP.as_secs());
        if let Err(error) = child.kill().await {
            tracing::error!(%error, "can't kill the bundled hosts");
        }
    }
}
