//! Sandboxed commands of the real program, which is its own launcher.

use crate::process::{Home, Server, without_home};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tokio::time::Instant;

fn signalbox() -> Command {
    Command::new(env!("CARGO_BIN_EXE_signalbox"))
}

/// Exit code and standard output of a command.
fn run(server: &Server, args: &[&str]) -> (Option<i32>, String) {
    let mut command = signalbox();
    command.args(args).env("SIGNALBOX_SERVER_URL", &server.url).env_remove("SIGNALBOX_TOKEN");
    without_home(command.stdin(Stdio::null()));
    let Output { status, stdout, .. } = command.output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap())
}

/// Whether a host with these commands starts. Prints why a test is skipped.
fn possible(folder: &Path, exec: &Path) -> bool {
    let begun = Instant::now();
    let ready = folder.join("ready-to-check");
    let mut command = signalbox();
    command.args(["host", "--listen", "127.0.0.1:0", "--with-parent", "--data"]).arg(folder.join("check"));
    command.arg("--exec").arg(exec).arg("--ready-file").arg(&ready);
    let mut host =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    while !ready.exists() && host.try_wait().unwrap().is_none() {
        assert!(begun.elapsed().as_secs() < 60, "the host neither starts nor ends");
        std::thread::yield_now();
    }
    // Closes its standard input, so that it stops.
    let Output { status, stderr, .. } = host.wait_with_output().unwrap();
    let error = String::from_utf8(stderr).unwrap();
    if !status.success() {
        assert!(error.contains("key 'sandbox"), "{error}");
        eprintln!("SKIPPED, so this test shows nothing: {error}");
    }
    status.success()
}

#[tokio::test]
async fn a_sandboxed_command_is_started_by_the_real_program() {
    let home = Home::new();
    let at = |name: &str| home.path().join(name);
    let command = home.configured("");
    std::fs::create_dir_all(at("data/job")).unwrap();
    std::fs::write(at("data/job/public"), "public text").unwrap();
    std::fs::write(at("data/secret"), "secret text").unwrap();
    let exec = at("data/exec.toml");
    let tables = "[exec.public]\ncommand = ['cat', 'public']\nfolder = 'job'\nsandbox = {}\n\
        [exec.secret]\ncommand = ['cat', '../secret']\nfolder = 'job'\ndescription = 'Reads.'\nsandbox = {}\n";
    std::fs::write(&exec, tables).unwrap();
    if !possible(home.path(), &exec) {
        return;
    }
    let server = home.serve_by(command);
    server.host_up().await;
    let (_, about) = run(&server, &["kinds", "exec.secret"]);
    assert!(about.contains("\nReads. Runs in a sandbox without network.\n"), "{about}");

    let (code, id) = run(&server, &["start", "exec.public", "--follow"]);
    assert_eq!(code, Some(0), "{id}");
    let (_, log) = run(&server, &["logs", id.trim_end()]);
    assert!(log.contains("public text"), "{log}");

    let (code, id) = run(&server, &["start", "exec.secret", "--follow"]);
    assert_eq!(code, Some(1), "{id}");
    let failure = server.detail(id.trim_end().parse().unwrap()).await.operation.failure.unwrap();
    assert!(failure.message.contains("Permission denied"), "{failure:?}");
    assert!(failure.hint.contains("exec.secret runs in a sandbox"), "{failure:?}");
}
