//! Why an operation is slow: real loads are named rightly, and the hog is named as the cause for another operation.

use crate::process::{Home, Server, http_client, wait_until};
use protocol::time_breakdown::{Limit, TimeBreakdown};
use protocol::{Operation, OperationId, Problem, State, paths};
use resources::usage::OperationCgroup;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Three processes per core, each in a session of its own, so that the scheduler does not treat them as one. They
/// compute until the file `stop` exists.
const HOG: &str = "
import multiprocessing, os
def burn():
    os.setsid()
    while not os.path.exists('stop'):
        sum(range(200_000))
if __name__ == '__main__':
    all = [multiprocessing.Process(target=burn) for _ in range(os.cpu_count() * 3)]
    for one in all: one.start()
    for one in all: one.join()
";
/// Computes on one thread until it has used some CPU time.
const VICTIM: &str = "
import time
while time.process_time() < 0.5:
    sum(range(10_000))
";
/// Writes and waits until the disk has it, ahead of other programs if that is allowed. Past the cache of the kernel,
/// because copying into it takes as long as a fast disk.
const SYNC: &str = "
import mmap, os, time
try: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
except OSError: pass
end, block = time.monotonic() + 3, mmap.mmap(-1, 1 << 20)
flags = os.O_CREAT | os.O_WRONLY | os.O_DSYNC
try: file = os.open('synced', flags | os.O_DIRECT)
except OSError: file = os.open('synced', flags)
while time.monotonic() < end:
    os.pwrite(file, block, 0)
";
/// Takes all but a little of the memory of its cgroup, and then writes a file that does not fit into the remainder,
/// until the file `stop` exists. The kernel has to write pages to the disk before it has memory for others.
const MEMORY_HOG: &str = "
import os
try: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
except OSError: pass
held = b'x' * int(open('held').read())
file, block, n = os.open('hog.out', os.O_CREAT | os.O_WRONLY), os.urandom(1 << 20), 0
while not os.path.exists('stop'):
    os.pwrite(file, block, n % 96 << 20)
    n += 1
";
/// Overwrites a file that fits into the memory, unless another program takes it.
const MEMORY_VICTIM: &str = "
import os, time
try: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
except OSError: pass
file, block, n = os.open('victim.out', os.O_CREAT | os.O_WRONLY), os.urandom(1 << 20), 0
end = time.monotonic() + 3
while time.monotonic() < end:
    os.pwrite(file, block, n % 96 << 20)
    n += 1
";

/// Memory cgroup of version 1 with a limit, below that of the tests. Version 2 has no such group here: its limit would
/// need permission for all groups above it.
struct MemoryLimit(PathBuf);

impl MemoryLimit {
    const BYTES: u64 = 512 << 20;

    /// `None` where it can't be created, or the pressure of operations is not measured.
    fn create() -> Option<Self> {
        let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
        let own = groups.lines().find_map(|line| line.split_once(":memory:"))?.1;
        let folder = Path::new("/sys/fs/cgroup/memory").join(own.trim_start_matches('/'));
        let folder = folder.join(format!("signalbox-test-{}", std::process::id()));
        std::fs::create_dir(&folder).ok()?;
        let group = Self(folder);
        std::fs::write(group.0.join("memory.limit_in_bytes"), Self::BYTES.to_string()).ok()?;
        // Without effect where there is no swap space.
        let _ = std::fs::write(group.0.join("memory.swappiness"), "0");
        OperationCgroup::create("test-of-permission")?;
        Some(group)
    }

    /// The command, within the limit.
    fn limited(&self, command: &Command) -> Command {
        let mut limited = Command::new("sh");
        limited.args(["-c", "echo $$ > \"$0\" && exec \"$@\""]).arg(self.0.join("cgroup.procs"));
        limited.arg(command.get_program()).args(command.get_args()).stdout(Stdio::null());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => limited.env(name, value),
                None => limited.env_remove(name),
            };
        }
        limited
    }

    /// Bytes that are not used, the contents of files aside.
    fn free(&self) -> u64 {
        let read = |name: &str| std::fs::read_to_string(self.0.join(name)).unwrap();
        let used: u64 = read("memory.usage_in_bytes").trim().parse().unwrap();
        let stat = read("memory.stat");
        let files = stat.lines().find_map(|line| line.strip_prefix("total_cache ")).unwrap();
        Self::BYTES - used.saturating_sub(files.parse().unwrap())
    }
}

impl Drop for MemoryLimit {
    /// Its processes have ended, but the kernel may not have noticed yet.
    fn drop(&mut self) {
        wait_until(|| std::fs::remove_dir(&self.0).is_ok(), "the cgroup still has processes");
    }
}

