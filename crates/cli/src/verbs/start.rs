//! `signalbox start`

use super::{kinds, wait};
use crate::contexts::Contexts;
use crate::errors::{advised, sentence, unsure};
use crate::exit::{Exit, UsageError, usage};
use crate::follow::{self, Followed, How};
use crate::interrupt::InterruptArgs;
use crate::listing::{self, Format};
use crate::params::Given;
use crate::patience::{self, Patience};
use crate::target::To;
use crate::{complete, output, params, text};
use anyhow::anyhow;
use clap::Args;
use client::{Client, ClientError};
use protocol::api::{HostLink, HostStatus, KindList, StartOperation};
use protocol::{KindName, Operation};
use std::slice;
use std::time::Duration;

/// Arguments of `signalbox start`.
#[derive(Args)]
pub struct StartArgs {
    /// Kind of operation, such as data.load; `signalbox kinds` lists the kinds
    #[arg(add = complete::kinds())]
    kind: String,
    /// Parameters as name=value; omitted parameters take their defaults
    #[arg(value_name = "NAME=VALUE", add = complete::params())]
    params: Vec<String>,
    /// Read a parameter from a file, or from standard input with NAME=-; needed for secret parameters, because other
    /// users of this machine can read the arguments of a command. A line break at the end is removed
    #[arg(long = "param-file", value_name = "NAME=FILE")]
    param_files: Vec<String>,
    /// Priority in the queue, -100 to 100; operations with a higher priority start first
    #[arg(long, default_value_t = 0, allow_negative_numbers = true, value_parser = clap::value_parser!(i8).range(-100..=100))]
    priority: i8,
    /// Wait until the operation ends; the exit code indicates the outcome
    #[arg(long, short)]
    follow: bool,
    /// If the server is unreachable, wait for it. TIME is the maximum wait, such as 90s or 1h; default: 5m
    #[arg(
        long,
        value_name = "TIME",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "5m",
        value_parser = wait::duration
    )]
    wait_server: Option<Duration>,
    #[command(flatten)]
    interrupts: InterruptArgs,
    #[command(flatten)]
    to: To,
}

