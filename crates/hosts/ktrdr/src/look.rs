//! What one look at a foreign run shows, whatever the dialect, and from where the next look goes on.

use crate::Moment;
use crate::wire::CallError;
use jiff::civil::Date;
use serde_json::Value;

/// One look.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    pub stand: Stand,
    pub pulse: Pulse,
    pub steps: Steps,
    /// Figures of epochs, in rising order; at least those from the number that was asked for.
    pub epochs: Vec<Epoch>,
    /// Parts of the answers that can't be read; the rest is used all the same.
    pub unread: Vec<CallError>,
    /// Index of the next row of metrics, where the service counts them so.
    pub cursor: Option<u64>,
    /// The first epoch that the service trained since it started or resumed the run, where the look shows it.
    pub first_epoch: Option<u64>,
    /// What it leaves behind, where the look already shows it.
    pub summary: Option<Value>,
    pub started: Option<Moment>,
    pub ended: Option<Moment>,
}

/// From where a look goes on: what was read of the run in this attempt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// Number of the first epoch that was not read.
    pub next_epoch: u64,
    /// Index of the first row of metrics that was not read: not an epoch, it begins anew with each resume.
    pub cursor: u64,
    /// The first epoch since the service started or resumed the run.
    pub first_epoch: u64,
    /// Something of the run was seen: a step, a share, an epoch.
    pub moved: bool,
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

/// Whether the service's record of a run agrees with what really runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Pulse {
    /// Nothing contradicts the record.
    #[default]
    Agrees,
    /// The record says that it was cancelled, and the service's list of sessions that it runs.
    RunsOn,
    /// The record says that it runs, and shows nothing of it: no step, no share, no figures.
    Bare,
    /// The record says that it runs, and the service's list of sessions that it does not.
    Gone,
}

/// How far it is. Nothing of it can be taken at its word before [`crate::follow::tell`] has looked at it: it may
/// run backwards and be reset.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Steps {
    /// Share of the whole, 0 to 100.
    pub percent: Option<f64>,
    /// Done of `unit`.
    pub done: Option<u64>,
    /// Only when it is believable.
    pub total: Option<u64>,
    /// The day of the data at which a backtest is.
    pub day: Option<Date>,
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
