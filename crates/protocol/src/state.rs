//! States of an operation and the transitions between them.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// State of an operation.
///
/// `queued → starting → running → succeeded | failed | cancelled`, with `cancelling` after a cancel request. An ended
/// operation changes only by another attempt, which a user requests or the kind's retry policy starts after a failure.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum State {
    /// Accepted and stored; waits for a host with a free slot.
    Queued,
    /// Assigned to a host that has not started it yet.
    Starting,
    /// Running on the host.
    Running,
    /// A cancel is requested; the host has not confirmed the stop yet.
    Cancelling,
    /// Completed successfully.
    Succeeded,
    /// Ended with a failure.
    Failed,
    /// Cancelled: the host confirmed that the work stopped and its resources are released.
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

    /// True if the attempt has ended.
    pub fn ended(self) -> bool {
        matches!(self, State::Succeeded | State::Failed | State::Cancelled)
    }

    /// True if a host may be working on it.
    pub fn on_host(self) -> bool {
        matches!(self, State::Starting | State::Running | State::Cancelling)
    }

    /// True if it can be cancelled.
    pub fn cancellable(self) -> bool {
        matches!(self, State::Queued | State::Starting | State::Running)
    }

    /// True if the transition to `next` is allowed.
    ///
    /// The last true arm is the only transition out of an ended state: a new attempt, requested by a user or started by
    /// the kind's retry policy after a failure.
    pub fn may_become(self, next: State) -> bool {
        use State::*;
        match (self, next) {
            (Queued, Starting | Failed | Cancelled) => true,
            // A cancelled operation waits for the children of earlier attempts.
            (Queued, Cancelling) => true,
            // Back to the queue: the host was full, never accepted it, or could not start it.
            (Starting | Running, Queued) => true,
            (Starting, Running | Cancelling | Succeeded | Failed) => true,
            (Running, Cancelling | Succeeded | Failed) => true,
            // The cancel was sent while the disk was full, and the server stopped before it could be stored.
            (Starting | Running, Cancelled) => true,
            // The cancel was too late: the work ended first.
            (Cancelling, Succeeded | Failed | Cancelled) => true,
            (Failed | Cancelled, Queued) => true,
            _ => false,
        }
    }

    /// Name on the wire and on the page.
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
        fn only_a_new_attempt_leaves_an_ended_state(from in any_state(), to in any_state()) {
            if from.ended() && from.may_become(to) {
                prop_assert_eq!(to, State::Queued);
                prop_assert_ne!(from, State::Succeeded);
            }
        }

        #[test]
        fn only_cancellable_or_cancelling_operations_become_cancelled(from in any_state()) {
            if from.may_become(State::Cancelled) {
                prop_assert!(from.cancellable() || from == State::Cancelling);
            }
        }

        #[test]
        fn every_path_can_reach_an_end(steps in proptest::collection::vec(any_state(), 0..40)) {
            let mut at = State::Queued;
            for step in steps {
                if at.may_become(step) { at = step; }
            }
            prop_assert!(at.ended() || State::ALL.iter().any(|next| next.ended() && at.may_become(*next)));
        }

        #[test]
        fn a_state_parses_back_from_its_word(state in any_state()) {
            prop_assert_eq!(state.as_str().parse::<State>().unwrap(), state);
            prop_assert_eq!(serde_json::to_string(&state).unwrap(), format!("\"{state}\""));
        }
    }
}
