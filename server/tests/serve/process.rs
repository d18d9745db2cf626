//! Starts and stops real processes of `signalbox serve`, each with its own folder.

use pool::{Pool, PoolConfig, Repeat, Tls, TlsFiles};
use protocol::api::{HostLink, HostStatus, OperationDetail, Snapshot};
use protocol::{Event, EventBody, Operation, OperationId, Progress};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use tokio::time::Instant;

/// Timeout of waits; nothing takes nearly that long.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Client that follows no redirects.
pub fn http_client() -> reqwest::Client {
    https_client::builder(&Tls::default()).build().unwrap()
}

/// Folder for a server, and for the next one after a restart.
pub struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("site/pkg")).unwrap();
        std::fs::write(folder.path().join("site/hash.txt"), "").unwrap();
        std::fs::create_dir_all(folder.path().join("csv")).unwrap();
        Self { folder }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn csv(&self) -> PathBuf {
        self.path().join("csv")
    }

    /// The command, for more arguments.
    pub fn command(&self, flags: &[&str]) -> Command {
        let mut command = self.bare();
        command.arg("--csv").arg(self.csv()).args(flags);
        command
    }

    /// The command with a configuration, which may exclude the bundled hosts.
    pub fn configured(&self, configuration: &str) -> Command {
        std::fs::create_dir_all(self.path().join("data")).unwrap();
        std::fs::write(self.path().join("data/signalbox.toml"), configuration).unwrap();
        self.bare()
    }

    fn bare(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_signalbox"));
        command.arg("serve").env("SIGNALBOX_LISTEN", "127.0.0.1:0");
        command.arg("--data").arg(self.path().join("data"));
        command.arg("--site").arg(self.path().join("site"));
        command.env("SIGNALBOX_LOG", "warn").stdout(Stdio::null());
        command
    }

    /// Starts a server and waits until it listens.
    pub fn serve(&self, flags: &[&str]) -> Server {
        self.serve_by(self.command(flags))
    }

    /// Same, with a prepared command.
    pub fn serve_by(&self, command: Command) -> Server {
        self.serve_with(command, PoolConfig::default())
    }

    /// Same, over HTTPS with a certificate of this CA.
    pub fn serve_trusting(&self, command: Command, ca: &test_pki::Ca) -> Server {
        let files = TlsFiles { ca: Some(ca.file.clone()), ..TlsFiles::default() };
        self.serve_with(command, PoolConfig { tls: Tls::open(files).unwrap(), ..PoolConfig::default() })
    }

    fn serve_with(&self, mut command: Command, config: PoolConfig) -> Server {
        let ready = self.path().join("ready");
        let _ = std::fs::remove_file(&ready);
        let child = command.arg("--ready-file").arg(&ready).spawn().unwrap();
        let url = address(&ready);
        let pool = Pool::new(&url, config).unwrap();
        Server { child, url, pool }
    }

    /// Starts a server, and does not wait.
    pub fn begin(&self, flags: &[&str]) -> Child {
        self.command(flags).spawn().unwrap()
    }

    /// Runs a server that is expected to end by itself.
    pub fn fails(&self, flags: &[&str]) -> String {
        let Output { status, stderr, .. } = self.command(flags).output().unwrap();
        assert!(!status.success());
        String::from_utf8(stderr).unwrap()
    }
}

impl Home {
    /// PID of the bundled hosts that use the data folder.
    pub fn hosts(&self) -> u32 {
        let started = Instant::now();
        loop {
            let note = std::fs::read(self.path().join("data/hosts/host.lock")).unwrap();
            // Empty while it is written.
            if let Ok(note) = serde_json::from_slice::<Value>(&note) {
                return note["pid"].as_u64().unwrap().try_into().unwrap();
            }
            assert!(started.elapsed() < PATIENCE, "no PID in the lock file");
        }
    }

    /// PIDs of all processes of bundled hosts in this folder.
    pub fn all_hosts(&self) -> Vec<u32> {
        let is_host = |pid: &u32| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.split(|byte| *byte == 0).nth(1) == Some(b"host")
        };
        processes_in(self.path()).iter().map(|pid| pid.parse().unwrap()).filter(is_host).collect()
    }
}

/// Keeps a client command away from the user's contexts, session and agent.
pub fn without_home(command: &mut Command) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("client");
    command.env("SIGNALBOX_AGENT", "off").env_remove("SIGNALBOX_CONTEXT");
    command.env("XDG_CONFIG_HOME", &folder).env("XDG_STATE_HOME", &folder);
}

