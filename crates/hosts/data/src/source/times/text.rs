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

/// Parses a number: a date like `20240301`, a time like `20240301093000` or with milliseconds `20240301093000000`, or
/// Unix time in s, ms, µs or ns. As Unix time, 17 digits would be a year after 2500.
fn number(text: &str) -> Option<Moment> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let compact =
        fraction.is_empty() && matches!(whole.len(), 8 | 12 | 14 | 17) && matches!(&whole[..2], "19" | "20");
    if compact {
        let (whole, millis) = whole.split_at(whole.len().min(14));
        let mut rest = Rest(whole.as_bytes());
        if let Some(day) = rest.compact_day() {
            if rest.0.is_empty() {
                return Some(Moment::Day(day));
            }
            let clock = rest.compact_clock()?;
            let nanos = if millis.is_empty() { 0 } else { millis.parse::<i32>().ok()? * 1_000_000 };
            let clock = Clock::new(clock.hour(), clock.minute(), clock.second(), nanos).ok()?;
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
            // Taiwan counts years from 1912 on; no one else writes years of three digits.
            3 => {
                let year = self.digits(3)? + 1911;
                let separator = self.take(b"-/.")?;
                let month = self.short()?;
                self.take(&[separator])?;
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
                if order == DateOrder::YearFirst {
                    let year = of_two_digits(i16::from(first));
                    return Some((Date::new(year, second, self.short()?).ok()?, false));
                }
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
            2 => self.digits(2).map(of_two_digits),
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

/// Year of two digits, from 1970 to 2069.
fn of_two_digits(year: i16) -> i16 {
    if year < 70 { 2000 + year } else { 1900 + year }
}

fn at(offset: Offset, wall: DateTime) -> Option<Moment> {
    Some(Moment::At(offset.to_timestamp(wall).ok()?, (offset != Offset::UTC).then_some(wall)))
}

/// Named zone like `US/Eastern`, as written by Interactive Brokers. Of an ambiguous local time the first is taken.
fn named(zone: &str, wall: DateTime) -> Option<Moment> {
    let moment = match Zone::parse(zone).ok()?.meant(wall) {
        crate::zone::LocalMoments::One(moment) | crate::zone::LocalMoments::Twice(moment, _) => moment,
        crate::zone::LocalMoments::Never => return None,
    };
    Some(Moment::At(moment, Some(wall)))
}

#[cfg(test)]
mod tests;
