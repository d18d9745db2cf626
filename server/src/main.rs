//! The program `signalbox-server`: `serve` runs the dashboard, `host` runs the bundled hosts, `openapi` prints the API;
//! the others are clients of a running server. Users call it through `signalbox` (`bin/signalbox.rs`).
//!
//! Knows the configuration, access control, HTTP, and how the parts are assembled, started and stopped. Must not know
//! the lifecycle of operations, how anything is stored, or how it looks.

mod access;
mod actor;
mod adapters;
mod alerts;
mod audit;
mod audit_sink;
mod backend;
mod background;
mod below;
mod broadcaster;
mod bundled;
mod children;
mod config;
mod cookies;
mod counts;
mod demo;
mod guard;
mod host;
mod host_lock;
mod host_tokens;
mod limits;
mod listen;
mod man;
mod metrics;
mod models;
mod monitor;
mod page;
mod problem;
mod provider;
mod routes;
mod secrets;
mod serve;
mod served;
mod sign_in;
mod state;
mod stream;
mod sweep;
mod time_breakdown;
mod tls;
mod watched_files;

use clap::{CommandFactory, Parser, Subcommand};
use cli::output;
use std::process::ExitCode;
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

/// Next steps, below the help.
const NEXT_STEPS: &str = "\
Start here:
  signalbox serve                  serve the dashboard at http://127.0.0.1:7200, until Ctrl+C
  signalbox kinds                  list the kinds of operations
  signalbox start help             list the kinds with their parameters
  signalbox start KIND NAME=VALUE  start an operation and print its ID
  signalbox list                   list operations, newest first
  signalbox follow ID              follow an operation until it ends
  signalbox top                    show operations and hosts live in the terminal

Run `signalbox COMMAND --help` for the flags of a command.";

/// Starts operations on host services, shows their progress and charts live, and confirms when cancelled operations
/// have stopped.
#[derive(Parser)]
#[command(name = "signalbox", version, max_term_width = 100, after_help = NEXT_STEPS)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the dashboard and its API.
    ///
    /// If the configuration lists no hosts, or has bundled = true, the server starts the bundled hosts as a separate
    /// process. They stop when the server stops, unless --keep-hosts is set.
    Serve(Box<config::ServeArgs>),
    /// Run the bundled hosts (market data, training, backtests, commands) as a service for this or other machines.
    Host(host::HostArgs),
    /// Print the API as an OpenAPI document.
    Openapi,
    /// Check that the audit log of a data folder is intact.
    Audit(audit::AuditArgs),
    /// Create keys for secret parameters.
    Secrets(secrets::SecretsArgs),
    /// Write man pages of all commands to a folder.
    Man(man::ManArgs),
    #[command(flatten)]
    Client(cli::Command),
}

fn main() -> ExitCode {
    // First: a launcher has one thread, and is on the path of each sandboxed command.
    if let Some(failed) = exec_host::Launcher::entered() {
        return failed;
    }
    let version = env!("CARGO_PKG_VERSION");
    if let Ok(other) = std::env::var(cli::COMMAND_VERSION)
        && other != version
    {
        let error = anyhow::anyhow!(
            "`signalbox` has version {other}, but `signalbox-server` has version {version}. Install both programs from \
             the same version"
        );
        return cli::fail(&error, ExitCode::from(cli::TROUBLE));
    }
    if cli::complete::answer(Cli::command) {
        return ExitCode::SUCCESS;
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(failure) => return cli::explain(&failure),
    };
    let Some(command) = cli.command else {
        return match output::line(&Cli::command().render_help().to_string()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => cli::fail(&error.into(), ExitCode::from(cli::TROUBLE)),
        };
    };
    let done = match command {
        Command::Serve(args) => serve(*args),
        Command::Host(args) => run(host::host(args), None),
        Command::Openapi => output::line(&routes::openapi_document()).map_err(anyhow::Error::from),
        Command::Audit(args) => audit::run(args),
        Command::Secrets(args) => secrets::run(args),
        Command::Man(args) => man::write(Cli::command(), &args),
        Command::Client(command) => return cli::execute(command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => cli::fail(&error, ExitCode::FAILURE),
    }
}

/// Serves with the log, and exports it if a collector is configured.
fn serve(args: config::ServeArgs) -> anyhow::Result<()> {
    let config = config::Config::read(args)?;
    let telemetry = config.otlp.clone().map(otlp::Telemetry::new).transpose()?;
    let (layer, exporter) = telemetry.map(|telemetry| (telemetry.layer, telemetry.exporter)).unzip();
    run(serve::serve(config, exporter), layer)
}

fn run(
    work: impl Future<Output = anyhow::Result<()>>,
    exporting: Option<otlp::ExportLayer>,
) -> anyhow::Result<()> {
    let json = std::env::var("SIGNALBOX_LOG_FORMAT").is_ok_and(|f| f == "json");
    let filter =
        || EnvFilter::try_from_env("SIGNALBOX_LOG").unwrap_or_else(|_| EnvFilter::new("info,hyper=warn"));
    // A closed or full standard error must not end the server: the default reports it with a macro that panics.
    let log = fmt::layer().with_writer(std::io::stderr).log_internal_errors(false);
    let log = if json { log.json().boxed() } else { log.with_target(false).boxed() };
    let exporting = exporting.map(|layer| {
        let needed = filter_fn(otlp::ExportLayer::is_needed);
        layer.with_filter(filter().or(needed).and(filter_fn(otlp::ExportLayer::is_exported)))
    });
    tracing_subscriber::registry().with(log.with_filter(filter())).with(exporting).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(work);
    // A thread that does not end (work that ignores its cancel) must not keep the process.
    runtime.shutdown_background();
    done
}

/// Listens for a stop request from now on, even before the result is awaited.
///
/// The future ends when the process is asked to stop, by Ctrl+C or SIGTERM.
fn stop_signal() -> impl Future<Output = ()> + Send {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let [interrupt, terminate] = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
        async move {
            tokio::select! {
                () = received(interrupt) => {}
                () = received(terminate) => {}
            }
        }
    }
    #[cfg(not(unix))]
    async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Returns with the signal; never if it can't be listened for.
#[cfg(unix)]
async fn received(signal: std::io::Result<tokio::signal::unix::Signal>) {
    match signal {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}
