//! One operation followed to its end. A broken connection is made again from the last event that was read, so nothing
//! is lost in between; only where the server no longer keeps those events is the operation read anew.

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

/// The pause before a connection that brought nothing is made again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Stays until it has ended, and gives it as it then stands. An attempt that is retried automatically is no end.
///
/// # Errors
/// When it is not there, the server can't be reached at first, or the output can't be written. A server that goes away
/// later is waited for.
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
    /// It told of the end of an attempt.
    End,
    /// The operation was deleted.
    Deleted,
    /// The server no longer keeps the events after the last one that was read.
    Reset(String),
    /// The connection broke, after at least one message or before the first.
    Broken { alive: bool },
}

struct Follower<'a> {
    server: &'a Server,
    id: OperationId,
    /// The last event that was read.
    after: u64,
    /// Where the log is printed.
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

    /// Whether another attempt follows the end that was told. It is asked until the server answers.
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

    /// Goes on from what the server knows now.
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

    /// Prints the stored lines that were not printed yet, up to a line of an attempt; without one, all there are.
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

    /// Takes in what the stream brings, until it breaks or an end is told.
    async fn listen(&mut self, mut stream: SseStream) -> anyhow::Result<Heard> {
        // The greeting alone does not count: a connection that is cut right after it would be made again at once, for ever.
        let mut alive = false;
        while let Some(Ok(message)) = stream.next().await {
            alive |= message.event != "hello";
            self.printer.connected();
            // Beats come as well, so that a closed output is noticed while nothing happens.
            output::still_read()?;
            match message.event.as_str() {
                "message" | "" => {}
                "reset" => {
                    let why = serde_json::from_str::<Reset>(&message.data).map(|reset| reset.why);
                    return Ok(Heard::Reset(why.unwrap_or_default()));
                }
                _ => continue,
            }
            // A newer server may send events that are not known here.
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

    /// Lines that the feed brought, after those that it may have left out.
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
