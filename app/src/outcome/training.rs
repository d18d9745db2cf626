//! The figures of a training. What they mean exactly is in docs/training.md.

use super::figure::{Better, Figure, Line, all};
use crate::format;
use protocol::results::TrainingResult;

/// What a model is judged by first, and what it took.
pub const FACTS: [Line<TrainingResult>; 6] = [
    line("Test accuracy", Better::Higher, |r| Some(r.test.accuracy), format::hundredths),
    line("Test loss", Better::Lower, |r| Some(r.test.loss), loss),
    line("Epochs", Better::Neither, |r| Some(f64::from(r.epochs)), whole),
    line("Kept weights of epoch", Better::Neither, |r| Some(f64::from(r.best_epoch)), whole),
    line("Weights fitted", Better::Neither, |r| Some(r.parameters as f64), whole),
    line("Trained in", Better::Neither, |r| Some(r.seconds), format::span),
];

/// The other parts of the data. Doing better on what it learned from makes no model better.
const PARTS: [Line<TrainingResult>; 4] = [
    line("Validation accuracy", Better::Higher, |r| Some(r.validation.accuracy), format::hundredths),
    line("Validation loss", Better::Lower, |r| Some(r.validation.loss), loss),
    line("Train accuracy", Better::Neither, |r| Some(r.train.accuracy), format::hundredths),
    line("Train loss", Better::Neither, |r| Some(r.train.loss), loss),
];

const fn line(
    name: &'static str,
    better: Better,
    of: fn(&TrainingResult) -> Option<f64>,
    shown: fn(f64) -> String,
) -> Line<TrainingResult> {
    Line { name, means: "", better, of, shown }
}

/// All of it: what it is judged by, then what that took.
pub fn figures(result: &TrainingResult) -> Vec<Figure> {
    let mut figures = all(&FACTS, result);
    figures.splice(2..2, all(&PARTS, result));
    figures
}

/// A loss is compared in its fourth decimal.
pub fn loss(n: f64) -> String {
    if n.is_finite() { format!("{n:.4}") } else { "–".to_owned() }
}

fn whole(n: f64) -> String {
    format::count(n as u64)
}
