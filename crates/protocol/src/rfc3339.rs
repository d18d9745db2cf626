//! RFC 3339 times as text. Pure.
//!
//! A calendar library would be a twelfth of everything that a browser loads for the page, for a single format. The
//! tests compare this module with such a library. Days are counted in the proleptic Gregorian calendar from 1 March, so
//! that the leap day is the last of a year (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
//! `days_from_civil` and `civil_from_days`).

use std::fmt;
use thiserror::Error;

/// Reason why a text is not a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum TimeError {
    #[error("expected a time like 2026-11-23T10:41:07Z")]
    Form,
    #[error("this date does not exist")]
    Day,
    #[error("this time of day does not exist")]
    Clock,
    #[error("the time zone is missing: add Z or an offset like +01:00")]
    Zone,
    #[error("the time zone must be an offset like +01:00")]
    Offset,
}

const DAY: i64 = 86_400;
/// Days from 1 March of the year 0 to 1 January 1970.
const TO_1970: i64 = 719_468;
/// Days in 400 years, after which the calendar repeats.
const ERA: i64 = 146_097;

/// Days from 1970 to a date.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_era = year.rem_euclid(400);
    let from_march = (month + 9) % 12;
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    year.div_euclid(400) * ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - TO_1970
}

/// Year, month and day, from days since 1970.
fn calendar(days: i64) -> (i64, i64, i64) {
    let days = days + TO_1970;
    let of_era = days.rem_euclid(ERA);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year + days.div_euclid(ERA) * 400;
    (if month <= 2 { year + 1 } else { year }, month, day)
}

/// Remaining text.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    /// Reads exactly this many digits.
    fn number(&mut self, digits: usize) -> Option<i64> {
        let (these, rest) = self.0.split_at_checked(digits)?;
        if !these.iter().all(u8::is_ascii_digit) {
            return None;
        }
        self.0 = rest;
        Some(these.iter().fold(0, |n, d| n * 10 + i64::from(d - b'0')))
    }

    /// Reads one of these characters, if it is next.
    fn sign(&mut self, signs: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        if !signs.contains(first) {
            return None;
        }
        self.0 = rest;
        Some(*first)
    }

    /// Reads `YYYY-MM-DD` as days since 1970.
    fn day(&mut self) -> Result<i64, TimeError> {
        let mut read = || {
            let year = self.number(4)?;
            self.sign(b"-")?;
            let month = self.number(2)?;
            self.sign(b"-")?;
            Some((year, month, self.number(2)?))
        };
        let (year, month, day) = read().ok_or(TimeError::Form)?;
        let found = days(year, month.clamp(1, 12), day);
        if calendar(found) == (year, month, day) { Ok(found) } else { Err(TimeError::Day) }
    }

    /// Reads `HH:MM`, `HH:MM:SS` or with a fraction, as microseconds; drops finer digits. A leap second counts as the
    /// second before.
    fn clock(&mut self) -> Result<i64, TimeError> {
        let mut read = || {
            let hour = self.number(2)?;
            self.sign(b":")?;
            Some((hour, self.number(2)?))
        };
        let (hour, minute) = read().ok_or(TimeError::Form)?;
        let (mut second, mut micros) = (0, 0);
        if self.sign(b":").is_some() {
            second = self.number(2).ok_or(TimeError::Form)?;
            if self.sign(b".,").is_some() {
                let (mut unit, mut digits) = (100_000, 0);
                while let Some(digit) = self.number(1) {
                    micros += digit * unit;
                    unit /= 10;
                    digits += 1;
                }
                if !(1..=9).contains(&digits) {
                    return Err(TimeError::Form);
                }
            }
        }
        if hour > 23 || minute > 59 || second > 60 {
            return Err(TimeError::Clock);
        }
        Ok(((hour * 60 + minute) * 60 + second.min(59)) * 1_000_000 + micros)
    }

    /// Reads `Z` or an offset, as seconds; nothing may follow.
    fn zone(&mut self) -> Result<i64, TimeError> {
        let sign = match self.sign(b"Zz+-") {
            None if self.0.is_empty() => return Err(TimeError::Zone),
            None => return Err(TimeError::Form),
            Some(sign) => sign,
        };
        let mut offset = 0;
        if sign == b'+' || sign == b'-' {
            let hours = self.number(2).ok_or(TimeError::Offset)?;
            self.sign(b":");
            let minutes = if self.0.is_empty() { 0 } else { self.number(2).ok_or(TimeError::Offset)? };
            if hours > 23 || minutes > 59 {
                return Err(TimeError::Offset);
            }
            offset = (hours * 60 + minutes) * if sign == b'-' { -60 } else { 60 };
        }
        if self.0.is_empty() { Ok(offset) } else { Err(TimeError::Form) }
    }
}

