//! `signalbox show`

use crate::complete::{Which, operations};
use crate::errors::advised;
use crate::exit::Exit;
use crate::listing::{self, Format};
use crate::target::To;
use crate::{id, output, text};
use clap::Args;
use protocol::Time;
use std::slice;

/// Arguments of `signalbox show`.
#[derive(Args)]
pub struct ShowArgs {
    #[arg(help = crate::id::ID_HELP, add = operations(Which::Any))]
    id: String,
    #[command(flatten)]
    to: To,
}

/// Prints all details of one operation.
pub async fn run(args: ShowArgs) -> anyhow::Result<Exit> {
    let target = args.to.target().await?;
    let id = id::id_of(&target, &args.id).await?;
    let detail = target.client.operation(id).await.map_err(advised)?;
    match target.format {
        Format::Json | Format::Jsonl => output::json(&target.json_of(&detail))?,
        Format::Text => output::line(&text::detail(&detail, Time::now()))?,
        other => listing::print(other, slice::from_ref(&detail.operation), &detail)?,
    }
    target.note_age()?;
    target.remember(id)?;
    Ok(Exit::Fine)
}
