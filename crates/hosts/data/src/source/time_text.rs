//! The time of a bar as text: a moment with its zone, or for daily bars a plain day.
//!
//! Written for speed: it is asked once a row, and knows just the forms that files have.

use crate::bars::{Timeframe, start_of, trading_day};
use crate::validate::{Reason, Reject};
use crate::wording::excerpt;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use protocol::Time;

/// Reads `2024-03-01 09:30:00+00:00`, with `T` or a space, with or without seconds and their fraction, with `Z`,
/// `+00:00`, `+0000` or `+00`; for daily bars also `2024-03-01`, with or without a midnight. A daily bar belongs to a
/// trading day, whose first moment in UTC stands for it whatever the zone.
///
/// # Errors
/// `no_zone` for a moment that says no zone, `bad_time` for all else.
pub(super) fn parse(text: &str, timeframe: Timeframe) -> Result<Time, Reject> {
    let bad = || Reject::new(Reason::BadTime, format!("'{}' is not a time", excerpt(text, 40)));
    let mut rest = Rest(text.trim().as_bytes());
    let day = rest.day().ok_or_else(bad)?;
    if rest.0.is_empty() {
        if timeframe == Timeframe::D1 {
            return Ok(start_of(day));
        }
        return Err(Reject::new(
            Reason::BadTime,
            format!("'{}' is a day; bars of {timeframe} need a time of day", excerpt(text, 40)),
        ));
    }
    let moment = rest.time_of_day(day).ok_or_else(bad)?;
    let daily = timeframe == Timeframe::D1;
    if rest.0.is_empty() && daily && moment.time() == jiff::civil::Time::midnight() {
        return Ok(start_of(day));
    }
    if rest.0.is_empty() {
        return Err(Reject::new(Reason::NoZone, format!("'{}' says no zone", excerpt(text, 40))));
    }
    let offset = rest.offset().ok_or_else(bad)?;
    let timestamp = offset.to_timestamp(moment).map_err(|_| bad())?;
    let time = Time::from_micros(timestamp.as_microsecond());
    match (daily, offset == Offset::UTC) {
        (false, _) => Ok(time),
        // A daily bar belongs to a trading day: by the clock of its place where the text is of that clock.
        (true, true) => Ok(trading_day(time)),
        (true, false) => Ok(start_of(day)),
    }
}

