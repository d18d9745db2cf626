//! Follows an operation to its end. A broken connection is resumed after the last event, so nothing is lost; only if
//! the server no longer has those events, the operation is read again.
//!
//! Where a proxy holds or refuses the stream, the same events are read by long polls, from the same position. Where
//! polls fail as well, the operation itself is read until it has ended.
//!
//! Beside the events, the operation is read every few seconds, for two reasons: a proxy may lose an event, and on a
//! slow connection events may be under way for minutes. A caller that needs every event then gets them by polls, which
//! do not queue behind those in the stream; any other jumps to the current state.

mod catch_up;

use crate::{Client, ClientError, EventPage};
use pool::{PoolError, Sse, SseStream};
use protocol::api::OperationDetail;
use protocol::event::Reset;
use protocol::{Event, EventBody, Operation, OperationId};
use serde::Deserialize;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// Pause before reconnecting, if the last connection brought nothing.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// Longest wait of a poll.
const POLL_WAIT: Duration = Duration::from_secs(10);
/// Time in which only the operation is read, after stream and poll failed.
const EVENTS_PAUSE: Duration = Duration::from_secs(30);
/// Interval of reading the operation beside its events.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);
/// Consecutive streams without an event after which polls are tried.
const MAX_BREAKS: u32 = 2;

/// Which events a caller needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Events {
    /// Every event that the server has.
    All,
    /// The current state: on a slow connection, older events are skipped.
    Newest,
}

/// Step of a followed operation.
#[derive(Debug)]
pub enum Update {
    /// Next event of the operation, and its JSON as the server wrote it. Each comes once, in order.
    Event { json: String, event: Box<Event> },
    /// State of the operation, read beside its events.
    State(Box<Operation>),
    /// The operation continues from this state, because events are missing: why.
    Restart { operation: Box<Operation>, why: String },
    /// The connection has a problem; a sentence. It is repeated while the problem stays.
    Trouble(String),
    /// The server answers.
    Connected,
    /// Nothing new. Comes at least every 10 s, so that a caller can look whether it is still needed.
    Idle,
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

/// What an event or a page of events changed.
enum Change {
    /// An attempt ended.
    End,
    /// The operation was deleted.
    Deleted,
    /// The server no longer has the events after the last one.
    Reset(String),
    /// An event can't be read.
    Damaged,
    /// Nothing that ends a series of events.
    More,
}

/// Follower of one operation.
pub struct Follower {
    client: Client,
    id: OperationId,
    events: Events,
    /// Newest known state.
    operation: Operation,
    /// Number of the last event.
    after: u64,
    source: Source,
    stream: Option<SseStream>,
    /// Consecutive streams without an event.
    breaks: u32,
    /// It was said that the stream is blocked.
    blocked: bool,
    /// When the operation was last read beside its events.
    checked: Instant,
    /// The stream brought a message since then: it is not blocked.
    receives: bool,
    updates: VecDeque<Update>,
    over: bool,
}

impl Follower {
    /// Follower from a state of the operation on.
    pub fn new(client: Client, from: &OperationDetail, events: Events) -> Self {
        Self {
            client,
            id: from.operation.id,
            events,
            operation: from.operation.clone(),
            after: from.seq,
            source: Source::Stream,
            stream: None,
            breaks: 0,
            blocked: false,
            checked: Instant::now(),
            receives: false,
            updates: VecDeque::new(),
            over: false,
        }
    }

    /// Next step; `None` once the operation has ended. An attempt that is retried automatically is no end. While the
    /// server is away, it waits for it.
    ///
    /// # Errors
    /// [`ClientError::Deleted`] if the operation was deleted before its end.
    pub async fn next(&mut self) -> Result<Option<Update>, ClientError> {
        loop {
            if let Some(update) = self.updates.pop_front() {
                return Ok(Some(update));
            }
            if self.over {
                return Ok(None);
            }
            if self.operation.state.ended() {
                self.check_for_new_attempt().await;
            } else {
                self.step().await?;
            }
        }
    }

