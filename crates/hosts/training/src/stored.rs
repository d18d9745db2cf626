//! Reads stored bars one year at a time, so that a long read can be cancelled.

use crate::samples::Going;
use host_kit::WorkError;
use jiff::civil::date;
use jiff::tz::Offset;
use market_data::{Held, Library, Range, SetName};
use protocol::Time;

/// Bars outside these years are read in one step before and after.
const YEARS: std::ops::Range<i16> = 1970..2100;

/// Bars of a set within a range, oldest first.
///
/// # Errors
/// If they can't be read; the error of `going`.
pub(crate) fn read(library: &Library, name: &SetName, range: Range, going: Going) -> Result<Held, WorkError> {
    let mut all = Held { name: name.clone(), synthetic: false, bars: Vec::new() };
    for window in windows(range) {
        going()?;
        let held = library.bars(name, window)?;
        all.synthetic |= held.synthetic;
        all.bars.extend(held.bars);
    }
    Ok(all)
}

/// Splits the range into years.
fn windows(range: Range) -> Vec<Range> {
    let years = YEARS.filter_map(|year| {
        let at = Offset::UTC.to_timestamp(date(year, 1, 1).at(0, 0, 0, 0)).ok()?;
        Some(Time::from_micros(at.as_microsecond()))
    });
    let within = |t: &Time| range.from.is_none_or(|from| from < *t) && range.to.is_none_or(|to| *t < to);
    let mut edges = vec![range.from];
    edges.extend(years.filter(within).map(Some));
    edges.push(range.to);
    edges.windows(2).map(|pair| Range { from: pair[0], to: pair[1] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_consecutive_without_gaps() {
        let day = |text: &str| Range::parse(Some(text), None).unwrap().from;
        for (range, count) in [
            (Range::default(), 131),
            (Range { from: day("2020-05-01"), to: day("2022-02-01") }, 3),
            (Range { from: day("2020-05-01"), to: day("2020-06-01") }, 1),
            (Range { from: day("2020-01-01"), to: day("2021-01-01") }, 1),
            (Range { from: day("2150-01-01"), to: None }, 1),
        ] {
            let windows = windows(range);
            assert_eq!(windows.len(), count, "{range:?}");
            assert_eq!((windows[0].from, windows[count - 1].to), (range.from, range.to));
            assert!(windows.windows(2).all(|w| w[0].to.is_some() && w[0].to == w[1].from));
        }
    }
}
