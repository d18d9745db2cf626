//! `signalbox retry`, `resume` and `abandon`

use super::follow;
use crate::complete::{Which, operations};
use crate::errors::unsure;
use crate::exit::Exit;
use crate::interrupt::InterruptArgs;
use crate::listing::{self, Format};
use crate::target::{Target, To};
use crate::{id, output, text};
use clap::Args;
use client::ClientError;
use protocol::Operation;
use std::slice;

/// Arguments of `signalbox retry` and `signalbox resume`.
#[derive(Args)]
pub struct AttemptArgs {
    #[arg(help = crate::id::ID_HELP, add = operations(Which::Unsuccessful))]
    id: String,
    /// Wait until the operation ends; the exit code indicates the outcome
    #[arg(long, short)]
    follow: bool,
    #[command(flatten)]
    interrupts: InterruptArgs,
    #[command(flatten)]
    to: To,
}

/// Arguments of `signalbox abandon`.
#[derive(Args)]
pub struct AbandonArgs {
    #[arg(help = crate::id::ID_HELP, add = operations(Which::Active))]
    id: String,
    /// Reason, stored with the failure
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
    #[command(flatten)]
    to: To,
}

/// Starts another attempt from the beginning.
pub async fn retry(args: AttemptArgs) -> anyhow::Result<Exit> {
    let target = args.to.target().await?;
    let id = id::id_of(&target, &args.id).await?;
    let operation = target.client.retry(id).await;
    report(&target, operation, "Retrying", args.follow.then_some(args.interrupts)).await
}

/// Starts another attempt from the last checkpoint.
pub async fn resume(args: AttemptArgs) -> anyhow::Result<Exit> {
    let target = args.to.target().await?;
    let id = id::id_of(&target, &args.id).await?;
    let operation = target.client.resume(id).await;
    report(&target, operation, "Resuming", args.follow.then_some(args.interrupts)).await
}

/// Gives up an operation whose host is unreachable.
pub async fn abandon(args: AbandonArgs) -> anyhow::Result<Exit> {
    let target = args.to.target().await?;
    let id = id::id_of(&target, &args.id).await?;
    let operation = target.client.abandon(id, &args.reason).await;
    report(&target, operation, "Abandoned", None).await
}

async fn report(
    target: &Target,
    operation: Result<Operation, ClientError>,
    what: &str,
    follow: Option<InterruptArgs>,
) -> anyhow::Result<Exit> {
    if follow.is_some() {
        let command = if what == "Resuming" { "resume --follow" } else { "retry --follow" };
        target.format.one_of(&[Format::Text, Format::Json, Format::Jsonl], command)?;
    }
    let operation = operation.map_err(|error| {
        unsure(
            error,
            "The request may have been carried out. `signalbox show ID` shows the state and the attempt",
        )
    })?;
    target.wrote(operation.id, operation.seq)?;
    if let Some(interrupts) = follow {
        return follow::to_end(target, operation.id, false, interrupts).await;
    }
    match target.format {
        Format::Text => {
            let attempt = match what {
                "Abandoned" => String::new(),
                _ => format!(", attempt {}", operation.attempt),
            };
            output::line(&format!(
                "{what}: {} {}{attempt}",
                operation.kind,
                text::one_row(&operation.title)
            ))?;
        }
        Format::Json | Format::Jsonl => output::json(&listing::json_of(&operation))?,
        other => listing::print(other, slice::from_ref(&operation), &operation)?,
    }
    Ok(Exit::Fine)
}
