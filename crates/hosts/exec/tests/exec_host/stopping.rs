//! Cancel, deadline and shutdown leave no processes behind.

use crate::rig::{Rig, group, is_alive, python, until_true};
use protocol::FailureReason;
use protocol::host::{HostEventBody, Outcome};
use serde_json::Value;

/// Ignores signals where possible, as do its child and grandchild. Another process has left the group and session, and
/// lost its parent. Prints its group and all IDs.
const STUBBORN: &str = r#"
import os, signal, subprocess, sys, time
for s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(s, signal.SIG_IGN)
child = subprocess.Popen(["sh", "-c", "sleep 1000 & echo $!; wait"], stdout=subprocess.PIPE, text=True)
grandchild = int(child.stdout.readline())
orphan = subprocess.run(
    ["sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 & echo $!"], stdout=subprocess.PIPE, text=True)
print("ids", os.getpgrp(), os.getpid(), child.pid, grandchild, int(orphan.stdout), flush=True)
while True:
    time.sleep(1000)
"#;

fn ids(text: &str) -> Vec<u32> {
    text.split_whitespace().map(|n| n.parse().unwrap()).collect()
}

#[tokio::test]
async fn a_cancel_kills_all_processes_of_a_command_that_ignores_it() {
    if !python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::script(folder.path(), STUBBORN, "grace_ms = 100").await;
    let id = rig.start("exec.t", Value::Null).await;
    let ids = ids(&rig.until_line(id, "ids ").await);
    assert!(ids.iter().all(|id| is_alive(*id)), "all of them run: {ids:?}");
    assert!(group(ids[0]).len() >= 3);
    rig.cancel(id, 30_000).await;
    let reports = rig.until_ended(id).await;
    assert_eq!(reports.outcome, Outcome::Cancelled);
    assert_eq!(group(ids[0]), [0u32; 0]);
    assert!(!ids.iter().any(|id| is_alive(*id)), "{ids:?}");
    assert!(
        reports.text().contains("did not stop in time after SIGTERM. Sending SIGKILL."),
        "{}",
        reports.text()
    );
    let order: Vec<_> = rig
        .seen
        .iter()
        .filter_map(|e| match e.body {
            HostEventBody::Acknowledged => Some("acknowledged"),
            HostEventBody::Stopped => Some("stopped"),
            HostEventBody::Ended { .. } => Some("ended"),
            _ => None,
        })
        .collect();
    assert_eq!(order, ["acknowledged", "stopped", "ended"]);
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_cancel_ends_descendants_that_left_the_group_and_cleared_their_environment() {
    if !python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // Only the parent leads to the child, and SIGTERM ends the parent first.
    let script = "import os, subprocess, time\n\
        child = subprocess.Popen(['sleep', '1000'], start_new_session=True, env={}, stdout=subprocess.DEVNULL, \
        stderr=subprocess.DEVNULL)\n\
        print('ids', os.getpid(), child.pid, flush=True)\n\
        time.sleep(1000)\n";
    let mut rig = Rig::script(folder.path(), script, "").await;
    let id = rig.start("exec.t", Value::Null).await;
    let ids = ids(&rig.until_line(id, "ids ").await);
    assert!(ids.iter().all(|id| is_alive(*id)), "both run: {ids:?}");
    rig.cancel(id, 30_000).await;
    assert_eq!(rig.until_ended(id).await.outcome, Outcome::Cancelled);
    assert!(!ids.iter().any(|id| is_alive(*id)), "{ids:?}");
}

/// Chain of processes in the group that each ignore SIGTERM, fork and exit, so that a look at the process table often
/// finds none of them. The argument says how the leader ends.
#[cfg(target_os = "linux")]
const CHAIN: &str = r#"
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    silent = os.open(os.devnull, os.O_RDWR)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    # It ends some time, if the test fails.
    for _ in range(20000):
        time.sleep(0.003)
        if os.fork() > 0:
            os._exit(0)
    os._exit(0)
print("leader", os.getpid(), flush=True)
if sys.argv[1] == "exit":
    os._exit(0)
if sys.argv[1] == "term":
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
while True:
    time.sleep(1000)
"#;

#[tokio::test]
#[cfg(target_os = "linux")]
async fn no_end_is_confirmed_while_a_chain_of_short_processes_is_alive() {
    use rustix::process::{Pid, Signal, kill_process_group};
    if !python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("chain.py"), CHAIN).unwrap();
    let table = "[exec.t]\ncommand = [\"python3\", \"chain.py\", \"{end}\"]\ngrace_ms = 500\n\
        params.end = { type = \"text\", required = true }\n";
    let mut rig = Rig::new(table, folder.path()).await;
    for end in ["term", "kill", "exit"] {
        let id = rig.start("exec.t", serde_json::json!({ "end": end })).await;
        let leader: i32 = rig.until_line(id, "leader ").await.parse().unwrap();
        if end != "exit" {
            rig.cancel(id, 30_000).await;
        }
        let reports = rig.until_ended(id).await;
        // A stopped group can't fork, so this look misses none.
        let leader = Pid::from_raw(leader).unwrap();
        let _ = kill_process_group(leader, Signal::STOP);
        let left = group(leader.as_raw_pid().unsigned_abs());
        let _ = kill_process_group(leader, Signal::KILL);
        assert_eq!(left, [0u32; 0], "the leader ends by {end}");
        assert!(reports.text().contains("Sending SIGKILL."), "{end}: {}", reports.text());
    }
}

