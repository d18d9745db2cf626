//! Command line: starts, lists, shows, follows and cancels operations of a running server, with the same API as the
//! page.
//!
//! Knows: arguments, exit codes, and what is printed where. Must not know: HTTP, the engine, the store, the page. The
//! program `signalbox` calls one function for each command.

mod follow;
mod id;
pub mod output;
mod params;
mod printer;
mod terminal;
mod text;

use anyhow::anyhow;
use clap::Args;
use client::{Client, ClientConfig, ClientError, OperationQuery};
use protocol::api::{CancelOperation, StartOperation};
use protocol::{KindName, OperationId, State};
use std::process::ExitCode;

/// Outcome for the shell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// 0: done, or the operation succeeded.
    Fine,
    /// 1: the operation failed.
    Failed,
    /// 2: the operation was cancelled.
    Cancelled,
}

impl Exit {
    /// Outcome of an operation; fine while it has not ended.
    fn of(state: State) -> Self {
        match state {
            State::Failed => Exit::Failed,
            State::Cancelled => Exit::Cancelled,
            _ => Exit::Fine,
        }
    }

    pub fn code(self) -> ExitCode {
        ExitCode::from(match self {
            Exit::Fine => 0,
            Exit::Failed => 1,
            Exit::Cancelled => 2,
        })
    }
}

/// 3: the server was unreachable or rejected the request, or the output could not be written.
pub const TROUBLE: u8 = 3;
/// 64: invalid arguments.
pub const USAGE: u8 = 64;

/// Server, and form of the output.
#[derive(Args)]
pub struct To {
    /// URL of the server
    #[arg(long, env = "SIGNALBOX_SERVER_URL", default_value = "http://127.0.0.1:7200", value_name = "URL")]
    server: String,
    /// Token that the server was started with, if any
    #[arg(long, env = "SIGNALBOX_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl To {
    fn client(&self) -> anyhow::Result<Client> {
        Ok(Client::new(ClientConfig { server: self.server.clone(), token: self.token.clone() })?)
    }
}

/// Error of a request with what the command line can do about it.
fn advised(error: ClientError) -> anyhow::Error {
    match error {
        ClientError::Unreachable { .. } => {
            anyhow!("{error}. Start one with `signalbox serve`, or set its address with --server URL")
        }
        ClientError::Decode { .. } => anyhow!(
            "{error}. Check the address (--server URL); a proxy or a login page on the way may have answered instead"
        ),
        error => error.into(),
    }
}

/// Error of a request that changes something, with what may have happened all the same.
fn unsure(error: ClientError, outcome: &str) -> anyhow::Error {
    if error.outcome_unknown() { anyhow!("{error}. {outcome}") } else { advised(error) }
}

/// Arguments of `signalbox start`.
#[derive(Args)]
pub struct StartArgs {
    /// Kind of operation, such as data.load; `signalbox start help` lists all kinds
    kind: String,
    /// Parameters as name=value; omitted ones take their defaults
    #[arg(value_name = "NAME=VALUE")]
    params: Vec<String>,
    /// Priority in the queue, -100 to 100; higher ones start first
    #[arg(long, default_value_t = 0, allow_negative_numbers = true, value_parser = clap::value_parser!(i8).range(-100..=100))]
    priority: i8,
    /// Wait until it ends; the exit code tells the outcome
    #[arg(long, short)]
    follow: bool,
    #[command(flatten)]
    to: To,
}

/// Arguments of `signalbox list`.
#[derive(Args)]
pub struct ListArgs {
    /// Only these states, comma-separated: queued, running, failed, ...
    #[arg(long)]
    state: Option<String>,
    /// Only these kinds, comma-separated
    #[arg(long)]
    kind: Option<String>,
    /// Only these hosts, comma-separated
    #[arg(long)]
    host: Option<String>,
    /// Only operations with all of these words in their title, kind, host, ID or tags, or in such a state
    #[arg(short = 'q', long = "query", value_name = "TEXT")]
    q: Option<String>,
    /// Maximum number of results, 1 to 500
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
    /// Cursor of the next page, printed by the previous one
    #[arg(long)]
    after: Option<String>,
    #[command(flatten)]
    to: To,
}

/// Arguments of `signalbox show`.
#[derive(Args)]
pub struct ShowArgs {
    /// Operation ID, or its first 4 characters or more
    id: String,
    #[command(flatten)]
    to: To,
}

