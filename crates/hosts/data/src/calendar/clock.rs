//! Clocks that a market may go by: UTC, and UTC with the summer time of a region. A session that opens at 09:30 in New
//! York is at one place all year by the clock of its region, and at two places by UTC.

use super::slots::MINUTE;
use crate::bars::{day_of, start_of};
use jiff::civil::{Weekday, date};
use protocol::Time;

/// Summer time moves a clock by so many minutes.
const SUMMER_SHIFT: i64 = 60;

/// Years in which summer time is looked for.
const YEARS: std::ops::RangeInclusive<i16> = 1967..=2100;

/// Whose summer time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Region {
    NorthAmerica,
    Europe,
    Australia,
    NewZealand,
}

/// A clock that is ahead of UTC by an hour in summer. Which hours it is ahead of UTC all year does not matter here.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Clock {
    /// First minute of each summer time and the minute after it, in UTC, rising.
    summers: Vec<(i64, i64)>,
}

impl Clock {
    /// UTC itself, and the clocks of regions that changed within the span; the one to prefer comes first.
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
        // A southern summer begins in the year before.
        let years = (year(first) - 1).max(*YEARS.start())..=year(last).min(*YEARS.end());
        let summers = years.filter_map(|year| region.summer(year));
        Self { summers: summers.filter(|(from, to)| *from <= last && first < *to).collect() }
    }

    /// How many minutes it is ahead of UTC at a minute of UTC.
    fn shift(&self, utc: i64) -> i64 {
        let next = self.summers.partition_point(|(from, _)| *from <= utc);
        let summer = next.checked_sub(1).and_then(|i| self.summers.get(i)).is_some_and(|(_, to)| utc < *to);
        if summer { SUMMER_SHIFT } else { 0 }
    }

    /// The minute of this clock at a minute of UTC.
    pub(super) fn local(&self, utc: i64) -> i64 {
        utc + self.shift(utc)
    }

    /// The minute of UTC at a minute of this clock: the first of two, none where the clock skips it.
    pub(super) fn utc(&self, local: i64) -> Option<i64> {
        [local - SUMMER_SHIFT, local].into_iter().find(|utc| self.local(*utc) == local)
    }

    /// It never changes.
    pub(super) fn is_utc(&self) -> bool {
        self.summers.is_empty()
    }
}

impl Region {
    /// The summer time that begins in a year: its first minute and the minute after it, in UTC.
    fn summer(self, year: i16) -> Option<(i64, i64)> {
        const LAST: i8 = -1;
        // Year, month, which Sunday, and the hour of UTC, which may lie on the day before.
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
    use crate::bars::at;

    fn minute(text: &str) -> i64 {
        at(text).micros() / MINUTE
    }

    #[test]
    fn a_region_changes_its_clock_when_its_law_says_so() {
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
    fn a_minute_of_the_clock_is_found_again_in_utc() {
        let (first, last) = (minute("2024-01-01T00:00:00Z"), minute("2024-12-31T00:00:00Z"));
        let clocks = Clock::candidates((first, last));
        assert_eq!(clocks.len(), 5);
        for clock in clocks {
            for utc in (first..last).step_by(17) {
                let back = clock.utc(clock.local(utc)).unwrap();
                // Where the clock is put back, two minutes of UTC have the same name.
                assert!(back == utc || back == utc - SUMMER_SHIFT);
            }
        }
        let new_york = Clock::of(Region::NorthAmerica, first, last);
        assert_eq!(new_york.utc(minute("2024-03-10T07:30:00Z")), None, "that hour is skipped");
    }

    #[test]
    fn only_clocks_that_change_within_the_data_are_tried() {
        let span = (minute("2024-06-03T00:00:00Z"), minute("2024-06-21T00:00:00Z"));
        assert_eq!(Clock::candidates(span), [Clock::default()]);
        let early = (minute("0001-01-01T00:00:00Z"), minute("0002-01-01T00:00:00Z"));
        assert_eq!(Clock::candidates(early), [Clock::default()]);
    }
}
