//! The receipt of a cancel: its trail, each step with the moment at which it was known to have happened.

use crate::Time;
use serde::{Deserialize, Serialize};

/// requested → sent → acknowledged → stopped → released, all by the server's clock.
///
/// Steps that the host takes are moved from its clock to the server's by the offset that is estimated
/// between the two, and never before the step that went ahead of them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Receipt {
    /// The attempt it is about.
    pub attempt: u32,
    /// Why, in the words of the person who asked.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The server took the request and made it durable.
    pub requested: Time,
    /// The request went to the host and could not be stored yet: the disk has no room. Lost if the server ends before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_stored: bool,
    /// The request went out to the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Time>,
    /// The host said that it will stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Time>,
    /// The work stopped computing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Time>,
    /// What it held (memory, files, its place on the host) is free again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<Time>,
}

/// The steps, in order.
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

    /// The word for it, as on the page.
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
    /// A receipt with its first step.
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

    /// When a step was taken; `None` while it was not.
    pub fn at(&self, step: Step) -> Option<Time> {
        match step {
            Step::Requested => Some(self.requested),
            Step::Sent => self.sent,
            Step::Acknowledged => self.acknowledged,
            Step::Stopped => self.stopped,
            Step::Released => self.released,
        }
    }

    /// Notes a step once; says whether it was new. Never before an earlier step, nor after a later one: two
    /// ways lead from the host to here (its answer and its feed), and either may be first.
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
        fn steps_never_run_backwards_whatever_the_hosts_clock_says(
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
    fn a_step_is_noted_once() {
        let start = Time::from_micros(5);
        let mut receipt = Receipt::requested(1, "no use".into(), start);
        assert!(receipt.note(Step::Sent, start.plus_micros(2)));
        assert!(!receipt.note(Step::Sent, start.plus_micros(9)));
        assert_eq!(receipt.sent, Some(start.plus_micros(2)));
    }
}
