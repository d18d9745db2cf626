//! Parses `GET /api/v1/operations/{id}` and `…/metrics?cursor=N` of the services of April 2026.

use super::steps;
use crate::Moment;
use crate::look::{Epoch, Look, Pulse, Stand, speaks_of_cancel};
use crate::operations::Area;
use crate::shape::{Node, Reader, data};
use crate::wire::CallError;
use serde_json::Value;

const OPERATION: &str = "GET /api/v1/operations/{id}";
const METRICS: &str = "GET /api/v1/operations/{id}/metrics";
/// Columns of a row that are not metrics.
const NO_FIGURES: [&str; 2] = ["epoch", "timestamp"];

/// Parses a record. `moved`: the run showed activity before.
///
/// # Errors
/// If the status is unreadable. Other unreadable parts are in [`Look::unread`].
pub(crate) fn look(answer: &Value, area: Area, moved: bool) -> Result<Look, CallError> {
    let node = data(OPERATION, answer)?;
    let status = node.need("status")?;
    let error = node.get("error_message").map_or_else(
        || "the service reported no reason".to_owned(),
        |error| error.value().as_str().map_or_else(|| error.value().to_string(), str::to_owned),
    );
    let stand = match status.text()? {
        "pending" | "running" | "resuming" | "cancelling" => Stand::Running,
        "completed" => Stand::Completed,
        "cancelled" | "stopped" => Stand::Stopped(error),
        "failed" if speaks_of_cancel(&error) => Stand::Stopped(error),
        "failed" => Stand::Failed(error),
        _ => return Err(status.not("pending, running, completed, failed or cancelled")),
    };
    let moment = |name| node.get(name).and_then(|at| at.text().ok()).map(Moment::new);
    let mut reader = Reader::default();
    let epochs = match (area, node.get("metrics")) {
        (Area::Training, Some(metrics)) => rows(&metrics, &mut reader).0,
        _ => Vec::new(),
    };
    let bare = stand == Stand::Running && epochs.is_empty() && steps::bare(&node, moved);
    Ok(Look {
        pulse: if bare { Pulse::Bare } else { Pulse::Agrees },
        steps: steps::read(&node, area, &mut reader),
        epochs,
        unread: reader.unread,
        cursor: None,
        first_epoch: None,
        summary: node.get("result_summary").map(|summary| summary.value().clone()),
        // The start time is missing at the end.
        started: moment("started_at").or_else(|| moment("created_at")),
        ended: if stand.over() { moment("completed_at") } else { None },
        stand,
    })
}

/// Metrics after a cursor.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub epochs: Vec<Epoch>,
    /// Cursor for the next poll.
    pub cursor: Option<u64>,
    pub unread: Vec<CallError>,
}

/// Parses the rows after a cursor. Unreadable parts are returned with the rest.
pub(crate) fn metrics(answer: &Value) -> Metrics {
    let mut reader = Reader::default();
    let (epochs, cursor) = match reader.keep(data(METRICS, answer)).and_then(|data| data.get("metrics")) {
        Some(metrics) => rows(&metrics, &mut reader),
        None => (Vec::new(), None),
    };
    Metrics { epochs, cursor, unread: reader.unread }
}

/// Parses rows in any of their formats: a list, an object with `epochs`, or a pair of a list and the next cursor.
fn rows(metrics: &Node<'_>, reader: &mut Reader) -> (Vec<Epoch>, Option<u64>) {
    if let Some(epochs) = metrics.get("epochs") {
        return rows(&epochs, reader);
    }
    if metrics.value().as_object().is_some_and(serde_json::Map::is_empty) {
        return (Vec::new(), None);
    }
    let Some(list) = reader.keep(metrics.list()) else { return (Vec::new(), None) };
    let (list, cursor) = match list.as_slice() {
        [rows, cursor] if rows.value().is_array() && cursor.value().is_number() => {
            (reader.keep(rows.list()).unwrap_or_default(), reader.keep(cursor.count()))
        }
        _ => (list, None),
    };
    (list.iter().filter_map(|row| reader.keep(self::row(row))).collect(), cursor)
}

fn row(row: &Node<'_>) -> Result<Epoch, CallError> {
    let number = row.need("epoch")?.count()?;
    // A metric that was not measured in this epoch is null. Text is not a series.
    let figures = row.object()?.iter().filter(|(name, _)| !NO_FIGURES.contains(&name.as_str()));
    let figures = figures.filter_map(|(name, figure)| Some((name.clone(), figure.as_f64()?)));
    Ok(Epoch { number, figures: figures.collect() })
}

