//! `signalbox top` on a real terminal.

use crate::process::{Home, Server, without_home};
use crate::terminal::Terminal;
use protocol::State;
use serde_json::json;
use std::process::{Command, Output, Stdio};

fn top(url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signalbox"));
    command.arg("top").env("SIGNALBOX_SERVER_URL", url).env_remove("SIGNALBOX_TOKEN").env_remove("NO_COLOR");
    without_home(&mut command);
    command
}

fn serve(home: &Home) -> Server {
    let command = home.configured("");
    let commands = "[exec.wait]\ncommand = ['sh', '-c', 'echo a line of the log; exec sleep 600']\n\
        [exec.done]\ncommand = ['true']";
    std::fs::write(home.path().join("data/exec.toml"), commands).unwrap();
    home.serve_by(command)
}

#[tokio::test]
async fn operations_are_watched_filtered_and_cancelled_with_a_receipt() {
    let home = Home::new();
    let server = serve(&home);
    server.host_up().await;
    let mut terminal = Terminal::run(&top(&server.url), 24, 80);
    terminal.wait_for_text("No operations. `signalbox start");
    let mut feed = server.follow(0).await;
    let done = server.start("exec.done", json!({})).await.id;
    feed.until(|op| op.id == done && op.state.ended()).await;
    let id = server.start("exec.wait", json!({})).await.id;
    // What starts meanwhile appears by itself, above what has ended.
    terminal.wait_for("both operations", |text| {
        let row = |word: &str| text.lines().position(|line| line.starts_with(word));
        row("running").zip(row("succeeded")).is_some_and(|(running, done)| running < done)
    });
    terminal.wait_for_text("1 running · 0 queued");
    assert!(terminal.text().lines().all(|line| line.chars().count() <= 80));
    assert!(terminal.has_colours());
    // Selects the one that runs, shows its log, and hides it.
    terminal.type_keys("g");
    terminal.wait_for_text(&id.to_string());
    terminal.type_keys("l");
    terminal.wait_for_text("a line of the log");
    terminal.type_keys("\x1b");
    terminal.wait_for_text(&id.to_string());
    // A question comes before the cancel.
    terminal.type_keys("c");
    terminal.wait_for_text("? y yes  any other key no");
    terminal.type_keys("n");
    terminal.wait_for_text("q quit");
    assert_eq!(server.detail(id).await.operation.state, State::Running);
    terminal.type_keys("cy");
    let text = terminal.wait_for_text("released +");
    assert!(text.contains("Receipt: sent +"), "{text}");
    assert_eq!(server.detail(id).await.operation.state, State::Cancelled);
    // Filter.
    terminal.type_keys("/none");
    terminal.wait_for_text("No operations match the filter.");
    terminal.type_keys("\x1b");
    terminal.wait_for_text("exec.done");
    terminal.type_keys("q");
    let (code, text) = terminal.end();
    assert!(code == 0 && !text.contains("exec.done"), "{code}: {text}");
}

#[tokio::test]
async fn the_log_is_closed_or_replaced_if_its_operation_is_hidden() {
    let home = Home::new();
    let server = serve(&home);
    server.host_up().await;
    let mut feed = server.follow(0).await;
    let done = server.start("exec.done", json!({})).await.id;
    feed.until(|op| op.id == done && op.state.ended()).await;
    let id = server.start("exec.wait", json!({})).await.id;
    feed.until_log(id).await;
    let mut terminal = Terminal::run(&top(&server.url), 24, 80);
    terminal.wait_for_text("1 running");
    terminal.type_keys("/wait\rgl");
    terminal.wait_for("the log with its title", |text| {
        text.contains("a line of the log") && text.lines().any(|line| line.starts_with("Log: exec.wait"))
    });
    // It ends, and ended operations are hidden.
    server.ask(id, "cancel").await;
    terminal.wait_for_text("cancelled");
    terminal.type_keys("e");
    terminal.wait_for("an empty list without a log", |text| {
        let has_log = text.contains("a line of the log") || text.contains("Log: ");
        text.contains("No operations match the filter.") && !has_log
    });
    // The log of a filtered one is replaced.
    terminal.type_keys("e");
    terminal.wait_for_text("cancelled");
    terminal.type_keys("l");
    terminal.wait_for_text("a line of the log");
    terminal.type_keys("/\x15/done");
    terminal.wait_for("the log of the other operation", |text| {
        text.contains("Log: exec.done") && !text.contains("a line of the log")
    });
    terminal.type_keys("\x03");
    assert_eq!(terminal.end().0, 0);
}

#[tokio::test]
async fn the_terminal_is_restored_after_a_signal_and_the_view_waits_for_an_absent_server() {
    let home = Home::new();
    let server = serve(&home);
    server.host_up().await;
    for (signal, number) in [("-TERM", 15), ("-HUP", 1), ("-INT", 2)] {
        let terminal = Terminal::run(&top(&server.url), 24, 80);
        terminal.wait_for_text("Connected");
        terminal.signal(signal);
        assert_eq!(terminal.end().0, -number, "{signal}");
    }
    let url = server.url.clone();
    let mut plain = top(&url);
    plain.env("NO_COLOR", "1");
    let mut terminal = Terminal::run(&plain, 24, 80);
    terminal.wait_for_text("Connected");
    server.kill();
    terminal.wait_for_text("Unreachable: ");
    assert!(!terminal.has_colours());
    terminal.type_keys("\x03");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn without_a_terminal_it_names_commands_that_need_none() {
    let Output { status, stdout, stderr } = top("http://127.0.0.1:9").stdin(Stdio::null()).output().unwrap();
    let errors = String::from_utf8(stderr).unwrap();
    assert!(status.code() == Some(64) && stdout.is_empty(), "{errors}");
    assert!(errors.contains("needs a terminal") && errors.contains("signalbox watch"), "{errors}");
}
