//! What tabs of one browser say to each other. Pure.
//!
//! A frame is text: its name on the first line, then what the server sent, as it came: nobody reads it twice,
//! and nothing is written anew.

use super::link::Shown;
use protocol::InstanceId;
use serde::{Deserialize, Serialize};

/// How things are with the leader, told every second and at every change.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Standing {
    /// What its badge says.
    pub shown: Shown,
    /// Its numbers are of this moment.
    pub fresh: bool,
    /// Everything up to this event was passed on, or is in a snapshot.
    pub seq: u64,
    /// The life of the server that it knows.
    pub server: Option<InstanceId>,
    /// How often it hears something at least, milliseconds.
    pub beat: f64,
}

/// One word of a tab to the others.
#[derive(Clone, PartialEq, Debug)]
pub enum Frame {
    /// An event of the leader's stream.
    Message(String),
    /// What the stream left out.
    Skipped(String),
    /// A beat of the stream.
    Beat(String),
    /// The answer to a poll of the leader, which asked for what is after this event.
    Page(u64, String),
    /// How things are with the leader.
    Standing(Standing),
    /// To the leader: say how things are.
    Join,
    /// To the leader: try again at once.
    Nudge,
}

impl Frame {
    /// For the channel.
    pub fn to_text(&self) -> String {
        match self {
            Frame::Message(text) => format!("message\n{text}"),
            Frame::Skipped(text) => format!("skipped\n{text}"),
            Frame::Beat(text) => format!("beat\n{text}"),
            Frame::Page(after, text) => format!("page {after}\n{text}"),
            // Plain fields: writing them can't fail.
            Frame::Standing(standing) => {
                format!("standing\n{}", serde_json::to_string(standing).unwrap_or_default())
            }
            Frame::Join => "join\n".to_owned(),
            Frame::Nudge => "nudge\n".to_owned(),
        }
    }

    /// From the channel; nothing when it is none that is known here.
    pub fn read(text: &str) -> Option<Self> {
        let (head, rest) = text.split_once('\n')?;
        let (name, number) = head.split_once(' ').unwrap_or((head, ""));
        Some(match name {
            "message" => Frame::Message(rest.to_owned()),
            "skipped" => Frame::Skipped(rest.to_owned()),
            "beat" => Frame::Beat(rest.to_owned()),
            "page" => Frame::Page(number.parse().ok()?, rest.to_owned()),
            "standing" => Frame::Standing(serde_json::from_str(rest).ok()?),
            "join" => Frame::Join,
            "nudge" => Frame::Nudge,
            _ => return None,
        })
    }

    /// It is the leader's.
    pub fn is_leaders(&self) -> bool {
        !matches!(self, Frame::Join | Frame::Nudge)
    }
}

#[cfg(test)]
mod tests {
    use super::super::link::Why;
    use super::*;

    #[test]
    fn every_frame_is_read_as_it_was_written() {
        let shown = [
            Shown::Still,
            Shown::Connecting,
            Shown::Live,
            Shown::Polling { why: Why::Mute },
            Shown::Reconnecting { next: 1_500.0, age: 2_000.5 },
            Shown::Away { since: 1_764_000_000_000.0, next: 0.0 },
        ];
        let standings = shown.map(|shown| {
            let server = Some("0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d".parse().unwrap());
            Frame::Standing(Standing { shown, fresh: true, seq: 7, server, beat: 2_000.0 })
        });
        let others = [
            Frame::Message("{\"seq\":1,\n\"at\":2}".into()),
            Frame::Skipped("{}".into()),
            Frame::Beat("{}".into()),
            Frame::Page(17, "{\"events\":[]}".into()),
            Frame::Join,
            Frame::Nudge,
        ];
        for frame in others.into_iter().chain(standings) {
            assert_eq!(Frame::read(&frame.to_text()), Some(frame));
        }
    }

    #[test]
    fn what_is_no_frame_is_passed_over() {
        for text in ["", "message", "tomorrow\n{}", "page x\n{}", "standing\n{}"] {
            assert_eq!(Frame::read(text), None, "{text}");
        }
    }
}
