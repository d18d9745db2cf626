//! What `training.run` leaves behind. How its figures are defined is in docs/training.md.

use crate::Time;
use serde::{Deserialize, Serialize};

/// The result document of `training.run`. The model is the artifact `model`; `backtest.run` takes it by `model`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TrainingResult {
    pub symbols: Vec<String>,
    pub timeframe: String,
    pub synthetic: bool,
    /// What `backtest.run` calls it.
    pub model: String,
    /// SHA-256 of the model's file, in hex.
    pub model_sha256: String,
    pub features: Vec<String>,
    /// Names of the classes, in the order of the confusion matrix.
    pub classes: Vec<String>,
    /// Weights that were fitted.
    pub parameters: u64,
    pub epochs: u32,
    /// The epoch whose weights were kept.
    pub best_epoch: u32,
    /// Training ended before its last epoch, because validation no longer got better.
    pub stopped_early: bool,
    pub train: SplitScore,
    pub validation: SplitScore,
    pub test: SplitScore,
    /// Of the test part: rows are what was, columns are what was predicted.
    pub confusion: Vec<Vec<u64>>,
    /// Of the test part, a row a class.
    pub scores: Vec<ClassScore>,
    /// Seconds of training, over all attempts.
    pub seconds: f64,
}

/// One part of the data in time order.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SplitScore {
    pub samples: u64,
    pub from: Time,
    pub to: Time,
    pub loss: f64,
    /// 0 to 1.
    pub accuracy: f64,
}

/// How well one class was found.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClassScore {
    pub class: String,
    /// Samples of it.
    pub support: u64,
    /// Absent when it was never predicted.
    pub precision: Option<f64>,
    /// Absent when there is none of it.
    pub recall: Option<f64>,
    pub f1: Option<f64>,
}
