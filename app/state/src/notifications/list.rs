//! Operations whose end the user wants to be notified of, as stored in the browser, and the election of the notifying
//! tab. Pure.

use display::format;
use live::tabs::leader_election::Role;
use protocol::{OperationId, State};
use serde::{Deserialize, Serialize};

/// Maximum number of stored entries; beyond it the oldest is dropped.
const MAX_AWAITED: usize = 100;

/// An operation whose end is awaited.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Awaited {
    pub id: OperationId,
    pub title: String,
}

/// Parses the stored list; empty when invalid.
pub fn read(text: &str) -> Vec<Awaited> {
    json::from_str(text).unwrap_or_default()
}

/// Serializes the list.
pub fn write(list: &[Awaited]) -> String {
    serde_json::to_string(&list[list.len().saturating_sub(MAX_AWAITED)..]).unwrap_or_default()
}

/// Outcome of an operation.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Ended {
    pub state: State,
    /// Duration of the last attempt, seconds.
    pub took: Option<f64>,
}

/// `succeeded after 2 m 10 s`
pub fn how(ended: Ended) -> String {
    match ended.took {
        Some(seconds) => format!("{} after {}", ended.state, format::span(seconds)),
        None => ended.state.to_string(),
    }
}

/// Delay before a tab notifies, milliseconds. The first tab removes the entry, and the others find it gone: visible
/// tabs come before hidden ones, and leaders first. Hidden tabs that don't lead never notify.
pub fn patience(role: Role, hidden: bool) -> Option<u32> {
    match (role, hidden) {
        (Role::Leads | Role::Alone, false) => Some(0),
        (Role::Listens, false) => Some(300),
        (Role::Leads, true) => Some(1_000),
        (Role::Alone, true) => Some(1_500),
        (Role::Listens, true) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn awaited(n: u32) -> Awaited {
        let id = format!("0199c2d4-7f3a-7c11-9e1b-{n:012}").parse().unwrap();
        Awaited { id, title: format!("MSFT \"{n}\"") }
    }

    #[test]
    fn the_stored_list_round_trips_and_invalid_text_is_empty() {
        let list: Vec<_> = (0..3).map(awaited).collect();
        assert_eq!(read(&write(&list)), list);
        assert_eq!(read("[{\"id\": 7}]"), []);
        assert_eq!(read(""), []);
    }

    #[test]
    fn an_unread_list_is_bounded() {
        let list: Vec<_> = (0..200).map(awaited).collect();
        assert_eq!(read(&write(&list)), list[100..]);
    }

    #[test]
    fn visible_pages_notify_first_and_only_one_does() {
        let waits =
            [patience(Role::Leads, false), patience(Role::Listens, false), patience(Role::Leads, true)];
        assert!(waits.windows(2).all(|two| two[0] < two[1]), "{waits:?}");
        assert_eq!(patience(Role::Listens, true), None);
    }

    #[test]
    fn an_end_is_announced_with_its_duration() {
        assert_eq!(how(Ended { state: State::Failed, took: Some(130.0) }), "failed after 2 m 10 s");
        assert_eq!(how(Ended { state: State::Cancelled, took: None }), "cancelled");
    }
}
