//! Exits, limits and output of commands.

use crate::rig::{Rig, group, is_alive, python};
use protocol::host::Outcome;
use protocol::{LogLevel, OperationId};
use serde_json::{Value, json};

#[tokio::test]
async fn a_failure_names_the_exit_status_and_the_last_output() {
    if !python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = "import os, sys, signal\n\
        print('to out')\n\
        if os.environ['HOW'] == 'kill': os.kill(os.getpid(), signal.SIGSEGV)\n\
        sys.stderr.write('the disk is full\\n'); sys.exit(3)\n";
    let table = "set_env = {HOW = \"{how}\"}\nparams.how = {type = \"text\", default = \"exit\"}";
    let mut rig = Rig::script(folder.path(), script, table).await;
    let (reports, failure) = rig.fail("exec.t", Value::Null).await;
    assert!(failure.message.starts_with("python3 exited with code 3."), "{}", failure.message);
    assert!(failure.message.ends_with("the disk is full") && !failure.hint.is_empty());
    // The order of two streams is random.
    let line = |level, text: &str| reports.lines.contains(&(level, text.to_owned()));
    assert!(
        reports.lines.len() == 2
            && line(LogLevel::Info, "to out")
            && line(LogLevel::Warn, "the disk is full")
    );
    let (_, failure) = rig.fail("exec.t", json!({"how": "kill"})).await;
    assert!(failure.message.starts_with("python3 was killed by signal 11 (SIGSEGV)."), "{}", failure.message);
    assert!(failure.message.ends_with("to out"), "{}", failure.message);
}

#[tokio::test]
async fn the_environment_has_only_what_the_table_says() {
    if !python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = "import json, os\nprint(json.dumps({'result': dict(os.environ)}))";
    let mut rig =
        Rig::script(folder.path(), script, "env = [\"CARGO_PKG_NAME\"]\nset_env = {A = \"1\"}").await;
    let id = rig.start("exec.t", Value::Null).await;
    let reports = rig.until_ended(id).await;
    let env = reports.result.unwrap().document["reported"].clone();
    assert_eq!(env["A"], "1");
    assert_eq!(env["SIGNALBOX_OPERATION"], id.to_string());
    assert_eq!(env["SIGNALBOX_ATTEMPT"], "1");
    assert_eq!(env["CARGO_PKG_NAME"].as_str(), std::env::var("CARGO_PKG_NAME").ok().as_deref());
    assert!(env.get("CARGO_MANIFEST_DIR").is_none(), "it is there and was not named");
}

#[tokio::test]
async fn remaining_child_processes_end_with_their_command() {
    if !python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // One child stays in the group; the other leaves the group and the session.
    let script = "import subprocess\n\
        stays = subprocess.Popen(['sleep', '1000'])\n\
        leaves = subprocess.Popen(['sleep', '1000'], start_new_session=True)\n\
        print('began', stays.pid, leaves.pid)\n";
    let mut rig = Rig::script(folder.path(), script, "").await;
    let (reports, _) = rig.run("exec.t", Value::Null).await;
    let pids: Vec<u32> = reports.lines[0].1.split(' ').skip(1).map(|n| n.parse().unwrap()).collect();
    assert_eq!(pids.len(), 2);
    assert!(!pids.iter().any(|pid| is_alive(*pid)), "{pids:?}");
    assert!(reports.text().contains("but 2 processes that it started still run"), "{}", reports.text());
}