#[tokio::test]
async fn stopping_an_attempt_does_not_affect_another_attempt_of_the_operation() {
    if !python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // The next attempt, or the same one of a host that was thought to be gone.
    for other in [2, 1] {
        let mut first = Rig::script(folder.path(), STUBBORN, "grace_ms = 100").await;
        let mut second = Rig::script(folder.path(), STUBBORN, "grace_ms = 100").await;
        let id = first.start("exec.t", Value::Null).await;
        let firsts = ids(&first.until_line(id, "ids ").await);
        assert_eq!(second.try_attempt(id, other, "exec.t", Value::Null).await.status(), 202);
        let seconds = ids(&second.until_line(id, "ids ").await);
        first.cancel(id, 30_000).await;
        assert_eq!(first.until_ended(id).await.outcome, Outcome::Cancelled);
        assert!(!firsts.iter().any(|id| is_alive(*id)), "{firsts:?}");
        assert!(seconds.iter().all(|id| is_alive(*id)), "attempt {other} still runs: {seconds:?}");
        second.shutdown.cancel();
        second.until_ended(id).await;
        assert!(!seconds.iter().any(|id| is_alive(*id)), "{seconds:?}");
    }
}

#[tokio::test]
async fn the_deadline_cuts_the_grace_period_and_leaves_no_process() {
    if !python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::script(folder.path(), STUBBORN, "grace_ms = 600000").await;
    let id = rig.start("exec.t", Value::Null).await;
    let ids = ids(&rig.until_line(id, "ids ").await);
    rig.cancel(id, 100).await;
    assert_eq!(rig.until_ended(id).await.outcome, Outcome::Cancelled);
    assert!(group(ids[0]).is_empty() && !ids.iter().any(|id| is_alive(*id)), "{ids:?}");
}

#[tokio::test]
async fn a_command_that_cleans_up_at_sigterm_gets_the_time_and_is_cancelled() {
    if !python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = "import signal, sys, time\n\
        def tidy(*_):\n    print('tidied', flush=True)\n    sys.exit(0)\n\
        signal.signal(signal.SIGTERM, tidy)\n\
        print('ready')\ntime.sleep(1000)\n";
    let mut rig = Rig::script(folder.path(), script, "").await;
    let id = rig.start("exec.t", Value::Null).await;
    rig.until_line(id, "ready").await;
    rig.cancel(id, 30_000).await;
    let reports = rig.until_ended(id).await;
    assert_eq!((reports.outcome, reports.text().as_str()), (Outcome::Cancelled, "ready\ntidied"));
}

#[tokio::test]
async fn a_shutdown_of_the_host_leaves_no_process() {
    if !python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::script(folder.path(), STUBBORN, "grace_ms = 100").await;
    let id = rig.start("exec.t", Value::Null).await;
    let ids = ids(&rig.until_line(id, "ids ").await);
    rig.shutdown.cancel();
    let reports = rig.until_ended(id).await;
    assert_eq!(reports.outcome, Outcome::Failed);
    assert_eq!(reports.failure.unwrap().reason, FailureReason::HostStopped);
    assert!(group(ids[0]).is_empty() && !ids.iter().any(|id| is_alive(*id)), "{ids:?}");
    (&mut rig.serving).await.unwrap().unwrap();
}

#[test]
fn dropping_the_runtime_kills_the_commands() {
    if !python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let ids = runtime.block_on(async {
        let mut rig = Rig::script(folder.path(), STUBBORN, "").await;
        let id = rig.start("exec.t", Value::Null).await;
        let ids = ids(&rig.until_line(id, "ids ").await);
        // Nothing is stopped in order: everything is just dropped.
        std::mem::forget(rig);
        ids
    });
    drop(runtime);
    // The signals were sent. The kernel needs a moment to act on them.
    until_true(|| !ids.iter().any(|id| is_alive(*id)));
}

/// Marks the process as the host of the next test.
const CHILD: &str = "SIGNALBOX_TEST_CHILD_HOST";

/// Not a test itself: the host that the next test kills.
#[tokio::test]
#[ignore = "begun by the test that kills it"]
async fn a_host_to_kill() {
    // The folder belongs to the test that kills this process, which could not remove it.
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let script = "import os, time\nprint('group', os.getpgrp())\ntime.sleep(1000)";
    let mut rig = Rig::script(std::path::Path::new(&folder), script, "").await;
    let id = rig.start("exec.t", Value::Null).await;
    println!("\ngroup {}", rig.until_line(id, "group ").await);
    std::future::pending::<()>().await;
}

#[test]
fn a_killed_host_leaves_no_process_group() {
    use std::io::BufRead;
    if !python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut host = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "stopping::a_host_to_kill", "--ignored", "--nocapture"])
        .env(CHILD, folder.path())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let lines = std::io::BufReader::new(host.stdout.take().unwrap()).lines();
    let reports =
        lines.map(|line| line.unwrap()).find_map(|line| Some(line.strip_prefix("group ")?.parse().unwrap()));
    let leader: u32 = reports.expect("the host tells the group of its command");
    assert!(!group(leader).is_empty());
    host.kill().unwrap();
    host.wait().unwrap();
    until_true(|| group(leader).is_empty());
}
