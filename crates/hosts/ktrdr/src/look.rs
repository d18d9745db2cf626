//! What one look at a foreign run shows, whatever the dialect.

use crate::Moment;
use crate::wire::CallError;
use serde_json::Value;

/// One look.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    pub stand: Stand,
    pub steps: Steps,
    /// Figures of epochs, in rising order; at least those from the number that was asked for. An error is no reason
    /// to lose the run: the curves have a hole then.
    pub epochs: Result<Vec<Epoch>, CallError>,
    /// What it leaves behind, where the look already shows it.
    pub summary: Option<Value>,
    pub started: Option<Moment>,
    pub ended: Option<Moment>,
}

/// Where a run stands over there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stand {
    /// It runs, or will.
    Running,
    Completed,
    /// It failed, or was stopped (some services call that failed too), in the words of the service.
    Failed(String),
    Stopped(String),
}

/// How far it is. Nothing of it can be taken at its word before [`crate::follow::tell`] has looked at it: it may
/// run backwards and be reset.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Steps {
    /// 0 to 100.
    pub percent: Option<f64>,
    /// Done of `unit`.
    pub done: Option<u64>,
    /// Only when it is believable.
    pub total: Option<u64>,
    pub message: String,
}

/// Figures of one epoch that is over.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Epoch {
    /// From 0, as these services count.
    pub number: u64,
    /// Name of the series, and its figure.
    pub figures: Vec<(String, f64)>,
}

impl Stand {
    /// Whether nothing of it runs any more.
    pub fn over(&self) -> bool {
        *self != Stand::Running
    }
}

/// Whether the words of a failure say that somebody asked for it.
pub(crate) fn speaks_of_cancel(words: &str) -> bool {
    let words = words.to_lowercase();
    words.contains("cancel") || words.contains("stopped by user") || words.contains("stop requested")
}
