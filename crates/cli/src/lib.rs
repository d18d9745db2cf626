//! Command line: starts, lists, shows, follows and changes operations of a running server, with the same API as the
//! page.
//!
//! Knows: arguments, exit codes, what is printed where, and what is remembered for the next command. Must not know:
//! HTTP, the engine, the store, the page. The program `signalbox` calls [`execute`] with a [`Command`].

mod access_rows;
#[cfg(unix)]
mod agent;
mod alert_rows;
mod columns;
pub mod complete;
mod contexts;
mod download;
mod errors;
mod examples;
mod exit;
mod follow;
mod id;
mod interrupt;
mod listing;
pub mod output;
mod params;
mod patience;
mod printer;
mod private_file;
mod rows;
mod session;
mod target;
mod terminal;
mod text;
mod top;
mod verbs;

pub use exit::{Exit, TROUBLE, USAGE};

use clap::Subcommand;
use output::OutputError;
use std::process::ExitCode;

/// Variable by which `signalbox` tells its version to `signalbox-server`.
pub const COMMAND_VERSION: &str = "SIGNALBOX_COMMAND_VERSION";

/// Command of a client.
#[derive(Subcommand)]
pub enum Command {
    /// Start an operation on a running server: signalbox start data.load symbol=MSFT timeframe=1h
    ///
    /// Prints the operation's ID. `signalbox kinds` lists the kinds, `signalbox kinds KIND` the parameters of a kind.
    /// With --follow, the command waits until the operation ends, and exits as `signalbox follow` does.
    #[command(after_help = examples::START)]
    Start(verbs::start::StartArgs),
    /// List operations, newest first.
    #[command(after_help = examples::LIST)]
    List(verbs::list::ListArgs),
    /// Show all details of one operation.
    #[command(after_help = examples::SHOW)]
    Show(verbs::show::ShowArgs),
    /// Follow an operation until it ends; the exit code indicates the outcome.
    ///
    /// Exit codes: 0 succeeded; 1 failed; 2 cancelled; 3 the server was unreachable or rejected the request, or the
    /// output could not be written; 64 invalid arguments; 130 detached. In a terminal, Ctrl+C asks whether to detach
    /// (the operation continues), to cancel the operation, or to keep following.
    #[command(after_help = examples::FOLLOW)]
    Follow(verbs::follow::FollowArgs),
    /// Wait until all given operations end; with --any, until the first of them ends.
    ///
    /// Exit codes: 0 all succeeded; 1 at least one failed; 2 at least one was cancelled, and none failed; 3 the timeout
    /// expired, or the server was unreachable or rejected the request. With --any, only the first operation counts.
    #[command(after_help = examples::WAIT)]
    Wait(verbs::wait::WaitArgs),
    /// Print state changes of all matching operations as they happen.
    #[command(after_help = examples::WATCH)]
    Watch(verbs::watch::WatchArgs),
    /// Show operations and hosts live in the terminal.
    ///
    /// Keys: the arrow keys select an operation, l shows its log, c cancels it, e shows or hides ended operations, /
    /// filters the list, q quits.
    Top(verbs::top::TopArgs),
    /// Print the log of an operation.
    #[command(after_help = examples::LOGS)]
    Logs(verbs::logs::LogsArgs),
    /// Print the series of an operation: a summary, or all points with -o csv.
    #[command(after_help = examples::SERIES)]
    Series(verbs::series::SeriesArgs),
    /// Print the result of an operation.
    Result(verbs::result::ResultArgs),
    /// List or download the artifacts of a result.
    #[command(after_help = examples::ARTIFACTS)]
    Artifacts(verbs::artifacts::ArtifactsArgs),
    /// Compare operations: differing parameters and results.
    #[command(after_help = examples::COMPARE)]
    Compare(verbs::compare::CompareArgs),
    /// Cancel operations.
    ///
    /// A queued operation is cancelled immediately. A running operation is cancelled once its host has confirmed that
    /// the work stopped; with --follow, the command waits for this confirmation.
    #[command(after_help = examples::CANCEL)]
    Cancel(verbs::cancel::CancelArgs),
    /// Retry a failed or cancelled operation: start another attempt from the beginning.
    Retry(verbs::attempts::AttemptArgs),
    /// Resume a failed or cancelled operation: start another attempt from the last checkpoint.
    Resume(verbs::attempts::AttemptArgs),
    /// Abandon an operation whose host is unreachable or can't stop it: the operation is marked as failed.
    Abandon(verbs::attempts::AbandonArgs),
    /// Delete ended operations with all of their data.
    #[command(after_help = examples::DELETE)]
    Delete(verbs::delete::DeleteArgs),
    /// List the hosts.
    Hosts(verbs::hosts::HostsArgs),
    /// Drain a host: the host gets no new operations, but running operations continue.
    Drain(verbs::hosts::DrainArgs),
    /// Undrain a host: the host gets new operations again.
    Undrain(verbs::hosts::DrainArgs),
    /// List the kinds of operations, or the parameters of one kind.
    Kinds(verbs::kinds::KindsArgs),
    /// List alerts, alert rules, notifications and silences, and silence alerts.
    Alerts(verbs::alerts::AlertsArgs),
    /// Create, list and revoke tokens for programs.
    Token(verbs::token::TokenArgs),
    /// Add, list, change and remove users, who sign in with a password.
    User(verbs::user::UserArgs),
    /// Open the page of an operation in the browser.
    Open(verbs::open::OpenArgs),
    /// Add, choose, list and remove contexts. A context is a named server with its token and defaults.
    #[command(after_help = examples::CONTEXT)]
    Context(verbs::context::ContextArgs),
    /// Print the script for command completion in bash, zsh or fish.
    #[command(after_help = examples::COMPLETION)]
    Completion(verbs::completion::CompletionArgs),
    /// Show or stop the background agents that keep connections open between commands.
    #[cfg(unix)]
    Agent(verbs::agent::AgentArgs),
}