/// Sends a signal, such as `-KILL`.
pub fn signal(signal: &str, pid: u32) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

/// Waits until a process, a file or the like is in a state.
pub fn wait_until(state: impl Fn() -> bool, what: &str) {
    let started = Instant::now();
    while !state() {
        assert!(started.elapsed() < PATIENCE, "{what}");
        std::thread::yield_now();
    }
}

impl Drop for Home {
    /// Kills everything that runs in this folder: hosts that were left running on purpose, and hosts and commands of a
    /// killed server that have not noticed it yet. They would write into the folder while it is removed, and create it
    /// again.
    fn drop(&mut self) {
        let started = Instant::now();
        loop {
            let left = processes_in(self.path());
            if left.is_empty() || started.elapsed() > PATIENCE {
                break;
            }
            // Some have already ended.
            let _ = Command::new("kill").arg("-KILL").args(left).stderr(Stdio::null()).status();
            std::thread::yield_now();
        }
    }
}

/// PIDs of processes with a folder in their arguments or as their working directory.
fn processes_in(folder: &Path) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|process| {
        let id =
            process.file_name().into_string().ok().filter(|id| id.bytes().all(|b| b.is_ascii_digit()))?;
        let arguments = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        let named = String::from_utf8_lossy(&arguments).contains(&*folder.to_string_lossy());
        let there = std::fs::read_link(process.path().join("cwd")).is_ok_and(|at| at.starts_with(folder));
        (named || there).then_some(id)
    });
    ids.collect()
}

/// Content of a process's ready file, once it listens.
fn address(ready: &Path) -> String {
    let started = Instant::now();
    loop {
        match std::fs::read_to_string(ready) {
            Ok(url) => return url.trim().to_owned(),
            Err(_) => assert!(started.elapsed() < PATIENCE, "it did not come up"),
        }
        std::thread::yield_now();
    }
}

/// Host as a separate process.
pub struct HostProcess {
    child: Child,
    pub url: String,
}

impl HostProcess {
    pub fn start(folder: &Path) -> Self {
        Self::start_at(folder, "127.0.0.1:0")
    }

    /// Starts a host at this address and port.
    pub fn start_at(folder: &Path, listen: &str) -> Self {
        Self::start_by(folder, listen, |_| {})
    }

    /// Starts a host that accepts the tokens of a file.
    pub fn start_with_tokens(folder: &Path, tokens: &Path) -> Self {
        Self::start_by(folder, "127.0.0.1:0", |command| {
            command.arg("--token-file").arg(tokens);
        })
    }

    fn start_by(folder: &Path, listen: &str, more: impl FnOnce(&mut Command)) -> Self {
        let ready = folder.with_extension("ready");
        let _ = std::fs::remove_file(&ready);
        let mut command = Command::new(env!("CARGO_BIN_EXE_signalbox"));
        command.args(["host", "--listen", listen]).arg("--data").arg(folder);
        command.arg("--ready-file").arg(&ready).env_remove("SIGNALBOX_HOST_TOKEN");
        more(&mut command);
        let child = command.env("SIGNALBOX_LOG", "warn").stdout(Stdio::null()).spawn().unwrap();
        Self { child, url: address(&ready) }
    }

    /// Like `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        // It may have ended in the test.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Running server.
pub struct Server {
    child: Child,
    pub url: String,
    pub pool: Pool,
}

impl Server {
    /// Like `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops it gracefully; returns its exit status.
    pub fn stop(mut self) -> std::process::ExitStatus {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap()
    }

    /// Starts a load of synthetic bars: two years of hours, slowly if a pace is given.
    pub async fn load(&self, symbol: &str, pace: Option<u32>) -> Operation {
        let mut params = json!({"symbol": symbol, "timeframe": "1h", "source": "synthetic"});
        if let Some(pace) = pace {
            params["rows_per_second"] = pace.into();
        }
        self.start("data.load", params).await
    }

    /// Starts an operation; waits for a host that is just starting.
    pub async fn start(&self, kind: &str, params: Value) -> Operation {
        self.host_up().await;
        let body = json!({"kind": kind, "params": params});
        self.pool.post::<_, Operation>("/api/v1/operations", &body, Repeat::Never).await.unwrap().1
    }

