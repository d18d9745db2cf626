//! Parses the series of the training host of October 2025 (`metrics.current` of a status).
//!
//! They are parallel lists that grow with each update of the service, but a list has an entry only for updates with its
//! name: `progress_type` for each update, including preparation; `epoch` and the training losses for each batch or
//! epoch update; the validation metrics for each epoch.

use crate::poll::Epoch;
use crate::shape::{Node, Reader};

/// Lists that are not metrics.
const NO_FIGURES: [&str; 13] = [
    "batch",
    "bars_processed_this_epoch",
    "completed_batches",
    "epoch",
    "input_dim",
    "message",
    "phase",
    "progress_percent",
    "progress_type",
    "step",
    "symbol",
    "symbol_index",
    "timeframe",
];

/// Completed epochs from `from` on. An unreadable list is skipped.
pub(super) fn read(current: &Node<'_>, from: u64, reader: &mut Reader) -> Vec<Epoch> {
    let Some(lists) = reader.keep(current.object()) else { return Vec::new() };
    let ends = ends(current, reader);
    let mut epochs: Vec<Epoch> = Vec::new();
    for name in lists.keys().filter(|name| is_figure(name)) {
        let Some(list) = current.get(name).and_then(|list| reader.keep(list.list())) else { continue };
        // Text is not a series.
        if list.iter().all(|entry| entry.value().is_string()) {
            continue;
        }
        for (at, number) in ends.places(list.len()).into_iter().filter(|(_, number)| *number >= from) {
            let Some(figure) = list.get(at).filter(|figure| !figure.value().is_null()) else { continue };
            let Some(figure) = reader.keep(figure.number()) else { break };
            let figure = (name.clone(), figure);
            match epochs.iter_mut().find(|epoch| epoch.number == number) {
                Some(epoch) => epoch.figures.push(figure),
                None => epochs.push(Epoch { number, figures: vec![figure] }),
            }
        }
    }
    epochs.sort_by_key(|epoch| epoch.number);
    epochs
}

fn is_figure(name: &str) -> bool {
    !NO_FIGURES.contains(&name) && !name.starts_with("total_")
}

/// Updates that ended an epoch.
struct EpochEnds {
    /// Number of batch and epoch updates; `None` if the service does not report the type.
    updates: Option<usize>,
    /// Index of each update that ended an epoch, and the epoch number; sorted.
    ends: Vec<(usize, u64)>,
}

impl EpochEnds {
    /// Indices that end an epoch, for a list of this length.
    fn places(&self, length: usize) -> Vec<(usize, u64)> {
        match self.updates {
            Some(updates) if updates == length => self.ends.clone(),
            // One entry per epoch. Validation can be reported just before its epoch ends. Each epoch is reported once,
            // so only completed epochs are returned.
            Some(_) => {
                self.ends.iter().enumerate().map(|(at, (_, number))| (at, *number)).take(length).collect()
            }
            None => (0..length).map(|at| (at, at as u64)).collect(),
        }
    }
}

