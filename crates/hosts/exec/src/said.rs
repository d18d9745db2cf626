//! What one piece of output says beyond its text, whichever form it was said in.

use protocol::LogLevel;
use serde_json::Value;

/// What was read from a line. Absent is "not said".
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Said {
    /// Share of the whole, 0 to 1.
    pub progress: Option<f64>,
    pub done: Option<u64>,
    pub total: Option<u64>,
    pub unit: Option<String>,
    pub message: Option<String>,
    pub phase: Option<PhaseSaid>,
    /// The x of the points.
    pub step: Option<f64>,
    /// A value for each of the named curves. May be no number: the log then says so.
    pub points: Vec<(String, f64)>,
    pub result: Option<Value>,
    pub log: Option<(LogLevel, String)>,
    /// Something in the line was not understood: it belongs into the log as well.
    pub odd: bool,
}

/// A phase, by its name or by its number from 1.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum PhaseSaid {
    Name(String),
    Number(u32),
}

impl Said {
    /// Whether it says anything.
    pub fn anything(&self) -> bool {
        *self != Self { odd: self.odd, ..Self::default() }
    }
}

/// A count that a float stands for: whole, not negative, and exact.
pub(crate) fn count(n: f64) -> Option<u64> {
    (0.0..9e15).contains(&n).then_some(n.round() as u64)
}
