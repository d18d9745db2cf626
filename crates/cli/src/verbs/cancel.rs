//! `signalbox cancel`

use super::list::Filters;
use super::{follow, wait};
use crate::complete::{Which, operations};
use crate::errors::{advised, unsure};
use crate::exit::{Exit, UsageError};
use crate::interrupt::{InterruptArgs, OnInterrupt};
use crate::listing::{self, Format};
use crate::target::{Target, To};
use crate::{id, output, text};
use anyhow::bail;
use clap::Args;
use client::OperationQuery;
use protocol::OperationId;
use protocol::api::{CancelMany, CancelOperation};
use std::slice;

/// Arguments of `signalbox cancel`.
#[derive(Args)]
pub struct CancelArgs {
    #[arg(value_name = "ID", help = crate::id::IDS_HELP, add = operations(Which::Active))]
    ids: Vec<String>,
    #[command(flatten)]
    filters: Filters,
    /// Cancel all matching operations without a confirmation; required with filters if standard input is not a terminal
    #[arg(long, short)]
    yes: bool,
    /// Reason, stored with the cancellation
    #[arg(long, default_value = "", hide_default_value = true)]
    reason: String,
    /// Wait until the operations end; exit codes: 1 if one failed, otherwise 2 if one was cancelled, otherwise 0
    #[arg(long, short)]
    follow: bool,
    #[command(flatten)]
    to: To,
}

/// Cancels operations.
pub async fn run(args: CancelArgs) -> anyhow::Result<Exit> {
    let target = args.to.target().await?;
    let query = args.filters.query(&target).await?;
    match (args.ids.is_empty(), query.filter().is_empty()) {
        (true, true) => {
            return Err(usage(
                "name the operations to cancel, or select them with --kind, --state or other filters",
            ));
        }
        (false, false) => return Err(usage("IDs and filters can't be used together. Use only one of them")),
        (true, false) => return cancel_matching(&target, &query, args.reason, args.follow, args.yes).await,
        (false, true) => {}
    }
    let ids = id::ids_of(&target, &args.ids).await?;
    match ids[..] {
        [id] => cancel_one(&target, id, args.reason, args.follow).await,
        _ => {
            let request = CancelMany { ids: Some(ids), filter: None, reason: args.reason };
            cancel_many(&target, &request, args.follow).await
        }
    }
}

fn usage(text: &str) -> anyhow::Error {
    UsageError(text.to_owned()).into()
}

/// Cancels all active operations that match, after a confirmation.
async fn cancel_matching(
    target: &Target,
    query: &OperationQuery,
    reason: String,
    follow: bool,
    yes: bool,
) -> anyhow::Result<Exit> {
    let counts = target.client.counts(query).await.map_err(advised)?.counts;
    let active: u64 = counts.iter().filter(|one| !one.state.ended()).map(|one| one.count).sum();
    if active == 0 {
        bail!("no active operation matches. `signalbox list` with the same filters lists those that ended");
    }
    if !yes {
        let operations = display::format::counted(active, "active operation", "active operations");
        output::note(&format!("This cancels {operations}."))?;
        if !output::confirmed("cancel")? {
            bail!("nothing was cancelled");
        }
    }
    let request = CancelMany { ids: None, filter: Some(query.filter()), reason };
    cancel_many(target, &request, follow).await
}

async fn cancel_one(target: &Target, id: OperationId, reason: String, follow: bool) -> anyhow::Result<Exit> {
    if follow {
        target.format.one_of(&[Format::Text, Format::Json, Format::Jsonl], "cancel --follow")?;
    }
    let operation = target.client.cancel(id, &CancelOperation { reason }).await.map_err(|error| {
        unsure(
            error,
            &format!("The operation may have been cancelled. `signalbox show {id}` shows its state"),
        )
    })?;
    target.wrote(id, operation.seq)?;
    if follow {
        // It is cancelled already.
        let interrupts = InterruptArgs { on_interrupt: Some(OnInterrupt::Detach) };
        return follow::to_end(target, id, false, interrupts).await;
    }
    match target.format {
        Format::Text => output::line(&text::cancel(&operation))?,
        Format::Json | Format::Jsonl => output::json(&listing::json_of(&operation))?,
        other => listing::print(other, slice::from_ref(&operation), &operation)?,
    }
    Ok(Exit::Fine)
}

async fn cancel_many(target: &Target, request: &CancelMany, follow: bool) -> anyhow::Result<Exit> {
    let format = target.format.one_of(&[Format::Text, Format::Json, Format::Name], "cancel ID ID ...")?;
    let outcome = target.client.cancel_many(request).await.map_err(|error| {
        unsure(error, "Some operations may have been cancelled. `signalbox list` shows their states")
    })?;
    target.wrote_many().await?;
    match format {
        Format::Json => output::json(&listing::json_of(&outcome))?,
        Format::Name => outcome.requested.iter().try_for_each(|id| output::line(&id.to_string()))?,
        _ => {
            let requested = u32::try_from(outcome.requested.len()).unwrap_or(u32::MAX);
            output::line(
                &display::confirm::requested_many("Cancel requested for", requested, &outcome.refused).0,
            )?;
        }
    }
    if follow && !outcome.requested.is_empty() {
        return wait::all(target, &outcome.requested).await;
    }
    if outcome.requested.is_empty() {
        bail!("no operation was cancelled");
    }
    Ok(Exit::Fine)
}
