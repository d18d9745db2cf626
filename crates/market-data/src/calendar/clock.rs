//! Candidate clocks of a market: UTC, and UTC with the daylight saving time (DST) of a region. A session that opens at
//! 09:30 in New York is at one local minute all year, but at two UTC minutes.

use super::slots::MINUTE;
use crate::days::{day_of, start_of};
use jiff::civil::{Weekday, date};
use protocol::Time;

/// DST shift in minutes.
const SUMMER_SHIFT: i64 = 60;

/// Years with DST rules.
const YEARS: std::ops::RangeInclusive<i16> = 1967..=2100;

/// Region of a DST rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Region {
    NorthAmerica,
    Europe,
    Australia,
    NewZealand,
}

/// Clock that is one hour ahead of UTC during DST. The region's standard offset does not matter here.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Clock {
    /// UTC minutes of each DST period, half-open and sorted.
    summers: Vec<(i64, i64)>,
}

impl Clock {
    /// Candidate clocks for the span: UTC, and regions whose DST changed within it, in order of preference.
    pub(super) fn candidates((first, last): (i64, i64)) -> Vec<Self> {
        let regions = [Region::NorthAmerica, Region::Europe, Region::Australia, Region::NewZealand];
        let with_summers = regions.map(|region| Self::of(region, first, last));
        let mut clocks = vec![Self::default()];
        clocks.extend(with_summers.into_iter().filter(|clock| {
            clock
                .summers
                .iter()
                .any(|(from, to)| (first < *from && *from <= last) || (first < *to && *to <= last))
        }));
        clocks
    }

    fn of(region: Region, first: i64, last: i64) -> Self {
        let year = |minute: i64| day_of(Time::from_micros(minute.saturating_mul(MINUTE))).year();
        // A southern DST period starts in the previous year.
        let years = (year(first) - 1).max(*YEARS.start())..=year(last).min(*YEARS.end());
        let summers = years.filter_map(|year| region.summer(year));
        Self { summers: summers.filter(|(from, to)| *from <= last && first < *to).collect() }
    }

    /// Shift in minutes at a UTC minute.
    fn shift(&self, utc: i64) -> i64 {
        let next = self.summers.partition_point(|(from, _)| *from <= utc);
        let summer = next.checked_sub(1).and_then(|i| self.summers.get(i)).is_some_and(|(_, to)| utc < *to);
        if summer { SUMMER_SHIFT } else { 0 }
    }

    /// Local minute of a UTC minute.
    pub(super) fn local(&self, utc: i64) -> i64 {
        utc + self.shift(utc)
    }

    /// UTC minute of a local minute: the first of two, or `None` if the clock skips it.
    pub(super) fn utc(&self, local: i64) -> Option<i64> {
        [local - SUMMER_SHIFT, local].into_iter().find(|utc| self.local(*utc) == local)
    }

    /// Whether the clock never changes.
    pub(super) fn is_utc(&self) -> bool {
        self.summers.is_empty()
    }
}

impl Region {
    /// DST period that starts in a year, as half-open UTC minutes.
    fn summer(self, year: i16) -> Option<(i64, i64)> {
        const LAST: i8 = -1;
        // Year, month, nth Sunday, and hour in UTC, which can be on the previous day.
        let sunday = |year: i16, month: i8, nth: i8, hour: i64| {
            let day = date(year, month, 1).nth_weekday_of_month(nth, Weekday::Sunday).ok()?;
            Some(start_of(day).micros().div_euclid(MINUTE) + hour * 60)
        };
        let (from, to) = match self {
            Region::NorthAmerica if year >= 2007 => (sunday(year, 3, 2, 7), sunday(year, 11, 1, 6)),
            Region::NorthAmerica if year >= 1987 => (sunday(year, 4, 1, 7), sunday(year, 10, LAST, 6)),
            Region::NorthAmerica => (sunday(year, 4, LAST, 7), sunday(year, 10, LAST, 6)),
            Region::Europe => (sunday(year, 3, LAST, 1), sunday(year, 10, LAST, 1)),
            Region::Australia if year >= 2008 => (sunday(year, 10, 1, -8), sunday(year + 1, 4, 1, -8)),
            Region::Australia => (sunday(year, 10, LAST, -8), sunday(year + 1, 3, LAST, -8)),
            Region::NewZealand if year >= 2007 => (sunday(year, 9, LAST, -10), sunday(year + 1, 4, 1, -10)),
            Region::NewZealand => (sunday(year, 10, 1, -10), sunday(year + 1, 3, 3, -10)),
        };
        Some((from?, to?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at;

    fn minute(text: &str) -> i64 {
        at(text).micros() / MINUTE
    }

    #[test]
    fn clock_changes_follow_the_law_of_the_region() {
        let ahead = |region, text: &str| {
            let clock = Clock::of(region, minute("1990-01-01T00:00:00Z"), minute("2026-01-01T00:00:00Z"));
            clock.shift(minute(text)) > 0
        };
        for (region, winter, summer, winter_again) in [
            (Region::NorthAmerica, "2024-03-10T06:59:00Z", "2024-03-10T07:00:00Z", "2024-11-03T06:00:00Z"),
            (Region::NorthAmerica, "2006-04-02T06:59:00Z", "2006-10-29T05:59:00Z", "2006-10-29T06:00:00Z"),
            (Region::Europe, "2024-03-31T00:59:00Z", "2024-03-31T01:00:00Z", "2024-10-27T01:00:00Z"),
            (Region::Australia, "2024-04-06T16:00:00Z", "2024-04-06T15:59:00Z", "2024-10-05T15:59:00Z"),
            (Region::NewZealand, "2024-04-06T14:00:00Z", "2024-09-28T14:00:00Z", "2024-09-28T13:59:00Z"),
        ] {
            assert!(
                !ahead(region, winter) && ahead(region, summer) && !ahead(region, winter_again),
                "{region:?}"
            );
        }
    }

    #[test]
    fn a_local_minute_converts_back_to_utc() {
        let (first, last) = (minute("2024-01-01T00:00:00Z"), minute("2024-12-31T00:00:00Z"));
        let clocks = Clock::candidates((first, last));
        assert_eq!(clocks.len(), 5);
        for clock in clocks {
            for utc in (first..last).step_by(17) {
                let back = clock.utc(clock.local(utc)).unwrap();
                // When the clock is set back, two UTC minutes have the same local minute.
                assert!(back == utc || back == utc - SUMMER_SHIFT);
            }
        }
        let new_york = Clock::of(Region::NorthAmerica, first, last);
        assert_eq!(new_york.utc(minute("2024-03-10T07:30:00Z")), None, "that hour is skipped");
    }

    #[test]
    fn only_zones_that_change_within_the_data_are_tried() {
        let span = (minute("2024-06-03T00:00:00Z"), minute("2024-06-21T00:00:00Z"));
        assert_eq!(Clock::candidates(span), [Clock::default()]);
        let early = (minute("0001-01-01T00:00:00Z"), minute("0002-01-01T00:00:00Z"));
        assert_eq!(Clock::candidates(early), [Clock::default()]);
    }
}
