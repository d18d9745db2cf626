//! Report parsed from output, in any format.

use protocol::LogLevel;
use serde_json::Value;

/// Parsed report. Absent means "not reported".
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Said {
    /// Share of the total, 0 to 1.
    pub progress: Option<f64>,
    pub done: Option<u64>,
    pub total: Option<u64>,
    pub unit: Option<String>,
    pub message: Option<String>,
    pub phase: Option<PhaseSaid>,
    /// x of the points.
    pub step: Option<f64>,
    /// One value per named series. Non-finite values are reported in the log.
    pub points: Vec<(String, f64)>,
    pub result: Option<Value>,
    pub log: Option<(LogLevel, String)>,
    /// Whether part of the line was not understood, so that it also belongs in the log.
    pub odd: bool,
}

/// Phase by name, or by number from 1.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum PhaseSaid {
    Name(String),
    Number(u32),
}

impl Said {
    /// Whether anything was reported.
    pub fn anything(&self) -> bool {
        *self != Self { odd: self.odd, ..Self::default() }
    }
}

/// Converts a float to a count: whole, not negative, exact.
pub(crate) fn count(n: f64) -> Option<u64> {
    (0.0..9e15).contains(&n).then_some(n.round() as u64)
}
