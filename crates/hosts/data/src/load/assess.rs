//! Final phase of a load: reads back all stored bars to report their number, quality and gaps.

use super::suspects::Suspects;
use crate::report::Report;
use host_kit::WorkError;
use market_data::{Calendar, DataSet, Findings, Range, broken};
use protocol::Time;
use protocol::results::{Gap, Quality, Segment};

/// Maximum number of gaps in a result.
const LISTED_GAPS: usize = 1_000;

/// State of the data set after a load.
pub(super) struct Assessment {
    pub(super) rows: u64,
    pub(super) first: Option<Time>,
    pub(super) last: Option<Time>,
    pub(super) segments: Vec<Segment>,
    pub(super) findings: Findings,
    pub(super) quality: Quality,
    /// Warnings about bars that are probably errors, in sentences.
    pub(super) suspects: Vec<String>,
}

impl Assessment {
    /// Drops statements about missing bars.
    pub(super) fn untold(&mut self) {
        self.findings = Findings { too_little: true, ..Findings::default() };
        self.quality.completeness = None;
    }
}

/// Reads every segment once. Blocks its thread.
///
/// # Errors
/// If a segment can't be read; [`WorkError::Cancelled`] between two segments.
pub(super) fn assess(set: &DataSet, report: &impl Report) -> Result<Assessment, WorkError> {
    let mut calendar = Calendar::default();
    let mut quality = Quality::default();
    let mut suspects = Suspects::default();
    let mut segments = Vec::new();
    let (mut rows, mut first, mut last) = (0, None, None);
    let mut close_before: Option<f64> = None;
    for stored in set.segments()? {
        report.check()?;
        let mut in_segment = 0;
        let scanned = set.scan(&stored.path, Range::default(), |bars| {
            in_segment += bars.len() as u64;
            for bar in bars {
                calendar.note(bar.time);
                suspects.note(bar);
                quality.zero_volume += u64::from(bar.volume == Some(0.0));
                quality.unknown_volume += u64::from(bar.volume.is_none());
                let flat = bar.open == bar.high && bar.high == bar.low && bar.low == bar.close;
                quality.flat += u64::from(flat);
                if let Some(before) = close_before {
                    quality.largest_move = quality.largest_move.max(((bar.close - before) / before).abs());
                }
                close_before = Some(bar.close);
            }
            first = first.or(bars.first().map(|b| b.time));
            last = bars.last().map(|b| b.time).or(last);
        });
        scanned.map_err(|e| broken(&stored.path, &e))?;
        rows += in_segment;
        segments.push(Segment { file: stored.period.file(), rows: in_segment, bytes: stored.bytes });
    }
    report.check()?;
    let findings = calendar.findings(set.timeframe, || report.check())?;
    quality.completeness = calendar.completeness(&findings);
    Ok(Assessment {
        rows,
        first,
        last,
        segments,
        findings,
        quality,
        suspects: suspects.warnings(set.timeframe),
    })
}

/// Gaps of the result, sorted by time: all, or the largest if there are too many.
pub(super) fn listed(mut gaps: Vec<Gap>) -> Vec<Gap> {
    if gaps.len() > LISTED_GAPS {
        gaps.sort_by_key(|g| std::cmp::Reverse(g.bars));
        gaps.truncate(LISTED_GAPS);
        gaps.sort_by_key(|g| g.from);
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_largest_gaps_are_listed_in_order_of_time() {
        let gap =
            |i: i64| Gap { from: Time::from_micros(i), to: Time::from_micros(i), bars: 1 + (i % 7) as u64 };
        let listed = listed((0..3_000).map(gap).collect());
        assert_eq!(listed.len(), LISTED_GAPS);
        assert!(listed.windows(2).all(|w| w[0].from < w[1].from));
        assert!(listed.iter().all(|g| g.bars >= 5));
    }
}
