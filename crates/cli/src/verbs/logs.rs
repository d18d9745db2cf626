//! `signalbox logs`

use crate::complete::{Which, operations};
use crate::errors::{advised, sentence};
use crate::exit::Exit;
use crate::listing::{self, Format};
use crate::target::{Target, To};
use crate::{id, output};
use clap::Args;
use client::{Events, Follower, LogCursor, LogFilter, Update};
use display::zone::Zone;
use protocol::{EventBody, LogLevel, LogLine, OperationId};
use std::time::Duration;

/// Matching lines per request.
const PAGE_LINES: u64 = 5_000;
/// Pause before the log is read again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Arguments of `signalbox logs`.
#[derive(Args)]
pub struct LogsArgs {
    #[arg(help = crate::id::ID_HELP, add = operations(Which::Any))]
    id: String,
    /// Print new lines as they are written, until the operation ends
    #[arg(long, short)]
    follow: bool,
    /// Minimum level: debug, info, warn or error
    #[arg(long, value_parser = level)]
    level: Option<LogLevel>,
    /// Only lines with this text, ignoring case
    #[arg(long, value_name = "TEXT")]
    grep: Option<String>,
    /// Only this number of lines from the end of the log
    #[arg(long, short = 'n', value_name = "LINES")]
    tail: Option<u64>,
    /// Attempt number; default: the current attempt
    #[arg(long, conflicts_with = "follow")]
    attempt: Option<u32>,
    #[command(flatten)]
    to: To,
}

fn level(text: &str) -> Result<LogLevel, String> {
    let all = [LogLevel::Debug, LogLevel::Info, LogLevel::Warn, LogLevel::Error];
    all.into_iter()
        .find(|level| level.as_str() == text)
        .ok_or_else(|| "write debug, info, warn or error".to_owned())
}

/// Prints the log of an operation.
pub async fn run(args: LogsArgs) -> anyhow::Result<Exit> {
    let target = args.to.target().await?;
    let possible = match args.follow {
        true => &[Format::Text, Format::Jsonl][..],
        false => &[Format::Text, Format::Json, Format::Jsonl, Format::Csv],
    };
    let format = target.format.one_of(possible, if args.follow { "logs --follow" } else { "logs" })?;
    let id = id::id_of(&target, &args.id).await?;
    target.remember(id)?;
    let filter =
        LogFilter { attempt: args.attempt, level: args.level, text: args.grep.clone().unwrap_or_default() };
    let view =
        View { format, level: args.level.unwrap_or(LogLevel::Debug), text: filter.text.to_lowercase() };
    if args.follow {
        return view.follow(&target, id, filter, args.tail).await;
    }
    let (lines, _) = stored(&target, id, &filter, args.tail).await?;
    view.print(&lines)?;
    Ok(Exit::Fine)
}

/// Matching stored lines, oldest first, and their attempt.
async fn stored(
    target: &Target,
    id: OperationId,
    filter: &LogFilter,
    tail: Option<u64>,
) -> anyhow::Result<(Vec<LogLine>, u32)> {
    let mut filter = filter.clone();
    let mut pages: Vec<Vec<LogLine>> = Vec::new();
    let (mut found, mut before) = (0, None);
    let attempt = loop {
        let wanted = tail.map_or(PAGE_LINES, |tail| PAGE_LINES.min(tail.saturating_sub(found)).max(1));
        let page = target.client.search_log(id, &filter, before, wanted).await.map_err(advised)?;
        // Another attempt may begin meanwhile.
        filter.attempt = Some(page.attempt);
        found += page.lines.len() as u64;
        pages.push(page.lines);
        if page.searched_from <= 1 || tail.is_some_and(|tail| found >= tail) {
            break page.attempt;
        }
        before = Some(page.searched_from);
    };
    let mut lines: Vec<LogLine> = pages.into_iter().rev().flatten().collect();
    if let Some(tail) = tail {
        let skipped = lines.len().saturating_sub(usize::try_from(tail).unwrap_or(usize::MAX));
        lines.drain(..skipped);
    }
    Ok((lines, attempt))
}