/// Epochs of a result: `training_metrics.history` has a list per metric, of all epochs since the start or resume at
/// epoch `first`.
pub(crate) fn history(summary: &Value, first: u64) -> Vec<Epoch> {
    let lists = summary.pointer("/training_metrics/history").and_then(Value::as_object);
    let mut epochs: Vec<Epoch> = Vec::new();
    for (name, list) in lists.into_iter().flatten() {
        for (at, figure) in list.as_array().into_iter().flatten().enumerate() {
            let Some(figure) = figure.as_f64() else { continue };
            let number = first + at as u64;
            while (epochs.len() as u64) <= at as u64 {
                epochs.push(Epoch { number: first + epochs.len() as u64, figures: Vec::new() });
            }
            if let Some(epoch) = epochs.iter_mut().find(|epoch| epoch.number == number) {
                epoch.figures.push((name.clone(), figure));
            }
        }
    }
    epochs
}

/// Merges epochs of another response; each epoch once, in order.
pub(crate) fn add(known: &mut Vec<Epoch>, new: Vec<Epoch>) {
    for epoch in new {
        if !known.iter().any(|k| k.number == epoch.number) {
            known.push(epoch);
        }
    }
    known.sort_by_key(|epoch| epoch.number);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn metrics_are_read_as_a_pair_a_list_or_an_object() {
        let row =
            json!({"epoch": 8, "train_loss": 0.95, "val_loss": null, "timestamp": "2026-11-23T08:02:01Z"});
        let expected = [Epoch { number: 8, figures: vec![("train_loss".to_owned(), 0.95)] }];
        for metrics in [json!([[row], 9]), json!([row]), json!({"epochs": [row]})] {
            let answer = json!({"success": true, "data": {"metrics": metrics}});
            assert_eq!(super::metrics(&answer).epochs, expected);
        }
        for nothing in [json!([[], 0]), json!([]), json!({}), Value::Null] {
            let read = super::metrics(&json!({"success": true, "data": {"metrics": nothing}}));
            assert!(read.epochs.is_empty() && read.unread.is_empty(), "{read:?}");
        }
    }

    #[test]
    fn one_unreadable_row_does_not_invalidate_the_others() {
        let rows = json!([[{"loss": 1}, {"epoch": 3, "train_loss": 0.5, "note": "warm-up"}], 2]);
        let read = super::metrics(&json!({"success": true, "data": {"metrics": rows}}));
        assert_eq!(read.epochs, [Epoch { number: 3, figures: vec![("train_loss".to_owned(), 0.5)] }]);
        assert_eq!(read.cursor, Some(2));
        let odd = read.unread[0].to_string();
        assert!(odd.ends_with("'data.metrics[0][0]' has no 'epoch'"), "{odd}");
    }

    #[test]
    fn one_unreadable_field_does_not_invalidate_the_others() {
        let answer = json!({"success": true, "data": {"status": "running", "error_message": {"code": 7}, "progress":
            {"percentage": "5 %", "current_step": "Epoch 3/9", "items_processed": -1}}});
        let look = look(&answer, Area::Training, false).unwrap();
        assert_eq!((look.stand, look.steps.done, look.steps.total), (Stand::Running, Some(3), Some(9)));
        assert_eq!(look.unread.len(), 2, "{:?}", look.unread);
    }

    #[test]
    fn the_history_of_a_result_begins_at_the_resume() {
        let summary =
            json!({"training_metrics": {"history": {"train_loss": [0.9, 0.8], "val_loss": [1.0, null]}}});
        let epochs = history(&summary, 7);
        assert_eq!(epochs.iter().map(|e| (e.number, e.figures.len())).collect::<Vec<_>>(), [(7, 2), (8, 1)]);
        assert!(history(&json!({"training_metrics": {}}), 0).is_empty());
    }

    #[test]
    fn a_record_without_signs_of_a_run_is_empty() {
        let look = |step: Value, moved| {
            let answer = json!({"success": true, "data": {"status": "running", "metrics": null, "progress":
                {"percentage": 0.0, "current_step": step, "items_processed": 0}}});
            look(&answer, Area::Training, moved).unwrap().pulse
        };
        assert_eq!(look(Value::Null, false), Pulse::Bare);
        assert_eq!(look(json!(""), false), Pulse::Agrees, "about to begin");
        assert_eq!(look(json!(""), true), Pulse::Bare);
        assert_eq!(look(json!("Preparing"), true), Pulse::Agrees);
    }

    #[test]
    fn both_spellings_of_cancelled_are_stopped() {
        let stand = |status: &str, error: Value| {
            let answer = json!({"success": true, "data": {"status": status, "error_message": error}});
            look(&answer, Area::Backtests, false).unwrap().stand
        };
        assert!(matches!(stand("cancelled", Value::Null), Stand::Stopped(_)));
        assert!(matches!(stand("failed", json!("Training cancelled by user request")), Stand::Stopped(_)));
        assert!(matches!(stand("failed", json!("no data")), Stand::Failed(_)));
    }
}