/// Writes the scripts as commands of the host; returns its folder, in which they run.
fn write_commands(home: &Home, scripts: &[(&str, &str)]) -> PathBuf {
    let data = home.path().join("data");
    std::fs::create_dir_all(&data).unwrap();
    let mut commands = "[exec.sleeper]\ncommand = ['sleep', '2']\n".to_owned();
    for (name, script) in scripts {
        std::fs::write(data.join(format!("{name}.py")), script).unwrap();
        commands.push_str(&format!("[exec.{name}]\ncommand = ['python3', '{name}.py']\n"));
    }
    std::fs::write(data.join("exec.toml"), commands).unwrap();
    data
}

fn has_python() -> bool {
    cfg!(target_os = "linux") && Command::new("python3").arg("--version").output().is_ok()
}

async fn breakdown(server: &Server, id: OperationId) -> TimeBreakdown {
    let read: TimeBreakdown = server.pool.get(&paths::time_breakdown(id, 100)).await.unwrap();
    let wall = read.to.seconds_since(read.queued_at);
    let all = read.slot_wait_seconds + read.time.seconds();
    assert!((all - wall).abs() < 0.001, "the parts are the whole: {read:?}");
    assert!(read.time.parts().iter().all(|part| *part >= 0.0), "{read:?}");
    read
}

/// Breakdown once samples of the attempt are stored.
async fn with_samples(server: &Server, id: OperationId) -> TimeBreakdown {
    loop {
        let read = breakdown(server, id).await;
        if read.course.is_some() {
            return read;
        }
    }
}

/// Breakdown of a running operation once its stored samples contain so much CPU time.
async fn with_cpu_seconds(server: &Server, id: OperationId, seconds: f64) -> TimeBreakdown {
    loop {
        let read = with_samples(server, id).await;
        if read.usage.as_ref().and_then(|usage| usage.cpu_seconds) >= Some(seconds) {
            return read;
        }
    }
}

async fn run(server: &Server, kind: &str) -> Operation {
    run_with(server, kind, json!({})).await
}

async fn run_with(server: &Server, kind: &str, params: Value) -> Operation {
    let started = server.start(kind, params).await;
    let mut feed = server.follow(0).await;
    let ended = feed.until(|o| o.id == started.id && o.state.ended()).await;
    assert_eq!(ended.state, State::Succeeded, "{ended:?}");
    ended
}

#[tokio::test]
async fn each_load_is_named_rightly_and_the_hog_is_the_cause_for_an_operation_beside_it() {
    if !has_python() {
        eprintln!("SKIPPED: this needs Linux and python3, so this test shows nothing");
        return;
    }
    let home = Home::new();
    let data = write_commands(&home, &[("hog", HOG), ("victim", VICTIM), ("sync", SYNC)]);
    let server = home.serve(&[]);
    server.host_up().await;

    let sleeper = breakdown(&server, run(&server, "exec.sleeper").await.id).await;
    assert_eq!(sleeper.limit, Limit::Other, "{sleeper:?}");
    assert!(sleeper.sentence.starts_with("Not limited by the host"), "{}", sleeper.sentence);

    let sync = breakdown(&server, run(&server, "exec.sync").await.id).await;
    // Where it may not run ahead of other programs, those can hold it up more than the disk does.
    assert!(sync.limit == Limit::Disk || sync.time.cpu_wait > sync.time.disk_wait, "{sync:?}");

    let hog = server.start("exec.hog", json!({})).await;
    with_samples(&server, hog.id).await;
    let victim = run(&server, "exec.victim").await;
    let slowed = with_samples(&server, victim.id).await;
    std::fs::write(data.join("stop"), "").unwrap();
    assert_eq!(slowed.limit, Limit::Cpu, "{slowed:?}");
    assert!(slowed.sentence.contains("for a CPU") && slowed.operations >= 2, "{}", slowed.sentence);
    let cause = slowed.consumers.iter().find(|consumer| consumer.operation.is_some()).unwrap();
    assert_eq!((cause.operation, cause.is_self), (Some(hog.id), false), "{:?}", slowed.consumers);
    let cost = victim.usage.unwrap();
    assert!(cost.cpu_seconds > Some(0.4) && cost.time.is_none(), "{cost:?}");

    let mut feed = server.follow(0).await;
    feed.until(|o| o.id == hog.id && o.state.ended()).await;
    let hog = breakdown(&server, hog.id).await;
    assert_eq!(hog.limit, Limit::Cpu, "{hog:?}");
    let first = hog.consumers.iter().find(|consumer| consumer.operation.is_some()).unwrap();
    assert!(first.is_self, "{:?}", hog.consumers);
}

