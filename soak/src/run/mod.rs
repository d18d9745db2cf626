//! `soak run`: runs fault schedules, each followed by quiescence and checks, until the time is over.

pub mod clock;
mod cluster;
mod disk;
mod injection;
mod quiescence;
mod reader;
mod service;
mod summary;
mod workload;

use crate::check::{Promise, Violation};
use crate::plan::Schedule;
use anyhow::{Context, bail};
use cluster::Cluster;
use protocol::OperationId;
use quiescence::Memory;
use reader::Reader;
use std::collections::HashSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use summary::{FoundViolation, Summary};
use tokio::time::Instant;
use workload::Workload;

/// Pause of the slow reader after each event.
const SLOW_READER_PAUSE: Duration = Duration::from_millis(8);

/// Arguments of `soak run`.
#[derive(clap::Args)]
pub struct RunArgs {
    /// Seed of the schedules
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Minutes after which no new schedule begins
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// Run only this schedule of the seed, counted from 1
    #[arg(long, alias = "storm")]
    schedule: Option<u32>,
    /// Path of the `signalbox` program
    #[arg(long)]
    server: PathBuf,
    /// Parent of the folder for logs, data and evidence [default: the system's temporary folder]
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Keep the folder even if no promise is broken
    #[arg(long)]
    keep: bool,
    /// Mount and fill a disk; requires a private mount namespace (unshare --mount)
    #[arg(long)]
    own_mounts: bool,
    /// Let hosts report the end of work too early; such a run must fail
    #[arg(long)]
    lying_hosts: bool,
}

/// Runs the schedules. The exit code says whether all promises were kept.
pub async fn run(args: RunArgs) -> anyhow::Result<ExitCode> {
    if !args.server.is_file() {
        bail!("no program at {}; build it with `cargo build -p signalbox`", args.server.display());
    }
    let parent = args.folder.clone().unwrap_or_else(std::env::temp_dir);
    let folder = parent.join(format!("signalbox-soak-{}-{}", args.seed, std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let folder = folder.canonicalize()?;
    let cluster = Arc::new(
        Cluster::set(&folder, &args.server.canonicalize()?, args.own_mounts, args.lying_hosts).await?,
    );
    let done = tokio::select! {
        done = schedules(&args, &cluster) => done,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    let summary = match done {
        Ok(summary) => summary,
        Err(error) => {
            save_database(&cluster);
            return Err(
                error.context(format!("the run did not finish; logs and data are in {}", folder.display()))
            );
        }
    };
    std::fs::write(folder.join("summary.json"), serde_json::to_string_pretty(&summary)?)?;
    println!("\n{summary}");
    println!("{}", serde_json::to_string(&summary)?);
    let kept = summary.violations.is_empty();
    if kept && !args.keep {
        drop(cluster);
        std::fs::remove_dir_all(&folder)?;
    } else {
        save_database(&cluster);
        println!("\nLogs, journals and data are in {}", folder.display());
    }
    Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn schedules(args: &RunArgs, cluster: &Arc<Cluster>) -> anyhow::Result<Summary> {
    let url = || cluster.url.subscribe();
    let record = |name: &str| cluster.folder.join(name);
    let quick = Reader::begin("fast reader", url(), None, &record("feed-quick.txt"))?;
    let slow = Reader::begin("slow reader", url(), Some(SLOW_READER_PAUSE), &record("feed-slow.txt"))?;
    let readers = [Arc::new(quick), Arc::new(slow)];
    let workload = Workload::new(url(), readers[0].clone())?;
    let (begin, mut memory, mut found, mut seen) =
        (Instant::now(), Memory::default(), Vec::new(), HashSet::new());
    let mut count = 0;
    if let Some(why) = &cluster.no_disk {
        println!("Skipped: full disk ({why})");
    }
    if let Err(why) = &cluster.clocks {
        println!("Skipped: clock jumps ({why})");
    }
    loop {
        let number = args.schedule.unwrap_or(count + 1);
        let schedule = Schedule::of(args.seed, number);
        let actions = injection::inject_faults(cluster, &workload, &schedule).await?;
        let waiting = Instant::now();
        let violations =
            quiescence::check(cluster, &workload, &readers, &mut memory, &schedule, actions).await?;
        count += 1;
        let new = fresh(violations, &mut seen);
        println!(
            "schedule {number} of seed {}: profile {:?}, {} s{}, {} faults, {} actions; quiescent after {} s; {} violations",
            args.seed,
            schedule.profile,
            schedule.duration_ms / 1_000,
            if schedule.rapid { ", rapid" } else { "" },
            schedule.faults.len(),
            schedule.actions.len(),
            waiting.elapsed().as_secs(),
            new.len()
        );
        for violation in new {
            found.push(report(args.seed, number, violation));
        }
        if args.schedule.is_some() || begin.elapsed().as_secs_f64() >= args.minutes * 60.0 {
            break;
        }
    }
    let last = quiescence::check_again(cluster, &mut memory).await?;
    let runs = cluster.runs()?.len();
    cluster.close().await?;
    for violation in
        fresh(last.into_iter().chain(cluster.take_found()).chain(panics(cluster)).collect(), &mut seen)
    {
        found.push(report(args.seed, count, violation));
    }
    let seconds = begin.elapsed().as_secs();
    let mut summary =
        Summary::of((args.seed, seconds, count), &cluster.event_log, &workload, &readers, &memory, runs);
    summary.violations = found;
    summary.skipped.extend(cluster.no_disk.as_ref().map(|why| format!("full disk: {why}")));
    summary.skipped.extend(cluster.clocks.as_ref().err().map(|why| format!("clock jumps: {why}")));
    Ok(summary)
}

/// Filters out known violations, because a broken promise is found again after every later schedule.
fn fresh(
    found: Vec<Violation>,
    seen: &mut HashSet<(Promise, Option<OperationId>, String)>,
) -> Vec<Violation> {
    found
        .into_iter()
        .filter(|v| {
            // One per promise and operation is enough; without an operation, the evidence distinguishes them.
            let evidence = if v.operation.is_some() { String::new() } else { v.evidence.clone() };
            seen.insert((v.promise, v.operation, evidence))
        })
        .collect()
}

fn report(seed: u64, schedule: u32, violation: Violation) -> FoundViolation {
    let about = violation.operation.map_or(String::new(), |id| format!(" {id}"));
    println!("  VIOLATION {}{about}: {}", violation.promise.name(), violation.evidence);
    let replay = format!("scripts/soak.sh --seed {seed} --schedule {schedule}");
    println!("    at {}; repeat with: {replay}", protocol::Time::now());
    FoundViolation { schedule, replay, violation }
}

/// Panics in the server's log that did not end it. Hosts panic because some work is configured to.
fn panics(cluster: &Cluster) -> Vec<Violation> {
    let log = std::fs::read_to_string(cluster.folder.join("server.log")).unwrap_or_default();
    let lines = log.lines().filter(|line| line.contains("panicked at"));
    lines
        .map(|line| Violation::general(Promise::ProcessesLive, format!("the server's log: {line}")))
        .collect()
}

/// Copies the database, which may be on a disk that disappears with this process.
fn save_database(cluster: &Cluster) {
    let (from, to) = (cluster.folder.join("data"), cluster.folder.join("database"));
    let copied = std::fs::create_dir_all(&to).and_then(|()| {
        for entry in std::fs::read_dir(&from)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                std::fs::copy(entry.path(), to.join(entry.file_name()))?;
            }
        }
        Ok(())
    });
    if let Err(error) = copied {
        eprintln!("soak: cannot copy the database: {error}");
    }
}
