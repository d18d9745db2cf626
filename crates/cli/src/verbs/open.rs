//! `signalbox open`

use crate::complete::{Which, operations};
use crate::exit::Exit;
use crate::target::To;
use crate::{id, output};
use anyhow::{Context, bail};
use clap::Args;
use std::process::{Command, Stdio};

/// Arguments of `signalbox open`.
#[derive(Args)]
pub struct OpenArgs {
    /// Operation ID, or a unique prefix of it with at least 4 characters. @last is the operation of your previous
    /// command. @1, @2, ... are the rows of your last `signalbox list`. Without an ID, the overview opens
    #[arg(add = operations(Which::Any))]
    id: Option<String>,
    /// Only print the URL
    #[arg(long)]
    print: bool,
    #[command(flatten)]
    to: To,
}

/// Opens a page in the browser.
pub async fn run(args: OpenArgs) -> anyhow::Result<Exit> {
    let target = args.to.target().await?;
    let url = match &args.id {
        Some(given) => {
            let id = id::id_of(&target, given).await?;
            target.remember(id)?;
            target.client.page_of(id)
        }
        None => target.client.server().to_owned(),
    };
    output::line(&url)?;
    if args.print {
        return Ok(Exit::Fine);
    }
    let mut command = match std::env::var_os("BROWSER").filter(|browser| !browser.is_empty()) {
        Some(browser) => Command::new(browser),
        None if cfg!(target_os = "macos") => Command::new("open"),
        None if cfg!(windows) => Command::new("explorer"),
        None => Command::new("xdg-open"),
    };
    let quiet = command.arg(&url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let status = quiet
        .status()
        .context("no browser can be started (open the URL yourself, or set BROWSER to your browser)")?;
    // explorer reports 1 also after success.
    if !status.success() && !cfg!(windows) {
        bail!(
            "the browser could not open the URL ({status}). Open it yourself, or set BROWSER to your browser"
        );
    }
    Ok(Exit::Fine)
}