/// Microseconds since 1970 of a time with a zone.
pub fn read(text: &str) -> Result<i64, TimeError> {
    let mut reader = Reader(text.as_bytes());
    let day = reader.day()?;
    reader.sign(b"Tt ").ok_or(TimeError::Form)?;
    let clock = reader.clock()?;
    Ok((day * DAY - reader.zone()?) * 1_000_000 + clock)
}

/// Whether a text is a day, such as `2026-11-23`, and nothing else.
pub fn is_day(text: &str) -> bool {
    let mut reader = Reader(text.as_bytes());
    reader.day().is_ok() && reader.0.is_empty()
}

/// Writes microseconds since 1970 as `2026-11-23T10:41:07.204113Z`.
pub fn write(micros: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (seconds, micros) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    let (year, month, day) = calendar(seconds.div_euclid(DAY));
    let second = seconds.rem_euclid(DAY);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use proptest::prelude::*;

    struct Shown(i64);

    impl fmt::Display for Shown {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write(self.0, f)
        }
    }

    proptest! {
        #[test]
        fn times_are_written_as_by_a_calendar_library(micros in -62_167_219_200_000_000i64..253_402_207_200_000_000) {
            let library = Timestamp::from_microsecond(micros).unwrap();
            prop_assert_eq!(Shown(micros).to_string(), format!("{library:.6}"));
            prop_assert_eq!(read(&Shown(micros).to_string()), Ok(micros));
        }

        #[test]
        fn times_are_read_as_by_a_calendar_library(
            (year, month, day) in (0u16..=9999, 0u8..=13, 0u8..=32),
            (hour, minute, second) in (0u8..=24, 0u8..=60, 0u8..=60),
            fraction in "(\\.[0-9]{1,6})?",
            zone in "(Z|z|[+-][0-1][0-9]:[0-5][0-9]|[+-][0-1][0-9])",
        ) {
            let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}");
            let library = text.parse::<Timestamp>().ok().map(|t| t.as_microsecond());
            // The library's calendar ends hours before the year 9999 does.
            prop_assume!(library.is_some() || year < 9999);
            prop_assert_eq!(read(&text).ok(), library, "{}", text);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = read(&text);
            let _ = is_day(&text);
        }
    }

    #[test]
    fn an_invalid_time_is_explained() {
        assert_eq!(read("2026-11-23T10:41:07"), Err(TimeError::Zone));
        assert_eq!(read("2026-02-29T10:41:07Z"), Err(TimeError::Day));
        assert_eq!(read("2026-11-23T25:41Z"), Err(TimeError::Clock));
        assert_eq!(read("2026-11-23T10:41+1"), Err(TimeError::Offset));
        assert_eq!(read("yesterday"), Err(TimeError::Form));
        assert_eq!(read("2026-11-23T10:41:07Z and more"), Err(TimeError::Form));
    }

    #[test]
    fn seconds_are_optional_and_a_date_is_a_date_only() {
        assert_eq!(read("2026-11-23T10:41Z"), read("2026-11-23 10:41:00.000000000+00:00"));
        assert!(is_day("2024-02-29"));
        assert!(!is_day("2023-02-29") && !is_day("2024-2-9") && !is_day("2024-02-29T00:00Z"));
    }
}
