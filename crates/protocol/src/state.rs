//! The states of an operation and which may follow which: one function, asked by everybody.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Where an operation stands.
///
/// `queued → starting → running → succeeded | failed | cancelled`, with `cancelling` before an end that
/// was asked for. An ended operation changes only by another attempt: a person asks for it, or the kind's retry policy
/// makes it after a failure.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum State {
    /// Accepted and durable; waits for a host with room.
    Queued,
    /// Given to a host, which has not yet said that it runs.
    Starting,
    /// The host works on it.
    Running,
    /// A cancel was asked for; the host has not yet confirmed the end.
    Cancelling,
    /// It did what it was asked to do.
    Succeeded,
    /// It ended without doing it.
    Failed,
    /// The host confirmed that the work stopped and its resources are released.
    Cancelled,
}

impl State {
    pub const ALL: [State; 7] = [
        State::Queued,
        State::Starting,
        State::Running,
        State::Cancelling,
        State::Succeeded,
        State::Failed,
        State::Cancelled,
    ];

    /// Nothing more will happen to this attempt.
    pub fn ended(self) -> bool {
        matches!(self, State::Succeeded | State::Failed | State::Cancelled)
    }

    /// A host may be working on it.
    pub fn on_host(self) -> bool {
        matches!(self, State::Starting | State::Running | State::Cancelling)
    }

    /// A cancel can be asked for.
    pub fn cancellable(self) -> bool {
        matches!(self, State::Queued | State::Starting | State::Running)
    }

    /// Whether `next` may follow this state.
    ///
    /// The last arm that is true is the only way out of an end: a new attempt, which a person asks for or, after a
    /// failure, the kind's retry policy makes.
    pub fn may_become(self, next: State) -> bool {
        use State::*;
        match (self, next) {
            (Queued, Starting | Failed | Cancelled) => true,
            // A cancelled operation waits for what an earlier attempt started.
            (Queued, Cancelling) => true,
            // Back to the queue: the host was full, never took it, or could not begin it.
            (Starting | Running, Queued) => true,
            (Starting, Running | Cancelling | Succeeded | Failed) => true,
            (Running, Cancelling | Succeeded | Failed) => true,
            // Its cancel went out while nothing could be stored, and the server ended before there was room.
            (Starting | Running, Cancelled) => true,
            // A cancel that came too late ends as the work ended.
            (Cancelling, Succeeded | Failed | Cancelled) => true,
            (Failed | Cancelled, Queued) => true,
            _ => false,
        }
    }

    /// The word, as on the wire and on the page.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Starting => "starting",
            State::Running => "running",
            State::Cancelling => "cancelling",
            State::Succeeded => "succeeded",
            State::Failed => "failed",
            State::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for State {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        State::ALL.into_iter().find(|state| state.as_str() == s).ok_or_else(|| {
            format!("'{s}' is not a state; states are {}", State::ALL.map(State::as_str).join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_state() -> impl Strategy<Value = State> {
        (0..State::ALL.len()).prop_map(|i| State::ALL[i])
    }

    proptest! {
        #[test]
        fn only_a_new_attempt_leads_out_of_an_end(from in any_state(), to in any_state()) {
            if from.ended() && from.may_become(to) {
                prop_assert_eq!(to, State::Queued);
                prop_assert_ne!(from, State::Succeeded);
            }
        }

        #[test]
        fn only_what_can_be_cancelled_or_is_being_cancelled_becomes_cancelled(from in any_state()) {
            if from.may_become(State::Cancelled) {
                prop_assert!(from.cancellable() || from == State::Cancelling);
            }
        }

        #[test]
        fn every_walk_can_still_reach_an_end(steps in proptest::collection::vec(any_state(), 0..40)) {
            let mut at = State::Queued;
            for step in steps {
                if at.may_become(step) { at = step; }
            }
            prop_assert!(at.ended() || State::ALL.iter().any(|next| next.ended() && at.may_become(*next)));
        }

        #[test]
        fn the_word_reads_back(state in any_state()) {
            prop_assert_eq!(state.as_str().parse::<State>().unwrap(), state);
            prop_assert_eq!(serde_json::to_string(&state).unwrap(), format!("\"{state}\""));
        }
    }
}
