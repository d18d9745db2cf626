//! Test host on a free port, and a client that follows it. Tests wait for events and script output, never for time.

use protocol::host::{HostEvent, HostEventBody, HostEvents, Outcome, ResultDoc};
use protocol::results::ExecResult;
use protocol::{Failure, LogLevel, OperationId, Progress, ResourceUsage};
use serde_json::{Value, json};
use signalbox_exec_host::{ExecConfig, Launcher, Owner, works};
use std::path::Path;
use std::time::Duration;

/// Test timeout.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Rig {
    pub base: String,
    pub client: reqwest::Client,
    pub shutdown: host_kit::CancellationToken,
    /// All events so far, of all operations.
    pub seen: Vec<HostEvent>,
    pub serving: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// Whether Python is installed. Prints a notice if a test is skipped without it.
pub fn python() -> bool {
    let there =
        std::process::Command::new("python3").arg("--version").output().is_ok_and(|o| o.status.success());
    if !there {
        eprintln!("SKIPPED: there is no python3 on this machine, so this test shows nothing");
    }
    there
}

impl Rig {
    /// Host with the commands of a TOML text, with folders below `folder`.
    pub async fn new(toml: &str, folder: &Path) -> Self {
        let config = ExecConfig::from_toml(toml).unwrap();
        let mut host =
            host_kit::Host::builder("exec", "test").capacity(8).stop_grace(Duration::from_secs(10));
        // This test program is no launcher.
        let launcher = Launcher::at(env!("CARGO_BIN_EXE_signalbox-exec-launcher"));
        for work in works(&config, folder, Owner::default(), launcher).unwrap() {
            host = host.work(work);
        }
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/host/v1", listener.local_addr().unwrap());
        let shutdown = host_kit::CancellationToken::new();
        let serving = tokio::spawn(host.build().unwrap().serve(listener, shutdown.clone()));
        Self {
            base,
            client: https_client::builder(&https_client::Tls::default()).build().unwrap(),
            shutdown,
            seen: Vec::new(),
            serving,
        }
    }

    /// Host with one command `exec.t` that runs a Python script in its own folder.
    pub async fn script(folder: &Path, script: &str, table: &str) -> Self {
        std::fs::write(folder.join("script.py"), script).unwrap();
        Self::new(&format!("[exec.t]\ncommand = [\"python3\", \"script.py\"]\n{table}"), folder).await
    }

    pub async fn get(&self, path: &str) -> reqwest::Response {
        self.client.get(format!("{}{path}", self.base)).send().await.unwrap()
    }

    pub async fn try_start(&self, id: OperationId, kind: &str, params: Value) -> reqwest::Response {
        self.try_attempt(id, 1, kind, params).await
    }

    pub async fn try_attempt(
        &self,
        id: OperationId,
        attempt: u32,
        kind: &str,
        params: Value,
    ) -> reqwest::Response {
        let body = json!({"id": id, "attempt": attempt, "kind": kind, "params": params});
        self.client.post(format!("{}/operations", self.base)).json(&body).send().await.unwrap()
    }

    pub async fn start(&self, kind: &str, params: Value) -> OperationId {
        let id = OperationId::new();
        let answer = self.try_start(id, kind, params).await;
        assert_eq!(answer.status(), 202, "{}", answer.text().await.unwrap());
        id
    }

