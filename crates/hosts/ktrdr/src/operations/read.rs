//! Reads `GET /api/v1/operations/{id}` and `…/metrics?cursor=N` of the services of April 2026.

use crate::Moment;
use crate::look::{Epoch, Look, Stand, Steps, speaks_of_cancel};
use crate::operations::Area;
use crate::shape::{Node, data};
use crate::wire::CallError;
use serde_json::Value;

const OPERATION: &str = "GET /api/v1/operations/{id}";
const METRICS: &str = "GET /api/v1/operations/{id}/metrics";
/// What a row says beside its figures.
const NO_FIGURES: [&str; 2] = ["epoch", "timestamp"];

/// The answer as a look.
///
/// # Errors
/// When status or progress can't be read.
pub(crate) fn look(answer: &Value, area: Area) -> Result<Look, CallError> {
    let node = data(OPERATION, answer)?;
    let status = node.need("status")?;
    let error = match node.get("error_message") {
        Some(error) => error.text()?.to_owned(),
        None => "the service gives no reason".to_owned(),
    };
    let stand = match status.text()? {
        "pending" | "running" | "resuming" | "cancelling" => Stand::Running,
        "completed" => Stand::Completed,
        "cancelled" | "stopped" => Stand::Stopped(error),
        "failed" if speaks_of_cancel(&error) => Stand::Stopped(error),
        "failed" => Stand::Failed(error),
        _ => return Err(status.not("pending, running, completed, failed or cancelled")),
    };
    let moment = |name| node.get(name).and_then(|at| at.text().ok()).map(Moment::new);
    let epochs = match (area, node.get("metrics")) {
        (Area::Training, Some(metrics)) => rows(&metrics),
        _ => Ok(Vec::new()),
    };
    Ok(Look {
        steps: steps(&node, area)?,
        epochs,
        summary: node.get("result_summary").map(|summary| summary.value().clone()),
        // It forgets the start at the end.
        started: moment("started_at").or_else(|| moment("created_at")),
        ended: moment("completed_at"),
        stand,
    })
}