/// What is not read yet.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn take(&mut self, expected: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        expected.contains(first).then(|| {
            self.0 = rest;
            *first
        })
    }

    fn digits(&mut self, n: usize) -> Option<i16> {
        let (digits, rest) = self.0.split_at_checked(n)?;
        let value = digits
            .iter()
            .try_fold(0i16, |sum, d| d.is_ascii_digit().then(|| sum * 10 + i16::from(d - b'0')))?;
        self.0 = rest;
        Some(value)
    }

    fn pair(&mut self) -> Option<i8> {
        // Two digits are below 100.
        self.digits(2).and_then(|n| i8::try_from(n).ok())
    }

    fn day(&mut self) -> Option<Date> {
        let year = self.digits(4)?;
        self.take(b"-")?;
        let month = self.pair()?;
        self.take(b"-")?;
        let day = self.pair()?;
        Date::new(year, month, day).ok()
    }

    fn time_of_day(&mut self, day: Date) -> Option<DateTime> {
        self.take(b" Tt")?;
        let hour = self.pair()?;
        self.take(b":")?;
        let minute = self.pair()?;
        let mut second = 0;
        let mut nanos = 0i32;
        if self.take(b":").is_some() {
            second = self.pair()?;
            if self.take(b".,").is_some() {
                nanos = self.fraction()?;
            }
        }
        DateTime::new(day.year(), day.month(), day.day(), hour, minute, second, nanos).ok()
    }

    /// Up to nine digits, as nanoseconds.
    fn fraction(&mut self) -> Option<i32> {
        let n = self.0.iter().take_while(|d| d.is_ascii_digit()).count();
        if n == 0 || n > 9 {
            return None;
        }
        let (digits, rest) = self.0.split_at(n);
        self.0 = rest;
        let value = digits.iter().fold(0i32, |sum, d| sum * 10 + i32::from(d - b'0'));
        Some(value * 10i32.pow(9 - n as u32))
    }

    fn offset(&mut self) -> Option<Offset> {
        // pandas writes a space before a zone's name, Postgres none: both write UTC so.
        while self.take(b" ").is_some() {}
        if matches!(self.0, b"Z" | b"z" | b"UTC" | b"GMT") {
            return Some(Offset::UTC);
        }
        let sign = if self.take(b"+-")? == b'-' { -1 } else { 1 };
        let hours = i32::from(self.pair()?);
        let minutes = if self.0.is_empty() {
            0
        } else {
            let _colon = self.take(b":");
            i32::from(self.pair()?)
        };
        if !self.0.is_empty() || minutes > 59 || hours > 23 {
            return None;
        }
        Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bars::at;
    use proptest::prelude::*;

    fn hourly(text: &str) -> Result<Time, &'static str> {
        parse(text, Timeframe::H1).map_err(|r| r.reason.as_str())
    }

    #[test]
    fn the_forms_of_real_files_are_read() {
        let time = at("2013-12-31T00:30:00Z");
        for text in [
            "2013-12-31 00:30:00+00:00",
            "2013-12-31T00:30:00+00:00",
            "2013-12-31T00:30:00Z",
            "2013-12-31 00:30:00 UTC",
            "2013-12-31 00:30Z",
            "2013-12-31T00:30:00.000000Z",
            " 2013-12-31 00:30:00+0000 ",
            "2013-12-31 00:30:00+00",
            "2013-12-30 19:30:00-05:00",
            "2013-12-31 06:00:00+05:30",
        ] {
            assert_eq!(hourly(text), Ok(time), "{text}");
        }
        assert_eq!(hourly("2013-12-31T00:30:00.25Z"), Ok(time.plus_micros(250_000)));
    }

    #[test]
    fn a_time_without_a_zone_is_told_from_no_time_at_all() {
        assert_eq!(hourly("2013-12-31 00:30:00"), Err("no_zone"));
        assert_eq!(hourly("2013-12-31T00:30"), Err("no_zone"));
        for text in [
            "",
            "x",
            "2013-12-31",
            "2013-02-30 00:30:00Z",
            "1700000000",
            "31/12/2013 00:30",
            "2013-12-31 25:00:00Z",
            "2013-12-31 00:30:00+0x",
            "2013-12-31 00:30:00 EST",
            "2013-12-31 00:30:00+99:00",
            "2013-12-31 00:30:00Zulu",
            "20131231 00:30:00Z",
        ] {
            assert_eq!(hourly(text), Err("bad_time"), "{text}");
        }
    }

    #[test]
    fn a_plain_day_is_a_time_for_daily_bars_only() {
        assert_eq!(parse("2024-01-02", Timeframe::D1), Ok(at("2024-01-02T00:00:00Z")));
        assert_eq!(parse("2024-01-02 00:00:00", Timeframe::D1), Ok(at("2024-01-02T00:00:00Z")));
        assert_eq!(parse("2024-01-02 16:00:00", Timeframe::D1).unwrap_err().reason, Reason::NoZone);
    }

    #[test]
    fn a_daily_bar_is_of_its_day_whatever_the_offset_of_its_time() {
        for text in [
            "2024-01-08",
            "2024-01-08T00:00:00Z",
            "2024-01-08 00:00:00+09:00",
            "2024-01-08 00:00:00-05:00",
            "2024-01-08 00:00:00+05:30",
            "2024-01-08 16:00:00-05:00",
            "2024-01-08T05:00:00Z",
            "2024-01-07T15:00:00Z",
            "2024-01-07T22:00:00+00:00",
        ] {
            assert_eq!(parse(text, Timeframe::D1), Ok(at("2024-01-08T00:00:00Z")), "{text}");
        }
    }

    proptest! {
        #[test]
        fn it_reads_what_a_calendar_prints(micros in -2_000_000_000_000_000i64..4_000_000_000_000_000) {
            let time = Time::from_micros(micros);
            prop_assert_eq!(hourly(&time.to_string()), Ok(time));
            prop_assert_eq!(hourly(&time.to_string().replace('T', " ").replace('Z', "+00:00")), Ok(time));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[0-9TZ:+. -]{0,30}|.{0,20}") {
            let _ = parse(&text, Timeframe::M1);
            let _ = parse(&text, Timeframe::D1);
        }

        #[test]
        fn it_agrees_with_the_calendar_on_what_is_a_moment(text in "20[0-9]{2}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-][01][0-9]:[0-5][0-9])") {
            let ours = hourly(&text).ok();
            let theirs = Time::parse(&text.replace(' ', "T")).ok();
            prop_assert_eq!(ours, theirs);
        }
    }
}
