//! Receiver of parsed output: the operation's [`Context`], or a list in tests.

use host_kit::Context;
use protocol::LogLevel;

/// Receiver of parsed output, with the methods of [`Context`].
pub(crate) trait ProgressSink: Send {
    fn phase(&mut self, index: u32, name: &str);
    fn items(&mut self, unit: &str, total: Option<u64>);
    fn revise_items(&mut self, unit: &str, total: Option<u64>);
    fn done(&mut self, done: u64);
    fn message(&mut self, text: String);
    fn fraction(&mut self, fraction: Option<f64>);
    fn point(&mut self, series: &str, x: f64, y: f64);
    fn log(&mut self, level: LogLevel, text: String);
}

impl ProgressSink for Context {
    fn phase(&mut self, index: u32, name: &str) {
        Context::phase(self, index, name);
    }
    fn items(&mut self, unit: &str, total: Option<u64>) {
        Context::set_total(self, unit, total);
    }
    fn revise_items(&mut self, unit: &str, total: Option<u64>) {
        Context::revise_total(self, unit, total);
    }
    fn done(&mut self, done: u64) {
        Context::set_done(self, done);
    }
    fn message(&mut self, text: String) {
        Context::message(self, text);
    }
    fn fraction(&mut self, fraction: Option<f64>) {
        Context::fraction(self, fraction);
    }
    fn point(&mut self, series: &str, x: f64, y: f64) {
        Context::point(self, series, x, y);
    }
    fn log(&mut self, level: LogLevel, text: String) {
        Context::log(self, level, text);
    }
}
