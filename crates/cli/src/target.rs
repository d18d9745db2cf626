//! Target of a command: server, form of the output, and the session with it.

use crate::contexts::{self, Context, Contexts};
use crate::exit::bail_usage;
use crate::listing::{self, Format, Listed};
use crate::output::{self, OutputError};
use crate::session::Session;
use clap::Args;
use client::{Client, ClientConfig, Proxies, Tls, TlsFiles};
use protocol::OperationId;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Server if neither flags, environment nor a context name one.
const DEFAULT_SERVER: &str = "http://127.0.0.1:7200";

/// Server and output format.
#[derive(Args)]
pub struct To {
    /// URL of the server; default: the server of the current context, or http://127.0.0.1:7200
    #[arg(long, env = "SIGNALBOX_SERVER_URL", value_name = "URL")]
    server: Option<String>,
    /// Token for the server: its shared token, or a token created with `signalbox token create`; default: the token of
    /// the current context
    #[arg(long, env = "SIGNALBOX_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// PEM file with the CA of the server's certificate; default: that of the current context, or the system's
    /// certificates
    #[arg(long, env = "SIGNALBOX_CA", value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Context to use for this command
    #[arg(long, env = "SIGNALBOX_CONTEXT", value_name = "NAME", add = contexts::completer())]
    context: Option<String>,
    /// Output format; not every command supports all formats
    #[arg(long, short, value_name = "FORMAT", conflicts_with = "json")]
    output: Option<Format>,
    /// Print JSON; same as --output json
    #[arg(long)]
    json: bool,
    /// Read from the server, not from the copy of the agent (a local background process)
    #[arg(long)]
    fresh: bool,
    /// Send requests directly to the server, not through the agent (a local background process)
    #[arg(long)]
    no_agent: bool,
}

/// Everything that a command needs.
pub struct Target {
    pub client: Client,
    pub format: Format,
    session: Session,
    /// Default parameters of the context, by kind.
    params: BTreeMap<String, BTreeMap<String, String>>,
}

/// What an agent needs to reach the server, too.
#[cfg_attr(not(unix), expect(dead_code, reason = "there are no agents"))]
struct Access {
    token: Option<String>,
    ca: Option<PathBuf>,
}

impl To {
    /// Chooses the server and reads the context.
    ///
    /// # Errors
    /// A sentence if the context is unknown, or the URL is invalid.
    pub async fn target(&self) -> anyhow::Result<Target> {
        let (client, access, context) = self.server()?;
        let chosen = self.output.or(self.json.then_some(Format::Json));
        let session = Session::with(client.server());
        let (client, note) = self.attached(client, access, &session).await;
        if let Some(note) = note {
            output::note(&note)?;
        }
        let format = chosen.or(context.output).unwrap_or_default();
        Ok(Target { client, format, session, params: context.params })
    }

    /// Client that prints nothing, for completion in a shell; `None` if the context can't be read.
    pub async fn quiet_client(&self) -> Option<Client> {
        let (client, access, _) = self.server().ok()?;
        let session = Session::with(client.server());
        Some(self.attached(client, access, &session).await.0)
    }

    /// Flags that were typed so far; `flag` has their values, and the environment counts for the others.
    pub fn typed<'a>(flag: impl Fn(&str) -> Option<&'a str>, no_agent: bool) -> Self {
        let given = |name: &str, variable: &str| match flag(name) {
            Some(value) => Some(value.to_owned()),
            None => std::env::var(variable).ok(),
        };
        Self {
            server: given("--server", "SIGNALBOX_SERVER_URL"),
            token: given("--token", "SIGNALBOX_TOKEN"),
            ca: given("--ca", "SIGNALBOX_CA").map(PathBuf::from),
            context: given("--context", "SIGNALBOX_CONTEXT"),
            output: None,
            json: false,
            fresh: false,
            no_agent,
        }
    }

    /// Client of the chosen server, and its context.
    fn server(&self) -> anyhow::Result<(Client, Access, Context)> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let is_flag = |value: &Option<String>, variable: &str| {
            given(value).is_some() && *value != std::env::var(variable).ok()
        };
        let server_flag = is_flag(&self.server, "SIGNALBOX_SERVER_URL");
        let context_flag = is_flag(&self.context, "SIGNALBOX_CONTEXT");
        if server_flag && context_flag {
            bail_usage!(
                "--server and --context can't be used together: a context already has a server. Use one of them"
            );
        }
        // A flag overrides the variable of the other.
        let context = match (given(&self.context).filter(|_| !server_flag), &self.server) {
            (Some(name), _) => Contexts::load()?.named(&name)?.clone(),
            // A token of the context in use must not go to another server.
            (None, Some(server)) => Context { server: server.clone(), ..Context::default() },
            (None, None) => Contexts::load()?
                .in_use()?
                .cloned()
                .unwrap_or_else(|| Context { server: DEFAULT_SERVER.to_owned(), ..Context::default() }),
        };
        let token = match given(&self.token) {
            Some(token) => Some(token),
            None => context.token()?,
        };
        let token = token.filter(|token| !token.is_empty());
        let ca = self.ca.clone().filter(|file| !file.as_os_str().is_empty()).or_else(|| context.ca.clone());
        // The agent runs in another folder.
        let ca = ca.map(std::path::absolute).transpose()?;
        let config = ClientConfig {
            tls: Tls::open(TlsFiles { ca: ca.clone(), ..TlsFiles::default() })?,
            proxies: Proxies::Environment,
            ..ClientConfig::new(context.server.clone(), token.clone())
        };
        Ok((Client::new(config)?, Access { token, ca }, context))
    }

    /// Client that uses the agent, and why it does not although it should.
    #[cfg(unix)]
    async fn attached(&self, client: Client, access: Access, session: &Session) -> (Client, Option<String>) {
        if self.no_agent || !crate::agent::is_wanted() {
            return (client, None);
        }
        let reads = cli_agent::Reads { fresh: self.fresh, at_least: session.read().seq };
        let destination = cli_agent::Destination::new(client.server(), access.token, access.ca);
        crate::agent::attached(client, &destination, reads).await
    }

    #[cfg(not(unix))]
    async fn attached(&self, client: Client, _: Access, _: &Session) -> (Client, Option<String>) {
        (client, None)
    }
}

