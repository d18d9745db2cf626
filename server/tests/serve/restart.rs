//! kill -9 of the server during a load, and of the hosts: nothing is lost, repeated or falsely reported.

use crate::process::Home;
use protocol::results::LoadResult;
use protocol::{ConditionKind, State};

#[tokio::test]
async fn a_load_goes_on_through_a_killed_server_with_no_event_missing_or_twice() {
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
async fn a_killed_host_is_shown_as_no_word_and_not_as_running_happily() {
    let home = Home::new();
    let server = home.serve(&["--keep-hosts"]);
    let mut feed = server.follow(0).await;
    let operation = server.load("ACME", Some(500)).await;
    feed.until_done(operation.id, 50).await;
    let left = std::fs::read_to_string(home.path().join("data/hosts-left-running.json")).unwrap();
    let pid = serde_json::from_str::<serde_json::Value>(&left).unwrap()["pid"].to_string();
    assert!(std::process::Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
    let silent = feed.until(|o| o.id == operation.id && o.condition.is_some()).await;
    assert_eq!(silent.state, State::Running);
    assert_eq!(silent.condition.unwrap().kind, ConditionKind::NoWord);
}

#[tokio::test]
async fn bundled_hosts_that_die_come_back_and_what_they_had_can_be_resumed() {
    let home = Home::new();
    let server = home.serve(&[]);
    let mut feed = server.follow(0).await;
    let operation = server.load("ACME", Some(1_000)).await;
    feed.until(|o| o.id == operation.id && o.checkpoint.is_some()).await;
    let hosts: protocol::api::HostList = server.pool.get("/api/v1/hosts").await.unwrap();
    let port = hosts.hosts[0].url.rsplit_once(':').unwrap().1.to_owned();
    kill_listener(&port);
    let failed = feed.until(|o| o.id == operation.id && o.state.ended()).await;
    assert_eq!(failed.state, State::Failed);
    assert_eq!(failed.failure.unwrap().reason, protocol::FailureReason::HostRestarted);
    server.ask(operation.id, "resume").await;
    let ended = feed.until(|o| o.id == operation.id && o.attempt == 2 && o.state.ended()).await;
    assert_eq!(ended.state, State::Succeeded, "{:?}", ended.failure);
    feed.assert_gapless();
}

/// Kills the child process of this test's server that listens on a port.
fn kill_listener(port: &str) {
    let needle = format!(":{:04X}", port.parse::<u16>().unwrap());
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let inode = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .find(|row| row.len() > 9 && row[1].ends_with(&needle) && row[3] == "0A")
        .map(|row| format!("socket:[{}]", row[9]))
        .unwrap();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let pid = entry.file_name().to_string_lossy().into_owned();
        let Ok(open) = std::fs::read_dir(entry.path().join("fd")) else { continue };
        let holds = open
            .flatten()
            .any(|fd| std::fs::read_link(fd.path()).is_ok_and(|target| target.to_string_lossy() == inode));
        let command = std::fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
        if holds && command.contains("signalbox\0host") {
            assert!(std::process::Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
            return;
        }
    }
    panic!("no host listens on {port}");
}