    async fn step(&mut self) -> Result<(), ClientError> {
        match &self.source {
            Source::Stream => self.stream().await,
            Source::Polls { why, answered } => {
                let (why, answered) = (why.clone(), *answered);
                self.poll(why, answered).await
            }
            Source::Operation { until } if Instant::now() >= *until => {
                self.source = Source::Stream;
                Ok(())
            }
            Source::Operation { .. } => self.pause().await,
        }
    }

    /// Opens the stream, or takes its next message.
    async fn stream(&mut self) -> Result<(), ClientError> {
        let due = self.checked + CHECK_INTERVAL;
        let Some(stream) = &mut self.stream else {
            // Reset by the first message that is not the greeting: a stream that is cut right after it brings nothing.
            self.breaks += 1;
            match self.client.events(self.id, self.after).await {
                Ok(stream) => self.stream = Some(stream),
                Err(error) => return self.broken(Some(error)).await,
            }
            return Ok(());
        };
        let message = tokio::select! {
            message = stream.next() => message,
            () = tokio::time::sleep_until(due) => return self.check().await,
        };
        match message {
            Some(Ok(message)) => self.message(message).await,
            Some(Err(error)) => self.broken(Some(error)).await,
            None => self.broken(None).await,
        }
    }

    async fn message(&mut self, message: Sse) -> Result<(), ClientError> {
        self.updates.push_back(Update::Connected);
        if message.event != "hello" {
            (self.breaks, self.receives) = (0, true);
        }
        match message.event.as_str() {
            "message" | "" => match self.take(&message.data) {
                // The same event again, undamaged.
                Change::Damaged => self.catch_up().await,
                change => self.handle(change).await,
            },
            "reset" => {
                let why = serde_json::from_str::<Reset>(&message.data).map(|reset| reset.why);
                self.handle(Change::Reset(why.unwrap_or_default())).await
            }
            _ => {
                self.updates.push_back(Update::Idle);
                Ok(())
            }
        }
    }

    /// Handles the end of a stream, or a failure to open it.
    async fn broken(&mut self, error: Option<PoolError>) -> Result<(), ClientError> {
        self.stream = None;
        let why = match error {
            // The server itself may be away.
            Some(error @ PoolError::Unreachable { .. }) if error.never_sent() => {
                self.breaks = 0;
                self.report_error(format!("{} Retrying.", sentence_of(&error)));
                return self.pause().await;
            }
            None | Some(PoolError::Unreachable { .. }) if self.breaks == 0 => return Ok(()),
            None | Some(PoolError::Unreachable { .. }) if self.breaks < MAX_BREAKS => {
                return self.pause().await;
            }
            None => "the stream ends as soon as it is opened".to_owned(),
            Some(PoolError::Unreachable { .. }) => "the stream breaks as soon as it is opened".to_owned(),
            Some(PoolError::Timeout { after, .. }) => format!("no data for {} s", after.as_secs()),
            Some(PoolError::Status { status, .. }) => format!("the response was {status}"),
            Some(PoolError::Decode { cause, .. }) => cause,
            Some(other) => other.to_string(),
        };
        self.breaks = 0;
        self.source = Source::Polls { why, answered: false };
        Ok(())
    }

