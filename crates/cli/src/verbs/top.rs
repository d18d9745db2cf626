//! `signalbox top`

use crate::exit::Exit;
use crate::target::To;
use crate::top;
use clap::Args;

/// Arguments of `signalbox top`.
#[derive(Args)]
pub struct TopArgs {
    #[command(flatten)]
    to: To,
}

/// Shows operations and hosts until the user leaves the view.
pub async fn run(args: TopArgs) -> anyhow::Result<Exit> {
    top::run(&args.to.target().await?).await
}
