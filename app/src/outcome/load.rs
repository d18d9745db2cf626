//! The figures of a load of market data.

use super::figure::{Better, Line};
use crate::format;
use protocol::results::LoadResult;

/// How much there is, and how good it is.
pub const FACTS: [Line<LoadResult>; 11] = [
    line("Rows", Better::Neither, |r| Some(r.rows as f64), whole),
    line("Written by this load", Better::Neither, |r| Some(r.rows_written as f64), whole),
    line("Completeness", Better::Higher, |r| r.quality.completeness, format::share),
    line("Missing bars in", Better::Lower, |r| Some(r.gap_count as f64), gaps),
    line("Rejected", Better::Lower, |r| Some(r.rejected_count as f64), rows),
    line("Out of order, sorted", Better::Neither, |r| Some(r.sorted_rows as f64), rows),
    line("Rounding adjusted", Better::Neither, |r| Some(r.adjusted_rows as f64), rows),
    line("Largest move", Better::Neither, |r| Some(r.quality.largest_move), format::share),
    line("Zero volume", Better::Neither, |r| Some(r.quality.zero_volume as f64), rows),
    line("Unknown volume", Better::Neither, |r| Some(r.quality.unknown_volume as f64), rows),
    line("Flat", Better::Neither, |r| Some(r.quality.flat as f64), rows),
];

const fn line(
    name: &'static str,
    better: Better,
    of: fn(&LoadResult) -> Option<f64>,
    shown: fn(f64) -> String,
) -> Line<LoadResult> {
    Line { name, means: "", better, of, shown }
}

fn whole(n: f64) -> String {
    format::count(n as u64)
}

fn gaps(n: f64) -> String {
    format!("{} gaps", whole(n))
}

fn rows(n: f64) -> String {
    format!("{} rows", whole(n))
}