fn steps(node: &Node<'_>, area: Area) -> Result<Steps, CallError> {
    let Some(progress) = node.get("progress") else { return Ok(Steps::default()) };
    let count = |name| progress.get(name).map(|n: Node<'_>| n.count()).transpose();
    let percent = progress.get("percentage").map(|n| n.number()).transpose()?;
    let message = progress.get("current_step").map(|m| m.text()).transpose()?.unwrap_or_default().to_owned();
    let items = count("items_processed")?.unwrap_or_default();
    let (done, total) = match area {
        Area::Training => match epoch_of(&message) {
            Some((epoch, batches)) => (Some(epoch), believable(items, percent, batches)),
            None => (None, None),
        },
        Area::Backtests => (Some(items).filter(|items| *items > 0), count("items_total")?),
    };
    // "Epoch 24/100" where there are 60: its own count is told, its total is not.
    let shown = if area == Area::Training { without_total(&message) } else { message };
    Ok(Steps { percent, done, total: total.filter(|total| *total > 0), message: shown })
}

/// `Epoch 24/100 · Batch 10/147` as the epoch and the batches of an epoch. The 100 is in no relation to the truth.
fn epoch_of(message: &str) -> Option<(u64, Option<u64>)> {
    let rest = message.strip_prefix("Epoch ")?;
    let epoch = rest.split('/').next()?.trim().parse().ok()?;
    let batches = rest.split("Batch ").nth(1).and_then(|batch| batch.split('/').nth(1));
    Some((epoch, batches.and_then(|batches| batches.trim().parse().ok())))
}

/// How many epochs there are, by what was processed, its share of the whole, and the batches of an epoch; only when
/// that gives a whole number.
fn believable(items: u64, percent: Option<f64>, batches: Option<u64>) -> Option<u64> {
    let (percent, batches) = (percent.filter(|p| *p > 0.0)?, batches.filter(|b| *b > 0)?);
    if items == 0 {
        return None;
    }
    let epochs = items as f64 / (percent / 100.0) / batches as f64;
    let nearest = epochs.round();
    ((epochs - nearest).abs() < 0.01 && (1.0..1e6).contains(&nearest)).then_some(nearest as u64)
}

/// `Epoch 24/100 · Batch 10/147` as `Epoch 24 · Batch 10/147`.
fn without_total(message: &str) -> String {
    let Some(rest) = message.strip_prefix("Epoch ") else { return message.to_owned() };
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (epoch, tail) = rest.split_at(digits);
    let tail =
        tail.strip_prefix('/').map_or(tail, |tail| tail.trim_start_matches(|c: char| c.is_ascii_digit()));
    format!("Epoch {epoch}{tail}")
}

/// The rows behind a cursor.
///
/// # Errors
/// When they can't be read.
pub(crate) fn metrics(answer: &Value) -> Result<Vec<Epoch>, CallError> {
    match data(METRICS, answer)?.get("metrics") {
        Some(metrics) => rows(&metrics),
        None => Ok(Vec::new()),
    }
}

/// Rows in any of the forms in which they come: a list of them, an object with `epochs`, or the pair of a list and
/// the next cursor where a list was meant.
fn rows(metrics: &Node<'_>) -> Result<Vec<Epoch>, CallError> {
    if let Some(epochs) = metrics.get("epochs") {
        return rows(&epochs);
    }
    if metrics.value().as_object().is_some_and(serde_json::Map::is_empty) {
        return Ok(Vec::new());
    }
    let list = metrics.list()?;
    let list = match list.as_slice() {
        [rows, cursor] if rows.value().is_array() && cursor.value().is_number() => rows.list()?,
        _ => list,
    };
    list.iter().map(row).collect()
}

fn row(row: &Node<'_>) -> Result<Epoch, CallError> {
    let number = row.need("epoch")?.count()?;
    // A figure that was not taken in this epoch is null; words are no curve.
    let figures = row.object()?.iter().filter(|(name, _)| !NO_FIGURES.contains(&name.as_str()));
    let figures = figures.filter_map(|(name, figure)| Some((name.clone(), figure.as_f64()?)));
    Ok(Epoch { number, figures: figures.collect() })
}

/// What two ways tell of the same epochs; each epoch once.
pub(crate) fn together(mut known: Vec<Epoch>, new: Vec<Epoch>) -> Vec<Epoch> {
    for epoch in new {
        if !known.iter().any(|k| k.number == epoch.number) {
            known.push(epoch);
        }
    }
    known.sort_by_key(|epoch| epoch.number);
    known
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn running(percent: f64, step: &str, items: u64) -> Value {
        json!({"success": true, "data": {"status": "running", "error_message": null, "metrics": null, "progress":
            {"percentage": percent, "current_step": step, "steps_completed": 3, "steps_total": 100,
             "items_processed": items, "items_total": null}}})
    }

    #[test]
    fn a_total_that_is_wrong_is_replaced_by_the_one_that_follows_from_the_rest() {
        let steps =
            look(&running(38.446_712_018_140_59, "Epoch 24/100 · Batch 10/147", 3391), Area::Training);
        let steps = steps.unwrap().steps;
        assert_eq!((steps.done, steps.total), (Some(24), Some(60)));
        assert_eq!(steps.message, "Epoch 24 · Batch 10/147");
        let unsure = look(&running(40.0, "Epoch 24/100", 3391), Area::Training).unwrap().steps;
        assert_eq!(unsure.total, None, "100 is not believed");
        let early = look(&running(5.0, "Creating model (input_dim=2)", 0), Area::Training).unwrap().steps;
        assert_eq!((early.done, early.total), (None, None));
        assert_eq!(early.message, "Creating model (input_dim=2)");
    }

    #[test]
    fn metrics_are_read_as_a_pair_as_a_list_and_as_an_object() {
        let row =
            json!({"epoch": 8, "train_loss": 0.95, "val_loss": null, "timestamp": "2026-11-23T08:02:01Z"});
        let expected = [Epoch { number: 8, figures: vec![("train_loss".to_owned(), 0.95)] }];
        for metrics in [json!([[row], 9]), json!([row]), json!({"epochs": [row]})] {
            let answer = json!({"success": true, "data": {"metrics": metrics}});
            assert_eq!(super::metrics(&answer).unwrap(), expected);
        }
        for nothing in [json!([[], 0]), json!([]), json!({}), Value::Null] {
            assert_eq!(super::metrics(&json!({"success": true, "data": {"metrics": nothing}})).unwrap(), []);
        }
        let odd =
            super::metrics(&json!({"success": true, "data": {"metrics": [[{"loss": 1}], 1]}})).unwrap_err();
        assert!(odd.to_string().ends_with("'data.metrics[0][0]' has no 'epoch'"), "{odd}");
    }

    #[test]
    fn cancelled_by_either_word_is_stopped() {
        let stand = |status: &str, error: Value| {
            let answer = json!({"success": true, "data": {"status": status, "error_message": error}});
            look(&answer, Area::Backtests).unwrap().stand
        };
        assert!(matches!(stand("cancelled", Value::Null), Stand::Stopped(_)));
        assert!(matches!(stand("failed", json!("Training cancelled by user request")), Stand::Stopped(_)));
        assert!(matches!(stand("failed", json!("no data")), Stand::Failed(_)));
    }
}
