//! Events: the append-only log, and what the feed carries to those who watch.

use crate::api::HostStatus;
use crate::{Forecast, LogLine, Operation, OperationId, Points, Progress, State, Time};
use serde::{Deserialize, Serialize};

/// One record of the log. `seq` rises by one from record to record, without gaps.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    pub seq: u64,
    /// When the server recorded it.
    pub at: Time,
    #[serde(flatten)]
    pub body: EventBody,
}

/// What happened. Applying every body in order to a snapshot gives the present.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum EventBody {
    /// An operation was created, or anything but its progress changed: it now stands like this.
    Operation { operation: Box<Operation> },
    /// The newest progress of the current attempt, and now and then when it will end by that.
    Progress {
        id: OperationId,
        attempt: u32,
        progress: Progress,
        /// Absent means that the one before still holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        forecast: Option<Forecast>,
    },
    /// New points of curves.
    Points {
        id: OperationId,
        attempt: u32,
        series: Vec<Points>,
        /// How many points in a row are out of the band now, where the operation's rule has judged these.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outside: Option<u32>,
    },
    /// New log lines.
    Log { id: OperationId, attempt: u32, lines: Vec<LogLine> },
    /// A host said something of an attempt that is over. It is kept for the record and changed nothing.
    Late { id: OperationId, attempt: u32, what: String },
    /// A host now stands like this.
    Host { host: Box<HostStatus> },
    /// An operation is no more, with all that was kept of it: it was deleted, or too old to be kept. Its id is never
    /// given again.
    Forgotten {
        id: OperationId,
        /// How it had ended: there it is counted no more.
        state: State,
    },
}

impl Event {
    /// The operation that it is about.
    pub fn operation(&self) -> Option<OperationId> {
        match &self.body {
            EventBody::Operation { operation } => Some(operation.id),
            EventBody::Progress { id, .. }
            | EventBody::Points { id, .. }
            | EventBody::Log { id, .. }
            | EventBody::Late { id, .. }
            | EventBody::Forgotten { id, .. } => Some(*id),
            EventBody::Host { .. } => None,
        }
    }
}

/// First message of every stream: what the reader can expect of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Hello {
    /// The stream starts after this event.
    pub after: u64,
    /// The newest event there is.
    pub head: u64,
    /// The server's clock.
    pub now: Time,
    /// Seconds between two beats; silence for three of them means that the stream is dead.
    pub beat_seconds: f64,
    /// One life of the server.
    pub server: crate::InstanceId,
}

/// Sent when nothing else is: the stream lives, and nothing newer than `head` happened.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Beat {
    pub head: u64,
    pub now: Time,
}

/// Sent in place of progress that a newer progress of the same operation has overtaken: between `from` and
/// `to` (both included) only that was left out. Sent before the events that remain of the range.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Skipped {
    pub from: u64,
    pub to: u64,
}

/// The asked-for place is no longer (or not yet) held: take a new snapshot and follow from its seq.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reset {
    /// Why, for a person.
    pub why: String,
    /// The newest event there is.
    pub head: u64,
}
