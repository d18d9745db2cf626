//! Reads `GET /training/status/{id}` of the training host of October 2025.
//!
//! Its history comes as lists beside each other that grow with each answer: some have an entry a batch, and say by
//! `progress_type` which entries end an epoch; those of validation have an entry an epoch.

use crate::Moment;
use crate::look::{Epoch, Look, Stand, Steps, speaks_of_cancel};
use crate::shape::Node;
use crate::wire::CallError;
use serde_json::Value;

const CALL: &str = "GET /training/status";
/// What its lists say of where the training is rather than how well it does.
const NO_FIGURES: [&str; 12] = [
    "epoch",
    "total_epochs",
    "batch",
    "total_batches",
    "total_batches_per_epoch",
    "completed_batches",
    "progress_percent",
    "bars_processed_this_epoch",
    "total_bars_processed",
    "total_bars",
    "total_bars_all_epochs",
    "progress_type",
];

/// The answer as a look, with the epochs from `from` on.
///
/// # Errors
/// When status or progress can't be read.
pub(crate) fn look(answer: &Value, from: u64) -> Result<Look, CallError> {
    let node = Node::answer(CALL, answer);
    let status = node.need("status")?;
    let error = match node.get("error") {
        Some(error) => error.text()?.to_owned(),
        None => "the service gives no reason".to_owned(),
    };
    let stand = match status.text()? {
        "initializing" | "running" => Stand::Running,
        "completed" => Stand::Completed,
        // It calls failed what was stopped.
        "failed" if speaks_of_cancel(&error) => Stand::Stopped(error),
        "failed" => Stand::Failed(error),
        "stopped" => Stand::Stopped(error),
        _ => return Err(status.not("initializing, running, completed, failed or stopped")),
    };
    let moment = |name| node.get(name).and_then(|at| at.text().ok()).map(Moment::new);
    let ended = if stand.over() { moment("last_updated") } else { None };
    Ok(Look {
        steps: steps(&node)?,
        epochs: epochs(&node, from),
        summary: None,
        started: moment("start_time"),
        ended,
        stand,
    })
}

