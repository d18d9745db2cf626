//! Parses `GET /training/sessions` of the training host of April 2026: what really runs there.

use crate::poll::Steps;
use crate::sessions::read::steps;
use crate::shape::{Node, Reader};
use crate::wire::CallError;
use serde_json::Value;

const CALL: &str = "GET /training/sessions";

/// State of a run in the list.
#[derive(Debug, PartialEq)]
pub(super) enum Session {
    /// Running, with its progress.
    Running(Steps),
    /// Completed, with its number of epochs.
    Completed(Option<u64>),
    /// Not in the list, or stopped or failed.
    NotRunning,
}

/// Finds the run in the list.
///
/// # Errors
/// If there is no list, or the run's status is unreadable.
pub(super) fn find(answer: &Value, id: &str) -> Result<Session, CallError> {
    let sessions = Node::answer(CALL, answer).need("sessions")?.list()?;
    let ours = |session: &&Node<'_>| {
        session.get("session_id").is_some_and(|known| known.value().as_str() == Some(id))
    };
    let Some(session) = sessions.iter().find(ours) else { return Ok(Session::NotRunning) };
    let status = session.need("status")?;
    Ok(match status.text()? {
        "initializing" | "pending" | "running" => Session::Running(steps(session, &mut Reader::default())),
        // Counts from 0: the last of 60 epochs is 59.
        "completed" => Session::Completed(steps(session, &mut Reader::default()).done.map(|last| last + 1)),
        _ => Session::NotRunning,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_list_of_sessions_shows_running_ones() {
        let session = |id: &str, status: &str| {
            json!({"session_id": id, "status": status, "progress": {"epoch": 7, "total_epochs": 40,
                "total_batches": 64, "progress_percent": 18.5, "message": "Epoch 7/40"}})
        };
        let answer = json!({"total_sessions": 2, "sessions": [
            session("run-a", "completed"), {"session_id": 4}, session("run-b", "running"),
            session("run-d", "failed")]});
        assert_eq!(find(&answer, "run-a").unwrap(), Session::Completed(Some(8)));
        assert_eq!(find(&answer, "run-d").unwrap(), Session::NotRunning);
        assert_eq!(find(&answer, "run-c").unwrap(), Session::NotRunning);
        let Session::Running(steps) = find(&answer, "run-b").unwrap() else { panic!("it runs") };
        assert_eq!((steps.done, steps.total, steps.percent), (Some(7), Some(40), Some(18.5)));
        assert!(find(&json!({"sessions": "none"}), "run-a").is_err());
    }
}
