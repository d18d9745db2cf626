//! Data host: `data.load` reads market bars from a source, validates every row, and stores them as Parquet files on
//! this machine.
//!
//! This crate knows sources, bar validation, data set files and trading calendars. It does not know what bars are used
//! for, or that there is a server.
//!
//! Path of a row: a [`source`] reads it, [`validate`] accepts or rejects it, [`load`] collects a segment and writes it
//! atomically with [`disk`], and finally [`calendar`] looks for gaps. [`candles`] serves the bars of a chart.
//! [`Library`] gives stored bars to other works on this machine.

mod bars;
mod calendar;
mod candles;
mod config;
mod dataset;
mod disk;
mod format;
mod grid;
mod library;
mod load;
mod options;
mod params;
mod segment;
mod source;
mod symbol;
mod trouble;
mod validate;
mod wording;
mod zone;

pub use bars::{Bar, Range, Timeframe, total_volume};
pub use config::{ConfigError, DataConfig, SourceConfig};
pub use format::Format;
pub use library::{Held, Library, SetName};
pub use load::DataLoad;
pub use options::{BarTime, DateOrder, TextOptions};
pub use params::{LoadParams, Mode};
pub use zone::Zone;
