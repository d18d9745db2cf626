//! Supervisor of one command: starts it, reads its output, and makes sure that all its processes have ended.
//!
//! Runs as a separate task that is never aborted. It holds a clone of the context, so the host reports the work as
//! stopped only after the last process has ended.

use crate::command::{ATTEMPT, Declared, OPERATION, RUN};
use crate::group::Group;
use crate::listen::listen;
use crate::outcome::{EndReason, Ended, ending};
use crate::output_parser::{OutputParser, OutputSummary};
use crate::owner::Owner;
use crate::sandbox::{Failure, Launch, Launcher, Part, command as sandboxed, no_cgroup};
use crate::usage::{Limits, Table, Usage};
use crate::watchdog::Watchdog;
use backoff::Backoff;
use host_kit::{CancellationToken, Context, WorkError};
use process_wrap::tokio::{ChildWrapper, CommandWrap, ProcessSession};
use protocol::host::ResultDoc;
use protocol::{ConditionKind, LogLevel};
use resources::usage::{CgroupLimits, OperationCgroup};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};
use std::any::Any;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

/// Advice after an error of the system.
const TRY_AGAIN: &str = "Check whether the work of the command is complete. If not, retry.";
/// Grace period for processes that the command left running.
const LINGER: Duration = Duration::from_millis(500);
/// After all processes have ended, the pipes are drained for this long.
const DRAIN: Duration = Duration::from_secs(2);
/// The first usage sample is early, to cover short commands.
const EARLY: Duration = Duration::from_millis(50);
/// Shortest and longest interval of looks at the cgroup of an ended command.
const FIRST_CGROUP_LOOK: Duration = Duration::from_millis(1);
const MAX_CGROUP_LOOK: Duration = Duration::from_millis(64);

/// State shared by all commands of a host.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub watchdog: Arc<Watchdog>,
    pub table: Arc<Table>,
    pub owner: Owner,
    pub launcher: Launcher,
}

/// Command to run.
pub(crate) struct Job {
    pub declared: Arc<Declared>,
    pub shared: Arc<Shared>,
    /// Argument vector and environment.
    pub vector: Vec<String>,
    pub set_env: Vec<(String, String)>,
}

/// Runs the command to its end. When `abandon` fires, kills it at once.
pub(crate) async fn keep(job: Job, ctx: Context, abandon: CancellationToken) -> Result<ResultDoc, WorkError> {
    let Job { declared, shared, vector, set_env } = job;
    let program = declared.program().map_err(|why| WorkError::failed(why, "Fix the cause, then retry."))?;
    let run = shared.owner.run(ctx.id(), ctx.attempt());
    let began = Instant::now();
    let (mut child, launch) = begin(&declared, &shared, &program, &vector, &set_env, &ctx, &run)?;
    let id = child.id().expect("a child that was not reaped has an ID");
    let (group, unwatched) = Group::new(id, format!("{RUN}={run}"), Arc::clone(&shared.watchdog))
        .expect("a process ID is positive");
    if let Some(error) = unwatched {
        let text =
            format!("Cannot start /bin/sh ({error}). If the host is killed, this command may keep running.");
        ctx.log(LogLevel::Warn, text);
    }
    // A launcher is a large program, and limits its own address space when it becomes the command.
    let address_space = declared.limits.address_space.filter(|_| launch.is_none());
    Limits { address_space, ..declared.limits }.set_limits(id);
    let (cgroup, no_limits) = match cgroup_of(id, &declared, &ctx) {
        Ok(cgroup) => (cgroup, None),
        Err(why) => (None, Some(why)),
    };
    // Without its request, the launcher ends.
    let launch = launch.filter(|_| no_limits.is_none());
    let launching = tokio::spawn(async move {
        match launch {
            Some(launch) => launch.finish().await,
            None => None,
        }
    });
    let mut usage = Usage::new(id, declared.limits, Arc::clone(&shared.table), cgroup);
    usage.report(&ctx);
    let reading = Arc::clone(&declared.reading);
    let output_parser =
        OutputParser::new(ctx.clone(), reading, declared.spec.phases.clone(), declared.pace, began);
    let deaf = CancellationToken::new();
    let mut summary =
        tokio::spawn(listen(child.stdout.take(), child.stderr.take(), output_parser, deaf.clone()));

    let why = until_over(&declared, &group, &mut usage, &ctx, &abandon).await;
    clear(&declared, &group, &usage, why, &ctx, &abandon).await;

    usage.last_sample();
    usage.report(&ctx);
    // Reaped only now: until then no other process can get its ID.
    let status = child.wait().await;
    group.gone();
    let seconds = began.elapsed().as_secs_f64();
    let summary = match timeout(DRAIN, &mut summary).await {
        Ok(summary) => summary,
        Err(_) => {
            let text =
                "The command ended, but another process holds its output open. The host no longer reads it.";
            ctx.log(LogLevel::Warn, text);
            deaf.cancel();
            summary.await
        }
    };
    let summary =
        summary.map_err(|e| WorkError::failed(format!("Cannot read the output: {e}."), TRY_AGAIN))?;
    let status = status.map_err(|e| {
        WorkError::failed(format!("The command ended, but its exit status is not available: {e}."), TRY_AGAIN)
    })?;
    if why == EndReason::Exited && status.success() {
        complete(&ctx, &summary);
    }
    if why == EndReason::Exited {
        if let Some(why) = no_limits {
            return Err(WorkError::failed(no_cgroup(&why), "Then restart the host."));
        }
        // The launcher has ended, so this is known.
        if let Ok(Some(failure)) = launching.await {
            return Err(not_launched(&declared, &program, &failure));
        }
    }
    let (cpu_seconds, peak_memory) = (usage.cpu_seconds(), usage.peak_memory());
    let reached = usage.cgroup(OperationCgroup::reached).unwrap_or_default();
    ending(&declared, Ended { vector, why, status, summary, seconds, cpu_seconds, peak_memory, reached })
}