    pub async fn cancel(&self, id: OperationId, deadline_ms: u64) {
        let body = json!({"attempt": 1, "reason": "test", "deadline_ms": deadline_ms});
        let answer = self
            .client
            .post(format!("{}/operations/{id}/cancel", self.base))
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 202);
    }

    /// Follows the feed until `want` matches the events of an operation.
    pub async fn until<T>(&mut self, id: OperationId, want: impl Fn(&[&HostEventBody]) -> Option<T>) -> T {
        let waiting = async {
            loop {
                let bodies: Vec<_> = self.seen.iter().filter(|e| e.id == id).map(|e| &e.body).collect();
                if let Some(found) = want(&bodies) {
                    return found;
                }
                let after = self.seen.last().map_or(0, |e| e.seq);
                let page: HostEvents =
                    self.get(&format!("/events?after={after}&wait=20s")).await.json().await.unwrap();
                assert!(!page.reset);
                self.seen.extend(page.events);
            }
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(found) => found,
            Err(_) => panic!("what the test waits for did not happen; seen: {:#?}", self.seen),
        }
    }

    /// Waits for a log line with this prefix, and returns the rest of it.
    pub async fn until_line(&mut self, id: OperationId, begins: &str) -> String {
        let found = |bodies: &[&HostEventBody]| {
            lines(bodies).iter().find_map(|(_, text)| text.strip_prefix(begins).map(str::to_owned))
        };
        self.until(id, found).await
    }

    pub async fn until_ended(&mut self, id: OperationId) -> EndedReports {
        self.until(id, EndedReports::of).await
    }

    /// Runs an operation that must succeed.
    pub async fn run(&mut self, kind: &str, params: Value) -> (EndedReports, ExecResult) {
        let id = self.start(kind, params).await;
        let reports = self.until_ended(id).await;
        assert_eq!(reports.outcome, Outcome::Succeeded, "{:?}", reports.failure);
        let result = serde_json::from_value(reports.result.clone().unwrap().document).unwrap();
        (reports, result)
    }

    /// Runs an operation that must fail, and returns the failure.
    pub async fn fail(&mut self, kind: &str, params: Value) -> (EndedReports, Failure) {
        let id = self.start(kind, params).await;
        let reports = self.until_ended(id).await;
        assert_eq!(reports.outcome, Outcome::Failed, "{:?}", reports.result);
        let failure = reports.failure.clone().unwrap();
        (reports, failure)
    }
}

/// All reports of an ended operation.
#[derive(Debug)]
pub struct EndedReports {
    pub outcome: Outcome,
    pub failure: Option<Failure>,
    pub result: Option<ResultDoc>,
    pub usage: Option<ResourceUsage>,
    pub progress: Vec<Progress>,
    pub lines: Vec<(LogLevel, String)>,
    pub points: Vec<(String, f64, f64)>,
}

impl EndedReports {
    fn of(bodies: &[&HostEventBody]) -> Option<Self> {
        let Some(HostEventBody::Ended { outcome, failure, result, usage }) = bodies.last() else {
            return None;
        };
        let mut reports = Self {
            outcome: *outcome,
            failure: failure.clone(),
            result: result.clone(),
            usage: usage.as_deref().cloned(),
            progress: Vec::new(),
            lines: lines(bodies),
            points: Vec::new(),
        };
        for body in bodies {
            match body {
                HostEventBody::Progress { progress } => reports.progress.push(progress.clone()),
                HostEventBody::Points { series } => {
                    for one in series {
                        reports.points.extend(one.points.iter().map(|p| (one.name.clone(), p.0, p.1)));
                    }
                }
                _ => {}
            }
        }
        Some(reports)
    }

    pub fn curve(&self, name: &str) -> Vec<(f64, f64)> {
        self.points.iter().filter(|p| p.0 == name).map(|p| (p.1, p.2)).collect()
    }

    pub fn text(&self) -> String {
        self.lines.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("\n")
    }
}

fn lines(bodies: &[&HostEventBody]) -> Vec<(LogLevel, String)> {
    let mut all = Vec::new();
    for body in bodies {
        if let HostEventBody::Log { lines } = body {
            all.extend(lines.iter().map(|line| (line.level, line.text.clone())));
        }
    }
    all
}

/// Polls: there is no notification for the end of another's child process.
pub fn until_true(look: impl Fn() -> bool) {
    let begun = tokio::time::Instant::now();
    while !look() {
        assert!(begun.elapsed() < PATIENCE, "what the test waits for happens");
        #[expect(clippy::disallowed_methods, reason = "called without a runtime, too")]
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Whether a process exists and is not a zombie.
pub fn is_alive(id: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{id}/stat"))
        .is_ok_and(|stat| !stat[stat.rfind(')').unwrap() + 1..].trim_start().starts_with(['Z', 'X']))
}

/// Processes of a group that are not zombies.
pub fn group(id: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap() {
        let name = entry.unwrap().file_name();
        let Some(pid) = name.to_str().and_then(|n| n.parse::<u32>().ok()) else { continue };
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        let of = stat[stat.rfind(')').unwrap() + 1..].split_ascii_whitespace().nth(2).map(str::to_owned);
        if of == Some(id.to_string()) && is_alive(pid) {
            found.push(pid);
        }
    }
    found
}