/// Starts an operation: its ID goes to standard output, everything else to standard error.
pub async fn run(args: StartArgs) -> anyhow::Result<Exit> {
    let target = args.to.target().await?;
    let client = &target.client;
    if args.kind == "help" {
        output::line(&text::kinds(&client.kinds().await.map_err(advised)?))?;
        return Ok(Exit::Fine);
    }
    let format = target.format;
    if args.follow {
        format.one_of(&[Format::Text, Format::Json, Format::Jsonl, Format::Name], "start --follow")?;
    }
    let from_files = params::from_files(&args.param_files)?;
    let is_read = |(name, _): &(String, String)| from_files.iter().any(|(read, _)| read == name);
    let defaults = target.params(&args.kind);
    let is_typed =
        |name: &str| args.params.iter().any(|pair| pair.split_once('=').is_some_and(|p| p.0 == name));
    let used: Vec<(String, String)> =
        defaults.iter().filter(|default| !is_read(default) && !is_typed(&default.0)).cloned().collect();
    let given = Given { typed: kinds::with_defaults(&args.params, used.clone()), from_files };
    let kind = KindName::new(args.kind).map_err(usage)?;
    let key = client::new_key();
    let request = async || requested(client, &kind, &given, args.priority, &key).await;
    let started = Patience::new(args.wait_server).send(request, NotStarted::awaited).await?;
    let operation = match started {
        Ok(operation) => operation,
        Err(refused) => {
            let names = refused.wrong_of(&kind, &used);
            let error = refused.advised(args.wait_server);
            return Err(match names.first() {
                Some(name) => {
                    let advice = default_advice(client.server(), kind.as_str(), &defaults, name);
                    let text = format!("{} {advice}", sentence(&format!("{error:#}")));
                    if error.is::<UsageError>() { UsageError(text).into() } else { anyhow!(text) }
                }
                None => error,
            });
        }
    };
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

/// Why an operation was not started.
enum NotStarted {
    Request(ClientError),
    /// No host with the kind has connected since the server started, but one may.
    NoHost(ClientError),
    /// The arguments are wrong, for these kinds.
    Arguments(anyhow::Error, KindList),
}

impl NotStarted {
    /// What the start waits for, if it does.
    fn awaited(&self) -> Option<String> {
        match self {
            NotStarted::Request(error) => patience::server(error),
            NotStarted::NoHost(_) => Some("no host that offers this kind is connected yet".to_owned()),
            NotStarted::Arguments(..) => None,
        }
    }

    /// Default parameters, as name and value, that are a cause of the error.
    fn wrong_of<'a>(&self, kind: &KindName, defaults: &'a [(String, String)]) -> Vec<&'a str> {
        let is_wrong = |(name, value): &&(String, String)| match self {
            NotStarted::Arguments(error, kinds) => {
                let alone = Given { typed: vec![format!("{name}={value}")], from_files: Vec::new() };
                let wrong = params::read(kinds, kind.as_str(), &alone).err();
                wrong.is_some_and(|wrong| wrong.to_string() == error.to_string())
            }
            NotStarted::Request(ClientError::Problem(problem)) => {
                problem.fields.iter().any(|field| field.field == *name)
            }
            NotStarted::Request(_) | NotStarted::NoHost(_) => false,
        };
        defaults.iter().filter(is_wrong).map(|(name, _)| name.as_str()).collect()
    }

    /// Error with what happened to the operation, and what can be done; `waited` is how long the command waited.
    fn advised(self, waited: Option<Duration>) -> anyhow::Error {
        let waited = waited.map(|waited| text::rounded(waited.as_secs_f64()));
        match (self, waited) {
            (NotStarted::Request(error @ ClientError::Unreachable { .. }), Some(waited)) => anyhow!(
                "{error}, although the command waited {waited} for it. Nothing was started. Start a server with \
                 `signalbox serve`, set the address of a running server with --server URL, or wait longer with \
                 --wait-server=TIME"
            ),
            (NotStarted::NoHost(error), Some(waited)) => {
                anyhow!("{} The command waited {waited} for a host that offers this kind", sentence(&error))
            }
            (refused, _) => refused.advised_at_once(),
        }
    }

    /// Same, for a command that does not wait.
    fn advised_at_once(self) -> anyhow::Error {
        match self {
            NotStarted::Request(error @ ClientError::Unreachable { .. }) => anyhow!(
                "{error}. Nothing was started. Start a server with `signalbox serve`, set the address of a running \
                 server with --server URL, or wait for the server with --wait-server"
            ),
            NotStarted::Request(error) | NotStarted::NoHost(error) => {
                unsure(error, "The operation may have been started. If so, `signalbox list` shows it")
            }
            NotStarted::Arguments(error, _) => error,
        }
    }
}

/// Where a default parameter comes from, and how it is removed.
fn default_advice(server: &str, kind: &str, defaults: &[(String, String)], name: &str) -> String {
    let contexts = Contexts::load().unwrap_or_default();
    let remove = format!("`signalbox context params {kind} {name}=`");
    match contexts.named_like(server, kind, defaults) {
        Some(context) if contexts.current.as_deref() == Some(context) => {
            format!("'{name}' comes from the context {context}; remove it with {remove}")
        }
        Some(context) => format!(
            "'{name}' comes from the context {context}; remove it with `signalbox context use {context}`, then {remove}"
        ),
        None => format!("'{name}' comes from the context; remove it with {remove}"),
    }
}

/// Starts the operation with parameters of the types that its kind declares.
async fn requested(
    client: &Client,
    kind: &KindName,
    given: &Given,
    priority: i8,
    key: &str,
) -> Result<Operation, NotStarted> {
    let offers = client.kinds().await.map_err(NotStarted::Request)?;
    let params = match params::read(&offers, kind.as_str(), given) {
        Ok(params) => params,
        Err(error) => return Err(NotStarted::Arguments(error, offers)),
    };
    let request = StartOperation { kind: kind.clone(), params, priority };
    let error = match client.start_keyed(&request, key).await {
        Ok(operation) => return Ok(operation),
        Err(error) => error,
    };
    let is_offered = offers.kinds.iter().any(|offer| offer.spec.name == *kind);
    let is_unknown = matches!(&error, ClientError::Problem(_)) && !is_offered;
    let connecting = |host: &HostStatus| host.link == HostLink::Connecting;
    match is_unknown && client.hosts().await.is_ok_and(|hosts| hosts.hosts.iter().any(connecting)) {
        true => Err(NotStarted::NoHost(error)),
        false => Err(NotStarted::Request(error)),
    }
}
