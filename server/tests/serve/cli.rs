//! Command line against a real server: what users type, and what scripts rely on.

use crate::process::{Home, Server};
use protocol::api::OperationPage;
use protocol::{Event, EventBody, Operation, OperationId, State};
use std::process::{Command, Output, Stdio};

/// The command, for this server.
fn signalbox(server: &Server, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signalbox"));
    command.args(args).env("SIGNALBOX_SERVER_URL", &server.url).env_remove("SIGNALBOX_TOKEN");
    command.stdin(Stdio::null());
    crate::process::without_home(&mut command);
    command
}

/// Exit code, standard output and standard error.
fn run(server: &Server, args: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = signalbox(server, args).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

const SYNTHETIC: [&str; 5] = ["start", "data.load", "timeframe=1h", "source=synthetic", "symbol=ACME"];

#[tokio::test]
async fn an_operation_is_started_followed_listed_and_shown() {
    let home = Home::new();
    let server = home.serve(&[]);
    server.host_up().await;
    let (code, out, err) = run(&server, &[&SYNTHETIC[..], &["--follow"]].concat());
    assert_eq!(code, Some(0), "{out}{err}");
    // Only the ID, for id=$(…).
    let id = out.trim_end().to_owned();
    assert!(out.lines().count() == 1 && id.parse::<OperationId>().is_ok(), "{out}");
    assert!(err.contains(&format!("/operations/{id}")), "{err}");
    assert!(err.lines().last().unwrap().starts_with("succeeded after "), "{err}");

    let (code, out, _) = run(&server, &["list", "--state", "succeeded", "-q", "ACME"]);
    assert!(code == Some(0) && out.contains(&id) && out.contains("data.load"), "{out}");
    assert_eq!(run(&server, &["list", "--state", "failed"]).1, "No operations match.\n");
    let (_, out, _) = run(&server, &["list", "--json"]);
    let page: OperationPage = serde_json::from_str(&out).unwrap();
    assert_eq!(page.operations[0].id.to_string(), id);

    // The beginning of an ID is enough.
    let (code, out, _) = run(&server, &["show", &id[..13]]);
    assert!(code == Some(0) && out.contains("symbol=ACME") && out.contains(&id), "{out}");
    // Following an ended operation prints its outcome.
    let (code, out, _) = run(&server, &["follow", &id]);
    assert!(code == Some(0) && out.starts_with("succeeded"), "{out}");
}

#[tokio::test]
async fn the_exit_code_of_follow_says_how_the_operation_ended() {
    let home = Home::new();
    let server = home.serve(&[]);
    let running = server.load("SLOW", Some(20)).await;
    let id = running.id.to_string();
    let mut feed = server.follow(0).await;
    feed.until(|op| op.id == running.id && op.state == State::Running).await;
    let follower = signalbox(&server, &["follow", &id]).stdout(Stdio::piped()).spawn().unwrap();
    let (code, out, err) = run(&server, &["cancel", &id, "--reason", "wrong symbol", "--follow"]);
    assert!(code == Some(2) && out.starts_with("cancelled"), "{out}{err}");
    assert_eq!(follower.wait_with_output().unwrap().status.code(), Some(2));
    let (_, out, _) = run(&server, &["show", &id]);
    assert!(out.contains("reason     wrong symbol") && out.contains("released +"), "{out}");

    // A file that does not exist.
    let (code, out, err) =
        run(&server, &["start", "data.load", "symbol=NOSUCH", "timeframe=1h", "source=csv", "--follow"]);
    assert!(code == Some(1) && err.contains("failed"), "{out}{err}");
}

#[tokio::test]
async fn an_automatically_retried_operation_is_followed_to_its_last_attempt() {
    let home = Home::new();
    let command = home.configured("[retry.\"exec.flaky\"]\nattempts = 2\npause = 0\non = ['work']");
    let fails_first =
        "[exec.flaky]\ncommand = ['sh', '-c', 'if ! test -e been; then touch been; exit 1; fi']";
    std::fs::write(home.path().join("data/exec.toml"), fails_first).unwrap();
    let server = home.serve_by(command);
    server.host_up().await;
    let (code, out, err) = run(&server, &["start", "exec.flaky", "--follow", "--json"]);
    assert_eq!(code, Some(0), "{out}{err}");
    let mut lines = out.lines();
    let id = serde_json::from_str::<Operation>(lines.next().unwrap()).unwrap().id;
    // Nothing is missing between the first and the last event.
    let mut states = Vec::new();
    for event in lines.map(|line| serde_json::from_str::<Event>(line).unwrap()) {
        if let EventBody::Operation { operation } = event.body {
            states.push((operation.attempt, operation.state));
        }
    }
    states.dedup();
    let end = states.iter().position(|at| *at == (1, State::Failed)).unwrap();
    assert_eq!(states[end + 1], (2, State::Queued), "{states:?}");
    assert_eq!(states.last(), Some(&(2, State::Succeeded)));
    assert_eq!(server.detail(id).await.attempts.len(), 2);
}

#[tokio::test]
async fn errors_are_sentences_and_not_ends_of_operations() {
    let home = Home::new();
    let server = home.serve(&["--token", "s3cret"]);
    let (code, _, err) = run(&server, &["list"]);
    assert!(code == Some(3) && err.contains("Authentication required"), "{err}");
    let with_token = |args: &[&str]| {
        let Output { status, stderr, .. } =
            signalbox(&server, args).args(["--token", "s3cret"]).output().unwrap();
        (status.code(), String::from_utf8(stderr).unwrap())
    };
    assert_eq!(with_token(&["list"]).0, Some(0));
    let (code, err) = with_token(&["follow", "0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d"]);
    assert!(code == Some(3) && err.starts_with("signalbox: "), "{err}");
    let (code, err) = with_token(&["show", "xyz"]);
    assert!(code == Some(64) && err.contains("is not an operation ID"), "{err}");
    assert_eq!(with_token(&["follow"]).0, Some(64));

    let Output { status, stderr, .. } =
        signalbox(&server, &["list", "--server", "http://127.0.0.1:9"]).output().unwrap();
    let err = String::from_utf8(stderr).unwrap();
    assert!(status.code() == Some(3) && err.contains("no server at http://127.0.0.1:9"), "{err}");
}

#[tokio::test]
async fn invalid_params_are_named_before_anything_starts() {
    let home = Home::new();
    let server = home.serve(&[]);
    server.host_up().await;
    let (code, _, err) = run(&server, &["start", "data.load", "symbl=MSFT"]);
    assert!(code == Some(64) && err.contains("no parameter 'symbl'") && err.contains("symbol"), "{err}");
    // The server says what is available: a host of the kind may still connect.
    let (code, _, err) = run(&server, &["start", "data.lod", "rows=5"]);
    assert!(code == Some(3) && err.contains("Unknown kind 'data.lod'") && err.contains("data.load"), "{err}");
    let (code, out, _) = run(&server, &["start", "help"]);
    assert!(code == Some(0) && out.contains("data.load") && out.contains("    symbol: "), "{out}");
    // A refusal names the parameter.
    let (code, _, err) = run(&server, &["start", "data.load", "timeframe=1h", "source=synthetic"]);
    assert!(code == Some(3) && err.contains("symbol"), "{err}");
    assert_eq!(run(&server, &["list"]).1, "No operations match.\n");
}

#[tokio::test]
async fn json_output_has_one_line_per_event() {
    let home = Home::new();
    let server = home.serve(&[]);
    server.host_up().await;
    let (code, out, err) = run(&server, &[&SYNTHETIC[..], &["--follow", "--json"]].concat());
    assert_eq!(code, Some(0), "{out}{err}");
    let mut lines = out.lines();
    let first: Operation = serde_json::from_str(lines.next().unwrap()).unwrap();
    let events: Vec<Event> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.iter().all(|event| event.operation() == Some(first.id)));
}
