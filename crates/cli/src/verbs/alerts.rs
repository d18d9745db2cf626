//! `signalbox alerts`

use crate::errors::{advised, unsure};
use crate::exit::{Exit, bail_usage, usage};
use crate::listing::{self, Format};
use crate::output;
use crate::target::To;
use crate::verbs::wait::duration;
use clap::{Args, Subcommand};
use protocol::alerts::NewSilence;
use protocol::{HostName, KindName, Time};
use std::slice;
use std::time::Duration;

/// Arguments of `signalbox alerts`.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct AlertsArgs {
    #[command(subcommand)]
    command: Option<AlertsCommand>,
    /// List resolved alerts instead of current alerts, newest first
    #[arg(long)]
    recent: bool,
    #[command(flatten)]
    to: To,
}

#[derive(Subcommand)]
enum AlertsCommand {
    /// List the rules.
    Rules(ListArgs),
    /// List notifications and their delivery status.
    Deliveries(ListArgs),
    /// List the silences.
    Silences(ListArgs),
    /// Mute the notifications of matching alerts, and print the ID of the silence.
    Silence(SilenceArgs),
    /// End a silence.
    Unsilence(UnsilenceArgs),
}

#[derive(Args)]
struct ListArgs {
    #[command(flatten)]
    to: To,
}

#[derive(Args)]
struct SilenceArgs {
    /// Only alerts of this rule
    #[arg(long)]
    rule: Option<String>,
    /// Only alerts about this host
    #[arg(long)]
    host: Option<String>,
    /// Only alerts about this kind
    #[arg(long)]
    kind: Option<String>,
    /// Duration of the silence, such as 90s, 30m or 2h
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    length: Duration,
    /// Reason for the silence
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    to: To,
}

#[derive(Args)]
struct UnsilenceArgs {
    /// ID of the silence; `signalbox alerts silences` lists the IDs
    id: String,
    #[command(flatten)]
    to: To,
}

/// Lists alerts, or runs a command about them.
pub async fn run(args: AlertsArgs) -> anyhow::Result<Exit> {
    match args.command {
        None => list(&args.to, args.recent).await,
        Some(AlertsCommand::Rules(args)) => {
            let target = args.to.target().await?;
            let rules = target.client.alert_rules().await.map_err(advised)?;
            target.print(&rules.rules, &rules)?;
            Ok(Exit::Fine)
        }
        Some(AlertsCommand::Deliveries(args)) => {
            let target = args.to.target().await?;
            let list = target.client.alerts().await.map_err(advised)?;
            target.print(&list.deliveries, &list.deliveries)?;
            Ok(Exit::Fine)
        }
        Some(AlertsCommand::Silences(args)) => {
            let target = args.to.target().await?;
            let list = target.client.alerts().await.map_err(advised)?;
            target.print(&list.silences, &list.silences)?;
            Ok(Exit::Fine)
        }
        Some(AlertsCommand::Silence(args)) => silence(args).await,
        Some(AlertsCommand::Unsilence(args)) => {
            let target = args.to.target().await?;
            // The ID is a part of the path.
            if !args.id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
                bail_usage!(
                    "'{}' is not the ID of a silence. `signalbox alerts silences` lists the IDs",
                    args.id
                );
            }
            let ended = target.client.end_silence(&args.id).await;
            ended.map_err(|error| {
                unsure(
                    error,
                    "The silence may have ended. `signalbox alerts silences` lists the current silences",
                )
            })?;
            output::line("Silence ended.")?;
            Ok(Exit::Fine)
        }
    }
}

async fn list(to: &To, recent: bool) -> anyhow::Result<Exit> {
    let target = to.target().await?;
    let list = target.client.alerts().await.map_err(advised)?;
    target.print(if recent { &list.recent } else { &list.alerts }, &list)?;
    Ok(Exit::Fine)
}

async fn silence(args: SilenceArgs) -> anyhow::Result<Exit> {
    let target = args.to.target().await?;
    let micros = i64::try_from(args.length.as_micros()).unwrap_or(i64::MAX);
    let new = NewSilence {
        rule: args.rule,
        host: args.host.map(HostName::new).transpose().map_err(usage)?,
        kind: args.kind.map(KindName::new).transpose().map_err(usage)?,
        reason: args.reason,
        until: Time::now().plus_micros(micros),
    };
    let silence = target.client.silence_alerts(&new).await.map_err(|error| {
        unsure(
            error,
            "The alerts may have been silenced. `signalbox alerts silences` lists the current silences",
        )
    })?;
    match target.format {
        Format::Text => output::line(&silence.id)?,
        other => listing::print(other, slice::from_ref(&silence), &silence)?,
    }
    Ok(Exit::Fine)
}