impl Target {
    /// Prints a list, with the age of the agent's copy if that answered.
    ///
    /// # Errors
    /// [`OutputError`].
    pub fn print<T: Listed>(&self, rows: &[T], whole: &impl Serialize) -> Result<(), OutputError> {
        match self.format {
            Format::Json => output::json(&self.json_of(whole))?,
            format => listing::print(format, rows, whole)?,
        }
        self.note_age()
    }

    /// JSON of a document, with the age of the agent's copy if that answered.
    pub fn json_of(&self, whole: &impl Serialize) -> String {
        let Some(copy) = self.client.copied() else { return listing::json_of(whole) };
        let mut document = serde_json::to_value(whole).expect("types of the API are JSON");
        if let Some(fields) = document.as_object_mut() {
            let age_ms = u64::try_from(copy.age.as_millis()).unwrap_or(u64::MAX);
            fields.insert("copy".to_owned(), json!({"age_ms": age_ms, "offline": copy.offline}));
        }
        document.to_string()
    }

    /// Says on standard error how old the agent's copy is, if that answered.
    ///
    /// # Errors
    /// [`OutputError`].
    pub fn note_age(&self) -> Result<(), OutputError> {
        let Some(copy) = self.client.copied() else { return Ok(()) };
        let age = display::format::span(copy.age.as_secs_f64());
        output::note(&match copy.offline {
            true => format!("The server does not respond. This is the agent's copy, {age} old."),
            false => format!("This is the agent's copy, {age} old. --fresh reads from the server."),
        })
    }

    /// Default parameters of a kind, as typed.
    pub fn params(&self, kind: &str) -> Vec<(String, String)> {
        self.params
            .get(kind)
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// Operation that a name such as `@last` or `@2` means.
    pub fn recalled(&self, name: &str) -> Option<OperationId> {
        let remembered = self.session.read();
        match name {
            "last" => remembered.last,
            number => remembered.listing.get(number.parse::<usize>().ok()?.checked_sub(1)?).copied(),
        }
    }

    /// Remembers an operation as the last one.
    ///
    /// # Errors
    /// [`OutputError`] of the note, if it can't be remembered.
    pub fn remember(&self, id: OperationId) -> Result<(), OutputError> {
        if self.session.read().last == Some(id) {
            return Ok(());
        }
        self.keep(self.session.change(|remembered| remembered.last = Some(id)))
    }

    /// Remembers an operation that was changed by this command at an event.
    ///
    /// # Errors
    /// Like [`Target::remember`].
    pub fn wrote(&self, id: OperationId, seq: u64) -> Result<(), OutputError> {
        self.keep(self.session.change(|remembered| {
            remembered.last = Some(id);
            remembered.seq = seq;
        }))
    }

    /// Remembers an operation that was changed at an event, without a note if that fails.
    pub fn wrote_quietly(&self, id: OperationId, seq: u64) {
        let _ = self.session.change(|remembered| {
            remembered.last = Some(id);
            remembered.seq = seq;
        });
    }

    /// Remembers the operations of a listing, in its order.
    ///
    /// # Errors
    /// Like [`Target::remember`].
    pub fn listed(&self, ids: Vec<OperationId>) -> Result<(), OutputError> {
        if self.session.read().listing == ids {
            return Ok(());
        }
        self.keep(self.session.change(|remembered| remembered.listing = ids))
    }

    /// Remembers that data changed by a request whose answer has no event number.
    ///
    /// # Errors
    /// Like [`Target::remember`].
    pub async fn wrote_many(&self) -> Result<(), OutputError> {
        match self.client.feed_head().await {
            Ok(seq) => self.keep(self.session.change(|remembered| remembered.seq = seq)),
            // The change is made; only later reads may be older.
            Err(_) => Ok(()),
        }
    }

    fn keep(&self, kept: Result<(), String>) -> Result<(), OutputError> {
        match kept {
            Ok(()) => Ok(()),
            Err(sentence) => output::note(&sentence),
        }
    }
}
