//! `soak`: fault-injection tests with real processes.
//!
//! `soak run` starts the real server and hosts behind unreliable connections, and runs one fault schedule after
//! another. After each, it waits for quiescence and checks what the server reported. `soak host` is the host that it
//! starts, which keeps a journal of what it really ran. docs/reliability.md lists the faults and the checked promises.

mod check;
mod event_log;
mod fault_proxy;
mod host;
mod journal;
mod plan;
mod run;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "soak", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Inject faults into a real server and real hosts; exits with 1 if a promise is broken
    Run(run::RunArgs),
    /// Run a host of the test, which counts steps and keeps a journal of its runs
    Host(host::HostArgs),
    /// Set the clock of this process through its file, and check that it follows
    #[command(hide = true)]
    TryClock { file: std::path::PathBuf },
    /// Print a fault schedule without running it
    Plan(PlanArgs),
}

#[derive(clap::Args)]
struct PlanArgs {
    /// Seed of the schedule
    #[arg(long)]
    seed: u64,
    /// Number of the schedule, from 1
    #[arg(long, alias = "storm", default_value_t = 1)]
    schedule: u32,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Run(args) => on_a_runtime(run::run(args)),
        Command::Host(args) => on_a_runtime(host::host(args)).map(|()| ExitCode::SUCCESS),
        Command::TryClock { file } => run::clock::try_it(&file).map(|()| ExitCode::SUCCESS),
        Command::Plan(args) => print_plan(&args).map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|error| {
        eprintln!("soak: {error:#}");
        ExitCode::FAILURE
    })
}

fn on_a_runtime<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    done
}

fn print_plan(args: &PlanArgs) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(&plan::Schedule::of(args.seed, args.schedule))?);
    Ok(())
}