/// Cgroup of the command, if this host may create one. What the command started before it was moved there is moved by
/// the first look; a sandboxed command begins there.
///
/// # Errors
/// Why there is no cgroup with the limits of the sandbox.
fn cgroup_of(leader: u32, declared: &Declared, ctx: &Context) -> Result<Option<OperationCgroup>, String> {
    let name = format!("{}-{}", ctx.id(), ctx.attempt());
    let limits = declared.sandbox.as_ref().map(|sandbox| sandbox.limits).unwrap_or_default();
    if limits == CgroupLimits::default() {
        let cgroup = OperationCgroup::create(&name);
        return Ok(cgroup.filter(|cgroup| cgroup.add(leader).is_ok()));
    }
    let cgroup = OperationCgroup::create_limited(&name, limits)?;
    cgroup.add(leader).map_err(|e| format!("the command can't be moved to its cgroup: {e}"))?;
    Ok(Some(cgroup))
}

/// Reports what is complete once the command has succeeded.
fn complete(ctx: &Context, summary: &OutputSummary) {
    if let Some(done) = summary.at_end.done {
        ctx.set_done(done);
    }
    if summary.at_end.progress.is_some() {
        ctx.fraction(summary.at_end.progress);
    }
}

/// Starts the command as the leader of its own process group and session. So it has no terminal: a prompt fails at once
/// instead of blocking forever.
fn begin(
    declared: &Declared,
    shared: &Shared,
    program: &Path,
    vector: &[String],
    set_env: &[(String, String)],
    ctx: &Context,
    run: &str,
) -> Result<(Child, Option<Launch>), WorkError> {
    let mut command = Command::new(program);
    command
        .args(vector.iter().skip(1))
        .current_dir(&declared.folder)
        .env_clear()
        // Python buffers its output without a terminal. This disables it.
        .env("PYTHONUNBUFFERED", "1")
        .envs(declared.passed())
        .envs(set_env.iter().map(|(name, value)| (name, value)))
        .env(OPERATION, ctx.id().to_string())
        .env(ATTEMPT, ctx.attempt().to_string())
        .env(RUN, run)
        .stdin(Stdio::null());
    let mut launch = None;
    if let Some(sandbox) = &declared.sandbox {
        let address_space = declared.limits.address_space;
        let launched = sandboxed(sandbox, &shared.launcher, command.as_std(), address_space, (RUN, run));
        let (started, waiting) =
            launched.map_err(|e| not_launched(declared, program, &Failure::new(Part::Launcher, e)))?;
        (command, launch) = (started, Some(waiting));
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut command = CommandWrap::from(command);
    command.wrap(ProcessSession);
    match command.spawn().and_then(unwrapped) {
        Ok(child) => Ok((child, launch)),
        Err(e) => Err(not_started(program, &e.to_string(), None)),
    }
}

/// The program can't be started, with advice.
fn not_started(program: &Path, why: &str, advice: Option<String>) -> WorkError {
    const HINT: &str = "Check that the file is a program for this machine. A script needs a first line like \
                        #!/usr/bin/env python3 that names an installed interpreter.";
    let hint = advice.map_or_else(|| HINT.to_owned(), |advice| format!("{HINT} {advice}"));
    WorkError::failed(format!("Cannot start {}: {why}.", program.display()), hint)
}

/// The command was not started in its sandbox, with advice.
fn not_launched(declared: &Declared, program: &Path, failure: &Failure) -> WorkError {
    let advice = declared.sandbox.as_ref().map(|sandbox| sandbox.advice(&declared.spec.name));
    if failure.part == Part::Program {
        return not_started(program, &failure.message, advice);
    }
    WorkError::failed(
        format!("Cannot start {}. {}", program.display(), failure.at_run()),
        "Fix the cause, then retry.",
    )
}

/// Plain child: termination is handled here, not by the wrapper.
fn unwrapped(wrapped: Box<dyn ChildWrapper>) -> std::io::Result<Child> {
    let child: Box<dyn Any> = wrapped.into_inner();
    child.downcast().map(|child| *child).map_err(|_| std::io::Error::other("not a child of this process"))
}

/// Waits until the command has ended or must be stopped.
async fn until_over(
    declared: &Declared,
    group: &Group,
    usage: &mut Usage,
    ctx: &Context,
    abandon: &CancellationToken,
) -> EndReason {
    let limits = declared.limits;
    let mut exited = std::pin::pin!(exit_of(group.leader()));
    let wall = async {
        match limits.wall {
            Some(wall) => tokio::time::sleep(wall).await,
            None => std::future::pending().await,
        }
    };
    let mut wall = std::pin::pin!(wall);
    let mut stopped = false;
    let mut looks = interval_at(Instant::now() + EARLY, limits.every());
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            // A command that ended by itself was not stopped by the branches below.
            biased;
            () = &mut exited => return EndReason::Exited,
            () = abandon.cancelled() => return EndReason::Cancelled,
            () = ctx.token().cancelled() => return EndReason::Cancelled,
            () = &mut wall => return EndReason::Wall,
            _ = looks.tick() => {
                if let Some(table) = usage.table().await {
                    group.remember(&table);
                }
                let overrun = usage.sample().await;
                usage.report(ctx);
                if let Some(overrun) = overrun {
                    return EndReason::Overrun(overrun);
                }
                if stopped != (usage.stopped() > 0) {
                    stopped = !stopped;
                    tell_stopped(ctx, usage.stopped());
                }
            }
        }
    }
}

