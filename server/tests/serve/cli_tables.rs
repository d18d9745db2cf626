//! Tables of the command line on a real terminal: they fit its width. Without a terminal, nothing is cut.

use crate::process::{Home, Server, without_home};
use crate::terminal::Terminal;
use protocol::Operation;
use serde_json::json;
use std::process::{Command, Stdio};

const COMMANDS: &str = r#"
[exec.say]
command = ["echo", "{text}"]
summary = "{text}"
[exec.say.params.text]
type = "text"
required = true
[exec.fit]
command = ["echo", "{speed}"]
[exec.fit.params.speed]
type = "choice"
choices = ["as-slow-as-it-can-be", "rather-slow", "medium", "rather-fast", "as-fast-as-it-can-be", "unlimited"]
default = "medium"
help = "How fast the model is fitted"
"#;

fn serve(home: &Home) -> Server {
    let command = home.configured("");
    std::fs::write(home.path().join("data/exec.toml"), COMMANDS).unwrap();
    home.serve_by(command)
}

fn signalbox(url: &str, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signalbox"));
    command.args(args).env("SIGNALBOX_SERVER_URL", url).env_remove("SIGNALBOX_TOKEN").stdin(Stdio::null());
    command.env("SIGNALBOX_AGENT", "off").env_remove("COLUMNS");
    without_home(&mut command);
    command
}

/// Rows of the terminal after a command has succeeded.
fn shown(url: &str, args: &[&str], columns: u16) -> Vec<String> {
    let (code, text) = Terminal::run(&signalbox(url, args), 40, columns).end();
    assert_eq!(code, 0, "{args:?}: {text}");
    text.lines().map(str::to_owned).filter(|line| !line.is_empty()).collect()
}

#[tokio::test]
async fn tables_fit_the_terminal_and_are_whole_without_one() {
    let home = Home::new();
    let server = serve(&home);
    server.host_up().await;
    let title = "読込中です".repeat(160);
    let mut feed = server.follow(0).await;
    let operation: Operation = server.start("exec.say", json!({"text": title})).await;
    feed.until(|op| op.id == operation.id && op.state.ended()).await;

    for columns in [20, 40, 80, 300] {
        let rows = shown(&server.url, &["list"], columns);
        assert_eq!(rows.len(), 2, "{columns}: {rows:#?}");
        // The prefix of the ID is enough for other commands.
        let id = operation.id.to_string();
        assert!(rows[1].starts_with(&id[..17]) && rows[1].contains('…'), "{columns}: {rows:#?}");
        assert!(columns < 80 || (rows[1].starts_with(&id) && rows[1].contains("  読込中")), "{rows:#?}");
    }
    let whole = signalbox(&server.url, &["list"]).output().unwrap();
    let whole = String::from_utf8(whole.stdout).unwrap();
    assert!(whole.contains(&operation.title) && !whole.contains('…'), "{whole}");

    let rows = shown(&server.url, &["kinds", "exec.fit"], 66);
    let all = rows.join(" ");
    for value in ["as-slow-as-it-can-be", "rather-fast", "unlimited"] {
        assert!(all.contains(value), "{rows:#?}");
    }
    assert!(!rows.iter().any(|row| row.contains('…')), "{rows:#?}");
    let at = |row: &str, text: &str| rows.iter().find(|line| line.starts_with(row)).unwrap().find(text);
    assert_eq!(at("PARAMETER", "VALUES"), at("speed", "one of"), "{rows:#?}");
    let whole = signalbox(&server.url, &["kinds", "exec.fit"]).output().unwrap();
    let whole = String::from_utf8(whole.stdout).unwrap();
    assert!(whole.contains("one of as-slow-as-it-can-be, rather-slow, medium, rather-fast, "), "{whole}");

    assert!(shown(&server.url, &["hosts"], 50).iter().all(|row| row.chars().count() < 50));
    assert_eq!(shown(&server.url, &["hosts"], 50).len(), shown(&server.url, &["hosts"], 300).len());
}