/// Which lines are printed, and how.
struct View {
    format: Format,
    level: LogLevel,
    /// In lower case.
    text: String,
}

impl View {
    fn print(&self, lines: &[LogLine]) -> Result<(), output::OutputError> {
        match self.format {
            Format::Json => output::json(&listing::json_of(&lines)),
            Format::Jsonl => lines.iter().try_for_each(|line| output::json(&listing::json_of(line))),
            Format::Csv => listing::print_csv(
                &["n", "at", "level", "text"],
                lines.iter().map(|line| {
                    let text = ansi::plain(&line.text).into_owned();
                    vec![line.n.to_string(), line.at.to_string(), line.level.as_str().to_owned(), text]
                }),
            ),
            _ => lines.iter().try_for_each(|line| {
                let at = Zone::Utc.clock_millis(line.at);
                output::log_line(&format!("{at} {:<5} {}", line.level.as_str(), line.text))
            }),
        }
    }

    /// Prints those of new lines that match.
    fn print_matching(&self, lines: &[LogLine]) -> Result<(), output::OutputError> {
        let takes = |line: &&LogLine| log_search::takes(line.level, &line.text, self.level, &self.text);
        let matching: Vec<LogLine> = lines.iter().filter(takes).cloned().collect();
        if matching.is_empty() { Ok(()) } else { self.print(&matching) }
    }

    /// Prints stored lines and then new ones, until the operation has ended.
    async fn follow(
        &self,
        target: &Target,
        id: OperationId,
        filter: LogFilter,
        tail: Option<u64>,
    ) -> anyhow::Result<Exit> {
        let client = &target.client;
        // Before the stored lines, so that none is missing between them and the events.
        let detail = client.operation(id).await.map_err(advised)?;
        let mut follower = Follower::new(client.clone(), &detail, Events::Newest);
        let newest = client.logs(id, detail.operation.attempt, None, 1).await.map_err(advised)?;
        let filter = LogFilter { attempt: Some(newest.attempt), ..filter };
        let (lines, attempt) = stored(target, id, &filter, tail).await?;
        let mut cursor = LogCursor::at(attempt);
        // What matches up to there is printed; later lines come again and are skipped by number.
        cursor.take(attempt, &newest.lines);
        let seen = newest.lines.last().map_or(0, |line| line.n);
        let printed: Vec<LogLine> = lines.into_iter().filter(|line| line.n <= seen).collect();
        self.print(&printed)?;
        while let Some(update) = follower.next().await? {
            output::still_read()?;
            match update {
                Update::Event { event, .. } => {
                    let EventBody::Log { attempt, lines, .. } = &event.body else { continue };
                    if let Some(missing) = cursor.missing_before(*attempt, lines) {
                        self.read_on(target, id, &mut cursor, missing.0, Some(missing.1)).await?;
                    }
                    self.print_matching(cursor.take(*attempt, lines))?;
                }
                Update::State(operation) | Update::Restart { operation, .. } => {
                    self.read_on(target, id, &mut cursor, operation.attempt, None).await?;
                }
                Update::Trouble(sentence) => output::note(&sentence)?,
                Update::Connected | Update::Idle => {}
            }
        }
        let last = client.operation(id).await.map_err(advised)?.operation.attempt;
        self.read_on(target, id, &mut cursor, last, None).await?;
        Ok(Exit::Fine)
    }

    /// Prints stored lines that were not printed yet.
    async fn read_on(
        &self,
        target: &Target,
        id: OperationId,
        cursor: &mut LogCursor,
        attempt: u32,
        last: Option<u64>,
    ) -> anyhow::Result<()> {
        loop {
            match cursor.next_stored(&target.client, id, attempt, last).await {
                Ok(Some(lines)) => self.print_matching(&lines)?,
                Ok(None) => return Ok(()),
                Err(client::ClientError::Problem(problem)) => {
                    return Err(client::ClientError::Problem(problem).into());
                }
                Err(error) => {
                    output::note(&format!("The log can't be read: {} Retrying.", sentence(&error)))?;
                    output::still_read()?;
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
            }
        }
    }
}