fn steps(node: &Node<'_>) -> Result<Steps, CallError> {
    let Some(progress) = node.get("progress") else { return Ok(Steps::default()) };
    let count = |name| progress.get(name).map(|n: Node<'_>| n.count()).transpose();
    // Before the first update it says 100 epochs, of nothing: only when it knows its batches does it know its epochs.
    let updated = count("total_batches")?.is_some_and(|batches| batches > 0);
    let message = progress.get("message").map(|m| m.text()).transpose()?.unwrap_or_default();
    Ok(Steps {
        percent: progress.get("progress_percent").map(|n| n.number()).transpose()?.filter(|_| updated),
        done: count("epoch")?.filter(|_| updated),
        total: count("total_epochs")?.filter(|total| updated && *total > 0),
        message: message.to_owned(),
    })
}

fn epochs(node: &Node<'_>, from: u64) -> Result<Vec<Epoch>, CallError> {
    let Some(current) = node.get("metrics").and_then(|metrics| metrics.get("current")) else {
        return Ok(Vec::new());
    };
    let lists = current.object()?;
    // Of the entries that come with each batch, the places of those that end an epoch, with its number.
    let ends = match (current.get("progress_type"), current.get("epoch")) {
        (Some(kinds), Some(numbers)) => {
            let mut ends = Vec::new();
            for (at, (kind, number)) in kinds.list()?.iter().zip(numbers.list()?).enumerate() {
                if kind.text()? == "epoch" {
                    ends.push((at, number.count()?));
                }
            }
            Some((kinds.list()?.len(), ends))
        }
        _ => None,
    };
    let mut epochs: Vec<Epoch> = Vec::new();
    for name in lists.keys().filter(|name| !NO_FIGURES.contains(&name.as_str())) {
        let Some(list) = current.get(name) else { continue };
        let list = list.list()?;
        let places: Vec<(usize, u64)> = match &ends {
            Some((entries, ends)) if list.len() == *entries => ends.clone(),
            _ => (0..list.len()).map(|at| (at, at as u64)).collect(),
        };
        for (at, number) in places.into_iter().filter(|(_, number)| *number >= from) {
            let Some(figure) = list.get(at) else { continue };
            if figure.value().is_null() {
                continue;
            }
            let figure = (name.clone(), figure.number()?);
            match epochs.iter_mut().find(|epoch| epoch.number == number) {
                Some(epoch) => epoch.figures.push(figure),
                None => epochs.push(Epoch { number, figures: vec![figure] }),
            }
        }
    }
    epochs.sort_by_key(|epoch| epoch.number);
    Ok(whole(epochs, ends.map(|(_, ends)| ends)))
}

/// The validation of an epoch may be there a moment before its end is, or after it: what is told of an epoch is told
/// once, so only epochs that are over are given, where that is known.
fn whole(epochs: Vec<Epoch>, ends: Option<Vec<(usize, u64)>>) -> Vec<Epoch> {
    match ends {
        Some(ends) => epochs
            .into_iter()
            .filter(|epoch| ends.iter().any(|(_, number)| *number == epoch.number))
            .collect(),
        None => epochs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_total_of_100_before_the_first_update_is_not_believed() {
        let early = json!({"status": "running", "error": null, "progress": {
            "epoch": 0, "total_epochs": 100, "batch": 0, "total_batches": 0, "progress_percent": 0.0,
            "items_total": null, "message": "Starting training pipeline"}, "metrics": {"current": {}, "best": {}}});
        let seen = look(&early, 0).unwrap();
        assert_eq!((seen.steps.total, seen.steps.percent, seen.steps.done), (None, None, None));
        assert_eq!(seen.steps.message, "Starting training pipeline");
        assert_eq!(seen.epochs.unwrap(), []);
    }

    #[test]
    fn of_batches_and_epochs_in_one_list_the_epochs_are_taken_once_they_are_over() {
        let answer = json!({"status": "running", "progress": {"epoch": 2, "total_epochs": 20, "total_batches": 110},
            "metrics": {"current": {
                "epoch": [0, 0, 1, 1, 2], "progress_type": ["batch", "epoch", "batch", "epoch", "batch"],
                "total_bars": [9, 9, 9, 9, 9], "train_loss": [1.0, 0.8, 0.75, 0.7, 0.69],
                "val_loss": [0.83, 0.77]}}});
        let seen = look(&answer, 1).unwrap();
        let epoch = |number, train, val| Epoch {
            number,
            figures: vec![("train_loss".to_owned(), train), ("val_loss".to_owned(), val)],
        };
        assert_eq!(seen.epochs.unwrap(), [epoch(1, 0.7, 0.77)]);
        assert_eq!((seen.steps.done, seen.steps.total), (Some(2), Some(20)));
    }

    #[test]
    fn failed_by_a_cancel_is_told_from_failed() {
        let stand = |error: Value| look(&json!({"status": "failed", "error": error}), 0).unwrap().stand;
        assert!(matches!(stand(json!("Training cancelled by user request")), Stand::Stopped(_)));
        assert!(matches!(stand(json!("CUDA out of memory")), Stand::Failed(_)));
        assert!(matches!(stand(Value::Null), Stand::Failed(_)));
    }

    #[test]
    fn unreadable_curves_do_not_lose_the_run_and_an_unreadable_status_says_its_place() {
        let curves = json!({"status": "running", "metrics": {"current": {"train_loss": "0.7"}}});
        let seen = look(&curves, 0).unwrap();
        let why = seen.epochs.unwrap_err().to_string();
        assert!(why.contains("'metrics.current.train_loss' should be a list, and is text ('0.7')"), "{why}");
        let error = look(&json!({"status": 3}), 0).unwrap_err().to_string();
        assert!(
            error.contains("GET /training/status") && error.contains("'status' should be text"),
            "{error}"
        );
        let error = look(&json!({"status": "paused"}), 0).unwrap_err().to_string();
        assert!(error.contains("text ('paused')"), "{error}");
    }
}
