//! `signalbox follow`

use crate::complete::{Which, operations};
use crate::exit::Exit;
use crate::follow::{self, Followed, How};
use crate::interrupt::InterruptArgs;
use crate::listing::Format;
use crate::target::{Target, To};
use crate::{id, output, text};
use clap::Args;
use protocol::OperationId;

/// Arguments of `signalbox follow`.
#[derive(Args)]
pub struct FollowArgs {
    #[arg(help = crate::id::ID_HELP, add = operations(Which::Any))]
    id: String,
    /// Print the log: first the existing lines, then each new line
    #[arg(long)]
    log: bool,
    #[command(flatten)]
    interrupts: InterruptArgs,
    #[command(flatten)]
    to: To,
}

/// Follows an operation until it ends; exits accordingly.
pub async fn run(args: FollowArgs) -> anyhow::Result<Exit> {
    let target = args.to.target().await?;
    target.format.one_of(&[Format::Text, Format::Json, Format::Jsonl], "follow")?;
    let id = id::id_of(&target, &args.id).await?;
    target.remember(id)?;
    to_end(&target, id, args.log, args.interrupts).await
}

/// Follows an operation and prints its outcome.
pub async fn to_end(
    target: &Target,
    id: OperationId,
    log: bool,
    interrupts: InterruptArgs,
) -> anyhow::Result<Exit> {
    let json = target.format.is_json();
    let Followed::Ended(ended) = follow::follow(target, id, How { log, json, interrupts }).await? else {
        return Ok(Exit::Detached);
    };
    if !json {
        output::line(&text::ended(&ended))?;
    }
    Ok(Exit::of(ended.state))
}
