//! Commands that are killed at random moments leave nothing behind.

use crate::process::{Server, wait_until};
use crate::terminal::Terminal;
use crate::user::User;
use protocol::api::OperationPage;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// Kills of each command: half of them by SIGTERM.
const ROUNDS: u32 = 6;
/// Longest life of a command; most end earlier by themselves.
const MAX_LIFE_MICROS: u64 = 60_000;

/// Random numbers that are the same in each run (a linear congruential generator).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Files below a folder.
fn files_in(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type().unwrap().is_dir() {
            true => found.append(&mut files_in(&entry.path())),
            false => {
                found.insert(entry.path());
            }
        }
    }
    found
}

/// Open files of a process.
fn open_files(pid: u64) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}

/// Arguments of each command. `first` is running, `ended` has ended.
fn commands(first: &str, ended: &str) -> Vec<Vec<String>> {
    let all: [&[&str]; 27] = [
        &["start", "exec.count"],
        &["start", "exec.count", "--follow"],
        &["list"],
        &["show", first],
        &["follow", first, "--log"],
        &["wait", first],
        &["watch"],
        &["logs", ended],
        &["logs", "-f", first],
        &["series", ended],
        &["result", ended],
        &["artifacts", ended],
        &["compare", first, ended],
        &["retry", ended],
        &["resume", ended],
        &["abandon", first],
        &["delete", ended, "--dry-run"],
        &["hosts"],
        &["drain", "sweeps"],
        &["undrain", "sweeps"],
        &["kinds"],
        &["alerts"],
        &["open", "--print"],
        &["context", "add", "lab", "--server", "http://127.0.0.1:9"],
        &["context", "list"],
        &["agent", "status"],
        &["completion", "bash"],
    ];
    all.into_iter().map(|args| args.iter().map(|arg| (*arg).to_owned()).collect()).collect()
}

#[tokio::test]
async fn a_command_that_is_killed_at_any_moment_leaves_nothing_behind() {
    let user = User::new();
    let server = user.serve();
    let url = server.url.clone();
    let mut feed = server.follow(0).await;
    let first = server.start("exec.wait", json!({})).await.id;
    let ended = server.start("exec.count", json!({})).await.id;
    feed.until(|op| op.id == ended && op.state.ended()).await;
    user.with_agent(&url);
    let agent = user.agents()[0]["pid"].as_u64().unwrap();
    let before = open_files(agent);
    let mut random = Random(17);
    let mut starts = 0;
    for args in commands(&first.to_string(), &ended.to_string()) {
        starts += usize::from(args[0] == "start") * ROUNDS as usize;
        for round in 0..ROUNDS {
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let mut command = user.command(&url, &args);
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            tokio::time::sleep(Duration::from_micros(random.below(MAX_LIFE_MICROS))).await;
            if round % 2 == 0 {
                child.kill().unwrap();
            } else {
                // It may have ended by itself.
                let pid = child.id().to_string();
                let _ = std::process::Command::new("kill").arg(pid).stderr(Stdio::null()).status();
            }
            child.wait().unwrap();
        }
    }
    // No half-made operation: each start made one that runs to its end, or none.
    let all = all_ended(&server, first).await;
    let counted = all.operations.iter().filter(|op| op.kind.as_str() == "exec.count" && op.id != ended);
    assert!(counted.clone().count() <= starts);
    assert!(counted.clone().all(|op| op.state == protocol::State::Succeeded), "{all:?}");
    // No lock: the next commands do not wait, and say nothing about the session or the contexts.
    let (_, notes) = user.ok(&url, &["show", &ended.to_string()]);
    assert!(!notes.contains("are not updated"), "{notes}");
    assert_eq!(user.ok(&url, &["show", "@last", "-o", "name"]).0.trim(), ended.to_string());
    user.ok(&url, &["context", "add", "lab", "--server", "http://127.0.0.1:9"]);
    // No temporary file.
    let folder = |name: &str| user.home.path().join(name);
    let kept = ["config", "state"].map(|name| files_in(&folder(name)));
    assert_eq!(kept[0], BTreeSet::from([folder("config/signalbox/cli.toml")]));
    assert_eq!(kept[1], BTreeSet::from([folder("state/signalbox/session.json")]));
    let of_agent = |file: &PathBuf| {
        let kind = file.extension().map(|extension| extension.to_string_lossy().into_owned());
        matches!(kind.as_deref(), Some("sock" | "lock"))
            || file.file_name().is_some_and(|name| name == "stops")
    };
    let others: Vec<_> = files_in(&folder("run")).into_iter().filter(|file| !of_agent(file)).collect();
    assert_eq!(others, Vec::<PathBuf>::new());
    // Nothing in the agent: it is the same one, and has no connection of a command that is gone.
    assert_eq!(user.agents()[0]["pid"].as_u64(), Some(agent));
    // A connection to the server may have been opened meanwhile; it is kept for the next request.
    wait_until(|| open_files(agent) <= before + 2, "the agent keeps connections of killed commands");
}

/// All operations, once every one has ended except `running`.
async fn all_ended(server: &Server, running: protocol::OperationId) -> OperationPage {
    loop {
        let page: OperationPage = server.pool.get("/api/v1/operations?limit=500").await.unwrap();
        if page.operations.iter().all(|op| op.id == running || op.state.ended()) {
            return page;
        }
        // The end of one of them is an event.
        let mut feed = server.follow(0).await;
        feed.next().await;
    }
}

/// Process that another one has started.
fn child_of(pid: u32) -> Option<u32> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

#[tokio::test]
async fn a_killed_view_leaves_a_terminal_that_can_be_used() {
    let user = User::new();
    let server = user.serve();
    server.host_up().await;
    // A shell, because a terminal ends with the first process of its session.
    let view = user.command(&server.url, &[]);
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "\"$0\" top; read line"]).arg(view.get_program());
    for (name, value) in view.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let mut random = Random(5);
    for round in 0..6 {
        let mut terminal = Terminal::run(&shell, 24, 80);
        wait_until(|| child_of(terminal.id()).is_some(), "the view was not started");
        if round == 0 {
            terminal.wait_for_text("Connected");
            assert!(!terminal.is_restored());
        } else {
            // In the middle of its start.
            tokio::time::sleep(Duration::from_micros(random.below(MAX_LIFE_MICROS * 2))).await;
        }
        crate::process::signal("-KILL", child_of(terminal.id()).unwrap());
        wait_until(|| terminal.is_restored(), "the terminal is not restored");
        // The shell reads a line, whose Enter arrives as such.
        terminal.type_keys("\n");
        assert_eq!(terminal.end().0, 0);
    }
}
