//! Messages between the tabs of a browser. Pure.
//!
//! A frame is text: its name on the first line, then the server's message as received, so that nothing is serialized
//! again.

use crate::connection::clock::ClockReading;
use crate::connection::state::Connectivity;
use protocol::InstanceId;
use serde::{Deserialize, Serialize};

/// Status of the leader, sent every second and on every change.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LeaderStatus {
    /// State of its badge.
    pub connectivity: Connectivity,
    /// Its data is current.
    pub fresh: bool,
    /// Every event up to this one was forwarded, or is in a snapshot.
    pub seq: u64,
    /// The server instance it knows.
    pub server: Option<InstanceId>,
    /// Heartbeat interval, milliseconds.
    pub beat: f64,
    /// Its clock; `None` before its first message.
    pub clock: Option<ClockReading>,
}

/// A message between tabs.
#[derive(Clone, PartialEq, Debug)]
pub enum Frame {
    /// An event of the leader's stream.
    Message(String),
    /// A range omitted by the stream.
    Skipped(String),
    /// A heartbeat of the stream.
    Beat(String),
    /// Answer to the leader's poll for events after this one.
    Page(u64, String),
    /// Status of the leader.
    Status(LeaderStatus),
    /// Of the leader: who is signed in may have changed, so each tab asks the server.
    Identity,
    /// To the leader: send the status.
    Join,
    /// To the leader: retry now.
    Nudge,
}

impl Frame {
    /// Serializes a frame for the channel.
    pub fn to_text(&self) -> String {
        match self {
            Frame::Message(text) => format!("message\n{text}"),
            Frame::Skipped(text) => format!("skipped\n{text}"),
            Frame::Beat(text) => format!("beat\n{text}"),
            Frame::Page(after, text) => format!("page {after}\n{text}"),
            // Plain fields always serialize.
            Frame::Status(status) => {
                format!("status\n{}", serde_json::to_string(status).unwrap_or_default())
            }
            Frame::Identity => "identity\n".to_owned(),
            Frame::Join => "join\n".to_owned(),
            Frame::Nudge => "nudge\n".to_owned(),
        }
    }

    /// Parses a frame from the channel; `None` when unknown.
    pub fn read(text: &str) -> Option<Self> {
        let (head, rest) = text.split_once('\n')?;
        let (name, number) = head.split_once(' ').unwrap_or((head, ""));
        Some(match name {
            "message" => Frame::Message(rest.to_owned()),
            "skipped" => Frame::Skipped(rest.to_owned()),
            "beat" => Frame::Beat(rest.to_owned()),
            "page" => Frame::Page(number.parse().ok()?, rest.to_owned()),
            "status" => Frame::Status(json::from_str(rest).ok()?),
            "identity" => Frame::Identity,
            "join" => Frame::Join,
            "nudge" => Frame::Nudge,
            _ => return None,
        })
    }

    /// Whether it comes from the leader.
    pub fn is_leaders(&self) -> bool {
        !matches!(self, Frame::Join | Frame::Nudge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::state::PollReason;

    #[test]
    fn every_frame_round_trips() {
        let connectivity = [
            Connectivity::Idle,
            Connectivity::Connecting,
            Connectivity::Live,
            Connectivity::Silent { age: 3_000.5 },
            Connectivity::Polling { why: PollReason::Mute },
            Connectivity::Reconnecting { next: 1_500.0, age: 2_000.5 },
            Connectivity::Away { since: 1_764_000_000_000.0, next: 0.0 },
        ];
        let standings = connectivity.map(|connectivity| {
            let server = Some("0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d".parse().unwrap());
            let newest = protocol::Time::from_micros(1_764_000_000_000_000);
            let clock = Some(ClockReading { offset: -1.5, latency: Some(40.0), newest });
            Frame::Status(LeaderStatus { connectivity, fresh: true, seq: 7, server, beat: 2_000.0, clock })
        });
        let others = [
            Frame::Message("{\"seq\":1,\n\"at\":2}".into()),
            Frame::Skipped("{}".into()),
            Frame::Beat("{}".into()),
            Frame::Page(17, "{\"events\":[]}".into()),
            Frame::Identity,
            Frame::Join,
            Frame::Nudge,
        ];
        for frame in others.into_iter().chain(standings) {
            assert_eq!(Frame::read(&frame.to_text()), Some(frame));
        }
    }

    #[test]
    fn invalid_frames_are_ignored() {
        for text in ["", "message", "tomorrow\n{}", "page x\n{}", "status\n{}"] {
            assert_eq!(Frame::read(text), None, "{text}");
        }
    }
}
