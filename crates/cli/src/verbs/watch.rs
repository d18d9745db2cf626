//! `signalbox watch`

use super::list::Filters;
use crate::errors::{advised, sentence};
use crate::exit::{Exit, UsageError};
use crate::listing::{Cell, Colour, Fit, Format, table};
use crate::target::{Target, To};
use crate::{output, rows, terminal, text};
use clap::Args;
use client::Client;
use display::zone::Zone;
use protocol::event::Reset;
use protocol::filter::Filter;
use protocol::{Event, EventBody, Operation, OperationId, State, Time};
use std::collections::HashMap;
use std::time::Duration;

/// Pause before reconnecting.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// Operations whose state is remembered, so that only changes are printed.
const MAX_REMEMBERED: usize = 10_000;

/// Arguments of `signalbox watch`.
#[derive(Args)]
pub struct WatchArgs {
    #[command(flatten)]
    filters: Filters,
    #[command(flatten)]
    to: To,
}

/// Prints each change of state of matching operations, until it is interrupted.
pub async fn run(args: WatchArgs) -> anyhow::Result<Exit> {
    let target = args.to.target().await?;
    let format = target.format.one_of(&[Format::Text, Format::Json, Format::Jsonl, Format::Name], "watch")?;
    let filter = filter_of(&args.filters, &target).await?;
    let client = &target.client;
    let mut watched = Watched { filter, format, known: HashMap::new() };
    let mut after = client.feed_head().await.map_err(advised)?;
    let mut trouble = false;
    loop {
        match read(client, &mut watched, &mut after).await {
            Ok(()) => trouble = false,
            Err(error) if error.is::<output::OutputError>() => return Err(error),
            Err(error) => {
                if !std::mem::replace(&mut trouble, true) {
                    output::note(&format!("{} Retrying.", sentence(&format!("{error:#}"))))?;
                }
            }
        }
        output::still_read()?;
        tokio::time::sleep(RETRY_PAUSE).await;
    }
}

/// The filters as they are applied here.
async fn filter_of(filters: &Filters, target: &Target) -> anyhow::Result<Filter> {
    let query = filters.query(target).await?;
    let mut pairs: Vec<(String, String)> = [
        ("state", query.state),
        ("kind", query.kind),
        ("host", query.host),
        ("parent", query.parent),
        ("since", query.since),
        ("until", query.until),
        ("ended_since", query.ended_since),
        ("ended_until", query.ended_until),
        ("q", query.words),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    .collect();
    pairs.extend(query.params.into_iter().map(|(name, value)| (format!("param.{name}"), value)));
    let filter = Filter::parse(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    Ok(filter.map_err(|error| UsageError(format!("invalid filter: {error}")))?)
}

/// Reads the stream until it ends.
async fn read(client: &Client, watched: &mut Watched, after: &mut u64) -> anyhow::Result<()> {
    let mut stream = client.all_events(*after).await?;
    while let Some(message) = stream.next().await {
        output::still_read()?;
        let message = message?;
        match message.event.as_str() {
            "message" | "" => {
                let Ok(event) = serde_json::from_str::<Event>(&message.data) else { continue };
                *after = event.seq;
                watched.event(&event, &message.data)?;
            }
            "reset" => {
                let reset: Reset = serde_json::from_str(&message.data)?;
                let why = reset.why.trim_end_matches(" Fetch a new snapshot.");
                output::note(&format!("Some changes were missed. {why} `signalbox list` shows all states."))?;
                *after = reset.head;
            }
            _ => {}
        }
    }
    Ok(())
}

/// What is printed of the feed.
struct Watched {
    filter: Filter,
    format: Format,
    /// Last printed attempt and state.
    known: HashMap<OperationId, (u32, State)>,
}

impl Watched {
    fn event(&mut self, event: &Event, json: &str) -> anyhow::Result<()> {
        let EventBody::Operation { operation } = &event.body else { return Ok(()) };
        if !self.filter.takes_operation(operation, event.at) {
            return Ok(());
        }
        if self.known.len() >= MAX_REMEMBERED {
            self.known.clear();
        }
        let now = (operation.attempt, operation.state);
        let changed = self.known.insert(operation.id, now) != Some(now);
        match self.format {
            Format::Json | Format::Jsonl => output::json(json)?,
            _ if !changed => {}
            Format::Name => output::line(&operation.id.to_string())?,
            _ => output::styled_lines(&[line_of(operation, event.at)])?,
        }
        Ok(())
    }
}

fn line_of(operation: &Operation, at: Time) -> String {
    let reason = match (&operation.failure, operation.state) {
        (Some(failure), State::Failed) => format!(": {}", text::one_row(&failure.message)),
        _ => String::new(),
    };
    let cells = vec![
        Cell::coloured(Zone::Utc.clock(at), Colour::Grey),
        operation.id.to_string().into(),
        Cell::coloured(format!("{:<10}", operation.state.as_str()), rows::colour_of(operation.state)),
        format!("{} {}{reason}", operation.kind, operation.title).into(),
    ];
    // Not cut, because the reason of a failure is at the end.
    table(&["", "", "", ""], vec![cells], terminal::has_colours(), Fit::natural()).remove(1)
}
