//! Agents in odd environments: upgrades, several users, folders of others, and without a home or a runtime folder.

use crate::process::wait_until;
use crate::user::{User, text_of};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

/// User without rights of their own, to whom a test of root can give a process.
const NOBODY: &str = "65534";

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Copies the program. `cp` writes the copy: if this process did, a process that another test starts meanwhile could
/// inherit the file for writing, and the copy could not be executed ("Text file busy").
fn copy_program(to: &Path) {
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_signalbox")).arg(to).status().unwrap();
    assert!(copied.success(), "cp: {copied}");
}

#[tokio::test]
async fn an_old_agent_and_a_new_program_do_not_meet() {
    let user = User::new();
    let server = user.serve();
    user.with_agent(&server.url);
    let old = user.agents()[0]["pid"].as_u64().unwrap();
    // Another build.
    let new = user.home.path().join("signalbox");
    copy_program(&new);
    let run =
        |args: &[&str]| text_of(user.command_of(new.to_str().unwrap(), &server.url, args).output().unwrap());
    assert_eq!(run(&["list"]).0, 0);
    wait_until(|| user.agents().len() == 2, "the new program has no agent of its own");
    assert!(user.agents().iter().any(|agent| agent["pid"].as_u64() == Some(old)), "the old one goes on");
    // Each reports and stops both.
    let (code, out, _) = run(&["agent", "stop"]);
    assert_eq!((code, out.as_str()), (0, "Stopped 2 agents.\n"));
    wait_until(|| user.sockets().is_empty(), "an agent is left");
}

#[tokio::test]
async fn a_program_that_is_replaced_while_its_agent_runs_starts_another_agent() {
    let user = User::new();
    let server = user.serve();
    let program = user.home.path().join("signalbox");
    copy_program(&program);
    let run = |args: &[&str]| {
        text_of(user.command_of(program.to_str().unwrap(), &server.url, args).output().unwrap())
    };
    assert_eq!(run(&["list"]).0, 0);
    wait_until(|| user.agents().len() == 1, "no agent was started");
    // As a package manager replaces it; the old file is still that of the running agent.
    let next = user.home.path().join("next");
    copy_program(&next);
    std::fs::rename(&next, &program).unwrap();
    assert_eq!(run(&["list"]).0, 0);
    wait_until(|| user.agents().len() == 2, "the replaced program has no agent of its own");
}

#[tokio::test]
async fn a_folder_of_somebody_else_is_not_used_and_named() {
    let user = User::new();
    let server = user.serve();
    let folder = user.home.path().join("run/signalbox");
    let refused = |what: &str| {
        let (_, err) = user.ok(&server.url, &["list"]);
        let named = err.contains("The agent is not used: ") && err.contains(folder.to_str().unwrap());
        assert!(named && err.contains("XDG_RUNTIME_DIR"), "{what}: {err}");
        assert!(user.sockets().is_empty(), "{what}");
    };
    symlink("/tmp", &folder).unwrap();
    refused("a link");
    std::fs::remove_file(&folder).unwrap();
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o755)).unwrap();
    refused("open to others");
    if is_root() {
        std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o700)).unwrap();
        std::os::unix::fs::chown(&folder, Some(NOBODY.parse().unwrap()), None).unwrap();
        refused("of another user");
    } else {
        eprintln!("skipped: only root can give a folder to another user");
    }
    std::fs::remove_dir(&folder).unwrap();
}

/// Command of another user, with a copy of the program in a folder that the user can read.
fn as_nobody(folder: &Path, url: &str, args: &[&str], home: &Path) -> Command {
    let program = folder.join("signalbox");
    if !program.exists() {
        copy_program(&program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]).arg(program).args(args);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", home).env("SIGNALBOX_SERVER_URL", url);
    command.env("TMPDIR", folder.join("tmp"));
    command
}

