//! Follows an operation to its end. A broken connection is resumed after the last event, so nothing is lost; only if
//! the server no longer has those events, the operation is read again.
//!
//! Where a proxy holds or refuses the stream, the same events are read by long polls, from the same position. Where
//! polls fail as well, the operation itself is read until it has ended. It is also read from time to time beside the
//! stream, because a proxy may lose an event.

mod log_cursor;
mod printer;

use super::ask::{Page, Server};
use crate::output::{self, OutputError};
use anyhow::bail;
use log_cursor::LogCursor;
use pool::{PoolError, SseStream};
use printer::Printer;
use protocol::api::OperationDetail;
use protocol::event::Reset;
use protocol::{Event, EventBody, Operation, OperationId};
use serde::Deserialize;
use std::time::Duration;
use tokio::time::Instant;

/// Pause before reconnecting, if the last connection brought nothing.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// Longest wait of a poll.
const POLL_WAIT: Duration = Duration::from_secs(10);
/// Time in which only the operation is read, after stream and poll failed.
const EVENTS_PAUSE: Duration = Duration::from_secs(30);
/// Interval of reading the operation beside its events.
const CHECK_INTERVAL: Duration = Duration::from_secs(15);
/// Consecutive streams without an event after which polls are tried.
const MAX_BREAKS: u32 = 2;

/// Waits until the operation has ended, and returns it. An attempt that is retried automatically is no end.
///
/// # Errors
/// If it does not exist, the server is unreachable at first, or the output can't be written. If the server disappears
/// later, the command waits for it.
pub async fn follow(server: &Server, id: OperationId, log: bool, json: bool) -> anyhow::Result<Operation> {
    let detail: OperationDetail = server.get(&path_of(id)).await?;
    let log = (log && !json).then(|| LogCursor::at(detail.operation.attempt));
    let printer = Printer::new(detail.operation, json);
    let mut follower = Follower {
        server,
        id,
        after: detail.seq,
        log,
        printer,
        source: Source::Stream,
        breaks: 0,
        blocked: false,
        checked: Instant::now(),
    };
    follower.printer.begin()?;
    follower.stored_lines(None).await?;
    follower.follow_to_end().await?;
    follower.printer.clear()?;
    Ok(follower.printer.op)
}

fn path_of(id: OperationId) -> String {
    format!("/api/v1/operations/{id}")
}

/// Where events come from.
enum Source {
    Stream,
    /// Polls, because the stream is blocked: why. `answered`: one of them was.
    Polls {
        why: String,
        answered: bool,
    },
    /// Only the state of the operation, until then.
    Operation {
        until: Instant,
    },
}

/// How a stream or a poll ended.
enum Heard {
    /// An attempt ended.
    End,
    /// The operation was deleted.
    Deleted,
    /// The server no longer has the events after the last one.
    Reset(String),
    /// There are more events.
    More,
    /// There was no answer.
    Nothing,
}

struct Follower<'a> {
    server: &'a Server,
    id: OperationId,
    /// Number of the last event.
    after: u64,
    /// Position in the log, if it is printed.
    log: Option<LogCursor>,
    printer: Printer,
    source: Source,
    /// Consecutive streams without an event.
    breaks: u32,
    /// It was said that the stream is blocked.
    blocked: bool,
    /// When the operation was last read beside its events.
    checked: Instant,
}

