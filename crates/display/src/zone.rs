//! Times in a time zone. Event times include the name of the zone. Times of market data are always UTC and say so.

use crate::format;
use protocol::Time;
use std::fmt;

/// A time zone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Zone {
    #[default]
    Utc,
    /// The user's; its offset changes over the year.
    Local(LocalOffset),
    /// Fixed offset in minutes.
    Ahead(i32),
}

/// Reads the offset of the user's time zone: minutes ahead of UTC at a time. There is one user, so all are equal.
#[derive(Clone, Copy)]
pub struct LocalOffset(pub fn(Time) -> i32);

impl PartialEq for LocalOffset {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for LocalOffset {}

impl fmt::Debug for LocalOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocalOffset")
    }
}

impl Zone {
    /// Offset from UTC at a time, minutes.
    pub fn minutes_ahead(self, at: Time) -> i32 {
        match self {
            Zone::Utc => 0,
            Zone::Ahead(minutes) => minutes,
            Zone::Local(LocalOffset(minutes_ahead)) => minutes_ahead(at),
        }
    }

    /// The time whose UTC clock reading equals this zone's reading at `at`.
    fn shifted(self, at: Time) -> Time {
        at.plus_micros(i64::from(self.minutes_ahead(at)) * 60_000_000)
    }

    /// `2026-11-23`
    pub fn day(self, at: Time) -> String {
        format::day(self.shifted(at))
    }

    /// `10:41:07`, without the zone.
    pub fn bare_clock(self, at: Time) -> String {
        format::clock(self.shifted(at))
    }

    /// `10:41:07 UTC`
    pub fn clock(self, at: Time) -> String {
        format!("{} {}", self.bare_clock(at), self.name(at))
    }

    /// `10:43:17.204`, without the zone.
    pub fn bare_millis(self, at: Time) -> String {
        format::clock_millis(self.shifted(at))
    }

    /// `10:43:17.204 UTC`
    pub fn clock_millis(self, at: Time) -> String {
        format!("{} {}", self.bare_millis(at), self.name(at))
    }

    /// `2026-11-23 10:41:07 UTC`
    pub fn moment(self, at: Time) -> String {
        format!("{} {}", self.day(at), self.clock(at))
    }

    /// `10:41:07 UTC`, with the date unless it is `today` in this zone.
    pub fn clock_or_moment(self, at: Time, today: &str) -> String {
        if self.day(at) == today { self.clock(at) } else { self.moment(at) }
    }

    /// Name of the zone for times from `first` to `last`: `UTC+1`, or `UTC+1, later UTC+2` across a change.
    pub fn name_over(self, first: Time, last: Time) -> String {
        names_over(self.name(first), &self.name(last))
    }

    /// Name of the zone at a time: `UTC`, `UTC+2`, `UTC−3:30`.
    pub fn name(self, at: Time) -> String {
        let ahead = self.minutes_ahead(at);
        let sign = if ahead < 0 { '−' } else { '+' };
        match (ahead.abs() / 60, ahead.abs() % 60) {
            (0, 0) => "UTC".to_owned(),
            (hours, 0) => format!("UTC{sign}{hours}"),
            (hours, minutes) => format!("UTC{sign}{hours}:{minutes:02}"),
        }
    }
}

fn names_over(first: String, last: &str) -> String {
    if first == last { first } else { format!("{first}, later {last}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_named_by_its_offset_from_utc() {
        let at = Time::from_micros(0);
        let name = |minutes| Zone::Ahead(minutes).name(at);
        assert_eq!(Zone::Utc.name(at), "UTC");
        assert_eq!(name(0), "UTC");
        assert_eq!(name(120), "UTC+2");
        assert_eq!(name(-210), "UTC−3:30");
        assert_eq!(name(345), "UTC+5:45");
        assert_eq!(Zone::Local(LocalOffset(|_| 90)).name(at), "UTC+1:30");
    }

    #[test]
    fn a_time_is_shown_in_its_zone_with_the_zones_name() {
        let at = Time::parse("2026-11-23T22:43:17.204113Z").unwrap();
        assert_eq!(Zone::Utc.moment(at), "2026-11-23 22:43:17 UTC");
        assert_eq!(Zone::Ahead(120).moment(at), "2026-11-24 00:43:17 UTC+2");
        assert_eq!(Zone::Ahead(-210).clock(at), "19:13:17 UTC−3:30");
        assert_eq!(Zone::Ahead(-210).clock_millis(at), "19:13:17.204 UTC−3:30");
    }

    #[test]
    fn a_time_on_another_day_includes_its_date() {
        let at = Time::parse("2026-11-23T22:43:17Z").unwrap();
        assert_eq!(Zone::Utc.clock_or_moment(at, "2026-11-23"), "22:43:17 UTC");
        assert_eq!(Zone::Utc.clock_or_moment(at, "2026-11-24"), "2026-11-23 22:43:17 UTC");
        assert_eq!(Zone::Ahead(120).clock_or_moment(at, "2026-11-24"), "00:43:17 UTC+2");
    }

    #[test]
    fn a_range_over_a_clock_change_names_both_offsets() {
        assert_eq!(names_over("UTC+1".into(), "UTC+1"), "UTC+1");
        assert_eq!(names_over("UTC+1".into(), "UTC+2"), "UTC+1, later UTC+2");
        let at = Time::from_micros(0);
        assert_eq!(Zone::Ahead(60).name_over(at, at.plus_micros(1)), "UTC+1");
    }
}
