//! kill -9 of the server during a load, and of the hosts: nothing is lost, repeated or falsely reported.

use crate::process::{Home, signal, wait_until};
use protocol::results::LoadResult;
use protocol::{ConditionKind, FailureReason, State};

#[tokio::test]
async fn a_load_survives_a_killed_server_with_every_event_once() {
    let home = Home::new();
    let server = home.serve(&["--keep-hosts"]);
    let mut feed = server.follow(0).await;
    let undisturbed = server.load("CALM", None).await;
    feed.until(|o| o.id == undisturbed.id && o.state == State::Succeeded).await;
    let operation = server.load("STORM", Some(700)).await;
    feed.until_done(operation.id, 100).await;
    server.kill();
    // Data sent before is read to its end.
    while feed.try_next().await.is_some() {}
    feed.assert_gapless();
    let (before, at) = (feed.read.clone(), feed.last());

    let server = home.serve(&["--keep-hosts"]);
    let taken_up = server.detail(operation.id).await.operation;
    assert_eq!((taken_up.state, taken_up.attempt), (State::Running, 1));
    // The same reader resumes with its last number.
    let mut feed = server.follow(at).await;
    let ended = feed.until(|o| o.id == operation.id && o.state.ended()).await;
    assert_eq!((ended.state, ended.attempt), (State::Succeeded, 1), "{:?}", ended.failure);
    feed.assert_gapless();
    assert_eq!(feed.read.first().copied(), before.last().map(|last| last + 1));

    let result = |detail: protocol::api::OperationDetail| {
        serde_json::from_value::<LoadResult>(detail.result.unwrap().document).unwrap()
    };
    let (calm, storm) =
        (result(server.detail(undisturbed.id).await), result(server.detail(operation.id).await));
    assert_eq!(calm.rows, storm.rows);
    // Its log has each line once, although two servers wrote it.
    let logs: protocol::api::LogPage =
        server.pool.get(&format!("/api/v1/operations/{}/logs?limit=10000", operation.id)).await.unwrap();
    let lines: Vec<u64> = logs.lines.iter().map(|l| l.n).collect();
    assert_eq!(lines, (1..=lines.len() as u64).collect::<Vec<_>>());
    assert!(server.stop().success());
}

#[tokio::test]
async fn a_silent_host_is_shown_as_unreachable_and_not_as_running() {
    let home = Home::new();
    let server = home.serve(&["--keep-hosts"]);
    let mut feed = server.follow(0).await;
    let operation = server.load("ACME", Some(500)).await;
    feed.until_done(operation.id, 50).await;
    signal("-STOP", home.hosts());
    let silent = feed.until(|o| o.id == operation.id && o.condition.is_some()).await;
    assert_eq!(silent.state, State::Running);
    assert_eq!(silent.condition.unwrap().kind, ConditionKind::Unreachable);
}

#[tokio::test]
async fn bundled_hosts_that_die_are_restarted_and_their_work_can_be_resumed() {
    for flags in [&[][..], &["--keep-hosts"]] {
        let home = Home::new();
        let server = home.serve(flags);
        let mut feed = server.follow(0).await;
        let operation = server.load("ACME", Some(1_000)).await;
        feed.until(|o| o.id == operation.id && o.checkpoint.is_some()).await;
        signal("-KILL", home.hosts());
        let failed = feed.until(|o| o.id == operation.id && o.state.ended()).await;
        assert_eq!(failed.state, State::Failed);
        assert_eq!(failed.failure.unwrap().reason, FailureReason::HostRestarted);
        server.ask(operation.id, "resume").await;
        let ended = feed.until(|o| o.id == operation.id && o.attempt == 2 && o.state.ended()).await;
        assert_eq!(ended.state, State::Succeeded, "{:?}", ended.failure);
        feed.assert_gapless();
    }
}

