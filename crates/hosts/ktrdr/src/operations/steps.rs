//! Progress of an operation from its record: `Epoch 24/100 · Batch 10/147`, a percentage, a count of items.

use crate::look::Steps;
use crate::operations::Area;
use crate::shape::{Node, Reader};
use jiff::civil::Date;

/// Number of epochs that the training host reports for every shorter training.
const PLACEHOLDER: u64 = 100;

/// Parses the progress of an operation.
pub(super) fn read(node: &Node<'_>, area: Area, reader: &mut Reader) -> Steps {
    let Some(progress) = node.get("progress") else { return Steps::default() };
    let percent = reader.read(progress.get("percentage"), |n| n.number());
    let message = reader.read(progress.get("current_step"), |m| m.text()).unwrap_or_default();
    let items = reader.read(progress.get("items_processed"), |n| n.count()).unwrap_or_default();
    match area {
        Area::Training => match Line::read(message) {
            Some(line) => line.steps(items, percent),
            None => Steps { percent, message: message.to_owned(), ..Steps::default() },
        },
        Area::Backtests => Steps {
            percent,
            done: Some(items).filter(|items| *items > 0),
            total: reader.read(progress.get("items_total"), |n| n.count()).filter(|total| *total > 0),
            day: day(message),
            message: message.to_owned(),
        },
    }
}

/// Whether a running operation shows no activity: no step, percentage or items. An empty step is about to be set,
/// unless there was activity before (`moved`).
pub(super) fn bare(node: &Node<'_>, moved: bool) -> bool {
    let Some(progress) = node.get("progress") else { return true };
    let zero = |name: &str| {
        progress.get(name).is_none_or(|n| n.value().as_f64().is_some_and(|number| number == 0.0))
    };
    let step = match progress.get("current_step") {
        None => true,
        Some(step) => moved && step.value().as_str() == Some(""),
    };
    step && zero("percentage") && zero("items_processed")
}

/// Day in `Backtesting MSFT 1h [2023-08-19 01:00:00+00:00]`.
fn day(message: &str) -> Option<Date> {
    message.split('[').nth(1)?.get(..10)?.parse().ok()
}

/// Parsed `Epoch 24/100 · Batch 10/147`: epoch 24 is in progress, so 23 are done.
struct Line {
    epoch: u64,
    stated: Option<u64>,
    batch: Option<(u64, u64)>,
}

impl Line {
    fn read(message: &str) -> Option<Self> {
        let rest = message.strip_prefix("Epoch ")?;
        let number = |text: &str| text.trim().parse::<u64>().ok();
        let pair = |text: &str| {
            let (at, of) = text.split_once('/')?;
            Some((number(at)?, number(of)?))
        };
        let (epochs, batches) = match rest.split_once('·') {
            Some((epochs, batches)) => (epochs, batches.trim().strip_prefix("Batch ").and_then(pair)),
            None => (rest, None),
        };
        let (epoch, stated) = match pair(epochs) {
            Some((epoch, stated)) => (epoch, Some(stated)),
            None => (number(epochs)?, None),
        };
        Some(Self { epoch, stated, batch: batches.filter(|(_, of)| *of > 0) })
    }

    fn steps(&self, items: u64, percent: Option<f64>) -> Steps {
        let total = self.total(items, percent);
        let shown = match (total, self.batch) {
            (Some(total), Some((batch, of))) => {
                format!("Epoch {}/{total} · Batch {batch}/{of}", self.epoch)
            }
            (None, Some((batch, of))) => format!("Epoch {} · Batch {batch}/{of}", self.epoch),
            (Some(total), None) => format!("Epoch {}/{total}", self.epoch),
            (None, None) => format!("Epoch {}", self.epoch),
        };
        let share = match (total, self.batch) {
            (Some(total), Some((batch, of))) => {
                Some(100.0 * self.position(batch, of) as f64 / (total * of) as f64)
            }
            // After a resume the percentage is relative to the rest at that time.
            _ => percent,
        };
        let done = if self.batch.is_some() { self.epoch.saturating_sub(1) } else { self.epoch };
        Steps { percent: share, done: Some(done), total, day: None, message: shown }
    }

    /// Number of batches since the first epoch.
    fn position(&self, batch: u64, of: u64) -> u64 {
        self.epoch.saturating_sub(1) * of + batch
    }

    /// Number of epochs: from the processed items, their percentage and the batches per epoch, if that is a whole
    /// number; otherwise the reported one, unless it is the placeholder.
    fn total(&self, items: u64, percent: Option<f64>) -> Option<u64> {
        let by_share = || {
            let ((batch, of), percent) = (self.batch?, percent.filter(|percent| *percent > 0.0)?);
            let epochs = items as f64 / (percent / 100.0) / of as f64;
            let nearest = epochs.round();
            let whole = items > 0 && (epochs - nearest).abs() < 0.01 && (1.0..1e6).contains(&nearest);
            // After a resume only newly trained items are counted.
            let before = self.position(batch, of).saturating_sub(items);
            let total = nearest as u64 + before / of;
            (whole && before.is_multiple_of(of) && total >= self.epoch).then_some(total)
        };
        by_share().or(self.stated.filter(|stated| *stated != PLACEHOLDER && *stated >= self.epoch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(message: &str, items: u64, percent: f64) -> Steps {
        Line::read(message).unwrap().steps(items, Some(percent))
    }

    #[test]
    fn an_unfinished_epoch_is_not_counted() {
        let first = steps("Epoch 1/100 · Batch 30/80", 30, 100.0 * 30.0 / 3200.0);
        assert_eq!((first.done, first.total), (Some(0), Some(40)));
        assert_eq!(first.message, "Epoch 1/40 · Batch 30/80");
        assert_eq!(steps("Epoch 40/40", 3200, 100.0).done, Some(40));
    }

    #[test]
    fn a_wrong_total_is_replaced_by_the_computed_one() {
        let line = steps("Epoch 24/100 · Batch 10/147", 23 * 147 + 10, 100.0 * 3391.0 / 8820.0);
        assert_eq!((line.done, line.total), (Some(23), Some(60)));
        assert!((line.percent.unwrap() - 38.45).abs() < 0.01, "{line:?}");
        let unsure = steps("Epoch 24/100", 3391, 40.0);
        assert_eq!((unsure.total, unsure.message.as_str()), (None, "Epoch 24"), "100 is not believed");
        assert_eq!(steps("Epoch 24/90", 7, 40.0).total, Some(90), "another number is");
    }

    #[test]
    fn after_a_resume_the_total_covers_the_whole_training() {
        // 50 epochs of 20 batches, resumed after 30: 2 epochs and 5 batches of the remaining 20 epochs.
        let line = steps("Epoch 33/50 · Batch 5/20", 45, 100.0 * 45.0 / 400.0);
        assert_eq!((line.done, line.total), (Some(32), Some(50)));
        assert!((line.percent.unwrap() - 64.5).abs() < 1e-9, "{line:?}");
    }

    #[test]
    fn a_backtest_shows_its_current_day() {
        assert_eq!(
            day("Backtesting EURUSD 1h [2021-04-09 17:00:00+00:00]").unwrap().to_string(),
            "2021-04-09"
        );
        assert_eq!(day("Loading data"), None);
    }
}