/// Runs a command with one thread and without logging, and prints its error.
pub fn execute(command: Command) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(run(command))) {
        Ok(exit) => exit.code(),
        Err(error) => fail(&error, ExitCode::from(exit::code_of(&error))),
    }
}

/// Prints why arguments can't be parsed, or the help or version that they ask for.
pub fn explain(failure: &clap::Error) -> ExitCode {
    // Help is no error; its exit code must not look like an operation's outcome.
    match failure.print().map_err(OutputError::from) {
        _ if failure.use_stderr() => ExitCode::from(USAGE),
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.into(), ExitCode::from(TROUBLE)),
    }
}

/// Prints why a command failed. Prints nothing if the reader of the output has closed it.
pub fn fail(error: &anyhow::Error, exit: ExitCode) -> ExitCode {
    if matches!(error.downcast_ref(), Some(OutputError::Closed)) {
        return ExitCode::from(output::CLOSED);
    }
    match output::note(&format!("signalbox: {error:#}")) {
        Ok(()) => exit,
        Err(_) => ExitCode::from(output::CLOSED),
    }
}

/// Runs a command.
///
/// # Errors
/// A sentence for standard error; [`exit::code_of`] has its exit code.
async fn run(command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Start(args) => verbs::start::run(args).await,
        Command::List(args) => verbs::list::run(args).await,
        Command::Show(args) => verbs::show::run(args).await,
        Command::Follow(args) => verbs::follow::run(args).await,
        Command::Wait(args) => verbs::wait::run(args).await,
        Command::Watch(args) => verbs::watch::run(args).await,
        Command::Top(args) => verbs::top::run(args).await,
        Command::Logs(args) => verbs::logs::run(args).await,
        Command::Series(args) => verbs::series::run(args).await,
        Command::Result(args) => verbs::result::run(args).await,
        Command::Artifacts(args) => verbs::artifacts::run(args).await,
        Command::Compare(args) => verbs::compare::run(args).await,
        Command::Cancel(args) => verbs::cancel::run(args).await,
        Command::Retry(args) => verbs::attempts::retry(args).await,
        Command::Resume(args) => verbs::attempts::resume(args).await,
        Command::Abandon(args) => verbs::attempts::abandon(args).await,
        Command::Delete(args) => verbs::delete::run(args).await,
        Command::Hosts(args) => verbs::hosts::run(args).await,
        Command::Drain(args) => verbs::hosts::drain(args, true).await,
        Command::Undrain(args) => verbs::hosts::drain(args, false).await,
        Command::Kinds(args) => verbs::kinds::run(args).await,
        Command::Alerts(args) => verbs::alerts::run(args).await,
        Command::Token(args) => verbs::token::run(args).await,
        Command::User(args) => verbs::user::run(args).await,
        Command::Open(args) => verbs::open::run(args).await,
        Command::Context(args) => verbs::context::run(args).await,
        Command::Completion(args) => verbs::completion::run(args),
        #[cfg(unix)]
        Command::Agent(args) => verbs::agent::run(args).await,
    }
}
