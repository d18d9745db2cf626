//! Result of polling a run, in any protocol, and the position for the next poll.

use crate::Moment;
use crate::wire::CallError;
use jiff::civil::Date;
use serde_json::Value;

/// Poll result.
#[derive(Debug, Clone)]
pub(crate) struct PollResult {
    pub state: RunState,
    pub accuracy: RecordAccuracy,
    pub steps: Steps,
    /// Metrics of epochs, in order; at least those from the requested number on.
    pub epochs: Vec<Epoch>,
    /// Unreadable parts of the responses. The rest is used.
    pub unread: Vec<CallError>,
    /// Index of the next metrics row, if the service uses a cursor.
    pub cursor: Option<u64>,
    /// First epoch since the service started or resumed the run, if known.
    pub first_epoch: Option<u64>,
    /// Result, if already included.
    pub summary: Option<Value>,
    pub started: Option<Moment>,
    pub ended: Option<Moment>,
}

/// Poll position: what was read of the run in this attempt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// Number of the first unread epoch.
    pub next_epoch: u64,
    /// Index of the first unread metrics row. Not an epoch: it restarts with each resume.
    pub cursor: u64,
    /// First epoch since the service started or resumed the run.
    pub first_epoch: u64,
    /// Whether the run showed activity: a step, a percentage, an epoch.
    pub moved: bool,
}

/// State of a run on the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RunState {
    /// Running or queued.
    Running,
    Completed,
    /// Failed, with the message of the service. Some services report a stopped run as failed.
    Failed(String),
    Stopped(String),
}

/// Whether the service's record of a run is accurate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum RecordAccuracy {
    /// No contradiction.
    #[default]
    Agrees,
    /// The record says cancelled, but the session list says running.
    RunsOn,
    /// The record says running, but shows no activity: no step, percentage or metrics.
    Bare,
    /// The record says running, but the session list does not.
    Gone,
}

/// Progress as reported. `follow/report.rs` must check it, because it can go backwards or reset.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Steps {
    /// Percentage of the total, 0 to 100.
    pub percent: Option<f64>,
    /// Completed `unit`s.
    pub done: Option<u64>,
    /// Only if plausible.
    pub total: Option<u64>,
    /// Current day of a backtest in the data.
    pub day: Option<Date>,
    pub message: String,
}

/// Metrics of a completed epoch.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Epoch {
    /// Epoch number from 0, as these services count.
    pub number: u64,
    /// Series names with their values.
    pub figures: Vec<(String, f64)>,
}

impl RunState {
    /// Whether nothing of it is running any more.
    pub fn over(&self) -> bool {
        *self != RunState::Running
    }
}

/// Whether a failure message says that the run was cancelled.
pub(crate) fn mentions_cancel(words: &str) -> bool {
    let words = words.to_lowercase();
    words.contains("cancel") || words.contains("stopped by user") || words.contains("stop requested")
}
