//! Splits in a text whose prices are not adjusted for them, shown by a column of split factors or of adjusted closes.

use super::layout::Numbers;
use csv::StringRecord;
use market_data::{Bar, day_of};
use protocol::Time;

/// Minimum factor of a split. Dividends are smaller.
const MIN_FACTOR: f64 = 1.45;
/// Maximum relative error of a factor that is the quotient of rounded prices.
const ADJUSTED_TOLERANCE: f64 = 0.03;
/// Maximum relative move of the price on the day of a split.
const MAX_MOVE: f64 = 0.25;

/// Columns that show splits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct SplitColumns {
    pub(super) adjusted_close: Option<usize>,
    /// Shares after a split per share before it; 0 or 1 on other days.
    pub(super) factor: Option<usize>,
}

/// Row as needed to compare it with the next one.
#[derive(Clone, Copy, Debug)]
struct Shown {
    time: Time,
    open: f64,
    close: f64,
    adjusted: Option<f64>,
    factor: Option<f64>,
}

/// Splits found so far.
#[derive(Default, Debug)]
pub(super) struct Splits {
    before: Option<Shown>,
    first: Option<(Time, f64)>,
    count: u64,
}

impl Splits {
    /// Adds the next row, older or newer than the previous one.
    pub(super) fn note(&mut self, bar: &Bar, record: &StringRecord, columns: SplitColumns, numbers: Numbers) {
        if columns == SplitColumns::default() {
            return;
        }
        let number = |at: Option<usize>| {
            numbers.parse(record.get(at?)?.trim()).filter(|value| value.is_finite() && *value > 0.0)
        };
        let shown = Shown {
            time: bar.time,
            open: bar.open,
            close: bar.close,
            adjusted: number(columns.adjusted_close),
            factor: number(columns.factor),
        };
        let Some(before) = self.before.replace(shown) else { return };
        let (older, newer) = if before.time <= shown.time { (before, shown) } else { (shown, before) };
        if let Some(factor) = unadjusted(&older, &newer) {
            self.count += 1;
            if self.first.is_none_or(|(first, _)| newer.time < first) {
                self.first = Some((newer.time, factor));
            }
        }
    }

    /// Warning about the splits, in sentences.
    pub(super) fn warning(&self) -> Option<String> {
        let (time, factor) = self.first?;
        let ratio = if factor >= 1.0 {
            format!("{}:1", rounded(factor))
        } else {
            format!("1:{}", rounded(1.0 / factor))
        };
        let more = if self.count > 1 {
            format!(" The file has {} splits in all.", self.count)
        } else {
            String::new()
        };
        Some(format!("The file has a {ratio} split on {}, and prices are not adjusted.{more}", day_of(time)))
    }
}

/// Shares per share of a split between two rows that is visible in their prices.
fn unadjusted(older: &Shown, newer: &Shown) -> Option<f64> {
    let near = |one: f64, other: f64, tolerance: f64| (one / other - 1.0).abs() <= tolerance;
    let large = |factor: f64| factor.max(1.0 / factor) >= MIN_FACTOR;
    let gap = older.close / newer.open;
    if let Some(factor) = newer.factor.filter(|factor| large(*factor) && near(gap, *factor, MAX_MOVE)) {
        return Some(factor);
    }
    let factor = (newer.adjusted? / older.adjusted?) / (newer.close / older.close);
    // Whole or half shares per share, in either direction.
    let halves = 2.0 * factor.max(1.0 / factor);
    let is_split =
        large(factor) && near(halves, halves.round(), ADJUSTED_TOLERANCE) && near(gap, factor, MAX_MOVE);
    is_split.then_some(factor)
}

fn rounded(factor: f64) -> f64 {
    (2.0 * factor).round() / 2.0
}