impl Follower<'_> {
    async fn follow_to_end(&mut self) -> anyhow::Result<()> {
        while !self.printer.op.state.ended() || self.goes_on().await? {
            let heard = match &self.source {
                Source::Stream => self.stream().await?,
                Source::Polls { why, answered } => {
                    let (why, answered) = (why.clone(), *answered);
                    self.poll(why, answered).await?
                }
                Source::Operation { until } if Instant::now() >= *until => {
                    self.source = Source::Stream;
                    continue;
                }
                Source::Operation { .. } => Heard::Nothing,
            };
            match heard {
                Heard::End | Heard::More => {}
                Heard::Deleted if self.printer.op.state.ended() => return Ok(()),
                Heard::Deleted => return self.deleted(),
                Heard::Reset(why) => self.read_anew(&why).await?,
                Heard::Nothing => {
                    output::still_read()?;
                    tokio::time::sleep(RETRY_PAUSE).await;
                    // A server that lost the operation sends no event about it.
                    if !self.check().await? {
                        return self.deleted();
                    }
                    if matches!(self.source, Source::Operation { .. }) {
                        self.stored_lines(None).await?;
                    }
                }
            }
        }
        self.stored_lines(None).await
    }

    /// Reads the stream until it breaks or an attempt ends.
    async fn stream(&mut self) -> anyhow::Result<Heard> {
        // Reset by the first message that is not the greeting: a stream that is cut right after it brings nothing.
        self.breaks += 1;
        let error = match self.server.events(self.id, self.after).await {
            Ok(stream) => match self.listen(stream).await? {
                (Some(heard), _) => return Ok(heard),
                (None, Some(error)) => error,
                (None, None) if self.breaks == 0 => return Ok(Heard::More),
                (None, None) if self.breaks < MAX_BREAKS => return Ok(Heard::Nothing),
                (None, None) => return self.blocked_by("it ends as soon as it is opened".to_owned()),
            },
            Err(error) => error,
        };
        match error {
            // The server itself may be away.
            PoolError::Unreachable { .. } if error.never_sent() => {
                self.breaks = 0;
                self.printer.aside(&format!("{} Retrying.", sentence_of(&error)))?;
                Ok(Heard::Nothing)
            }
            PoolError::Unreachable { .. } if self.breaks == 0 => Ok(Heard::More),
            PoolError::Unreachable { .. } if self.breaks < MAX_BREAKS => Ok(Heard::Nothing),
            PoolError::Unreachable { .. } => self.blocked_by("it breaks as soon as it is opened".to_owned()),
            PoolError::Timeout { after, .. } => self.blocked_by(format!("no data for {} s", after.as_secs())),
            PoolError::Status { status, .. } => self.blocked_by(format!("the response was {status}")),
            PoolError::Decode { cause, .. } => self.blocked_by(cause),
            other => self.blocked_by(other.to_string()),
        }
    }

    /// Continues with polls.
    fn blocked_by(&mut self, why: String) -> anyhow::Result<Heard> {
        self.breaks = 0;
        self.source = Source::Polls { why, answered: false };
        Ok(Heard::More)
    }

    /// Reads the next events with a poll.
    async fn poll(&mut self, why: String, answered: bool) -> anyhow::Result<Heard> {
        // While nothing happens, a closed output is noticed between two polls.
        output::still_read()?;
        let asked = Instant::now();
        match self.server.poll(self.id, self.after, POLL_WAIT).await {
            Ok(page) => {
                self.printer.connected();
                if !self.blocked {
                    self.blocked = true;
                    self.printer.aside(&format!("Live stream blocked ({why}). Polling instead."))?;
                }
                self.source = Source::Polls { why, answered: true };
                let empty = page.events.is_empty();
                if let Some(heard) = self.take_page(page).await? {
                    return Ok(heard);
                }
                if self.checked.elapsed() > CHECK_INTERVAL && !self.check().await? {
                    return Ok(Heard::Deleted);
                }
                // A proxy may answer at once.
                if empty && asked.elapsed() < RETRY_PAUSE {
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
                Ok(Heard::More)
            }
            Err(error) => {
                self.source = if answered || error.is_unreachable() && error.never_sent() {
                    self.printer.aside(&format!("{} Retrying.", sentence_of(&error)))?;
                    Source::Stream
                } else {
                    self.printer.aside(&format!(
                        "Events can't be read (stream: {why}; poll: {}). Reading only the operation's state.",
                        sentence_of(&error).trim_end_matches('.')
                    ))?;
                    Source::Operation { until: Instant::now() + EVENTS_PAUSE }
                };
                Ok(Heard::Nothing)
            }
        }
    }

    /// Compares with the operation itself, after reading the events up to it, so that no lost event is awaited for ever.
    /// False if it was deleted.
    async fn check(&mut self) -> anyhow::Result<bool> {
        self.checked = Instant::now();
        let detail = match self.server.find::<OperationDetail>(&path_of(self.id)).await {
            Ok(Some(detail)) => detail,
            Ok(None) => return Ok(false),
            // The stream or the next try tells.
            Err(_) => return Ok(true),
        };
        let op = detail.operation;
        if !self.is_behind(&op) {
            if matches!(self.source, Source::Operation { .. }) && !op.state.ended() {
                self.printer.changed(op)?;
            }
            return Ok(true);
        }
        self.catch_up().await?;
        if self.is_behind(&op) {
            self.after = self.after.max(detail.seq);
            self.printer.restart(op, "Some events could not be read.")?;
        }
        Ok(true)
    }

    /// Whether this state of the operation is newer, by its attempt or by an end.
    fn is_behind(&self, op: &Operation) -> bool {
        let known = &self.printer.op;
        (op.attempt, op.state.ended()) > (known.attempt, known.state.ended())
    }

    /// Reads the events that the server has now. Without an answer, nothing changes.
    async fn catch_up(&mut self) -> anyhow::Result<()> {
        while let Ok(page) = self.server.poll(self.id, self.after, Duration::ZERO).await {
            let done = page.events.is_empty();
            if self.take_page(page).await?.is_some() || done {
                break;
            }
        }
        Ok(())
    }

    /// Takes the events of a poll.
    async fn take_page(&mut self, page: Page) -> anyhow::Result<Option<Heard>> {
        if let Some(reset) = page.reset {
            return Ok(Some(Heard::Reset(reset.why)));
        }
        for json in &page.events {
            if let Some(heard) = self.take(json.get()).await?.filter(|heard| !matches!(heard, Heard::Nothing))
            {
                return Ok(Some(heard));
            }
        }
        self.after = self.after.max(page.next);
        Ok(None)
    }

    /// Takes an event; each only once, however it arrives. `Nothing` if it is damaged.
    async fn take(&mut self, json: &str) -> anyhow::Result<Option<Heard>> {
        let event = match serde_json::from_str::<Event>(json) {
            Ok(event) => event,
            Err(_) => match serde_json::from_str::<EventType>(json) {
                // A newer server may send unknown events.
                Ok(head) if !KNOWN_TYPES.contains(&head.name.as_str()) => return Ok(None),
                _ => return Ok(Some(Heard::Nothing)),
            },
        };
        if event.seq <= self.after {
            return Ok(None);
        }
        let mut heard = None;
        if event.operation() == Some(self.id) {
            self.printer.event(json)?;
            heard = self.apply(event.body).await?;
        }
        self.after = event.seq;
        Ok(heard)
    }

    fn deleted(&self) -> anyhow::Result<()> {
        bail!("operation {} was deleted", self.id)
    }

    /// Whether another attempt follows an end. Asks until the server answers.
    async fn goes_on(&mut self) -> anyhow::Result<bool> {
        let attempt = self.printer.op.attempt;
        loop {
            match self.server.find::<OperationDetail>(&path_of(self.id)).await {
                Ok(Some(detail)) => {
                    let op = detail.operation;
                    return Ok(!op.state.ended() || op.attempt != attempt);
                }
                // It ended, and was deleted at once.
                Ok(None) => return Ok(false),
                Err(error) => {
                    self.printer.aside(&format!("The server does not answer: {error}. Retrying."))?;
                }
            }
            output::still_read()?;
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    /// Continues from the server's current state.
    async fn read_anew(&mut self, why: &str) -> anyhow::Result<()> {
        match self.server.find::<OperationDetail>(&path_of(self.id)).await {
            Ok(Some(detail)) => {
                self.after = detail.seq;
                let why = format!("Some events were missed, because the server no longer keeps them. {why}");
                self.printer.restart(detail.operation, &why)?;
                self.stored_lines(None).await
            }
            Ok(None) => self.deleted(),
            Err(error) => {
                self.printer.aside(&format!("The server does not answer: {error}. Retrying."))?;
                output::still_read()?;
                tokio::time::sleep(RETRY_PAUSE).await;
                Ok(())
            }
        }
    }

    /// Prints stored lines that were not printed yet, up to a line of an attempt; without one, all.
    async fn stored_lines(&mut self, up_to: Option<(u32, u64)>) -> anyhow::Result<()> {
        let Some(cursor) = self.log.as_mut() else { return Ok(()) };
        let (attempt, last) =
            up_to.map_or((self.printer.op.attempt, None), |(attempt, n)| (attempt, Some(n)));
        loop {
            match cursor.next_stored(self.server, self.id, attempt, last).await {
                Ok(Some(lines)) => self.printer.log(&lines)?,
                Ok(None) => return Ok(()),
                Err(error) => {
                    self.printer.aside(&format!("The log can't be read: {error}. Retrying."))?;
                    output::still_read()?;
                    tokio::time::sleep(RETRY_PAUSE).await;
                    if matches!(self.server.find::<OperationDetail>(&path_of(self.id)).await, Ok(None)) {
                        bail!("operation {} was deleted", self.id);
                    }
                }
            }
        }
    }

    /// Takes what the stream brings, until it breaks (with the error, if there is one) or something else is to be done.
    async fn listen(&mut self, mut stream: SseStream) -> anyhow::Result<(Option<Heard>, Option<PoolError>)> {
        loop {
            let message = match stream.next().await {
                Some(Ok(message)) => message,
                Some(Err(error)) => return Ok((None, Some(error))),
                None => return Ok((None, None)),
            };
            self.printer.connected();
            if message.event != "hello" {
                self.breaks = 0;
            }
            // Also on heartbeats, so that a closed output is noticed while nothing happens.
            output::still_read()?;
            let heard = match message.event.as_str() {
                "message" | "" => match self.take(&message.data).await? {
                    // The same event again, undamaged.
                    Some(Heard::Nothing) => {
                        self.catch_up().await?;
                        self.printer.op.state.ended().then_some(Heard::End)
                    }
                    heard => heard,
                },
                "reset" => {
                    let why = serde_json::from_str::<Reset>(&message.data).map(|reset| reset.why);
                    Some(Heard::Reset(why.unwrap_or_default()))
                }
                _ if self.checked.elapsed() > CHECK_INTERVAL => match self.check().await? {
                    true => self.printer.op.state.ended().then_some(Heard::End),
                    false => Some(Heard::Deleted),
                },
                _ => None,
            };
            if heard.is_some() {
                return Ok((heard, None));
            }
        }
    }

    async fn apply(&mut self, body: EventBody) -> anyhow::Result<Option<Heard>> {
        match body {
            EventBody::Operation { operation } => {
                let ended = operation.state.ended();
                self.printer.changed(*operation)?;
                return Ok(ended.then_some(Heard::End));
            }
            EventBody::Deleted { .. } => return Ok(Some(Heard::Deleted)),
            EventBody::Progress { attempt, progress, .. } if attempt == self.printer.op.attempt => {
                self.printer.progress(progress)?;
            }
            EventBody::Log { attempt, lines, .. } => self.lines(attempt, &lines).await?,
            _ => {}
        }
        Ok(None)
    }

    /// Prints lines from the feed, after missing ones before them.
    async fn lines(&mut self, attempt: u32, lines: &[protocol::LogLine]) -> anyhow::Result<()> {
        if let Some(missing) = self.log.as_ref().and_then(|cursor| cursor.missing_before(attempt, lines)) {
            self.stored_lines(Some(missing)).await?;
        }
        let new = self.log.as_mut().map(|cursor| cursor.take(attempt, lines)).unwrap_or_default();
        if new.is_empty() {
            return Ok(());
        }
        self.printer.log(new).map_err(OutputError::into)
    }
}

/// Types of [`EventBody`].
const KNOWN_TYPES: [&str; 7] = ["operation", "progress", "points", "log", "late", "host", "forgotten"];

#[derive(Deserialize)]
struct EventType {
    #[serde(rename = "type")]
    name: String,
}

fn sentence_of(error: &pool::PoolError) -> String {
    let said = error.to_string();
    if said.ends_with(['.', '?']) { said } else { format!("{said}.") }
}
