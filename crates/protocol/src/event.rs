//! Events of the append-only event log, and control messages of the feed.

use crate::alerts::AlertSummary;
use crate::host_status::HostStatus;
use crate::{Forecast, LogLine, Operation, OperationId, Points, Progress, State, Time};
use serde::{Deserialize, Serialize};

/// Record of the event log. `seq` increases by one from record to record, without gaps.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    pub seq: u64,
    /// When the server recorded the event.
    pub at: Time,
    #[serde(flatten)]
    pub body: EventBody,
}

/// Content of an event. Applying all events in order to a snapshot yields the current state.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum EventBody {
    /// New state of an operation: it was created, or something other than its progress changed.
    Operation { operation: Box<Operation> },
    /// Latest progress of the current attempt, sometimes with a new forecast.
    Progress {
        id: OperationId,
        attempt: u32,
        progress: Progress,
        /// Absent if the previous forecast is still valid.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        forecast: Option<Forecast>,
    },
    /// New points of series.
    Points {
        id: OperationId,
        attempt: u32,
        series: Vec<Points>,
        /// Current number of consecutive points outside the baseline, if the operation's rule has checked these points.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outside: Option<u32>,
    },
    /// New log lines.
    Log { id: OperationId, attempt: u32, lines: Vec<LogLine> },
    /// Late report from a host about an ended attempt. It is recorded and has no effect.
    Late { id: OperationId, attempt: u32, what: String },
    /// New status of a host.
    Host { host: Box<HostStatus> },
    /// The alerts changed; `GET /api/v1/alerts` returns them.
    Alerts { alerts: AlertSummary },
    /// An operation and all of its data were removed: it was deleted, or its retention expired. Its ID is never used
    /// again.
    #[serde(alias = "forgotten")]
    Deleted {
        id: OperationId,
        /// Final state of the operation; it no longer counts in that state.
        state: State,
    },
}

impl Event {
    /// Operation that the event belongs to.
    pub fn operation(&self) -> Option<OperationId> {
        match &self.body {
            EventBody::Operation { operation } => Some(operation.id),
            EventBody::Progress { id, .. }
            | EventBody::Points { id, .. }
            | EventBody::Log { id, .. }
            | EventBody::Late { id, .. }
            | EventBody::Deleted { id, .. } => Some(*id),
            EventBody::Host { .. } | EventBody::Alerts { .. } => None,
        }
    }
}

/// First message of every stream, with its parameters.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Hello {
    /// The stream starts after this event.
    pub after: u64,
    /// Sequence number of the latest event.
    pub head: u64,
    /// The server's clock.
    pub now: Time,
    /// Heartbeat interval in seconds. A stream without messages for three intervals is dead.
    pub beat_seconds: f64,
    /// Instance ID of the server, new at each start.
    pub server: crate::InstanceId,
}

/// Heartbeat, sent when there are no other messages: the stream is alive, and there are no events after `head`.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Beat {
    pub head: u64,
    pub now: Time,
}

/// Replaces outdated progress events that newer progress of the same operation supersedes. In the range `from` to `to`
/// (inclusive), only such events are missing. Sent before the remaining events of the range.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Skipped {
    pub from: u64,
    pub to: u64,
}

/// The requested events are no longer (or not yet) available: fetch a new snapshot and follow from its `seq`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reset {
    /// Human-readable reason.
    pub why: String,
    /// Sequence number of the latest event.
    pub head: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConditionKind;
    use serde_json::{from_value, json};

    #[test]
    fn stored_names_of_earlier_versions_are_read() {
        let id = OperationId::earliest(Time::from_micros(0));
        let event = json!({"type": "forgotten", "id": id, "state": "failed"});
        let event: EventBody = from_value(event).unwrap();
        assert!(matches!(event, EventBody::Deleted { id: deleted, state: State::Failed } if deleted == id));
        let conditions =
            ["no_word", "carrying"].map(|name| from_value::<ConditionKind>(json!(name)).unwrap());
        assert_eq!(conditions, [ConditionKind::Unreachable, ConditionKind::TransferringCheckpoint]);
    }
}
