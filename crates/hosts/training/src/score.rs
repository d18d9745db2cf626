//! Evaluation of a network on a set of samples.

use crate::labels::CLASSES;
use crate::mlp::{Mlp, cross_entropy, greatest};
use crate::samples::{Going, Rows};
use host_kit::WorkError;
use protocol::results::{ClassScore, SplitScore};

/// Samples between two cancellation checks.
const STRIDE: usize = 1_024;

/// Evaluation result.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Score {
    /// Mean cross-entropy.
    pub(crate) loss: f64,
    /// Confusion matrix: rows are actual, columns predicted classes.
    pub(crate) confusion: Vec<Vec<u64>>,
}

impl Score {
    /// Evaluates the network on a set.
    ///
    /// # Errors
    /// The error of `going`.
    pub(crate) fn of(mlp: &Mlp, rows: &Rows, going: Going) -> Result<Self, WorkError> {
        let mut confusion = vec![vec![0; CLASSES.len()]; CLASSES.len()];
        let mut loss = 0.0;
        for i in 0..rows.len() {
            if i % STRIDE == 0 {
                going()?;
            }
            let class = usize::from(rows.classes[i]);
            let logits = mlp.logits(rows.row(i));
            loss += cross_entropy(&logits, class);
            confusion[class][greatest(&logits)] += 1;
        }
        Ok(Self { loss: loss / rows.len() as f64, confusion })
    }

    /// Accuracy: share of correctly classified samples.
    pub(crate) fn accuracy(&self) -> f64 {
        let found: u64 = (0..self.confusion.len()).map(|c| self.confusion[c][c]).sum();
        found as f64 / self.confusion.iter().flatten().sum::<u64>().max(1) as f64
    }

    /// Summary of the set for the result.
    pub(crate) fn split(&self, rows: &Rows) -> SplitScore {
        SplitScore {
            samples: rows.len() as u64,
            from: rows.from,
            to: rows.to,
            loss: self.loss,
            accuracy: self.accuracy(),
        }
    }

    /// Precision, recall and F1 of each class.
    pub(crate) fn classes(&self) -> Vec<ClassScore> {
        let share = |found: u64, of: u64| (of > 0).then(|| found as f64 / of as f64);
        let score = |(c, name): (usize, &&str)| {
            let found = self.confusion[c][c];
            let support: u64 = self.confusion[c].iter().sum();
            let predicted: u64 = self.confusion.iter().map(|row| row[c]).sum();
            ClassScore {
                class: (*name).to_owned(),
                support,
                precision: share(found, predicted),
                recall: share(found, support),
                // 2·precision·recall / (precision + recall), in a form that is defined if one of them is 0.
                f1: share(2 * found, support + predicted),
            }
        };
        CLASSES.iter().enumerate().map(score).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::tests::go_on;
    use protocol::Time;

    #[test]
    fn figures_equal_their_manual_computation() {
        let score = Score { loss: 1.0, confusion: vec![vec![3, 1, 0], vec![2, 4, 0], vec![0, 0, 0]] };
        assert_eq!(score.accuracy(), 0.7);
        let classes = score.classes();
        assert_eq!((classes[0].support, classes[0].precision, classes[0].recall), (4, Some(0.6), Some(0.75)));
        assert!((classes[0].f1.unwrap() - 2.0 * 0.6 * 0.75 / 1.35).abs() < 1e-12);
        assert_eq!((classes[2].precision, classes[2].recall, classes[2].f1), (None, None, None));
    }

    #[test]
    fn a_network_is_evaluated_on_every_sample() {
        // Identity network: predicts the class that its input encodes.
        let mut mlp = Mlp::new(1, 3, &[], 3);
        mlp.layers[0].weights = vec![9.0, 0.0, 0.0, 0.0, 9.0, 0.0, 0.0, 0.0, 9.0];
        let time = Time::from_micros(0);
        let inputs = vec![1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0];
        let rows = Rows { width: 3, inputs, classes: vec![0, 2, 1], from: time, to: time, until: time };
        let score = Score::of(&mlp, &rows, &go_on).unwrap();
        assert_eq!(score.confusion, [[1, 0, 0], [0, 0, 1], [0, 0, 1]]);
        assert!((score.loss - 3.0).abs() < 0.01, "{}", score.loss);
    }
}
