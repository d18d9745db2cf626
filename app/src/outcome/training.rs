//! Figures of a training. docs/training.md has their formulas.

use super::figure::{Better, Figure, Line, all};
use display::format::{self, Write};
use protocol::results::TrainingResult;

/// Test results and cost of a training.
pub const FACTS: [Line<TrainingResult>; 6] = [
    line("Test accuracy", Better::Higher, |r| Some(r.test.accuracy), format::share_to),
    line("Test loss", Better::Lower, |r| Some(r.test.loss), format::figure_to),
    line("Epochs", Better::Neither, |r| Some(f64::from(r.epochs)), format::figure_to),
    line("Best epoch", Better::Neither, |r| Some(f64::from(r.best_epoch)), format::figure_to),
    line("Model parameters", Better::Neither, |r| Some(r.parameters as f64), format::figure_to),
    line("Training time", Better::Neither, |r| Some(r.seconds), format::span_to),
];

/// Results on the other splits. A better fit of the training data does not make a better model.
const PARTS: [Line<TrainingResult>; 4] = [
    line("Validation accuracy", Better::Higher, |r| Some(r.validation.accuracy), format::share_to),
    line("Validation loss", Better::Lower, |r| Some(r.validation.loss), format::figure_to),
    line("Training accuracy", Better::Neither, |r| Some(r.train.accuracy), format::share_to),
    line("Training loss", Better::Neither, |r| Some(r.train.loss), format::figure_to),
];

const fn line(
    name: &'static str,
    better: Better,
    of: fn(&TrainingResult) -> Option<f64>,
    shown: Write,
) -> Line<TrainingResult> {
    Line { name, means: "", better, of, shown }
}

/// All figures: results on the splits, then the cost.
pub fn figures(result: &TrainingResult) -> Vec<Figure> {
    let mut figures = all(&FACTS, result);
    figures.splice(2..2, all(&PARTS, result));
    figures
}

/// Majority class and its share; `None` without samples.
pub fn majority(counts: &[Vec<u64>]) -> Option<(usize, f64)> {
    let rows: Vec<u64> = counts.iter().map(|row| row.iter().sum()).collect();
    let all: u64 = rows.iter().sum();
    // `max_by_key` returns the last of equals; reversed, the first.
    let (class, most) = rows.iter().enumerate().rev().max_by_key(|(_, n)| **n)?;
    (all > 0).then(|| (class, *most as f64 / all as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_class_is_the_one_to_beat() {
        assert_eq!(majority(&[vec![1, 1], vec![5, 1], vec![0, 0]]), Some((1, 0.75)));
        assert_eq!(majority(&[vec![2, 0], vec![0, 2]]), Some((0, 0.5)));
        assert_eq!(majority(&[vec![0]]), None);
        assert_eq!(majority(&[]), None);
    }
}