/// Reports that processes were stopped by a signal, or have resumed.
fn tell_stopped(ctx: &Context, stopped: usize) {
    if stopped == 0 {
        ctx.log(LogLevel::Info, "The stopped processes have resumed.");
        ctx.clear_condition();
        return;
    }
    let who = if stopped == 1 { "1 process is".to_owned() } else { format!("{stopped} processes are") };
    let text = format!(
        "{who} stopped by a signal (SIGSTOP, SIGTSTP). Send SIGCONT to continue, or cancel the operation."
    );
    ctx.log(LogLevel::Warn, text.clone());
    ctx.condition(ConditionKind::Paused, text);
}

/// Waits for the end of a process without reaping it, so that its ID is not reused.
async fn exit_of(leader: Pid) {
    let wait = move || {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while waitid(WaitId::Pid(leader), options).is_err_and(|e| e == rustix::io::Errno::INTR) {}
    };
    // If the thread can't start, the later reaping waits instead.
    let _ = tokio::task::spawn_blocking(wait).await;
}

/// Ends all processes of the command, and returns when they have ended.
async fn clear(
    declared: &Declared,
    group: &Group,
    usage: &Usage,
    why: EndReason,
    ctx: &Context,
    abandon: &CancellationToken,
) {
    clear_group(declared, group, usage, why, ctx, abandon).await;
    // A process that left the group, and hid from the looks, is still in the cgroup.
    let mut backoff = Backoff::new(FIRST_CGROUP_LOOK, MAX_CGROUP_LOOK);
    while usage.cgroup(|cgroup| !cgroup.processes().is_empty()) == Some(true) {
        if usage.cgroup(OperationCgroup::kill).is_some_and(|killed| killed.is_err()) {
            return;
        }
        tokio::time::sleep(backoff.next_ceiling()).await;
    }
}

async fn clear_group(
    declared: &Declared,
    group: &Group,
    usage: &Usage,
    why: EndReason,
    ctx: &Context,
    abandon: &CancellationToken,
) {
    if why == EndReason::Exited {
        tokio::select! {
            gone = group.empty_by(Some(Instant::now() + LINGER)) => if gone { return },
            () = ctx.token().cancelled() => {}
        }
        let text = match group.count().await {
            // They ended at the same moment.
            0 => return,
            1 => "The command ended, but 1 process that it started still runs. Stopping it.".to_owned(),
            n => format!("The command ended, but {n} processes that it started still run. Stopping them."),
        };
        ctx.log(LogLevel::Warn, text);
    }
    // A stopped process handles signals only after SIGCONT.
    group.signal(&[Signal::TERM, Signal::CONT]).await;
    tokio::select! {
        gone = group.empty_by(Some(Instant::now() + declared.grace)) => if gone { return },
        () = abandon.cancelled() => {}
    }
    let left = processes(group.count().await);
    ctx.log(LogLevel::Warn, format!("{left} did not stop in time after SIGTERM. Sending SIGKILL."));
    let stuck = |left| {
        let left = processes(left);
        ctx.log(LogLevel::Error, format!(
            "{left} can't be killed: blocked in the kernel (an unresponsive disk or network drive), or owned by \
             another user. The operation ends when no such process is left. These processes have {OPERATION}={} in \
             their environment.",
            ctx.id()
        ));
    };
    // Kills all at once, where it is possible; the signals reach the others.
    usage.cgroup(OperationCgroup::kill);
    group.kill(stuck).await;
}

fn processes(n: usize) -> String {
    if n == 1 { "1 process".to_owned() } else { format!("{n} processes") }
}
