//! Parses a time in the formats of real files: a date, a local time, or a time with its zone.
//!
//! Optimized for speed: it runs once per row.

use crate::options::DateOrder;
use crate::zone::{Zone, parse_offset};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time as Clock};
use jiff::tz::Offset;

/// Parsed time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum Moment {
    Day(Date),
    /// Date and time of day without a zone.
    Wall(DateTime),
    /// Moment, with the written local time if it is not in UTC.
    At(Timestamp, Option<DateTime>),
}

/// Parses a time; `None` if it is not one.
pub(in super::super) fn parse(text: &str, order: DateOrder) -> Option<Moment> {
    let text = text.trim();
    if let Some(moment) = iso(text) {
        return Some(moment);
    }
    if text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && text.bytes().filter(|b| *b == b'.').count() < 2
    {
        return number(text);
    }
    let mut rest = Rest(text.as_bytes());
    match rest.any_day(order) {
        Some((day, compact)) => rest.finish(day, compact),
        None => parse(&plainer(text)?, order),
    }
}

/// Text without a day of the week at its start (`Thu, Mar 14, 2024`) and without the characters of a date in Chinese or
/// Japanese; `None` if it has neither.
fn plainer(text: &str) -> Option<String> {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    if let Some((date, rest)) = text.split_once('日').filter(|(date, _)| date.contains('年')) {
        return Some(format!("{}{rest}", date.replace(['年', '月'], "-")));
    }
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let start = text.get(..3).filter(|_| letters >= 3)?;
    DAYS.iter()
        .any(|day| start.eq_ignore_ascii_case(day))
        .then(|| text[letters..].trim_start_matches([',', ' ']).to_owned())
}

/// Parses a time of day: `09:30`, `09:30:00.5`, `093000`, `93000`, `0930`, `9:30 PM`.
pub(in super::super) fn clock(text: &str) -> Option<Clock> {
    let text = text.trim();
    let mut rest = Rest(text.as_bytes());
    let clock = if text.len() >= 4 && text.bytes().all(|b| b.is_ascii_digit()) {
        rest.compact_clock()
    } else {
        rest.clock()
    }?;
    rest.0.is_empty().then_some(clock)
}

/// Fast path for the most common format: `2024-03-01 09:30:00+00:00`.
fn iso(text: &str) -> Option<Moment> {
    let mut rest = Rest(text.as_bytes());
    let year = rest.digits(4)?;
    rest.take(b"-")?;
    let month = rest.pair()?;
    rest.take(b"-")?;
    let day = Date::new(year, month, rest.pair()?).ok()?;
    rest.finish(day, false)
}

/// Parses a number: a date like `20240301`, a time like `20240301093000`, or Unix time in s, ms, µs or ns.
fn number(text: &str) -> Option<Moment> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let compact =
        fraction.is_empty() && matches!(whole.len(), 8 | 12 | 14) && matches!(&whole[..2], "19" | "20");
    if compact {
        let mut rest = Rest(whole.as_bytes());
        if let Some(day) = rest.compact_day() {
            if rest.0.is_empty() {
                return Some(Moment::Day(day));
            }
            let clock = rest.compact_clock()?;
            return Some(Moment::Wall(day.to_datetime(clock)));
        }
    }
    since_1970(whole, fraction)
}

/// Unix time. The number of digits gives the unit: 10 for s (from 2001 on), 13 for ms, 16 for µs, 19 for ns.
fn since_1970(whole: &str, fraction: &str) -> Option<Moment> {
    let number: i64 = whole.parse().ok()?;
    let nanos_each: i64 = match number {
        100_000_000..100_000_000_000 => 1_000_000_000,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        100_000_000_000_000_000.. => 1,
        _ => return None,
    };
    let mut nanos = i128::from(number) * i128::from(nanos_each);
    if !fraction.is_empty() {
        let part: f64 = format!("0.{fraction}").parse().ok()?;
        nanos += (part * nanos_each as f64) as i128;
    }
    Some(Moment::At(Timestamp::from_nanosecond(nanos).ok()?, None))
}

