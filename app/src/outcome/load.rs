//! Figures of a market data load.

use super::figure::{Better, Line};
use display::format::{self, Digits, Write};
use protocol::results::LoadResult;

/// Amount and quality of the data.
pub const FACTS: [Line<LoadResult>; 11] = [
    line("Rows", "", Better::Neither, |r| Some(r.rows as f64), format::figure_to),
    line(
        "Rows written",
        "Rows written by this load",
        Better::Neither,
        |r| Some(r.rows_written as f64),
        format::figure_to,
    ),
    line(
        "Completeness",
        "Bars present ÷ bars expected by the symbol's calendar",
        Better::Higher,
        |r| r.quality.completeness,
        format::share_to,
    ),
    line(
        "Gaps",
        "Ranges of missing bars, by the symbol's calendar",
        Better::Lower,
        |r| Some(r.gap_count as f64),
        gaps,
    ),
    line("Rejected", "", Better::Lower, |r| Some(r.rejected_count as f64), rows),
    line(
        "Out of order",
        "Rows that were out of time order; the load sorted them",
        Better::Neither,
        |r| Some(r.sorted_rows as f64),
        rows,
    ),
    line(
        "Rounding adjusted",
        "Rows whose high or low was widened because prices were rounded",
        Better::Neither,
        |r| Some(r.adjusted_rows as f64),
        rows,
    ),
    line(
        "Largest move",
        "Largest change from one close to the next",
        Better::Neither,
        |r| Some(r.quality.largest_move),
        format::share_to,
    ),
    line("Zero volume", "", Better::Neither, |r| Some(r.quality.zero_volume as f64), rows),
    line("Unknown volume", "", Better::Neither, |r| Some(r.quality.unknown_volume as f64), rows),
    line(
        "Zero range",
        "Bars whose open, high, low and close are equal",
        Better::Neither,
        |r| Some(r.quality.flat as f64),
        rows,
    ),
];

const fn line(
    name: &'static str,
    means: &'static str,
    better: Better,
    of: fn(&LoadResult) -> Option<f64>,
    shown: Write,
) -> Line<LoadResult> {
    Line { name, means, better, of, shown }
}

fn gaps(n: f64, digits: Digits) -> String {
    format!("{} {}", format::figure_to(n, digits), if n == 1.0 { "gap" } else { "gaps" })
}

fn rows(n: f64, digits: Digits) -> String {
    format!("{} {}", format::figure_to(n, digits), if n == 1.0 { "row" } else { "rows" })
}
