//! Interrupts of commands that follow an operation: on a real terminal, and without one.

use crate::process::{Home, PATIENCE, Server, signal, without_home};
use crate::terminal::Terminal;
use protocol::{OperationId, State};
use serde_json::json;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};

const QUESTION: &str = "detach (d), cancel the operation (c), keep following (Enter): ";
const DETACHED: &str = "Detached; the operation continues. To follow it again: `signalbox follow ";
const SIGINT: i32 = 2;

fn signalbox(server: &Server, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signalbox"));
    command.args(args).env("SIGNALBOX_SERVER_URL", &server.url).env_remove("SIGNALBOX_TOKEN");
    command.env_remove("COLUMNS");
    without_home(&mut command);
    command
}

/// Server with an operation that runs until it is cancelled.
async fn waiting(home: &Home) -> (Server, OperationId) {
    let command = home.configured("");
    let commands = "[exec.wait]\ncommand = ['sh', '-c', 'echo begun; exec sleep 600']";
    std::fs::write(home.path().join("data/exec.toml"), commands).unwrap();
    let server = home.serve_by(command);
    server.host_up().await;
    let mut feed = server.follow(0).await;
    let id = server.start("exec.wait", json!({})).await.id;
    feed.until_log(id).await;
    (server, id)
}

/// Terminal that follows the operation and shows its status.
fn followed(server: &Server, id: OperationId, flags: &[&str]) -> Terminal {
    let command = signalbox(server, &[&["follow", &id.to_string()], flags].concat());
    let terminal = Terminal::run(&command, 24, 100);
    terminal.wait_for_text("running");
    terminal
}

#[tokio::test]
async fn ctrl_c_asks_and_each_answer_does_what_it_says() {
    let home = Home::new();
    let (server, id) = waiting(&home).await;
    // Enter keeps following.
    let mut terminal = followed(&server, id, &[]);
    terminal.type_keys("\x03");
    terminal.wait_for_text(QUESTION);
    terminal.type_keys("what\n");
    terminal.wait_for("the question again", |text| text.matches(QUESTION).count() == 2);
    terminal.type_keys("\n");
    terminal.wait_for("the status", |text| text.trim_end().lines().last().unwrap().starts_with("running"));
    // d detaches.
    terminal.type_keys("\x03");
    terminal.wait_for("the question again", |text| text.trim_end().ends_with(QUESTION.trim_end()));
    terminal.type_keys("d\n");
    let (code, text) = terminal.end();
    assert_eq!(code, 130, "{text}");
    assert!(text.contains(&format!("{DETACHED}{id}")), "{text}");
    assert_eq!(server.detail(id).await.operation.state, State::Running);
    // c cancels, and follows to the end.
    let mut terminal = followed(&server, id, &[]);
    terminal.type_keys("\x03");
    terminal.wait_for_text(QUESTION);
    terminal.type_keys("c\n");
    let (code, text) = terminal.end();
    assert!(code == 2 && text.contains("cancelled after "), "{code}: {text}");
    let receipt = server.detail(id).await.operation.receipt.unwrap();
    assert_eq!(receipt.reason, "The command line received SIGINT.");
}

#[tokio::test]
async fn ctrl_c_again_at_once_detaches_and_ends_by_the_signal() {
    let home = Home::new();
    let (server, id) = waiting(&home).await;
    let mut terminal = followed(&server, id, &["--log"]);
    terminal.type_keys("\x03");
    terminal.wait_for_text(QUESTION);
    terminal.type_keys("\x03");
    let (code, text) = terminal.end();
    assert_eq!(code, -SIGINT, "a loop of a shell must stop, too: {text}");
    assert!(text.contains(DETACHED), "{text}");
    assert_eq!(server.detail(id).await.operation.state, State::Running);
    // A signal that is sent to end the process does not ask.
    let terminal = followed(&server, id, &[]);
    terminal.signal("-TERM");
    assert_eq!(terminal.end().0, -15);
    assert_eq!(server.detail(id).await.operation.state, State::Running);
    // The operation ends while the question is open.
    let mut terminal = followed(&server, id, &[]);
    terminal.type_keys("\x03");
    terminal.wait_for_text(QUESTION);
    server.ask(id, "cancel").await;
    let (code, text) = terminal.end();
    assert!(code == 2 && !text.contains(QUESTION), "{code}: {text}");
}

/// Follower without a terminal that has read the state of the operation.
fn piped(command: &mut Command) -> (Child, BufReader<std::process::ChildStderr>) {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("running") {
        line.clear();
        assert!(errors.read_line(&mut line).unwrap() > 0, "it ended");
    }
    (child, errors)
}

fn ended(mut child: Child, mut errors: BufReader<std::process::ChildStderr>) -> (ExitStatus, String) {
    let mut text = String::new();
    errors.read_to_string(&mut text).unwrap();
    (child.wait().unwrap(), text)
}

#[tokio::test]
async fn without_a_terminal_signals_detach_unless_cancel_is_chosen() {
    use std::os::unix::process::ExitStatusExt;
    let home = Home::new();
    let (server, id) = waiting(&home).await;
    let id_text = id.to_string();
    for (name, number) in [("-INT", SIGINT), ("-TERM", 15), ("-HUP", 1)] {
        let (child, errors) = piped(&mut signalbox(&server, &["follow", &id_text]));
        signal(name, child.id());
        let (status, text) = ended(child, errors);
        assert!(status.signal() == Some(number) && text.contains(DETACHED), "{name}: {status} {text}");
    }
    assert_eq!(server.detail(id).await.operation.state, State::Running);
    // nohup makes the signal ignored, and it stays so.
    let mut nohup = Command::new("nohup");
    let follow = signalbox(&server, &["follow", &id_text, "--on-interrupt", "cancel"]);
    nohup.arg(follow.get_program()).args(follow.get_args());
    for (name, value) in follow.get_envs() {
        nohup.env_remove(name);
        value.map(|value| nohup.env(name, value));
    }
    let (child, errors) = piped(&mut nohup);
    signal("-HUP", child.id());
    signal("-TERM", child.id());
    let (status, text) = ended(child, errors);
    assert_eq!(status.code(), Some(2), "{text}");
    let receipt = server.detail(id).await.operation.receipt.unwrap();
    assert_eq!(receipt.reason, "The command line received SIGTERM.");
}

#[tokio::test]
async fn every_command_that_follows_has_the_flag_and_a_second_signal_detaches() {
    use std::os::unix::process::ExitStatusExt;
    let home = Home::new();
    let command = home.configured("[rules]\ncancel_deadline = 600");
    // The program does not end when it is asked to.
    let commands = "[exec.deaf]\ngrace_ms = 600000\ncommand = ['sh', '-c', 'trap \"\" TERM; echo begun; while :; do sleep 1; done']";
    std::fs::write(home.path().join("data/exec.toml"), commands).unwrap();
    let server = home.serve_by(command);
    server.host_up().await;
    let start = ["start", "exec.deaf", "--follow", "--on-interrupt", "cancel"];
    let (child, mut errors) = piped(&mut signalbox(&server, &start));
    signal("-INT", child.id());
    let mut line = String::new();
    let started = tokio::time::Instant::now();
    while !line.starts_with("cancelling") {
        line.clear();
        assert!(errors.read_line(&mut line).unwrap() > 0 && started.elapsed() < PATIENCE, "it ended");
    }
    signal("-INT", child.id());
    let (status, text) = ended(child, errors);
    assert!(status.signal() == Some(SIGINT) && text.contains(DETACHED), "{status} {text}");
}
