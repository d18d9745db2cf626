//! `signalbox hosts`, `drain` and `undrain`

use crate::complete;
use crate::errors::{advised, unsure};
use crate::exit::{Exit, usage};
use crate::listing::{self, Format};
use crate::output;
use crate::target::To;
use clap::Args;
use protocol::HostName;
use std::slice;

/// Arguments of `signalbox hosts`.
#[derive(Args)]
pub struct HostsArgs {
    #[command(flatten)]
    to: To,
}

/// Arguments of `signalbox drain` and `signalbox undrain`.
#[derive(Args)]
pub struct DrainArgs {
    /// Name of the host; `signalbox hosts` lists the names
    #[arg(add = complete::hosts())]
    host: String,
    #[command(flatten)]
    to: To,
}

/// Lists the hosts.
pub async fn run(args: HostsArgs) -> anyhow::Result<Exit> {
    let target = args.to.target().await?;
    let hosts = target.client.hosts().await.map_err(advised)?;
    target.print(&hosts.hosts, &hosts)?;
    Ok(Exit::Fine)
}

/// Drains a host, or ends that.
pub async fn drain(args: DrainArgs, drained: bool) -> anyhow::Result<Exit> {
    let target = args.to.target().await?;
    let host = HostName::new(args.host).map_err(usage)?;
    let status = target.client.drain(&host, drained).await.map_err(|error| {
        unsure(error, "The host may have been changed. `signalbox hosts` shows its status")
    })?;
    target.wrote_many().await?;
    match target.format {
        Format::Text if drained => {
            output::line(&format!("Host {host}. {}", display::hosts::drained(status.running)))?;
        }
        Format::Text => output::line(&format!("The host {host} gets new operations again."))?,
        other => listing::print(other, slice::from_ref(&status), &status)?,
    }
    Ok(Exit::Fine)
}
