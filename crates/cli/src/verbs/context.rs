//! `signalbox context`

use crate::complete;
use crate::contexts::{self, Context, Contexts};
use crate::errors::sentence;
use crate::exit::{Exit, bail_usage};
use crate::listing::{self, Cell, Colour, Format, Listed};
use crate::output;
use crate::params::{self, Given};
use crate::target::To;
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use protocol::Time;
use protocol::api::KindList;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;

/// Time for the answer of the server that knows the kinds. The defaults are stored without it.
const KINDS_TIMEOUT: Duration = Duration::from_secs(2);

/// Arguments of `signalbox context`.
#[derive(Args)]
pub struct ContextArgs {
    #[command(subcommand)]
    command: ContextCommand,
}

#[derive(Subcommand)]
enum ContextCommand {
    /// Add a context, or replace the context with this name. The first context becomes the current context.
    Add(AddArgs),
    /// Set the current context.
    Use {
        /// Name of the context
        #[arg(add = contexts::completer())]
        name: String,
    },
    /// List the contexts. Tokens are never shown.
    List {
        /// Output format
        #[arg(long, short, value_name = "FORMAT", default_value = "text")]
        output: Format,
    },
    /// Remove a context.
    Remove {
        /// Name of the context
        #[arg(add = contexts::completer())]
        name: String,
    },
    /// Set default parameters of a kind in the current context. `NAME=` removes a default. Without parameters, the
    /// defaults are printed.
    Params {
        /// Kind of operation
        #[arg(add = complete::kinds())]
        kind: String,
        /// Parameters as name=value
        #[arg(value_name = "NAME=VALUE", add = complete::params())]
        params: Vec<String>,
    },
}

#[derive(Args)]
struct AddArgs {
    /// Name of the context
    name: String,
    /// URL of the server
    #[arg(long, value_name = "URL")]
    server: String,
    /// File with the token of the server; every command reads this file
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// PEM file with the CA of the server's certificate; default: the system's certificates
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Default output format in this context
    #[arg(long, short, value_name = "FORMAT")]
    output: Option<Format>,
}

/// Row of the listing.
#[derive(Serialize)]
struct Row {
    name: String,
    current: bool,
    server: String,
    token_file: Option<PathBuf>,
    output: Format,
    ca: Option<PathBuf>,
}

impl Listed for Row {
    const COLUMNS: &'static [&'static str] = &["NAME", "CURRENT", "SERVER", "TOKEN FILE", "OUTPUT", "CA"];
    const FIELDS: &'static [&'static str] = &["name", "current", "server", "token_file", "output", "ca"];
    const EMPTY: &'static str = "No contexts. Add a context with `signalbox context add NAME --server URL`.";

    fn name(&self) -> String {
        self.name.clone()
    }

    fn cells(&self, _: Time) -> Vec<Cell> {
        let mut cells: Vec<Cell> = self.record().into_iter().map(Cell::from).collect();
        cells[1] = if self.current { Cell::coloured("yes", Colour::Green) } else { "".into() };
        cells
    }

    fn record(&self) -> Vec<String> {
        let path = |file: &Option<PathBuf>| file.as_ref().map(|file| file.display().to_string());
        vec![
            self.name.clone(),
            self.current.to_string(),
            self.server.clone(),
            path(&self.token_file).unwrap_or_default(),
            self.output.as_str().to_owned(),
            path(&self.ca).unwrap_or_default(),
        ]
    }
}

/// Adds, chooses, lists and removes contexts.
pub async fn run(args: ContextArgs) -> anyhow::Result<Exit> {
    let mut contexts = Contexts::load()?;
    match args.command {
        ContextCommand::Add(args) => add(&mut contexts, args)?,
        ContextCommand::Use { name } => {
            let server = contexts.named(&name)?.server.clone();
            contexts.current = Some(name);
            contexts.store()?;
            output::line(&format!("Commands now use {server}."))?;
        }
        ContextCommand::List { output } => {
            let rows: Vec<Row> =
                contexts.all.iter().map(|(name, context)| row(&contexts, name, context)).collect();
            listing::print(output, &rows, &rows)?;
        }
        ContextCommand::Remove { name } => {
            contexts.named(&name)?;
            contexts.all.remove(&name);
            if contexts.current.as_deref() == Some(&name) {
                contexts.current = None;
            }
            contexts.store()?;
        }
        ContextCommand::Params { kind, params } => {
            set_params(&mut contexts, &kind, &params)?;
            if let Some(warning) = refused_params(&contexts, &kind, &params).await {
                output::note(&warning)?;
            }
        }
    }
    Ok(Exit::Fine)
}

