//! Cost of a command, and where its time went, with real loads.

use crate::rig::{Rig, is_alive, python, until_true};
use protocol::host::Outcome;
use protocol::{Measured, ResourceUsage, TimeSplit};
use resources::usage::OperationCgroup;
use serde_json::Value;

/// Loads run one after the other, so that each is limited by what it is made for.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Cost of a Python script that succeeds.
async fn cost(script: &str) -> ResourceUsage {
    let _alone = ALONE.lock().await;
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::script(folder.path(), script, "").await;
    let (reports, _) = rig.run("exec.t", Value::Null).await;
    reports.usage.unwrap()
}

fn share(usage: &ResourceUsage, part: fn(&TimeSplit) -> f64) -> f64 {
    let time = usage.time.unwrap();
    assert!((time.seconds() - usage.wall_seconds).abs() < 0.001, "the parts are the whole: {usage:?}");
    part(&time) / time.seconds()
}

#[tokio::test]
async fn a_short_command_with_shorter_children_is_billed_for_all_of_them() {
    if !python() {
        return;
    }
    let usage = cost(
        "import subprocess, sys\nfor n in range(4):\n  subprocess.run([sys.executable, '-c', 'sum(range(3_000_000))'])",
    )
    .await;
    let cpu = usage.cpu_seconds.unwrap();
    assert!(cpu > 0.1 && cpu < usage.wall_seconds * 3.0, "{usage:?}");
    assert!(usage.peak_memory_bytes > Some(1 << 20) && usage.peak_threads >= Some(1), "{usage:?}");
    assert_eq!((usage.received_bytes, usage.sent_bytes), (None, None), "what is not measured is unknown");
}

#[tokio::test]
async fn a_hog_on_more_processes_than_cores_waits_for_a_cpu() {
    if !python() {
        return;
    }
    let script = r#"
import multiprocessing, os, time
def burn():
    end = time.process_time() + 0.8
    while time.process_time() < end:
        sum(range(10_000))
if __name__ == "__main__":
    all = [multiprocessing.Process(target=burn) for _ in range(os.cpu_count() * 4)]
    for one in all: one.start()
    for one in all: one.join()
"#;
    let usage = cost(script).await;
    let waited = share(&usage, |time| time.cpu_wait);
    assert!(waited > share(&usage, |time| time.on_cpu) && waited > 0.4, "{usage:?}");
}

#[tokio::test]
async fn a_writer_that_syncs_waits_for_a_disk() {
    if !python() {
        return;
    }
    let script = r#"
import mmap, os, time
try: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)) # ahead of other programs, where that is allowed
except OSError: pass
end, block = time.monotonic() + 4, mmap.mmap(-1, 1 << 20)
flags = os.O_CREAT | os.O_WRONLY | os.O_DSYNC
try: file = os.open("synced", flags | os.O_DIRECT) # past the kernel's cache: copying into it takes as long as a fast disk
except OSError: file = os.open("synced", flags)
while time.monotonic() < end:
    os.pwrite(file, block, 0)
"#;
    let usage = cost(script).await;
    assert!(usage.written_bytes > Some(0), "{usage:?}");
    // Not compared with the wait for a CPU: other programs of the machine may have them.
    let others: [fn(&TimeSplit) -> f64; 4] =
        [|time| time.on_cpu, |time| time.memory_wait, |time| time.rest, |time| time.unknown];
    let waited = share(&usage, |time| time.disk_wait);
    assert!(others.iter().all(|part| share(&usage, *part) < waited), "{usage:?}");
}

#[tokio::test]
async fn a_sleeper_is_not_limited_by_its_host() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::new("[exec.t]\ncommand = [\"sleep\", \"2\"]", folder.path()).await;
    let (reports, _) = rig.run("exec.t", Value::Null).await;
    let usage = reports.usage.unwrap();
    assert!(share(&usage, |time| time.rest) > 0.9, "{usage:?}");
}

#[tokio::test]
async fn a_process_that_hides_from_every_look_is_killed_with_the_cgroup() {
    if !python() {
        return;
    }
    let Some(_allowed) = OperationCgroup::create("test-of-permission") else {
        eprintln!("SKIPPED: cgroup v2 with permission is not there, so this test shows nothing");
        return;
    };
    // It leaves the group, clears its environment and loses its parent before the first look at the processes.
    let script = r#"
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execve("/bin/sleep", ["sleep", "1000"], {})
    os._exit(0)
os.wait()
time.sleep(0.05)
hidden = [p for p in os.listdir("/proc") if p.isdigit() and open(f"/proc/{p}/cmdline").read() == "sleep\x001000\x00"
          and open(f"/proc/{p}/cgroup").read() == open("/proc/self/cgroup").read()]
print("hidden", *hidden, flush=True)
time.sleep(1000)
"#;
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::script(folder.path(), script, "grace_ms = 100").await;
    let id = rig.start("exec.t", Value::Null).await;
    let hidden: u32 = rig.until_line(id, "hidden ").await.parse().unwrap();
    assert!(is_alive(hidden));
    rig.cancel(id, 30_000).await;
    let reports = rig.until_ended(id).await;
    assert_eq!(reports.outcome, Outcome::Cancelled);
    assert_eq!(reports.usage.unwrap().measured, Measured::Cgroup);
    until_true(|| !is_alive(hidden));
}
