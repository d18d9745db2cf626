//! Data host: `data.load` reads market bars from a source, validates every row, and stores them as Parquet files on
//! this machine.
//!
//! This crate knows sources and the validation of bars. [`market_data`] knows data sets and trading calendars. Neither
//! knows what bars are used for, or that there is a server.
//!
//! Path of a row: a [`source`] reads it, [`validate`] accepts or rejects it, [`load`] collects a segment and writes it
//! atomically, and finally a calendar looks for gaps. [`candles`] serves the bars of a chart.

mod candles;
mod config;
mod format;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod hints;
mod load;
mod options;
mod order;
mod params;
mod report;
mod source;
mod url_template;
mod validate;
mod zone;

pub use config::{ConfigError, DataConfig, SourceConfig};
pub use format::Format;
pub use load::DataLoad;
pub use options::{BarTime, DateOrder, TextOptions};
pub use params::{LoadParams, Mode};
pub use zone::Zone;

/// Time of a test.
#[cfg(test)]
fn at(text: &str) -> protocol::Time {
    protocol::Time::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}