fn row(contexts: &Contexts, name: &str, context: &Context) -> Row {
    Row {
        name: name.to_owned(),
        current: contexts.current.as_deref() == Some(name),
        server: context.server.clone(),
        token_file: context.token_file.clone(),
        output: context.output.unwrap_or_default(),
        ca: context.ca.clone(),
    }
}

fn add(contexts: &mut Contexts, args: AddArgs) -> anyhow::Result<()> {
    if args.name.is_empty() || args.name.chars().any(char::is_control) {
        bail_usage!("the context name must not be empty or contain control characters");
    }
    // Commands run in any folder.
    let absolute = |file: Option<PathBuf>| -> anyhow::Result<Option<PathBuf>> {
        let found = file.map(|file| {
            std::path::absolute(&file).with_context(|| format!("'{}' is not a valid path", file.display()))
        });
        found.transpose()
    };
    let (token_file, ca) = (absolute(args.token_file)?, absolute(args.ca)?);
    client::Client::new(client::ClientConfig::new(args.server.clone(), None))?;
    client::Tls::open(client::TlsFiles { ca: ca.clone(), ..client::TlsFiles::default() })?;
    let params = contexts.all.remove(&args.name).map(|context| context.params).unwrap_or_default();
    let context = Context { server: args.server, token_file, ca, output: args.output, params };
    contexts.all.insert(args.name.clone(), context);
    if contexts.current.is_none() {
        contexts.current = Some(args.name);
    }
    contexts.store()
}

/// Warning about new defaults with which `start` fails, as far as the server of the context can tell.
async fn refused_params(contexts: &Contexts, kind: &str, params: &[String]) -> Option<String> {
    let set: Vec<String> = params.iter().filter(|pair| !pair.ends_with('=')).cloned().collect();
    let current = contexts.current.as_deref().filter(|_| !set.is_empty())?;
    let flag = |name: &str| (name == "--context").then_some(current);
    let client = To::typed(flag, true).quiet_client().await?;
    let kinds = tokio::time::timeout(KINDS_TIMEOUT, client.kinds()).await.ok()?.ok()?;
    warning_about(&kinds, kind, set)
}

fn warning_about(kinds: &KindList, kind: &str, set: Vec<String>) -> Option<String> {
    let names: Vec<&str> = kinds.kinds.iter().map(|offer| offer.spec.name.as_str()).collect();
    if !names.contains(&kind) {
        // A server whose hosts have not connected yet knows no kinds.
        let known = names.join(", ");
        return (!names.is_empty()).then(|| {
            format!("The defaults are saved, but the server lists no kind '{kind}' for you. Kinds: {known}.")
        });
    }
    let refused = |pair: String| params::read(kinds, kind, &Given { typed: vec![pair], from_files: vec![] });
    let wrong = set.into_iter().find_map(|pair| refused(pair.clone()).err().map(|why| (pair, why)))?;
    let name = wrong.0.split_once('=').map_or(wrong.0.as_str(), |(name, _)| name);
    Some(format!(
        "The defaults are saved, but `signalbox start {kind}` will fail: {} Remove the default with `signalbox context \
         params {kind} {name}=`.",
        sentence(&wrong.1)
    ))
}

fn set_params(contexts: &mut Contexts, kind: &str, params: &[String]) -> anyhow::Result<()> {
    let Some(current) = contexts.current.clone() else {
        bail!(
            "there is no current context. Set it with `signalbox context use NAME`, or add a context with \
             `signalbox context add NAME --server URL`"
        );
    };
    contexts.named(&current)?;
    let context = contexts.all.entry(current).or_default();
    let defaults = context.params.entry(kind.to_owned()).or_default();
    for pair in params {
        match pair.split_once('=') {
            Some((name, "")) => {
                defaults.remove(name);
            }
            Some((name, value)) => {
                defaults.insert(name.to_owned(), value.to_owned());
            }
            None => bail_usage!("'{pair}' has no '='. Write name=value"),
        }
    }
    if params.is_empty() {
        let lines: Vec<String> = defaults.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let none = "No default parameters.".to_owned();
        output::line(&if lines.is_empty() { none } else { lines.join("\n") })?;
        return Ok(());
    }
    context.params.retain(|_, defaults| !defaults.is_empty());
    contexts.store()
}
