//! `signalbox start`

use super::kinds;
use crate::errors::{advised, unsure};
use crate::exit::Exit;
use crate::follow::{self, Followed, How};
use crate::interrupt::InterruptArgs;
use crate::listing::{self, Format};
use crate::target::To;
use crate::{complete, output, params, text};
use clap::Args;
use protocol::KindName;
use protocol::api::StartOperation;
use std::slice;

/// Arguments of `signalbox start`.
#[derive(Args)]
pub struct StartArgs {
    /// Kind of operation, such as data.load; `signalbox kinds` lists them
    #[arg(add = complete::kinds())]
    kind: String,
    /// Parameters as name=value; omitted ones take their defaults
    #[arg(value_name = "NAME=VALUE", add = complete::params())]
    params: Vec<String>,
    /// Priority in the queue, -100 to 100; higher ones start first
    #[arg(long, default_value_t = 0, allow_negative_numbers = true, value_parser = clap::value_parser!(i8).range(-100..=100))]
    priority: i8,
    /// Wait until it ends; the exit code tells the outcome
    #[arg(long, short)]
    follow: bool,
    #[command(flatten)]
    interrupts: InterruptArgs,
    #[command(flatten)]
    to: To,
}

/// Starts an operation: its ID goes to standard output, everything else to standard error.
pub async fn run(args: StartArgs) -> anyhow::Result<Exit> {
    let target = args.to.target().await?;
    let client = &target.client;
    let offers = client.kinds().await.map_err(advised)?;
    if args.kind == "help" {
        output::line(&text::kinds(&offers))?;
        return Ok(Exit::Fine);
    }
    let format = target.format;
    if args.follow {
        format.one_of(&[Format::Text, Format::Json, Format::Jsonl, Format::Name], "start --follow")?;
    }
    let given = kinds::with_defaults(&args.params, target.params(&args.kind));
    let params = params::read(&offers, &args.kind, &given)?;
    let request = StartOperation { kind: KindName::new(args.kind)?, params, priority: args.priority };
    let operation = client.start(&request).await.map_err(|error| {
        unsure(error, "The operation may have been started: `signalbox list` shows it if so")
    })?;
    if format.is_json() {
        target.wrote(operation.id, operation.seq)?;
        if !args.follow {
            output::json(&listing::json_of(&operation))?;
            return Ok(Exit::Fine);
        }
    } else if format == Format::Csv {
        target.wrote(operation.id, operation.seq)?;
        listing::print(format, slice::from_ref(&operation), &operation)?;
        return Ok(Exit::Fine);
    } else {
        // It was started, which is reported even if the output fails.
        let written = output::line(&operation.id.to_string());
        output::note(&format!(
            "Started {} {}: {}",
            operation.kind,
            text::one_row(&operation.title),
            client.page_of(operation.id)
        ))?;
        target.wrote(operation.id, operation.seq)?;
        written?;
    }
    if !args.follow {
        return Ok(Exit::Fine);
    }
    let how = How { log: false, json: format.is_json(), interrupts: args.interrupts };
    let Followed::Ended(ended) = follow::follow(&target, operation.id, how).await? else {
        return Ok(Exit::Detached);
    };
    if !format.is_json() {
        output::note(&text::ended(&ended))?;
    }
    Ok(Exit::of(ended.state))
}
