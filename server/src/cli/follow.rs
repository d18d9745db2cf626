//! Follows an operation to its end. A broken connection is resumed after the last event, so nothing is lost; only if
//! the server no longer has those events, the operation is read again.

mod log_cursor;
mod printer;

use super::ask::Server;
use crate::output::{self, OutputError};
use anyhow::bail;
use log_cursor::LogCursor;
use pool::SseStream;
use printer::Printer;
use protocol::api::OperationDetail;
use protocol::event::Reset;
use protocol::{Event, EventBody, Operation, OperationId};
use std::time::Duration;

/// Pause before reconnecting, if the last connection brought nothing.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Waits until the operation has ended, and returns it. An attempt that is retried automatically is no end.
///
/// # Errors
/// If it does not exist, the server is unreachable at first, or the output can't be written. If the server disappears
/// later, the command waits for it.
pub async fn follow(server: &Server, id: OperationId, log: bool, json: bool) -> anyhow::Result<Operation> {
    let detail: OperationDetail = server.get(&path_of(id)).await?;
    let log = (log && !json).then(|| LogCursor::at(detail.operation.attempt));
    let printer = Printer::new(detail.operation, json);
    let mut follower = Follower { server, id, after: detail.seq, log, printer };
    follower.printer.begin()?;
    follower.stored_lines(None).await?;
    follower.follow_to_end().await?;
    follower.printer.clear()?;
    Ok(follower.printer.op)
}

fn path_of(id: OperationId) -> String {
    format!("/api/v1/operations/{id}")
}

/// How a stream ended.
enum Heard {
    /// An attempt ended.
    End,
    /// The operation was deleted.
    Deleted,
    /// The server no longer has the events after the last one.
    Reset(String),
    /// The connection broke, before or after the first message.
    Broken { alive: bool },
}

struct Follower<'a> {
    server: &'a Server,
    id: OperationId,
    /// Number of the last event.
    after: u64,
    /// Position in the log, if it is printed.
    log: Option<LogCursor>,
    printer: Printer,
}

impl Follower<'_> {
    async fn follow_to_end(&mut self) -> anyhow::Result<()> {
        while !self.printer.op.state.ended() || self.goes_on().await? {
            let heard = match self.server.events(self.id, self.after).await {
                Ok(stream) => self.listen(stream).await?,
                Err(error) => {
                    self.printer.aside(&format!("{} Retrying.", sentence_of(&error)))?;
                    Heard::Broken { alive: false }
                }
            };
            match heard {
                Heard::End | Heard::Broken { alive: true } => {}
                Heard::Deleted if self.printer.op.state.ended() => return Ok(()),
                Heard::Deleted => return self.deleted(),
                Heard::Reset(why) => self.read_anew(&why).await?,
                Heard::Broken { alive: false } => {
                    output::still_read()?;
                    tokio::time::sleep(RETRY_PAUSE).await;
                    // A server that lost the operation sends no event about it.
                    if matches!(self.server.find::<OperationDetail>(&path_of(self.id)).await, Ok(None)) {
                        return self.deleted();
                    }
                }
            }
        }
        self.stored_lines(None).await
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
                self.printer.restart(detail.operation, why)?;
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

    /// Reads the stream until it breaks or an attempt ends.
    async fn listen(&mut self, mut stream: SseStream) -> anyhow::Result<Heard> {
        // The first message does not count: a connection that is cut right after it would be repeated at once, forever.
        let mut alive = false;
        while let Some(Ok(message)) = stream.next().await {
            alive |= message.event != "hello";
            self.printer.connected();
            // Also on heartbeats, so that a closed output is noticed while nothing happens.
            output::still_read()?;
            match message.event.as_str() {
                "message" | "" => {}
                "reset" => {
                    let why = serde_json::from_str::<Reset>(&message.data).map(|reset| reset.why);
                    return Ok(Heard::Reset(why.unwrap_or_default()));
                }
                _ => continue,
            }
            // A newer server may send unknown events.
            let Ok(event) = serde_json::from_str::<Event>(&message.data) else { continue };
            let mut heard = None;
            if event.operation() == Some(self.id) {
                self.printer.event(&message.data)?;
                heard = self.apply(event.body).await?;
            }
            self.after = self.after.max(event.seq);
            if let Some(heard) = heard {
                return Ok(heard);
            }
        }
        Ok(Heard::Broken { alive })
    }

    async fn apply(&mut self, body: EventBody) -> anyhow::Result<Option<Heard>> {
        match body {
            EventBody::Operation { operation } => {
                let ended = operation.state.ended();
                self.printer.changed(*operation)?;
                return Ok(ended.then_some(Heard::End));
            }
            EventBody::Forgotten { .. } => return Ok(Some(Heard::Deleted)),
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

fn sentence_of(error: &pool::PoolError) -> String {
    let said = error.to_string();
    if said.ends_with(['.', '?']) { said } else { format!("{said}.") }
}
