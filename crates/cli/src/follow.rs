//! Follows an operation to its end, and prints its status, its log or its events.

use crate::errors::{sentence, unsure};
use crate::interrupt::{Action, InterruptArgs, Interrupts, Prompt, Signal};
use crate::output::{self, OutputError};
use crate::printer::Printer;
use crate::target::Target;
use anyhow::bail;
use client::{Client, ClientError, Events, Follower, LogCursor, Update};
use protocol::api::CancelOperation;
use protocol::{Event, EventBody, LogLine, Operation, OperationId};
use std::rc::Rc;
use std::time::Duration;

/// Pause before the log is read again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// How an operation is followed.
#[derive(Clone, Copy, Default)]
pub struct How {
    /// Print its log.
    pub log: bool,
    /// Print its events as JSON.
    pub json: bool,
    pub interrupts: InterruptArgs,
}

/// End of following.
pub enum Followed {
    Ended(Box<Operation>),
    /// The user detached; the operation continues.
    Detached,
}

/// Waits until the operation has ended, or the user detaches. An attempt that is retried automatically is no end.
///
/// # Errors
/// If it does not exist, the server is unreachable at first, or the output can't be written. If the server disappears
/// later, the command waits for it.
pub async fn follow(target: &Target, id: OperationId, how: How) -> anyhow::Result<Followed> {
    let prompt = Rc::new(Prompt::default());
    let mut interrupts = Interrupts::new(how.interrupts, Rc::clone(&prompt))?;
    let mut following = Box::pin(to_end(&target.client, id, how, Rc::clone(&prompt)));
    loop {
        let action = tokio::select! {
            ended = &mut following => {
                prompt.close()?;
                return Ok(Followed::Ended(Box::new(ended?)));
            }
            action = interrupts.next() => action?,
        };
        let signal = match action {
            Action::Detach(signal) => signal,
            Action::Cancel(signal) => tokio::select! {
                cancelled = cancel(target, id, signal) => {
                    match cancelled? {
                        Ok(()) => {}
                        Err(sentence) => {
                            interrupts.not_cancelled();
                            prompt.note(&sentence)?;
                        }
                    }
                    continue;
                }
                // The request may be under way.
                Ok(Action::Detach(signal)) = interrupts.next() => signal,
            },
        };
        prompt.note(&format!(
            "Detached; the operation continues. To follow it again: `signalbox follow {id}`"
        ))?;
        match signal {
            Some(signal) => signal.end_process(),
            None => return Ok(Followed::Detached),
        }
    }
}

/// Sends a cancel request because of an interrupt; the sentence says why it failed.
async fn cancel(target: &Target, id: OperationId, signal: Signal) -> Result<Result<(), String>, OutputError> {
    let reason = format!("The command line received {}.", signal.name());
    match target.client.cancel(id, &CancelOperation { reason }).await {
        Ok(operation) => target.wrote(id, operation.seq).map(Ok),
        // It ended meanwhile, which the follower reports.
        Err(ClientError::Problem(problem)) => Ok(Err(problem.detail)),
        Err(error) => {
            let error = unsure(error, "The operation may have been cancelled");
            Ok(Err(format!(
                "The cancel request failed: {} Press Ctrl+C to send the cancel request again.",
                sentence(&error)
            )))
        }
    }
}

/// Waits until the operation has ended, and prints what happens meanwhile.
async fn to_end(client: &Client, id: OperationId, how: How, prompt: Rc<Prompt>) -> anyhow::Result<Operation> {
    let detail = client.operation(id).await.map_err(crate::errors::advised)?;
    let events = if how.json { Events::All } else { Events::Newest };
    let mut follower = Follower::new(client.clone(), &detail, events);
    let log = (how.log && !how.json).then(|| LogCursor::at(detail.operation.attempt));
    let mut shown = Shown { client, log, printer: Printer::new(detail.operation, how.json, prompt) };
    shown.printer.begin()?;
    shown.stored_lines(None).await?;
    while let Some(update) = follower.next().await? {
        shown.update(update).await?;
    }
    shown.stored_lines(None).await?;
    shown.printer.clear()?;
    Ok(shown.printer.op)
}

/// What is printed of an operation.
struct Shown<'a> {
    client: &'a Client,
    /// Position in the log, if it is printed.
    log: Option<LogCursor>,
    printer: Printer,
}

impl Shown<'_> {
    async fn update(&mut self, update: Update) -> anyhow::Result<()> {
        // Also if there is nothing new, so that a closed output is noticed meanwhile.
        output::still_read()?;
        match update {
            Update::Event { json, event } => {
                self.printer.event(&json)?;
                self.event(*event).await?;
            }
            Update::State(operation) => {
                self.printer.changed(*operation)?;
                self.stored_lines(None).await?;
            }
            Update::Restart { operation, why } => {
                self.printer.restart(*operation, &why)?;
                self.stored_lines(None).await?;
            }
            Update::Trouble(sentence) => self.printer.write_note(&sentence)?,
            Update::Connected => self.printer.connected(),
            Update::Idle => self.printer.tick()?,
        }
        Ok(())
    }

    async fn event(&mut self, event: Event) -> anyhow::Result<()> {
        self.printer.server_time(event.at);
        match event.body {
            EventBody::Operation { operation } => self.printer.changed(*operation)?,
            EventBody::Progress { attempt, progress, forecast, .. } if attempt == self.printer.op.attempt => {
                self.printer.progress(progress, forecast)?;
            }
            EventBody::Log { attempt, lines, .. } => self.lines(attempt, &lines).await?,
            _ => {}
        }
        Ok(())
    }

    /// Prints lines from the feed, after missing ones before them.
    async fn lines(&mut self, attempt: u32, lines: &[LogLine]) -> anyhow::Result<()> {
        if let Some(missing) = self.log.as_ref().and_then(|cursor| cursor.missing_before(attempt, lines)) {
            self.stored_lines(Some(missing)).await?;
        }
        let new = self.log.as_mut().map(|cursor| cursor.take(attempt, lines)).unwrap_or_default();
        if new.is_empty() {
            return Ok(());
        }
        self.printer.log(new).map_err(OutputError::into)
    }

    /// Prints stored lines that were not printed yet, up to a line of an attempt; without one, all.
    async fn stored_lines(&mut self, up_to: Option<(u32, u64)>) -> anyhow::Result<()> {
        let id = self.printer.op.id;
        let Some(cursor) = self.log.as_mut() else { return Ok(()) };
        let (attempt, last) =
            up_to.map_or((self.printer.op.attempt, None), |(attempt, n)| (attempt, Some(n)));
        loop {
            match cursor.next_stored(self.client, id, attempt, last).await {
                Ok(Some(lines)) => self.printer.log(&lines)?,
                Ok(None) => return Ok(()),
                Err(error) => {
                    self.printer
                        .write_note(&format!("The log can't be read: {} Retrying.", sentence(&error)))?;
                    output::still_read()?;
                    tokio::time::sleep(RETRY_PAUSE).await;
                    if matches!(self.client.find(id).await, Ok(None)) {
                        bail!("operation {id} was deleted");
                    }
                }
            }
        }
    }
}
