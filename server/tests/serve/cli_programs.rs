//! The two programs of the command line: `signalbox` runs commands, `signalbox-server` everything else.

use crate::user::{User, text_of};
use std::path::Path;
use std::process::{Command, Stdio};

const COMMAND: &str = env!("CARGO_BIN_EXE_signalbox");
const SERVER: &str = env!("CARGO_BIN_EXE_signalbox-server");

/// Exit code, standard output and standard error.
fn run(program: impl AsRef<Path>, args: &[&str]) -> (i32, String, String) {
    let output = Command::new(program.as_ref()).args(args).stdin(Stdio::null()).output().unwrap();
    let (code, out, err) = text_of(output);
    // Help names the program as it was called.
    (code, out.replace("signalbox-server", "signalbox"), err.replace("signalbox-server", "signalbox"))
}

#[test]
fn both_programs_answer_alike() {
    let lines: [&[&str]; 11] = [
        &[],
        &["--help"],
        &["--version"],
        &["help"],
        &["help", "serve"],
        &["list", "--help"],
        &["serve", "--help"],
        &["lst"],
        &["list", "--no-such-flag"],
        &["wait"],
        &["openapi"],
    ];
    for args in lines {
        assert_eq!(run(COMMAND, args), run(SERVER, args), "{args:?}");
    }
    let (code, out, _) = run(COMMAND, &["--help"]);
    assert_eq!(code, 0);
    assert!(out.contains("  serve ") && out.contains("  list "), "{out}");
}

#[tokio::test]
async fn a_command_line_without_the_server_program_says_what_is_missing() {
    let user = User::new();
    let server = user.serve();
    let alone = user.home.path().join("signalbox");
    let copied = Command::new("cp").arg(COMMAND).arg(&alone).status().unwrap();
    assert!(copied.success(), "cp: {copied}");
    let command = user.command_of(alone.to_str().unwrap(), &server.url, &["list", "--no-agent"]).output();
    assert_eq!(text_of(command.unwrap()).0, 0, "commands for a running server need no other program");
    let (code, out, err) = run(&alone, &["list", "--no-such-flag"]);
    assert_eq!((code, out.as_str()), (64, ""));
    assert!(err.contains("--no-such-flag"), "{err}");
    let (code, out, _) = run(&alone, &["list", "--help"]);
    assert_eq!(code, 0);
    assert!(out.contains("List operations"), "{out}");
    for args in [&["serve"][..], &["no-such-command"]] {
        let (code, out, err) = run(&alone, args);
        assert_eq!((code, out.as_str()), (3, ""), "{args:?}");
        assert!(err.contains(" can't be started: ") && err.contains("Install it in the folder of"), "{err}");
    }
}

#[test]
fn programs_of_two_versions_do_not_run_together() {
    let mut command = Command::new(SERVER);
    let output = command.arg("openapi").env("SIGNALBOX_COMMAND_VERSION", "0.0.9").output().unwrap();
    let (code, out, err) = text_of(output);
    assert_eq!((code, out.as_str()), (3, ""));
    assert!(err.contains("0.0.9") && err.contains(env!("CARGO_PKG_VERSION")), "{err}");
}

#[tokio::test]
async fn completion_asks_the_agent_of_the_commands() {
    let user = User::new();
    let server = user.serve();
    server.host_up().await;
    user.with_agent(&server.url);
    // Kinds are in the copy once a command has asked for them.
    user.ok(&server.url, &["kinds"]);
    let answered = || user.agents().iter().map(|agent| agent["answered"].as_u64().unwrap()).sum::<u64>();
    let before = answered();
    let mut command = user.command(&server.url, &["--", "signalbox", "kinds", ""]);
    let output = command.env("SIGNALBOX_COMPLETE", "fish").output().unwrap();
    let (_, out, _) = text_of(output);
    assert!(out.contains("exec.count"), "{out}");
    assert!(answered() > before, "the agent of the commands was not asked");
}