#[tokio::test]
async fn the_hog_is_the_cause_for_a_training_beside_it() {
    if !has_python() {
        eprintln!("SKIPPED: this needs Linux and python3, so this test shows nothing");
        return;
    }
    let home = Home::new();
    let data = write_commands(&home, &[("hog", HOG)]);
    let server = home.serve(&[]);
    server.host_up().await;
    let bars = json!({"symbol": "DEMO", "timeframe": "1h", "source": "synthetic", "years": 1});
    run_with(&server, "data.load", bars).await;

    let hog = server.start("exec.hog", json!({})).await;
    with_cpu_seconds(&server, hog.id, 1.0).await;
    // More epochs than fit into the time of the test, on a machine of any speed.
    let params = json!({
        "symbols": "DEMO", "timeframe": "1h", "hidden": "64,64", "epochs": 10_000, "patience": 0, "batch_size": 16,
        "seed": 5
    });
    let training = server.start("training.run", params).await;
    let live = with_cpu_seconds(&server, training.id, 0.5).await;
    assert!(live.live, "{live:?}");
    assert_slowed_by(&live, &hog);

    server.ask(training.id, "cancel").await;
    let mut feed = server.follow(0).await;
    let ended = feed.until(|o| o.id == training.id && o.state.ended()).await;
    assert_eq!(ended.state, State::Cancelled, "{ended:?}");
    let ended = breakdown(&server, training.id).await;
    std::fs::write(data.join("stop"), "").unwrap();
    assert!(!ended.live, "{ended:?}");
    assert_slowed_by(&ended, &hog);
}

/// The operation waited for a CPU for the largest part of its time, and of all operations, the hog used most of the
/// CPUs.
fn assert_slowed_by(slowed: &TimeBreakdown, hog: &Operation) {
    assert_eq!(slowed.limit, Limit::Cpu, "{slowed:?}");
    assert!(slowed.sentence.contains("for a CPU: local ran 2 operations"), "{}", slowed.sentence);
    let cause = slowed.consumers.iter().find(|consumer| consumer.operation.is_some()).unwrap();
    assert_eq!((cause.operation, cause.is_self), (Some(hog.id), false), "{:?}", slowed.consumers);
    assert_eq!((cause.kind.as_ref(), &cause.title), (Some(&hog.kind), &hog.title));
    // On a busy machine, other programs can use even more.
    if slowed.consumers[0].operation.is_some() {
        let named = format!("; {} {} accounted for ", hog.kind, hog.title);
        assert!(slowed.sentence.contains(&named), "{}", slowed.sentence);
    }
}

#[tokio::test]
async fn a_wait_for_memory_is_named_and_the_hog_is_its_cause() {
    let Some(limit) = MemoryLimit::create().filter(|_| has_python()) else {
        eprintln!(
            "SKIPPED: this needs python3, permission to limit the memory of a cgroup v1, and cgroup v2 with pressure, so \
             this test shows nothing"
        );
        return;
    };
    let home = Home::new();
    let data = write_commands(&home, &[("hog", MEMORY_HOG), ("victim", MEMORY_VICTIM)]);
    let server = home.serve_by(limit.limited(&home.command(&[])));
    server.host_up().await;

    let alone = breakdown(&server, run(&server, "exec.victim").await.id).await;
    assert_ne!(alone.limit, Limit::Memory, "{alone:?}");

    let held = limit.free() - (56 << 20);
    std::fs::write(data.join("held"), held.to_string()).unwrap();
    let hog = server.start("exec.hog", json!({})).await;
    while with_samples(&server, hog.id).await.usage.unwrap().peak_memory_bytes < Some(held) {}
    let victim = run(&server, "exec.victim").await;
    let slowed = with_samples(&server, victim.id).await;
    std::fs::write(data.join("stop"), "").unwrap();
    assert_eq!(slowed.limit, Limit::Memory, "{slowed:?}");
    assert!(slowed.sentence.contains("for memory: local ran 2 operations"), "{}", slowed.sentence);
    let cause = &slowed.consumers[0];
    assert_eq!((cause.operation, cause.is_self), (Some(hog.id), false), "{:?}", slowed.consumers);

    let mut feed = server.follow(0).await;
    feed.until(|o| o.id == hog.id && o.state.ended()).await;
    let hog = breakdown(&server, hog.id).await;
    assert_eq!(hog.limit, Limit::Memory, "{hog:?}");
    assert!(hog.consumers[0].is_self, "{:?}", hog.consumers);
}

#[tokio::test]
async fn a_breakdown_of_no_operation_or_without_width_is_refused() {
    let home = Home::new();
    let server = home.serve(&[]);
    server.host_up().await;
    let loaded = server.load("ACME", None).await;
    let mut feed = server.follow(0).await;
    let loaded = feed.until(|o| o.id == loaded.id && o.state.ended()).await;
    let read = breakdown(&server, loaded.id).await;
    assert!(read.time.unknown < read.time.seconds() || read.usage.is_none(), "{read:?}");
    let path = paths::time_breakdown(OperationId::new(), 100);
    let response = http_client().get(format!("{}{path}", server.url)).send().await.unwrap();
    assert_eq!(response.status(), 404);
    let response = http_client()
        .get(format!("{}{}", server.url, paths::time_breakdown(loaded.id, 0)))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 400);
    assert!(response.json::<Problem>().await.unwrap().detail.contains("width"));
}
