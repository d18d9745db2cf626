//! Result of `data.load`.

use crate::{KeyFigure, Time};
use serde::{Deserialize, Serialize};

/// Result document of `data.load`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LoadResult {
    pub symbol: String,
    pub timeframe: String,
    pub source: String,
    /// True if the host generated the data.
    pub synthetic: bool,
    /// Number of bars in the data set after this load.
    pub rows: u64,
    /// Number of bars written by this load.
    pub rows_written: u64,
    #[serde(default)]
    pub first: Option<Time>,
    #[serde(default)]
    pub last: Option<Time>,
    pub segments: Vec<Segment>,
    /// Missing bars according to the symbol's own calendar; at most 1,000 gaps are listed.
    pub gaps: Vec<Gap>,
    pub gap_count: u64,
    /// Bars and missing bars by calendar month (UTC), in order; empty if gaps can't be detected, and in results of
    /// older versions. If a gap spans several months, its missing bars are divided by time.
    #[serde(default)]
    pub months: Vec<MonthBars>,
    pub rejected: Vec<Rejected>,
    pub rejected_count: u64,
    /// Rejected rows as a share of all rows read, 0 to 1.
    #[serde(default)]
    pub rejected_share: f64,
    /// Number of rows that were out of order and sorted.
    #[serde(default)]
    pub sorted_rows: u64,
    /// Number of rows whose high or low was widened because prices were rounded.
    #[serde(default)]
    pub adjusted_rows: u64,
    /// Important warnings of a succeeded load, in sentences.
    #[serde(default)]
    pub warnings: Vec<String>,
    pub quality: Quality,
    /// Folder of the Parquet files on the host.
    pub folder: String,
}

/// Parquet file of a data set.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Segment {
    /// File name, `2024.parquet` or `2024-03.parquet`.
    pub file: String,
    pub rows: u64,
    pub bytes: u64,
}

/// Gap of missing bars.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Gap {
    /// First missing bar.
    pub from: Time,
    /// Last missing bar.
    pub to: Time,
    /// Number of missing bars.
    pub bars: u64,
}

/// Bars of one calendar month (UTC).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MonthBars {
    /// `2024-03`
    pub month: String,
    pub bars: u64,
    pub missing: u64,
}

/// Rows rejected for one reason.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Rejected {
    /// Stable identifier: `duplicate_time`, `high_below_low`, ...
    pub reason: String,
    pub rows: u64,
    /// First rejected row: line number and content.
    pub example: String,
}

/// Data quality metrics.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Quality {
    /// Existing bars as a share of the bars expected by the symbol's own calendar, 0 to 1; absent if there is too
    /// little data.
    #[serde(default)]
    pub completeness: Option<f64>,
    /// Number of bars with a volume of zero.
    pub zero_volume: u64,
    /// Number of bars without a volume in the source.
    #[serde(default)]
    pub unknown_volume: u64,
    /// Zero-range bars: number of bars whose four prices are equal.
    pub flat: u64,
    /// Largest bar-to-bar move from close to close, as a share of the earlier close.
    pub largest_move: f64,
}

/// The `bars` artifact: candles as columns, one array per field, all of the same length.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Bars {
    /// Start of each candle, seconds since 1970 UTC.
    pub t: Vec<i64>,
    pub o: Vec<f64>,
    pub h: Vec<f64>,
    pub l: Vec<f64>,
    pub c: Vec<f64>,
    /// `null` if the volume of a bar in the candle is unknown.
    pub v: Vec<Option<f64>>,
    /// Number of stored bars per candle.
    pub bars_per_candle: u32,
    /// Number of bars in the requested range, before aggregation.
    pub bars: u64,
}

impl LoadResult {
    /// Figures for lists: rows, completeness, gaps.
    pub fn key_figures(&self) -> Vec<KeyFigure> {
        let completeness = self.quality.completeness.map(|share| KeyFigure::percent("Completeness", share));
        let mut figures = vec![KeyFigure::new("Rows", self.rows as f64, "")];
        figures.extend(completeness);
        figures.push(KeyFigure::new("Gaps", self.gap_count as f64, ""));
        figures
    }
}
