//! Market bars on this machine: what a bar is, how data sets are stored, and when a symbol trades.
//!
//! Hosts that store or use bars share this crate. It knows bars, timeframes, symbols, data sets, their files and
//! trading calendars. It does not know where bars come from or what they are used for, nor hosts or servers.
//!
//! [`DataSet`] is one symbol in one timeframe from one source: a folder of [`segment`] files, each one [`Period`],
//! written atomically by a [`Disk`]. [`Library`] reads all data sets below a folder. [`Grid`] compares times with the
//! timeframe, and [`Calendar`] finds gaps.

mod about;
mod bars;
mod calendar;
mod dataset;
mod days;
mod disk;
pub mod failures;
mod grid;
mod library;
mod period;
mod range;
pub mod segment;
mod symbol;
pub mod wording;

pub use about::{SymbolNote, changed_at};
pub use bars::{Bar, Timeframe, known_volume, total_volume};
pub use calendar::{Calendar, Findings};
pub use dataset::{DataSet, DataSetLock, Stored, broken};
pub use days::{DAY, day_of, start_of, trading_day};
pub use disk::{Disk, LocalDisk};
pub use grid::{Grid, Spacing, distance, is_off_grid};
pub use library::{Held, Library, SetName};
pub use period::Period;
pub use range::{Range, parse_moment};
pub use symbol::{MAX_SYMBOL_CHARS, Symbol};

/// Time of a test.
#[cfg(test)]
fn at(text: &str) -> protocol::Time {
    protocol::Time::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}
