//! Receipt of a cancellation: its steps with their times.

use crate::Time;
use serde::{Deserialize, Serialize};

/// Receipt of a cancellation: requested → sent → acknowledged → stopped → released, all by the server's clock.
///
/// Times of the host are converted to the server's clock with the estimated clock offset, and are never before the
/// previous step.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Receipt {
    /// Number of the cancelled attempt.
    pub attempt: u32,
    /// Reason given by the user.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The server accepted the request and stored it durably.
    pub requested: Time,
    /// The request was sent to the host, but not stored yet because the database can't be written. It is lost if the
    /// server stops.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_stored: bool,
    /// The request was sent to the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Time>,
    /// The host acknowledged the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Time>,
    /// The work stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Time>,
    /// The resources of the attempt (memory, files, slot on the host) are released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<Time>,
}

/// Steps of a cancellation, in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Step {
    Requested,
    Sent,
    Acknowledged,
    Stopped,
    Released,
}

impl Step {
    pub const ALL: [Step; 5] =
        [Step::Requested, Step::Sent, Step::Acknowledged, Step::Stopped, Step::Released];

    /// Name on the page.
    pub fn as_str(self) -> &'static str {
        match self {
            Step::Requested => "requested",
            Step::Sent => "sent",
            Step::Acknowledged => "acknowledged",
            Step::Stopped => "stopped",
            Step::Released => "released",
        }
    }
}

impl Receipt {
    /// Receipt with its first step.
    pub fn requested(attempt: u32, reason: String, at: Time) -> Self {
        Self {
            attempt,
            reason,
            requested: at,
            not_stored: false,
            sent: None,
            acknowledged: None,
            stopped: None,
            released: None,
        }
    }

    /// Time of a step; `None` if it has not happened yet.
    pub fn at(&self, step: Step) -> Option<Time> {
        match step {
            Step::Requested => Some(self.requested),
            Step::Sent => self.sent,
            Step::Acknowledged => self.acknowledged,
            Step::Stopped => self.stopped,
            Step::Released => self.released,
        }
    }

    /// Records a step once. Returns whether it was new. The time is clamped between the neighbouring steps, because the
    /// host reports a step in its response and in its feed, in either order.
    pub fn note(&mut self, step: Step, at: Time) -> bool {
        let ceiling = Step::ALL.into_iter().filter(|s| *s > step).filter_map(|s| self.at(s)).min();
        let at = ceiling.map_or(at, |ceiling| at.min(ceiling));
        let floor = Step::ALL.into_iter().filter(|s| *s < step).filter_map(|s| self.at(s)).max();
        let at = floor.map_or(at, |floor| at.max(floor));
        let slot = match step {
            Step::Requested => return false,
            Step::Sent => &mut self.sent,
            Step::Acknowledged => &mut self.acknowledged,
            Step::Stopped => &mut self.stopped,
            Step::Released => &mut self.released,
        };
        if slot.is_some() {
            return false;
        }
        *slot = Some(at);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn receipt_steps_never_go_backwards_whatever_the_hosts_clock(
            notes in proptest::collection::vec((1usize..5, -1000i64..1000), 0..12)
        ) {
            let start = Time::from_micros(1_000_000_000);
            let mut receipt = Receipt::requested(1, String::new(), start);
            for (step, offset) in notes {
                receipt.note(Step::ALL[step], start.plus_micros(offset));
            }
            let times: Vec<_> = Step::ALL.into_iter().filter_map(|s| receipt.at(s)).collect();
            prop_assert!(times.windows(2).all(|w| w[0] <= w[1]));
        }
    }

    #[test]
    fn a_step_is_recorded_once() {
        let start = Time::from_micros(5);
        let mut receipt = Receipt::requested(1, "no use".into(), start);
        assert!(receipt.note(Step::Sent, start.plus_micros(2)));
        assert!(!receipt.note(Step::Sent, start.plus_micros(9)));
        assert_eq!(receipt.sent, Some(start.plus_micros(2)));
    }
}
