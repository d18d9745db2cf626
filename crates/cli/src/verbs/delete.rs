//! `signalbox delete`

use crate::complete::{Which, operations};
use crate::errors::{advised, unsure};
use crate::exit::Exit;
use crate::listing::{self, Format};
use crate::target::To;
use crate::{id, output};
use anyhow::bail;
use clap::Args;
use client::{Client, ClientError};
use protocol::api::{DeleteMany, Deleted};
use protocol::{OperationId, ProblemType};

/// Operations that are looked up one by one, to tell which of them do not exist.
const MAX_LOOKED_UP: usize = 20;

/// Arguments of `signalbox delete`.
#[derive(Args)]
pub struct DeleteArgs {
    #[arg(required = true, value_name = "ID", help = crate::id::IDS_HELP, add = operations(Which::Ended))]
    ids: Vec<String>,
    /// Delete without a confirmation; required if standard input is not a terminal
    #[arg(long, short)]
    yes: bool,
    /// Only print what would be deleted
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    to: To,
}

/// Deletes ended operations with all of their data, after a confirmation.
pub async fn run(args: DeleteArgs) -> anyhow::Result<Exit> {
    let target = args.to.target().await?;
    let format = target.format.one_of(&[Format::Text, Format::Json], "delete")?;
    let ids = id::ids_of(&target, &args.ids).await?;
    let mut request = DeleteMany { ids: Some(ids.clone()), dry_run: true, ..DeleteMany::default() };
    if !args.yes || args.dry_run {
        let preview = target.client.delete_many(&request).await.map_err(advised)?;
        if args.dry_run {
            match format {
                Format::Json => output::json(&listing::json_of(&preview))?,
                _ => output::line(&explained(&target.client, &ids, preview).await.join("\n"))?,
            }
            return Ok(Exit::Fine);
        }
        output::note(&explained(&target.client, &ids, preview).await.join("\n"))?;
        if preview.deleted == 0 {
            bail!("nothing was deleted");
        }
        if !output::confirmed("delete")? {
            bail!("nothing was deleted");
        }
        // Only what was shown.
        request.until = preview.until;
    }
    request.dry_run = false;
    let outcome = target.client.delete_many(&request).await.map_err(|error| {
        unsure(error, "The operations may have been deleted. `signalbox list` lists the remaining operations")
    })?;
    target.wrote_many().await?;
    match format {
        Format::Json => output::json(&listing::json_of(&outcome))?,
        _ if outcome.deleted == 0 => {}
        _ => {
            output::line(&display::confirm::deleted_many(outcome).map(|(text, _)| text).unwrap_or_default())?
        }
    }
    if outcome.deleted == 0 {
        bail!("nothing was deleted: {}", explained(&target.client, &ids, outcome).await.join(" "));
    }
    Ok(Exit::Fine)
}

/// What is deleted, and why the other operations are skipped.
async fn explained(client: &Client, ids: &[OperationId], outcome: Deleted) -> Vec<String> {
    let mut missing = Vec::new();
    if outcome.refused > 0 && ids.len() <= MAX_LOOKED_UP {
        for id in ids {
            if matches!(client.operation(*id).await, Err(ClientError::Problem(p)) if p.kind == ProblemType::NotFound)
            {
                missing.push(*id);
            }
        }
    }
    let refused = outcome.refused.saturating_sub(missing.len() as u64);
    let mut lines = match outcome.deleted + refused {
        0 if !missing.is_empty() => Vec::new(),
        _ => display::confirm::delete_many(Deleted { refused, ..outcome }),
    };
    lines
        .extend(missing.iter().map(|id| format!("Operation {id} does not exist. It may have been deleted.")));
    lines
}