/// Unparsed rest of the text.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn take(&mut self, expected: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        expected.contains(first).then(|| {
            self.0 = rest;
            *first
        })
    }

    fn spaces(&mut self) {
        while self.take(b" ").is_some() {}
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

    fn short_digit(&mut self) -> Option<i8> {
        self.digits(1).and_then(|n| i8::try_from(n).ok())
    }

    /// One or two digits.
    fn short(&mut self) -> Option<i8> {
        match self.0 {
            [a, b, ..] if a.is_ascii_digit() && b.is_ascii_digit() => self.pair(),
            _ => self.short_digit(),
        }
    }

    /// Date in any format but ISO, and whether it has no separators.
    fn any_day(&mut self, order: DateOrder) -> Option<(Date, bool)> {
        let digits = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        match digits {
            8 => Some((self.compact_day()?, true)),
            4 => {
                let year = self.digits(4)?;
                let separator = self.take(b"-/.")?;
                self.spaces();
                let month = self.short()?;
                self.take(&[separator])?;
                self.spaces();
                Some((Date::new(year, month, self.short()?).ok()?, false))
            }
            1 | 2 => {
                let first = self.short()?;
                let separator = self.take(b"-/. ")?;
                if let Some(month) = self.month_name() {
                    self.take(&[separator])?;
                    return Some((Date::new(self.year()?, month, first).ok()?, false));
                }
                let second = self.short()?;
                self.take(&[separator])?;
                let year = self.year()?;
                // Dates with dots are always day-first.
                let day_first = separator == b'.' || order == DateOrder::DayFirst;
                let (day, month) = if day_first { (first, second) } else { (second, first) };
                Some((Date::new(year, month, day).ok()?, false))
            }
            0 => {
                let month = self.month_name()?;
                self.take(b" ")?;
                let day = self.short()?;
                self.take(b",");
                self.take(b" ")?;
                Some((Date::new(self.digits(4)?, month, day).ok()?, false))
            }
            _ => None,
        }
    }

    /// Year of four digits, or of two from 1970 to 2069.
    fn year(&mut self) -> Option<i16> {
        match self.0.iter().take_while(|b| b.is_ascii_digit()).count() {
            2 => self.digits(2).map(|year| if year < 70 { 2000 + year } else { 1900 + year }),
            _ => self.digits(4),
        }
    }

    fn compact_day(&mut self) -> Option<Date> {
        Date::new(self.digits(4)?, self.pair()?, self.pair()?).ok()
    }

    fn month_name(&mut self) -> Option<i8> {
        const MONTHS: [&str; 12] =
            ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
        let letters = self.0.iter().take_while(|b| b.is_ascii_alphabetic()).count();
        let name = self.0.get(..3).filter(|_| letters >= 3)?;
        let at = MONTHS.iter().position(|month| name.eq_ignore_ascii_case(month.as_bytes()))?;
        self.0 = &self.0[letters..];
        i8::try_from(at + 1).ok()
    }

    /// Parses the rest after a date: nothing, or a time of day and optionally a zone.
    fn finish(&mut self, day: Date, compact: bool) -> Option<Moment> {
        if self.0.is_empty() || self.0 == b"T" {
            return Some(Moment::Day(day));
        }
        // Interactive Brokers writes UTC as `20240301-14:30:00`.
        let dash = compact && self.take(b"-").is_some();
        if !dash {
            self.take(b" Tt,")?;
            self.spaces();
        }
        let digits = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        let clock = if compact && digits >= 4 { self.compact_clock() } else { self.clock() }?;
        let wall = day.to_datetime(clock);
        // pandas writes a space before the zone name, Postgres does not.
        self.spaces();
        if self.0.is_empty() {
            return match dash {
                true => at(Offset::UTC, wall),
                false => Some(Moment::Wall(wall)),
            };
        }
        let zone = std::str::from_utf8(self.0).ok()?;
        match self.plain_offset() {
            Some(offset) => at(offset, wall),
            None if zone.contains('/') => named(zone, wall),
            None => at(parse_offset(zone)?, wall),
        }
    }

    /// Fast path for the most common zones, `Z` and `+00:00`.
    fn plain_offset(&self) -> Option<Offset> {
        match self.0 {
            b"Z" | b"z" | b"UTC" | b"GMT" | b"+00:00" => Some(Offset::UTC),
            _ => None,
        }
    }

    fn clock(&mut self) -> Option<Clock> {
        let mut hour = self.short()?;
        self.take(b":")?;
        let minute = self.pair()?;
        let (mut second, mut nanos) = (0, 0i32);
        if self.take(b":").is_some() {
            second = self.pair()?;
            if self.take(b".,").is_some() {
                nanos = self.fraction()?;
            }
        }
        if let Some(afternoon) = self.afternoon() {
            if !(1..=12).contains(&hour) {
                return None;
            }
            hour = hour % 12 + if afternoon { 12 } else { 0 };
        }
        Clock::new(hour, minute, second, nanos).ok()
    }

    /// Parses `AM`, `PM` or `p.m.`, if present.
    fn afternoon(&mut self) -> Option<bool> {
        const MARKS: [(&[u8], bool); 6] =
            [(b"AM", false), (b"PM", true), (b"am", false), (b"pm", true), (b"a.m.", false), (b"p.m.", true)];
        let start = self.0.iter().take_while(|b| **b == b' ').count();
        let word = &self.0[start..];
        let (mark, afternoon) = MARKS.into_iter().find(|(mark, _)| word.starts_with(mark))?;
        self.0 = &word[mark.len()..];
        Some(afternoon)
    }

    /// Parses `093000` or `0930`, with an optional fraction.
    fn compact_clock(&mut self) -> Option<Clock> {
        let digits = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        let (hour, minute) = match digits {
            4 | 6 => (self.pair()?, self.pair()?),
            // A spreadsheet removes the first zero. Three digits could also be minutes and seconds.
            5 => (self.short_digit()?, self.pair()?),
            _ => return None,
        };
        let second = if digits > 4 { self.pair()? } else { 0 };
        let nanos = if digits > 4 && self.take(b".").is_some() { self.fraction()? } else { 0 };
        Clock::new(hour, minute, second, nanos).ok()
    }

    /// Parses up to nine digits as nanoseconds.
    fn fraction(&mut self) -> Option<i32> {
        let mut nanos = 0i32;
        let mut n = 0;
        while let Some(digit) = self.take(b"0123456789") {
            if n == 9 {
                return None;
            }
            nanos = nanos * 10 + i32::from(digit - b'0');
            n += 1;
        }
        (n > 0).then(|| nanos * 10i32.pow(9 - n))
    }
}