    /// Reads the next events with a poll.
    async fn poll(&mut self, why: String, answered: bool) -> Result<(), ClientError> {
        self.updates.push_back(Update::Idle);
        let requested_at = Instant::now();
        match self.client.poll(self.id, self.after, POLL_WAIT).await {
            Ok(page) => {
                self.updates.push_back(Update::Connected);
                if !std::mem::replace(&mut self.blocked, true) {
                    self.report_error(format!("Live stream blocked ({why}). Polling instead."));
                }
                self.source = Source::Polls { why, answered: true };
                let empty = page.events.is_empty();
                let change = self.take_page(page);
                if !matches!(change, Change::More) {
                    return self.handle(change).await;
                }
                if self.checked.elapsed() > CHECK_INTERVAL {
                    self.check().await?;
                }
                // A proxy may answer at once.
                if empty && requested_at.elapsed() < RETRY_PAUSE {
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
                Ok(())
            }
            Err(error) => {
                self.source = if answered || error.is_unreachable() && error.never_sent() {
                    self.report_error(format!("{} Retrying.", sentence_of(&error)));
                    Source::Stream
                } else {
                    let poll = sentence_of(&error);
                    self.report_error(format!(
                        "Events can't be read (stream: {why}; poll: {}). Reading only the operation's state.",
                        poll.trim_end_matches('.')
                    ));
                    Source::Operation { until: Instant::now() + EVENTS_PAUSE }
                };
                self.pause().await
            }
        }
    }

    /// Waits before the next try, and looks at the operation: a server that lost it sends no event about that.
    async fn pause(&mut self) -> Result<(), ClientError> {
        self.updates.push_back(Update::Idle);
        tokio::time::sleep(RETRY_PAUSE).await;
        self.check().await
    }

    /// Takes the events of a poll.
    fn take_page(&mut self, page: EventPage) -> Change {
        if let Some(reset) = page.reset {
            return Change::Reset(reset.why);
        }
        for json in &page.events {
            match self.take(json.get()) {
                Change::More | Change::Damaged => {}
                change => return change,
            }
        }
        self.after = self.after.max(page.next);
        Change::More
    }

    /// Takes an event; each only once, however it arrives.
    fn take(&mut self, json: &str) -> Change {
        let event = match serde_json::from_str::<Event>(json) {
            Ok(event) => event,
            Err(_) => match serde_json::from_str::<EventType>(json) {
                // A newer server may send unknown events.
                Ok(head) if !KNOWN_TYPES.contains(&head.name.as_str()) => return Change::More,
                _ => return Change::Damaged,
            },
        };
        if event.seq <= self.after {
            return Change::More;
        }
        self.after = event.seq;
        if event.operation() != Some(self.id) {
            return Change::More;
        }
        let change = match &event.body {
            EventBody::Operation { operation } => {
                self.operation = (**operation).clone();
                if operation.state.ended() { Change::End } else { Change::More }
            }
            EventBody::Progress { attempt, progress, .. } if *attempt == self.operation.attempt => {
                self.operation.progress = Some(progress.clone());
                Change::More
            }
            EventBody::Deleted { .. } => Change::Deleted,
            _ => Change::More,
        };
        self.updates.push_back(Update::Event { json: json.to_owned(), event: Box::new(event) });
        change
    }

    async fn handle(&mut self, change: Change) -> Result<(), ClientError> {
        match change {
            Change::Deleted if self.operation.state.ended() => self.over = true,
            Change::Deleted => return Err(ClientError::Deleted(self.id)),
            Change::Reset(why) => return self.reload(&why).await,
            Change::End | Change::Damaged | Change::More => {}
        }
        Ok(())
    }

    fn state(&mut self, operation: Operation) {
        self.operation = operation.clone();
        self.updates.push_back(Update::State(Box::new(operation)));
    }

    fn restart(&mut self, operation: Operation, why: String) {
        self.operation = operation.clone();
        self.updates.push_back(Update::Restart { operation: Box::new(operation), why });
    }

    fn report_error(&mut self, sentence: String) {
        self.updates.push_back(Update::Trouble(sentence));
    }
}

/// Types of [`EventBody`].
const KNOWN_TYPES: [&str; 7] = ["operation", "progress", "points", "log", "late", "host", "deleted"];

#[derive(Deserialize)]
struct EventType {
    #[serde(rename = "type")]
    name: String,
}

fn sentence_of(error: &impl ToString) -> String {
    let reason = error.to_string();
    if reason.ends_with(['.', '?']) { reason } else { format!("{reason}.") }
}