#[tokio::test]
async fn kept_hosts_that_are_silent_at_the_start_are_awaited_and_finish_their_work() {
    let home = Home::new();
    let server = home.serve(&["--keep-hosts"]);
    let mut feed = server.follow(0).await;
    let operation = server.load("ACME", Some(1_000)).await;
    feed.until_done(operation.id, 50).await;
    let (hosts, at) = (home.hosts(), feed.last());
    server.kill();
    signal("-STOP", hosts);
    let server = home.serve(&["--keep-hosts"]);
    let mut feed = server.follow(at).await;
    let silent = feed.until(|o| o.id == operation.id && o.condition.is_some()).await;
    assert_eq!((silent.state, silent.condition.unwrap().kind), (State::Running, ConditionKind::Unreachable));
    assert_eq!(home.all_hosts(), [hosts]);
    signal("-CONT", hosts);
    let ended = feed.until(|o| o.id == operation.id && o.state.ended()).await;
    assert_eq!((ended.state, ended.attempt), (State::Succeeded, 1), "{:?}", ended.failure);
    assert_eq!(home.all_hosts(), [hosts]);
}

#[tokio::test]
async fn hosts_that_stay_silent_are_ended_with_their_commands_before_replacement() {
    let home = Home::new();
    let exec = home.path().join("exec.toml");
    std::fs::write(&exec, "[exec.wait]\ncommand = [\"sleep\", \"1000\"]\n").unwrap();
    let mut command = home.configured("[rules]\nlost_after = 1\n");
    command.arg("--keep-hosts").arg("--exec").arg(&exec);
    let server = home.serve_by(command);
    let mut feed = server.follow(0).await;
    let id = server.start("exec.wait", serde_json::Value::Null).await.id;
    feed.until(|o| o.id == id && o.state == State::Running).await;
    let hosts = home.hosts();
    signal("-STOP", hosts);
    let lost = feed.until(|o| o.id == id && o.state.ended()).await;
    assert_eq!(lost.state, State::Failed);
    wait_until(|| home.hosts() != hosts, "they were not replaced");
    assert_eq!(home.all_hosts(), [home.hosts()]);
    let commands = processes_with(&id.to_string());
    assert!(commands.is_empty(), "{commands:?}");
}

/// PIDs of live processes with a text in their environment.
fn processes_with(text: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let has = processes.filter(|process| {
        let environment = std::fs::read(process.path().join("environ")).unwrap_or_default();
        String::from_utf8_lossy(&environment).contains(text)
    });
    has.map(|process| process.file_name().to_string_lossy().into_owned()).collect()
}

#[tokio::test]
async fn the_next_attempt_begins_only_after_hosts_of_a_killed_server_stopped_the_last() {
    let home = Home::new();
    let exec = home.path().join("exec.toml");
    // Takes a moment to clean up. Fails if another one runs.
    let script =
        "trap 'sleep 1; rmdir running; exit 0' TERM; mkdir running || exit 3; while :; do sleep 0.05; done";
    std::fs::write(&exec, format!("[exec.tidy]\ncommand = [\"sh\", \"-c\", \"{script}\"]\n")).unwrap();
    let flags = ["--exec", exec.to_str().unwrap()];
    let running = home.path().join("running");
    let is_running = || wait_until(|| running.exists(), "it did not begin");
    let server = home.serve(&flags);
    let mut feed = server.follow(0).await;
    let id = server.start("exec.tidy", serde_json::Value::Null).await.id;
    feed.until(|o| o.id == id && o.state == State::Running).await;
    is_running();
    let at = feed.last();
    server.kill();
    let server = home.serve(&flags);
    let mut feed = server.follow(at).await;
    let lost = feed.until(|o| o.id == id && o.state.ended()).await;
    assert_eq!(lost.failure.unwrap().reason, FailureReason::HostRestarted);
    assert!(!running.exists(), "the first attempt has ended");
    server.host_up().await;
    server.ask(id, "retry").await;
    feed.until(|o| o.id == id && o.state == State::Running).await;
    is_running();
    server.ask(id, "cancel").await;
    let ended = feed.until(|o| o.id == id && o.state.ended()).await;
    assert_eq!((ended.state, ended.attempt), (State::Cancelled, 2), "{:?}", ended.failure);
    assert!(server.stop().success());
}