fn ends(current: &Node<'_>, reader: &mut Reader) -> EpochEnds {
    let none = EpochEnds { updates: None, ends: Vec::new() };
    let (Some(kinds), Some(numbers)) = (current.get("progress_type"), current.get("epoch")) else {
        // Before the first epoch there is only preparation, without metrics.
        return if current.get("progress_type").is_some() {
            EpochEnds { updates: Some(0), ..none }
        } else {
            none
        };
    };
    let (Some(kinds), Some(numbers)) = (reader.keep(kinds.list()), reader.keep(numbers.list())) else {
        return none;
    };
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.value().as_str().unwrap_or_default()).collect();
    let of_training = |kind: &&str| matches!(*kind, "batch" | "epoch");
    let mut labels: Vec<&str> = kinds.iter().copied().filter(of_training).collect();
    if labels.len() != numbers.len() {
        // Other updates can also have an epoch. Entries before the first epoch come first.
        labels = kinds.iter().copied().skip(kinds.len().saturating_sub(numbers.len())).collect();
    }
    let ends = labels.iter().zip(&numbers).enumerate().filter(|(_, (kind, _))| **kind == "epoch");
    let ends = ends.filter_map(|(at, (_, number))| Some((at, reader.keep(number.count())?))).collect();
    EpochEnds { updates: Some(numbers.len()), ends }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn epoch(number: u64, train: f64, val: f64) -> Epoch {
        Epoch { number, figures: vec![("train_loss".to_owned(), train), ("val_loss".to_owned(), val)] }
    }

    fn of(current: &Value, from: u64) -> (Vec<Epoch>, Reader) {
        let mut reader = Reader::default();
        let epochs = read(&Node::answer("GET /x", current), from, &mut reader);
        (epochs, reader)
    }

    #[test]
    fn from_mixed_batches_and_epochs_only_finished_epochs_are_taken() {
        let current = json!({"epoch": [0, 0, 1, 1, 2], "progress_type": ["batch", "epoch", "batch", "epoch", "batch"],
            "total_bars": [9, 9, 9, 9, 9], "train_loss": [1.0, 0.8, 0.75, 0.7, 0.69], "val_loss": [0.83, 0.77, 0.75]});
        assert_eq!(of(&current, 1).0, [epoch(1, 0.7, 0.77)]);
    }

    #[test]
    fn entries_of_the_preparation_do_not_shift_curves() {
        let current = json!({
            "progress_type": ["preprocessing", "preprocessing", "preparation", "batch", "epoch", "batch", "epoch"],
            "symbol": ["EURUSD", "EURUSD"], "symbol_index": [1, 1], "step": ["loading_data", "computing"],
            "message": ["Loading", "Computing", "Combining"], "phase": ["combining_data"],
            "total_symbols": [1, 1, 1], "total_samples": [990], "input_dim": [4],
            "epoch": [0, 0, 1, 1], "train_loss": [1.1, 0.9, 0.85, 0.8], "val_loss": [0.95, 0.9]});
        let (epochs, reader) = of(&current, 0);
        assert_eq!(epochs, [epoch(0, 0.9, 0.95), epoch(1, 0.8, 0.9)]);
        assert!(reader.unread.is_empty(), "{reader:?}");
        let before = json!({"progress_type": ["preprocessing"], "symbol": ["EURUSD"], "total_indicators": [2], "x": [3]});
        assert!(of(&before, 0).0.is_empty(), "nothing is drawn before the first epoch");
    }

    #[test]
    fn updates_of_another_type_that_have_an_epoch_do_not_shift_curves() {
        let current = json!({
            "progress_type": ["preprocessing", "batch", "validation", "epoch", "batch", "validation", "epoch"],
            "epoch": [0, 0, 0, 1, 1, 1], "train_loss": [1.1, 1.0, 0.9, 0.85, 0.82, 0.8], "val_loss": [0.95, 0.9]});
        assert_eq!(of(&current, 0).0, [epoch(0, 0.9, 0.95), epoch(1, 0.8, 0.9)]);
    }

    #[test]
    fn one_unreadable_list_does_not_invalidate_the_others() {
        let current = json!({"epoch": [0, 1], "progress_type": ["epoch", "epoch"], "train_loss": [0.9, 0.8],
            "val_loss": [0.95, 0.9], "f1": [0.4, "n/a"], "gpu": 7, "device": ["cpu", "cpu"]});
        let (epochs, reader) = of(&current, 0);
        let names: Vec<_> = epochs[1].figures.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!((epochs.len(), names), (2, vec!["train_loss", "val_loss"]));
        let why: Vec<_> = reader.unread.iter().map(ToString::to_string).collect();
        assert!(why.iter().any(|w| w.contains("'f1[1]' should be a number, but is text ('n/a')")), "{why:?}");
        assert!(why.iter().any(|w| w.contains("'gpu' should be a list")), "{why:?}");
    }
}