    /// Waits until the feed reports all hosts as connected.
    pub async fn host_up(&self) {
        let snapshot: Snapshot = self.pool.get("/api/v1/snapshot").await.unwrap();
        let away = |host: &HostStatus| host.link != HostLink::Up;
        let mut awaited: HashSet<_> = snapshot.hosts.into_iter().filter(away).map(|host| host.name).collect();
        let mut follower = self.follow(snapshot.seq).await;
        while !awaited.is_empty() {
            let up = |body| match body {
                EventBody::Host { host } if !away(&host) => Some(host.name),
                _ => None,
            };
            awaited.remove(&follower.until_event(up).await);
        }
    }

    pub async fn detail(&self, id: OperationId) -> OperationDetail {
        self.pool.get(&format!("/api/v1/operations/{id}")).await.unwrap()
    }

    pub async fn ask(&self, id: OperationId, what: &str) -> Operation {
        let path = format!("/api/v1/operations/{id}/{what}");
        self.pool.post::<_, Operation>(&path, &json!({}), Repeat::Never).await.unwrap().1
    }

    /// Follows the feed over SSE from an event.
    pub async fn follow(&self, after: u64) -> Follower {
        let stream =
            self.pool.stream("/api/v1/events", Some(&after.to_string()), PATIENCE, PATIENCE).await.unwrap();
        Follower { stream, read: Vec::new(), skipped: Vec::new(), after }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Most have already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reader of the stream that records it.
pub struct Follower {
    stream: pool::SseStream,
    pub read: Vec<u64>,
    skipped: Vec<protocol::event::Skipped>,
    after: u64,
}

impl Follower {
    /// Next event; `None` at the end of the stream.
    pub async fn try_next(&mut self) -> Option<Event> {
        loop {
            let message = self.stream.next().await?.ok()?;
            match message.event.as_str() {
                "message" | "" => {
                    let event: Event = serde_json::from_str(&message.data).unwrap();
                    assert_eq!(message.id.as_deref(), Some(event.seq.to_string().as_str()));
                    self.read.push(event.seq);
                    return Some(event);
                }
                "skipped" => self.skipped.push(serde_json::from_str(&message.data).unwrap()),
                "reset" => panic!("the place was lost: {}", message.data),
                _ => {}
            }
        }
    }

    pub async fn next(&mut self) -> Event {
        let next = tokio::time::timeout(PATIENCE, self.try_next()).await.expect("nothing came for long");
        next.expect("the stream ended")
    }

    /// First event that matches. The timeout also applies while other events arrive.
    async fn until_event<T>(&mut self, fits: impl Fn(EventBody) -> Option<T>) -> T {
        let matching = async {
            loop {
                if let Some(found) = fits(self.next().await.body) {
                    return found;
                }
            }
        };
        tokio::time::timeout(PATIENCE, matching).await.expect("others came, what was waited for did not")
    }

    /// First operation that matches.
    pub async fn until(&mut self, fits: impl Fn(&Operation) -> bool) -> Operation {
        self.until_event(|body| match body {
            EventBody::Operation { operation } if fits(&operation) => Some(*operation),
            _ => None,
        })
        .await
    }

    /// First progress of an operation with at least this much done.
    pub async fn until_done(&mut self, id: OperationId, done: u64) {
        self.until_progress(id, |progress| progress.done >= done).await;
    }

    /// First progress of an operation that matches.
    pub async fn until_progress(&mut self, id: OperationId, fits: impl Fn(&Progress) -> bool) {
        self.until_event(|body| match body {
            EventBody::Progress { id: of, progress, .. } => (of == id && fits(&progress)).then_some(()),
            _ => None,
        })
        .await;
    }

    /// First lines of its log.
    pub async fn until_log(&mut self, id: OperationId) {
        self.until_event(|body| match body {
            EventBody::Log { id: of, .. } => (of == id).then_some(()),
            _ => None,
        })
        .await;
    }

    pub fn last(&self) -> u64 {
        self.read.last().copied().unwrap_or(self.after)
    }

    /// Asserts that each number came once, and that missing ones were reported as skipped.
    pub fn assert_gapless(&self) {
        assert!(self.read.windows(2).all(|w| w[0] < w[1]), "an event came twice");
        let read: std::collections::HashSet<u64> = self.read.iter().copied().collect();
        let is_skipped = |seq: &u64| self.skipped.iter().any(|s| (s.from..=s.to).contains(seq));
        let missing: Vec<u64> =
            (self.after + 1..=self.last()).filter(|seq| !read.contains(seq) && !is_skipped(seq)).collect();
        assert_eq!(missing, Vec::<u64>::new(), "events are missing");
    }
}
