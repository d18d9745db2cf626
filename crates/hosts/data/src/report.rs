//! Reporting interface of a load: the part of the host context that it needs, so that tests can replace it.

use host_kit::{CancellationToken, Context, WorkError};
use protocol::LogLevel;
use serde_json::Value;

/// Receiver of progress, and source of cancellation.
pub(crate) trait Report: Clone + Send + Sync + 'static {
    fn token(&self) -> &CancellationToken;
    fn phase(&self, index: u32, name: &str);
    fn phase_weights(&self, weights: &[f64]);
    fn items(&self, unit: &str, total: Option<u64>);
    fn done(&self, done: u64);
    fn message(&self, text: String);
    fn point(&self, series: &str, x: f64, y: f64);
    fn log(&self, level: LogLevel, text: String);
    /// False if the checkpoint was too large to save.
    fn checkpoint(&self, note: String, state: Value) -> bool;

    /// # Errors
    /// [`WorkError::Cancelled`] after a cancel request.
    fn check(&self) -> Result<(), WorkError> {
        if self.token().is_cancelled() { Err(WorkError::Cancelled) } else { Ok(()) }
    }
}

/// Logs one line.
pub(crate) fn log_line(report: &impl Report, level: LogLevel, text: impl Into<String>) {
    report.log(level, text.into());
}

impl Report for Context {
    fn token(&self) -> &CancellationToken {
        Context::token(self)
    }

    fn phase(&self, index: u32, name: &str) {
        Context::phase(self, index, name);
    }

    fn phase_weights(&self, weights: &[f64]) {
        Context::phase_weights(self, weights);
    }

    fn items(&self, unit: &str, total: Option<u64>) {
        Context::set_total(self, unit, total);
    }

    fn done(&self, done: u64) {
        Context::set_done(self, done);
    }

    fn message(&self, text: String) {
        Context::message(self, text);
    }

    fn point(&self, series: &str, x: f64, y: f64) {
        Context::point(self, series, x, y);
    }

    fn log(&self, level: LogLevel, text: String) {
        Context::log(self, level, text);
    }

    fn checkpoint(&self, note: String, state: Value) -> bool {
        Context::checkpoint(self, note, state).is_ok()
    }
}
