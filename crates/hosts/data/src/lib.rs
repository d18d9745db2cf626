//! The data host: `data.load` reads bars of a market from a source, checks every row, and keeps them as
//! Parquet files on this machine.
//!
//! Knows: sources, what makes a row a bar, the files of a data set, when a symbol trades.
//! May not know: what bars are good for, or that there is a server.
//!
//! The way of a row: a [`source`] reads it, [`validate`] takes or rejects it, [`load`] gathers a segment and
//! has [`disk`] put it in its place in one step, and in the end [`calendar`] looks for what is missing.
//! [`candles`] answers the bars that a chart draws; [`Library`] gives stored bars to other works on this machine.

mod bars;
mod calendar;
mod candles;
mod config;
mod dataset;
mod disk;
mod grid;
mod library;
mod load;
mod params;
mod segment;
mod source;
mod symbol;
mod trouble;
mod validate;
mod wording;

pub use bars::{Bar, Range, Timeframe, total_volume};
pub use config::{ConfigError, DataConfig, SourceConfig};
pub use library::{Held, Library, SetName};
pub use load::DataLoad;
pub use params::{LoadParams, Mode};
