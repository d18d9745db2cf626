//! Candidates for arguments.

use super::{Which, typed, words_before};
use crate::target::To;
use crate::text;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use client::{Client, ClientError, OperationQuery};
use form::{Field, FieldKind, Form};
use protocol::State;
use std::ffi::OsStr;
use std::time::Duration;

/// Time after which a shell goes on without candidates.
const TIME_LIMIT: Duration = Duration::from_millis(500);
/// Operations that are offered, newest first.
const MAX_OPERATIONS: u16 = 50;

/// Completes IDs of operations, `@last`, `@1` and so on.
pub fn operations(which: Which) -> ArgValueCompleter {
    ArgValueCompleter::new(move |current: &OsStr| {
        let state = states_of(which).map(str::to_owned);
        let query = OperationQuery { state, limit: MAX_OPERATIONS, ..OperationQuery::default() };
        let listed = asked(async |client| client.operations(&query).await);
        let mut all: Vec<CompletionCandidate> = Vec::new();
        for operation in listed.map(|page| page.operations).unwrap_or_default() {
            let title = text::one_row(&operation.title);
            let help = format!("{} {} {title}", operation.state, operation.kind);
            all.push(candidate(operation.id.to_string(), &help));
        }
        all.push(candidate("@last", "operation of your previous command"));
        if current.to_string_lossy().starts_with('@') {
            all.push(candidate("@1", "first row of your last `signalbox list`"));
        }
        beginning(all, &current.to_string_lossy())
    })
}

/// States as a filter; none for all.
fn states_of(which: Which) -> Option<&'static str> {
    match which {
        Which::Any => None,
        Which::Active => Some("queued,starting,running,cancelling"),
        Which::Ended => Some("succeeded,failed,cancelled"),
        Which::Unsuccessful => Some("failed,cancelled"),
    }
}

/// Completes kinds, comma-separated where a command takes several.
pub fn kinds() -> ArgValueCompleter {
    list(|| {
        let kinds = asked(async |client| client.kinds().await).map(|kinds| kinds.kinds).unwrap_or_default();
        kinds.iter().map(|offer| (offer.spec.name.to_string(), offer.spec.title.clone())).collect()
    })
}

/// Completes names of hosts, comma-separated where a command takes several.
pub fn hosts() -> ArgValueCompleter {
    list(|| {
        let hosts = asked(async |client| client.hosts().await).map(|hosts| hosts.hosts).unwrap_or_default();
        hosts
            .iter()
            .map(|host| (host.name.to_string(), format!("{} operations running", host.running)))
            .collect()
    })
}

/// Completes states, comma-separated.
pub fn states() -> ArgValueCompleter {
    list(|| State::ALL.iter().map(|state| (state.to_string(), String::new())).collect())
}

/// Completes parameters of the kind: their names, then their values.
pub fn params() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let (words, current) = (words_before(), current.to_string_lossy());
        let Some(kind) = typed::kind(&words) else { return Vec::new() };
        let Some(kinds) = asked(async |client| client.kinds().await) else { return Vec::new() };
        let offer = kinds.kinds.into_iter().find(|offer| offer.spec.name.as_str() == kind);
        let form = offer.and_then(|offer| Form::from_schema(&offer.spec.params).ok());
        let Some(form) = form else { return Vec::new() };
        let assigned = typed::assigned(&words, &current);
        let field = |name: &str| form.fields.iter().find(|field| field.name == name);
        match assigned.and_then(|assigned| field(assigned.name).map(|field| (field, assigned))) {
            Some((field, assigned)) => {
                let all = values_of(field).into_iter().filter(|(value, _)| value.starts_with(assigned.value));
                let prefix = if assigned.alone { String::new() } else { format!("{}=", field.name) };
                all.map(|(value, help)| candidate(format!("{prefix}{value}"), &help)).collect()
            }
            None => {
                let open = form.fields.iter().filter(|field| !field.secret);
                let all = open.map(|field| candidate(format!("{}=", field.name), &field.help));
                beginning(all.collect(), &current)
            }
        }
    })
}

/// Known values of a parameter, with their help.
fn values_of(field: &Field) -> Vec<(String, String)> {
    match &field.kind {
        FieldKind::Choice { options } => {
            options.iter().map(|option| (option.value.clone(), option.help.clone())).collect()
        }
        FieldKind::Switch => ["true", "false"].map(|value| (value.to_owned(), String::new())).into(),
        _ => field.examples.iter().map(|value| (value.clone(), String::new())).collect(),
    }
}

/// Completes the last item of a comma-separated list.
fn list(all: impl Fn() -> Vec<(String, String)> + Send + Sync + 'static) -> ArgValueCompleter {
    ArgValueCompleter::new(move |current: &OsStr| {
        let current = current.to_string_lossy();
        let (before, item) = typed::last_item(&current);
        let fitting = all().into_iter().filter(|(value, _)| value.starts_with(item));
        fitting.map(|(value, help)| candidate(format!("{before}{value}"), &help)).collect()
    })
}

fn candidate(value: impl Into<String>, help: &str) -> CompletionCandidate {
    let help = text::one_row(help);
    CompletionCandidate::new(value.into()).help((!help.is_empty()).then(|| help.into()))
}

fn beginning(all: Vec<CompletionCandidate>, current: &str) -> Vec<CompletionCandidate> {
    all.into_iter().filter(|one| one.get_value().to_string_lossy().starts_with(current)).collect()
}

/// Answer to a question, from the agent's copy or the server; `None` if there is none in time.
fn asked<T>(question: impl AsyncFnOnce(Client) -> Result<T, ClientError>) -> Option<T> {
    let words = words_before();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let answer = runtime.block_on(async {
        let answering = async {
            let no_agent = words.iter().any(|word| word == "--no-agent");
            let client = To::typed(|flag| typed::flag(&words, flag), no_agent).quiet_client().await?;
            question(client).await.ok()
        };
        tokio::time::timeout(TIME_LIMIT, answering).await.ok().flatten()
    });
    // A lookup of a host name may still run.
    runtime.shutdown_background();
    answer
}
