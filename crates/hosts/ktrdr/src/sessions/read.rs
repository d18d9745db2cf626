//! Parses `GET /training/status/{id}` of the training host of October 2025.

use super::curves;
use crate::Moment;
use crate::look::{Look, Pulse, Stand, Steps, speaks_of_cancel};
use crate::shape::{Node, Reader};
use crate::wire::CallError;
use serde_json::Value;

const CALL: &str = "GET /training/status";

/// Parses a status, with the epochs from `from` on.
///
/// # Errors
/// If the status is unreadable. Other unreadable parts are in [`Look::unread`].
pub(crate) fn look(answer: &Value, from: u64) -> Result<Look, CallError> {
    let node = Node::answer(CALL, answer);
    let status = node.need("status")?;
    let error = node.get("error").map_or_else(
        || "the service reported no reason".to_owned(),
        |error| error.value().as_str().map_or_else(|| error.value().to_string(), str::to_owned),
    );
    let stand = match status.text()? {
        "initializing" | "running" => Stand::Running,
        "completed" => Stand::Completed,
        // It reports a stopped run as failed.
        "failed" if speaks_of_cancel(&error) => Stand::Stopped(error),
        "failed" => Stand::Failed(error),
        "stopped" => Stand::Stopped(error),
        _ => return Err(status.not("initializing, running, completed, failed or stopped")),
    };
    let moment = |name| node.get(name).and_then(|at| at.text().ok()).map(Moment::new);
    let mut reader = Reader::default();
    let current = node.get("metrics").and_then(|metrics| metrics.get("current"));
    Ok(Look {
        pulse: Pulse::Agrees,
        steps: steps(&node, &mut reader),
        epochs: current.map_or_else(Vec::new, |current| curves::read(&current, from, &mut reader)),
        unread: reader.unread,
        cursor: None,
        first_epoch: None,
        summary: None,
        started: moment("start_time"),
        ended: if stand.over() { moment("last_updated") } else { None },
        stand,
    })
}

/// Progress of a session. Both training hosts use the same format, and count epochs from 0.
pub(crate) fn steps(session: &Node<'_>, reader: &mut Reader) -> Steps {
    let Some(progress) = session.get("progress") else { return Steps::default() };
    let mut count = |name| reader.read(progress.get(name), |n| n.count());
    // Before the first update it reports a placeholder of 100 epochs. The real number is known together with the number
    // of batches.
    let updated = count("total_batches").is_some_and(|batches| batches > 0);
    let (done, total) = (count("epoch"), count("total_epochs"));
    let percent = reader.read(progress.get("progress_percent"), |n| n.number());
    let message = reader.read(progress.get("message"), |m| m.text()).unwrap_or_default();
    Steps {
        percent: percent.filter(|_| updated),
        done: done.filter(|_| updated),
        total: total.filter(|total| updated && *total > 0),
        day: None,
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_total_of_100_before_the_first_update_is_ignored() {
        let early = json!({"status": "running", "error": null, "progress": {
            "epoch": 0, "total_epochs": 100, "batch": 0, "total_batches": 0, "progress_percent": 0.0,
            "items_total": null, "message": "Starting training pipeline"}, "metrics": {"current": {}, "best": {}}});
        let seen = look(&early, 0).unwrap();
        assert_eq!((seen.steps.total, seen.steps.percent, seen.steps.done), (None, None, None));
        assert_eq!(seen.steps.message, "Starting training pipeline");
        assert_eq!(seen.epochs, []);
    }

    #[test]
    fn failed_because_of_a_cancel_is_distinguished_from_failed() {
        let stand = |error: Value| look(&json!({"status": "failed", "error": error}), 0).unwrap().stand;
        assert!(matches!(stand(json!("Training cancelled by user request")), Stand::Stopped(_)));
        assert!(matches!(stand(json!("CUDA out of memory")), Stand::Failed(_)));
        assert!(matches!(stand(Value::Null), Stand::Failed(_)));
    }

    #[test]
    fn unreadable_parts_keep_the_run_and_an_unreadable_status_is_located() {
        let parts = json!({"status": "running", "metrics": {"current": {"train_loss": "0.7"}},
            "progress": {"total_batches": 4, "epoch": 2, "total_epochs": "many"}});
        let seen = look(&parts, 0).unwrap();
        let why = seen.unread.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        assert!(why.contains("'metrics.current.train_loss' should be a list, but is text ('0.7')"), "{why}");
        assert!(why.contains("'progress.total_epochs'"), "{why}");
        assert_eq!(seen.steps.done, Some(2));
        let error = look(&json!({"status": 3}), 0).unwrap_err().to_string();
        assert!(
            error.contains("GET /training/status") && error.contains("'status' should be text"),
            "{error}"
        );
        let error = look(&json!({"status": "paused"}), 0).unwrap_err().to_string();
        assert!(error.contains("text ('paused')"), "{error}");
    }
}