/// Arguments of `signalbox follow`.
#[derive(Args)]
pub struct FollowArgs {
    /// Operation ID, or its first 4 characters or more
    id: String,
    /// Print the log: existing lines, then new ones as they are written
    #[arg(long)]
    log: bool,
    #[command(flatten)]
    to: To,
}

/// Arguments of `signalbox cancel`.
#[derive(Args)]
pub struct CancelArgs {
    /// Operation ID, or its first 4 characters or more
    id: String,
    /// Reason, stored with the cancellation
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
    /// Wait until it ends; the exit code is 2 once the host has confirmed that the work stopped
    #[arg(long, short)]
    follow: bool,
    #[command(flatten)]
    to: To,
}

/// Starts an operation: its ID goes to standard output, everything else to standard error.
pub async fn start(args: StartArgs) -> anyhow::Result<Exit> {
    let client = args.to.client()?;
    let kinds = client.kinds().await.map_err(advised)?;
    if args.kind == "help" {
        output::line(&text::kinds(&kinds))?;
        return Ok(Exit::Fine);
    }
    let params = params::read(&kinds, &args.kind, &args.params)?;
    let request = StartOperation { kind: KindName::new(args.kind)?, params, priority: args.priority };
    let operation = client.start(&request).await.map_err(|error| {
        unsure(error, "The operation may have been started: `signalbox list` shows it if so")
    })?;
    if args.to.json && !args.follow {
        output::json(&serde_json::to_string(&operation)?)?;
        return Ok(Exit::Fine);
    }
    if !args.to.json {
        // It was started, which is reported even if the output fails.
        let written = output::line(&operation.id.to_string());
        output::note(&format!(
            "Started {} {}: {}",
            operation.kind,
            text::one_row(&operation.title),
            client.page_of(operation.id)
        ))?;
        written?;
    }
    if !args.follow {
        return Ok(Exit::Fine);
    }
    let ended = follow::follow(&client, operation.id, false, args.to.json).await?;
    if !args.to.json {
        output::note(&text::ended(&ended))?;
    }
    Ok(Exit::of(ended.state))
}

/// Prints a table of operations, newest first.
pub async fn list(args: ListArgs) -> anyhow::Result<Exit> {
    let client = args.to.client()?;
    let query = OperationQuery {
        state: args.state,
        kind: args.kind,
        host: args.host,
        words: args.q,
        after: args.after,
        limit: args.limit,
    };
    let page = client.operations(&query).await.map_err(advised)?;
    if args.to.json {
        output::json(&serde_json::to_string(&page)?)?;
        return Ok(Exit::Fine);
    }
    output::line(&text::table(&page.operations, protocol::Time::now()))?;
    if let Some(next) = page.next {
        output::note(&format!("More results: repeat with --after {next}"))?;
    }
    Ok(Exit::Fine)
}

/// Prints all details of one operation.
pub async fn show(args: ShowArgs) -> anyhow::Result<Exit> {
    let client = args.to.client()?;
    let id = id::id_of(&client, &args.id).await?;
    let detail = client.operation(id).await.map_err(advised)?;
    if args.to.json {
        output::json(&serde_json::to_string(&detail)?)?;
    } else {
        output::line(&text::detail(&detail, protocol::Time::now()))?;
    }
    Ok(Exit::Fine)
}

/// Follows an operation until it ends; exits accordingly.
pub async fn follow(args: FollowArgs) -> anyhow::Result<Exit> {
    let client = args.to.client()?;
    let id = id::id_of(&client, &args.id).await?;
    follow_to_end(&client, id, args.log, args.to.json).await
}

async fn follow_to_end(client: &Client, id: OperationId, log: bool, json: bool) -> anyhow::Result<Exit> {
    let ended = follow::follow(client, id, log, json).await?;
    if !json {
        output::line(&text::ended(&ended))?;
    }
    Ok(Exit::of(ended.state))
}

/// Cancels an operation.
pub async fn cancel(args: CancelArgs) -> anyhow::Result<Exit> {
    let client = args.to.client()?;
    let id = id::id_of(&client, &args.id).await?;
    let request = CancelOperation { reason: args.reason };
    let operation = client.cancel(id, &request).await.map_err(|error| {
        unsure(error, &format!("The operation may have been cancelled: see `signalbox show {id}`"))
    })?;
    if args.follow {
        return follow_to_end(&client, id, false, args.to.json).await;
    }
    if args.to.json {
        output::json(&serde_json::to_string(&operation)?)?;
    } else {
        output::line(&text::cancel(&operation))?;
    }
    Ok(Exit::Fine)
}