#[tokio::test]
async fn a_command_that_runs_too_long_is_stopped_with_a_reason() {
    if !python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = "import os, time\nprint('group', os.getpgrp())\ntime.sleep(1000)";
    let mut rig = Rig::script(folder.path(), script, "wall_seconds = 0.5").await;
    let (reports, failure) = rig.fail("exec.t", Value::Null).await;
    assert!(failure.message.starts_with("Stopped: exceeded the time limit of 0.5 s"), "{}", failure.message);
    assert!(failure.hint.contains("wall_seconds of exec.t"));
    let leader = reports.lines[0].1.strip_prefix("group ").unwrap().parse().unwrap();
    assert_eq!(group(leader), [0u32; 0]);
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn memory_is_summed_over_all_processes_and_limited() {
    if !python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // Each of the two processes stays below the limit.
    let script = "import os, time\n\
        os.fork()\n\
        held = os.urandom(1 << 20) * 70\n\
        print('holds')\n\
        time.sleep(1000)\n";
    let mut rig = Rig::script(folder.path(), script, "memory_mb = 100").await;
    let (_, failure) = rig.fail("exec.t", Value::Null).await;
    assert!(failure.message.contains("over the limit of 100 MiB"), "{}", failure.message);
    assert!(failure.hint.contains("memory_mb of exec.t"));

    let script = "held = b'x' * (1 << 30)";
    let mut rig = Rig::script(folder.path(), script, "address_space_mb = 400").await;
    let (_, failure) = rig.fail("exec.t", Value::Null).await;
    assert!(failure.message.contains("MemoryError"), "{}", failure.message);
}

#[tokio::test]
async fn a_paused_program_that_only_reports_shows_its_last_report() {
    if !python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = "import time\nfor i in (1, 2): print('{\"done\": %d, \"total\": 9}' % i)\ntime.sleep(1000)";
    let mut rig = Rig::script(folder.path(), script, "wall_seconds = 0.5").await;
    let (_, failure) = rig.fail("exec.t", Value::Null).await;
    let report = "The command printed only reports. The last report:\n{\"done\": 2, \"total\": 9}";
    assert!(failure.message.ends_with(report), "{}", failure.message);
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn cpu_time_is_limited_and_measured() {
    if !python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = "import time\nwhile time.process_time() < LIMIT: pass\n";
    let mut rig = Rig::script(folder.path(), &script.replace("LIMIT", "1000"), "cpu_seconds = 0.3").await;
    let (_, failure) = rig.fail("exec.t", Value::Null).await;
    assert!(failure.message.contains("over the limit of 0.3 s"), "{}", failure.message);

    let mut rig = Rig::script(folder.path(), &script.replace("LIMIT", "0.2"), "nice = 5").await;
    let (_, result) = rig.run("exec.t", Value::Null).await;
    // The kernel counts hundredths and truncates.
    assert!((0.15..30.0).contains(&result.cpu_seconds.unwrap()), "{result:?}");
    assert!(result.peak_memory.unwrap() > 1 << 20, "{result:?}");
}

#[tokio::test]
async fn excessive_output_is_bounded_and_its_reports_are_read() {
    if !python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = "import sys\n\
        for i in range(200_000): sys.stdout.write('a line that nobody can read so fast\\n')\n\
        sys.stdout.write('x' * 5_000_000 + '\\n')\n\
        print('{\"done\": 200000, \"result\": 1}')\n\
        print('the end')\n";
    let mut rig = Rig::script(folder.path(), script, "set_env = {PYTHONUNBUFFERED = \"\"}").await;
    let (reports, result) = rig.run("exec.t", Value::Null).await;
    assert_eq!(result.lines + result.lines_left_out, 200_002);
    assert!(result.lines < 20_000, "{result:?}");
    assert!(reports.lines.iter().all(|(_, text)| text.len() <= 8 * 1024));
    assert_eq!(reports.lines.last().unwrap().1, "the end");
    assert_eq!((reports.progress.last().unwrap().done, result.reported), (200_000, Some(json!(1))));
}

#[tokio::test]
async fn a_kind_at_its_limit_rejects_starts_without_taking_slots() {
    if !python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = "import os, time\nprint('runs')\nwhile not os.path.exists('go'): time.sleep(0.01)\n";
    let mut rig = Rig::script(folder.path(), script, "max_parallel = 1").await;
    let about: protocol::host::About = rig.get("/about").await.json().await.unwrap();
    assert_eq!(about.max_parallel, [("exec.t".parse().unwrap(), 1)].into_iter().collect());
    let first = rig.start("exec.t", Value::Null).await;
    rig.until_line(first, "runs").await;
    let later = OperationId::new();
    let refused = rig.try_start(later, "exec.t", Value::Null).await;
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key("retry-after"));
    assert!(refused.text().await.unwrap().contains("limit of parallel exec.t operations (1)"));
    std::fs::write(folder.path().join("go"), "").unwrap();
    assert_eq!(rig.until_ended(first).await.outcome, Outcome::Succeeded);
    // Its slot is free as soon as its end is reported.
    assert_eq!(rig.try_start(later, "exec.t", Value::Null).await.status(), 202);
    let reports = rig.until_ended(later).await;
    assert_eq!((reports.outcome, reports.text().as_str()), (Outcome::Succeeded, "runs"));
}