#[tokio::test]
async fn two_users_of_one_machine_have_an_agent_each() {
    if !is_root() {
        eprintln!("skipped: only root can run commands as two users");
        return;
    }
    let user = User::new();
    let server = user.serve();
    // Not in the folder of the test run, which other users can't enter.
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    for (name, mode) in [("", 0o755), ("tmp", 0o1777), ("home", 0o555)] {
        let made = folder.path().join(name);
        std::fs::create_dir_all(&made).unwrap();
        std::fs::set_permissions(&made, PermissionsExt::from_mode(mode)).unwrap();
    }
    // Both without a runtime folder, so both use the same temporary folder. The home of one can't be written.
    let theirs = |args: &[&str]| {
        text_of(as_nobody(folder.path(), &server.url, args, &folder.path().join("home")).output().unwrap())
    };
    let ours = |args: &[&str]| {
        let mut command = user.command(&server.url, args);
        command.env_remove("XDG_RUNTIME_DIR").env("TMPDIR", folder.path().join("tmp"));
        text_of(command.output().unwrap())
    };
    let count = |report: (i32, String, String)| report.1.lines().count();
    let (code, _, err) = ours(&["list"]);
    assert!(code == 0 && err.is_empty(), "{err}");
    let (code, _, err) = theirs(&["list"]);
    assert!(code == 0 && err.is_empty(), "{err}");
    wait_until(|| count(ours(&["agent", "status", "-o", "name"])) == 1, "the first user has no agent");
    wait_until(|| count(theirs(&["agent", "status", "-o", "name"])) == 1, "the second user has no agent");
    let owners: Vec<u32> = ["signalbox-0", "signalbox-65534"]
        .map(|name| std::fs::metadata(folder.path().join("tmp").join(name)).unwrap().uid())
        .into();
    assert_eq!(owners, [0, 65_534]);
    // The home can't be written: commands work, and say what is not kept.
    let (code, id, err) = theirs(&["start", "exec.count"]);
    assert!(code == 0 && err.contains("@last, @1, ... are not updated: "), "{id}{err}");
    let (code, _, err) = theirs(&["context", "add", "lab", "--server", &server.url]);
    assert!(code == 3 && err.contains("can't be written, so the change is not saved"), "{err}");
    // Stopping ends one's own only.
    assert_eq!(theirs(&["agent", "stop"]).1, "Stopped 1 agent.\n");
    assert_eq!(count(ours(&["agent", "status", "-o", "name"])), 1);
    assert_eq!(ours(&["agent", "stop"]).1, "Stopped 1 agent.\n");
}

#[tokio::test]
async fn without_a_runtime_folder_the_temporary_folder_is_used_and_without_both_the_agent_is_off() {
    let user = User::new();
    let server = user.serve();
    let temporary = user.home.path().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let run = |folder: &Path, args: &[&str]| {
        let mut command = user.command(&server.url, args);
        // The variable is set, but there is no such folder, as after `su` or in a container without /run.
        command.env("XDG_RUNTIME_DIR", "/nonexistent/run").env("TMPDIR", folder);
        text_of(command.output().unwrap())
    };
    let (code, _, err) = run(&temporary, &["list"]);
    assert!(code == 0 && err.is_empty(), "{err}");
    let agents = || run(&temporary, &["agent", "status", "-o", "name"]).1.lines().count();
    wait_until(|| agents() == 1, "no agent was started");
    assert_eq!(run(&temporary, &["agent", "stop"]).1, "Stopped 1 agent.\n");
    // A file in place of the temporary folder fails for every user.
    let file = user.home.path().join("file");
    std::fs::write(&file, "").unwrap();
    for unusable in [&file, Path::new("/nonexistent/tmp")] {
        let (code, out, err) = run(unusable, &["list"]);
        assert!(code == 0 && out == "No operations match.\n", "{out}{err}");
        assert!(err.starts_with("The agent is not used: "), "{err}");
    }
}
