//! `signalbox cancel`

use super::{follow, wait};
use crate::complete::{Which, operations};
use crate::errors::unsure;
use crate::exit::Exit;
use crate::interrupt::{InterruptArgs, OnInterrupt};
use crate::listing::{self, Format};
use crate::target::{Target, To};
use crate::{id, output, text};
use anyhow::bail;
use clap::Args;
use protocol::OperationId;
use protocol::api::{CancelMany, CancelOperation};
use std::slice;

/// Arguments of `signalbox cancel`.
#[derive(Args)]
pub struct CancelArgs {
    #[arg(required = true, value_name = "ID", help = crate::id::IDS_HELP, add = operations(Which::Active))]
    ids: Vec<String>,
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
    let ids = id::ids_of(&target, &args.ids).await?;
    match ids[..] {
        [id] => cancel_one(&target, id, args.reason, args.follow).await,
        _ => cancel_many(&target, ids, args.reason, args.follow).await,
    }
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

async fn cancel_many(
    target: &Target,
    ids: Vec<OperationId>,
    reason: String,
    follow: bool,
) -> anyhow::Result<Exit> {
    let format = target.format.one_of(&[Format::Text, Format::Json, Format::Name], "cancel ID ID ...")?;
    let request = CancelMany { ids: Some(ids), filter: None, reason };
    let outcome = target.client.cancel_many(&request).await.map_err(|error| {
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
