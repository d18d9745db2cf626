//! `soak`: storms over real processes, and the proof that what Signalbox said of them was true.
//!
//! `soak run` starts the real server and hosts behind bad network lines, kills, pauses and starves them, and
//! checks in the calm after each storm. `soak host` is the host it starts: one that keeps a journal of what it
//! really ran. docs/reliability.md says what is attacked and what is checked.

mod check;
mod diary;
mod host;
mod journal;
mod line;
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
    /// Storms over a real server and real hosts. Exits with 1 when a promise was broken.
    Run(run::RunArgs),
    /// The host of the storms: counts, and writes down what it ran.
    Host(host::HostArgs),
    /// Set the clock of this process by its file, and see whether it follows.
    #[command(hide = true)]
    TryClock { file: std::path::PathBuf },
    /// Print what a storm of a seed does, and do nothing.
    Plan(PlanArgs),
}

#[derive(clap::Args)]
struct PlanArgs {
    #[arg(long)]
    seed: u64,
    /// Which storm, from 1.
    #[arg(long, default_value_t = 1)]
    storm: u32,
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
    println!("{}", serde_json::to_string_pretty(&plan::Storm::of(args.seed, args.storm))?);
    Ok(())
}
