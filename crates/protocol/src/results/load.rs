//! What `data.load` leaves behind.

use crate::Time;
use serde::{Deserialize, Serialize};

/// The result document of `data.load`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LoadResult {
    pub symbol: String,
    pub timeframe: String,
    pub source: String,
    /// The data was made by the host, not by a market.
    pub synthetic: bool,
    /// Bars in the data set, after this load.
    pub rows: u64,
    /// Bars that this load wrote.
    pub rows_written: u64,
    #[serde(default)]
    pub first: Option<Time>,
    #[serde(default)]
    pub last: Option<Time>,
    pub segments: Vec<Segment>,
    /// Bars that the symbol's own calendar lets expect and that are not there; at most 1,000 are listed.
    pub gaps: Vec<Gap>,
    pub gap_count: u64,
    pub rejected: Vec<Rejected>,
    pub rejected_count: u64,
    /// Rejected rows as a share of those that were read, 0 to 1.
    #[serde(default)]
    pub rejected_share: f64,
    /// Rows that came after a later one: all were sorted.
    #[serde(default)]
    pub sorted_rows: u64,
    /// Rows whose high or low was widened by a rounding of open, close or themselves.
    #[serde(default)]
    pub adjusted_rows: u64,
    /// What must not be missed though the load succeeded, in sentences.
    #[serde(default)]
    pub warnings: Vec<String>,
    pub quality: Quality,
    /// The folder of the Parquet files on the host.
    pub folder: String,
}

/// One Parquet file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Segment {
    /// `2024.parquet` or `2024-03.parquet`.
    pub file: String,
    pub rows: u64,
    pub bytes: u64,
}

/// A stretch in which bars are missing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Gap {
    /// First missing bar.
    pub from: Time,
    /// Last missing bar.
    pub to: Time,
    /// How many bars are missing.
    pub bars: u64,
}

/// Rows refused for one reason.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Rejected {
    /// A stable word: `duplicate_time`, `high_below_low`, ...
    pub reason: String,
    pub rows: u64,
    /// The first of them: line number and what it said.
    pub example: String,
}

/// Figures on how good the data is.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Quality {
    /// Bars there as a share of bars expected by the symbol's own calendar, 0 to 1; absent where there is too little
    /// data to tell.
    #[serde(default)]
    pub completeness: Option<f64>,
    /// Bars with a volume of zero.
    pub zero_volume: u64,
    /// Bars whose volume the source does not know.
    #[serde(default)]
    pub unknown_volume: u64,
    /// Bars whose four prices are equal.
    pub flat: u64,
    /// The largest move from one close to the next, as a share of the former.
    pub largest_move: f64,
}

/// The `bars` artifact: candles in columns, one array a field, all of one length.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Bars {
    /// Start of each candle, seconds since 1970 UTC.
    pub t: Vec<i64>,
    pub o: Vec<f64>,
    pub h: Vec<f64>,
    pub l: Vec<f64>,
    pub c: Vec<f64>,
    /// `null` where the volume of a bar of the candle is not known.
    pub v: Vec<Option<f64>>,
    /// How many stored bars one candle stands for.
    pub bars_per_candle: u32,
    /// Bars in the asked-for range, before they were put together.
    pub bars: u64,
}
