//! Text of Signalbox: numbers, times, durations, and sentences about operations and hosts. The page, its charts, the
//! command line and the bundled hosts call it, so the same figure is the same text everywhere.
//!
//! Knows: wording, units, precision. Pure: values and the current time in, text out. Must not know: signals, views,
//! I/O, clocks. Compiles to native code and to WebAssembly.
//!
//! [`mod@format`] has numbers, times and durations, [`zone`] times in a time zone, [`csv`] exports. Sentences:
//! [`operation`] state and progress, [`forecast`] expected end, [`cancel_steps`] steps of a cancel, [`confirm`]
//! confirmation dialogs and outcomes, [`start`] where and when a start would run, [`audit`] audit log, [`baseline`]
//! past runs, [`activity`] recently ended operations, [`key_figure`] figures of results, [`outcome`] the outcome of an
//! operation in a line, [`file_path`] paths in sentences, [`hosts`] hosts, [`usage`] the cost of an operation,
//! [`sweep`] sweeps, [`shell_command`] starts as shell commands.

pub mod activity;
pub mod audit;
pub mod baseline;
pub mod cancel_steps;
pub mod confirm;
pub mod csv;
pub mod exception;
pub mod file_path;
pub mod forecast;
pub mod format;
pub mod hosts;
pub mod key_figure;
pub mod operation;
pub mod outcome;
pub mod shell_command;
pub mod start;
pub mod sweep;
pub mod usage;
pub mod zone;

pub use operation::{
    AttemptFacts, Next, QueuePosition, announcement, cancel_loses_work, cancel_note, doing, done_of_total,
    elapsed, elapsed_text, how_far, items, last_seen, may_abandon, next, place, place_in_row, trouble, waits,
};
