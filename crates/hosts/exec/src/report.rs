//! Report parsed from output, in any format.

use protocol::LogLevel;
use serde_json::Value;

/// Parsed report. Absent means "not reported".
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Report {
    /// Share of the total, 0 to 1.
    pub progress: Option<f64>,
    pub done: Option<u64>,
    pub total: Option<u64>,
    /// Unrounded `done`, if it is not whole.
    pub exact_done: Option<f64>,
    /// Total that is not whole; then there is no `total`.
    pub exact_total: Option<f64>,
    pub unit: Option<String>,
    pub message: Option<String>,
    pub phase: Option<ReportedPhase>,
    /// x of the points.
    pub step: Option<f64>,
    /// One value per named series. Non-finite values are reported in the log.
    pub points: Vec<(String, f64)>,
    pub result: Option<Value>,
    pub log: Option<(LogLevel, String)>,
    /// Keys with an invalid value, and what would be valid.
    pub wrong: Vec<(&'static str, String)>,
    /// Whether part of the line was not understood, so that it also belongs in the log.
    pub odd: bool,
}

/// Phase by name, or by number from 1.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum ReportedPhase {
    Name(String),
    Number(u32),
}

impl Report {
    /// Sets the finished items. Returns whether it is a count.
    pub fn set_done(&mut self, n: f64) -> bool {
        self.done = count(n);
        self.exact_done = self.done.filter(|whole| !is_whole(n, *whole)).map(|_| n);
        self.done.is_some()
    }

    /// Sets the number of all items. Returns whether it is a count.
    pub fn set_total(&mut self, n: f64) -> bool {
        let total = count(n);
        self.total = total.filter(|whole| is_whole(n, *whole));
        self.exact_total = total.filter(|whole| !is_whole(n, *whole)).map(|_| n);
        total.is_some()
    }

    /// Whether anything was reported.
    pub fn anything(&self) -> bool {
        *self != Self { odd: self.odd, ..Self::default() }
    }
}

/// Largest count. A float, also that of the browser, has all whole numbers up to it.
pub(crate) const MAX_COUNT: f64 = 9e15;

/// Relative error of a float that was calculated, such as 0.1 + 0.2.
const ERROR: f64 = 1e-9;

/// Converts a float to a count: complete items only, so it is rounded down.
fn count(n: f64) -> Option<u64> {
    (0.0..=MAX_COUNT).contains(&n).then(|| match n.round() {
        whole if (whole - n).abs() <= whole * ERROR => whole as u64,
        _ => n.floor() as u64,
    })
}

fn is_whole(n: f64, count: u64) -> bool {
    (n - count as f64).abs() <= n * ERROR
}