fn at(offset: Offset, wall: DateTime) -> Option<Moment> {
    Some(Moment::At(offset.to_timestamp(wall).ok()?, (offset != Offset::UTC).then_some(wall)))
}

/// Named zone like `US/Eastern`, as written by Interactive Brokers. Of an ambiguous local time the first is taken.
fn named(zone: &str, wall: DateTime) -> Option<Moment> {
    let moment = match Zone::parse(zone).ok()?.meant(wall) {
        crate::zone::Meant::One(moment) | crate::zone::Meant::Twice(moment, _) => moment,
        crate::zone::Meant::Never => return None,
    };
    Some(Moment::At(moment, Some(wall)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at;
    use jiff::civil::date;
    use proptest::prelude::*;
    use protocol::Time;

    fn moment(text: &str) -> Option<Time> {
        match parse(text, DateOrder::DayFirst)? {
            Moment::At(timestamp, _) => Some(Time::from_micros(timestamp.as_microsecond())),
            Moment::Day(_) | Moment::Wall(_) => None,
        }
    }

    #[test]
    fn time_formats_of_real_files_are_read() {
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
            "31.12.2013 01:30:00.000 GMT+0100",
            "20131230 19:30:00 US/Eastern",
            "20131231-00:30:00",
            "1388449800",
            "1388449800.0",
            "1388449800000",
            "1388449800000000",
            "1388449800000000000",
        ] {
            assert_eq!(moment(text), Some(time), "{text}");
        }
        assert_eq!(moment("2013-12-31T00:30:00.25Z"), Some(time.plus_micros(250_000)));
    }

    #[test]
    fn dates_and_local_times_are_read_in_the_formats_of_vendors() {
        let day = date(2024, 3, 1);
        for text in [
            "2024-03-01",
            "2024/03/01",
            "2024.03.01",
            "20240301",
            "20240301T",
            "01.03.2024",
            "1/3/2024",
            "01-Mar-2024",
            "1 March 2024",
            "Mar 1, 2024",
            "01-Mar-24",
            "01/03/24",
            "Fri, Mar 1, 2024",
            "Friday 1 March 2024",
            "2024. 3. 1",
            "2024年3月1日",
        ] {
            assert_eq!(parse(text, DateOrder::DayFirst), Some(Moment::Day(day)), "{text}");
        }
        assert_eq!(parse("03/01/2024", DateOrder::MonthFirst), Some(Moment::Day(day)));
        assert_eq!(parse("01.03.2024", DateOrder::MonthFirst), Some(Moment::Day(day)), "dots: the day first");
        let wall = Moment::Wall(day.at(14, 30, 0, 0));
        for text in [
            "2024-03-01 14:30",
            "2024.03.01 14:30:00",
            "20240301 143000",
            "20240301  14:30:00",
            "20240301143000",
            "202403011430",
            "01.03.2024 14:30:00.000",
            "01/03/2024 2:30 PM",
            "01/03/2024, 14:30",
            "01/03/2024 2:30 p.m.",
            "01/03/24 14:30",
        ] {
            assert_eq!(parse(text, DateOrder::DayFirst), Some(wall), "{text}");
        }
    }

    #[test]
    fn invalid_times_are_rejected() {
        for text in [
            "",
            "x",
            "2013-02-30 00:30:00Z",
            "31/13/2013",
            "2013-12-31 25:00:00Z",
            "2013-12-31 00:30:00+0x",
            "2013-12-31 00:30:00 EST",
            "2013-12-31 00:30:00+99:00",
            "2013-12-31 00:30:00Zulu",
            "12345",
            "1.2.3",
            "13:30 PM",
        ] {
            assert_eq!(parse(text, DateOrder::DayFirst), None, "{text}");
        }
    }

    #[test]
    fn a_time_of_day_alone_is_read() {
        for text in ["09:30", "9:30", "09:30:00", "093000", "93000", "0930", "9:30 AM"] {
            assert_eq!(clock(text), Some(jiff::civil::time(9, 30, 0, 0)), "{text}");
        }
        for text in ["", "930", "25:00", "9", "09:30x", "2024-03-01"] {
            assert_eq!(clock(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn times_printed_by_a_calendar_library_are_read(micros in -2_000_000_000_000_000i64..4_000_000_000_000_000) {
            let time = Time::from_micros(micros);
            prop_assert_eq!(moment(&time.to_string()), Some(time));
            prop_assert_eq!(moment(&time.to_string().replace('T', " ").replace('Z', "+00:00")), Some(time));
        }

        #[test]
        fn no_text_panics(text in "[0-9TZ:+./APM -]{0,30}|.{0,20}") {
            let _ = parse(&text, DateOrder::DayFirst);
            let _ = parse(&text, DateOrder::MonthFirst);
            let _ = clock(&text);
        }

        #[test]
        fn it_accepts_the_same_times_as_a_calendar_library(text in "20[0-9]{2}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-][01][0-9]:[0-5][0-9])") {
            let ours = moment(&text);
            let theirs = Time::parse(&text.replace(' ', "T")).ok();
            prop_assert_eq!(ours, theirs);
        }
    }
}
