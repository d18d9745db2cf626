//! Result of `training.run`. docs/training.md defines the metrics.

use crate::{KeyFigure, Time};
use serde::{Deserialize, Serialize};

/// Result document of `training.run`. The model is the artifact `model`; `backtest.run` takes its name as `model`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TrainingResult {
    pub symbols: Vec<String>,
    pub timeframe: String,
    pub synthetic: bool,
    /// Name of the model for `backtest.run`.
    pub model: String,
    /// SHA-256 of the model file in hexadecimal.
    pub model_sha256: String,
    pub features: Vec<String>,
    /// Class names, in the order of the confusion matrix.
    pub classes: Vec<String>,
    /// Number of trained parameters.
    pub parameters: u64,
    pub epochs: u32,
    /// Epoch whose weights were kept.
    pub best_epoch: u32,
    /// Early stopping: training ended before its last epoch, because the validation loss stopped improving.
    pub stopped_early: bool,
    pub train: SplitScore,
    pub validation: SplitScore,
    pub test: SplitScore,
    /// Confusion matrix of the test set: rows are actual classes, columns are predicted ones.
    pub confusion: Vec<Vec<u64>>,
    /// Per-class metrics of the test set.
    pub scores: Vec<ClassScore>,
    /// Training time in seconds over all attempts.
    pub seconds: f64,
}

/// Scores of one part of the data (training, validation or test). The parts follow each other in time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SplitScore {
    pub samples: u64,
    pub from: Time,
    pub to: Time,
    pub loss: f64,
    /// Accuracy, 0 to 1.
    pub accuracy: f64,
}

/// Metrics of one class.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClassScore {
    pub class: String,
    /// Number of samples of the class.
    pub support: u64,
    /// TP ÷ (TP + FP); absent if the class was never predicted.
    pub precision: Option<f64>,
    /// TP ÷ (TP + FN); absent if the class has no samples.
    pub recall: Option<f64>,
    pub f1: Option<f64>,
}

impl TrainingResult {
    /// Figures for lists: accuracy and losses.
    pub fn key_figures(&self) -> Vec<KeyFigure> {
        vec![
            KeyFigure::percent("Test accuracy", self.test.accuracy),
            KeyFigure::new("Val. loss", self.validation.loss, ""),
            KeyFigure::new("Test loss", self.test.loss, ""),
            KeyFigure::new("Best epoch", f64::from(self.best_epoch), ""),
        ]
    }
}
