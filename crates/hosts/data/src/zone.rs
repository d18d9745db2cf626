//! Time zones in parameters and configuration: an IANA name or a fixed offset from UTC.

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{Span, Timestamp, ToSpan};
use market_data::wording::excerpt;
use std::fmt;

/// Maximum number of hours by which a zone can be shifted.
const MAX_SHIFT_HOURS: i8 = 12;

/// Valid time zone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Zone {
    zone: TimeZone,
    /// Hours by which the clock is ahead of the zone. Many MetaTrader brokers use New York + 7 h, so that a trading day
    /// ends at midnight.
    ahead_hours: i8,
}

/// Moments that a local time can mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Meant {
    One(Timestamp),
    /// Ambiguous: the clock was set back and showed this time twice.
    Twice(Timestamp, Timestamp),
    /// Nonexistent: the clock was set forward and never showed this time.
    Never,
}

impl Zone {
    pub(crate) fn utc() -> Self {
        Self::of(TimeZone::UTC)
    }

    /// Fixed offset in hours east of UTC, from −12 to 14.
    pub(crate) fn fixed_hours(hours: i8) -> Self {
        Self::of(TimeZone::fixed(Offset::constant(hours)))
    }

    fn of(zone: TimeZone) -> Self {
        Self { zone, ahead_hours: 0 }
    }

    /// Parses `America/New_York`, `UTC`, `UTC+2`, `GMT-0530`, `+05:30`, and `America/New_York+7` for a clock that is 7
    /// hours ahead of New York all year.
    ///
    /// # Errors
    /// A message that says what a time zone looks like.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(offset) = parse_offset(text) {
            return Ok(Self::of(TimeZone::fixed(offset)));
        }
        // Names are looked up in files on some systems, so a name must not be a path.
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '+');
        let named = !text.is_empty() && text.len() <= 40 && text.chars().all(plain);
        let found = named.then(|| TimeZone::get(text).ok()).flatten().map(Self::of);
        found.or_else(|| Self::shifted(text)).ok_or_else(|| {
            format!(
                "'{}' is not a time zone. Use a name like America/New_York, an offset like UTC-5, or both like America/New_York+7.",
                excerpt(text, 40)
            )
        })
    }

    /// Parses a name with hours ahead of it or behind: `America/New_York+7`.
    fn shifted(text: &str) -> Option<Self> {
        let at = text.rfind(['+', '-'])?;
        let (name, hours) = text.split_at(at);
        // Names with a slash only: `UTC+7` is an offset.
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_');
        let named = name.contains('/') && name.len() <= 40 && name.chars().all(plain);
        let short = (2..=3).contains(&hours.len()) && hours[1..].bytes().all(|b| b.is_ascii_digit());
        let ahead_hours = hours.parse().ok().filter(|hours: &i8| hours.abs() <= MAX_SHIFT_HOURS)?;
        let zone = (named && short).then(|| TimeZone::get(name).ok()).flatten()?;
        Some(Self { zone, ahead_hours })
    }

    fn ahead(&self) -> Span {
        i64::from(self.ahead_hours).hours()
    }

    /// Moments that a local time of the zone means.
    pub(crate) fn meant(&self, shown: DateTime) -> Meant {
        let Ok(shown) = shown.checked_sub(self.ahead()) else { return Meant::Never };
        let at = |offset: Offset| offset.to_timestamp(shown).ok();
        match self.zone.to_ambiguous_timestamp(shown).offset() {
            AmbiguousOffset::Unambiguous { offset } => at(offset).map_or(Meant::Never, Meant::One),
            AmbiguousOffset::Fold { before, after } => match (at(before), at(after)) {
                (Some(first), Some(second)) => Meant::Twice(first, second),
                _ => Meant::Never,
            },
            AmbiguousOffset::Gap { .. } => Meant::Never,
        }
    }

    /// Local day of a moment.
    pub(crate) fn day(&self, moment: Timestamp) -> Date {
        let shown = self.zone.to_datetime(moment);
        shown.checked_add(self.ahead()).unwrap_or(shown).date()
    }
}

/// Parses an offset: `UTC`, `Z`, `GMT+2`, `+0530`, `-05:00`.
pub(crate) fn parse_offset(text: &str) -> Option<Offset> {
    let upper = text.to_ascii_uppercase();
    let named = upper.strip_prefix("UTC").or_else(|| upper.strip_prefix("GMT"));
    let rest = named.unwrap_or(&upper).trim_start();
    if (named.is_some() && rest.is_empty()) || rest == "Z" {
        return Some(Offset::UTC);
    }
    let (sign, digits) = match rest.as_bytes().first()? {
        b'+' => (1, &rest[1..]),
        b'-' => (-1, &rest[1..]),
        _ => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) if hours.len() <= 2 && minutes.len() == 2 => (hours, minutes),
        Some(_) => return None,
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        // `+5` alone is ambiguous; after UTC it means hours.
        None if digits.len() == 2 || (digits.len() == 1 && named.is_some()) => (digits, "0"),
        None => return None,
    };
    let number = |text: &str| -> Option<i32> {
        text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.zone.iana_name() {
            Some(name) if self.ahead_hours != 0 => write!(f, "{name}{:+}", self.ahead_hours),
            Some(name) => f.write_str(name),
            None => match self.zone.to_fixed_offset() {
                Ok(Offset::UTC) => f.write_str("UTC"),
                Ok(offset) => write!(f, "UTC{offset}"),
                Err(_) => f.write_str("system time zone"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    #[test]
    fn zones_are_read_by_name_or_offset() {
        for (text, shown) in [
            ("America/New_York", "America/New_York"),
            ("UTC", "UTC"),
            ("utc", "UTC"),
            ("Z", "UTC"),
            ("UTC-5", "UTC-05"),
            ("GMT+0530", "UTC+05:30"),
            ("+05:30", "UTC+05:30"),
            (" UTC+2 ", "UTC+02"),
            ("America/New_York+7", "America/New_York+7"),
            ("America/New_York-1", "America/New_York-1"),
            ("Etc/GMT+7", "Etc/GMT+7"),
        ] {
            assert_eq!(Zone::parse(text).unwrap().to_string(), shown, "{text}");
        }
        for bad in [
            "",
            "Mars/Olympus",
            "../etc/passwd",
            "UTC+25",
            "5",
            "+5",
            "UTC+1:7",
            "New York",
            "America/New_York+13",
            "America/New_York+",
            "Mars/Olympus+7",
        ] {
            assert!(Zone::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_clock_change_repeats_or_skips_an_hour() {
        let new_york = Zone::parse("America/New_York").unwrap();
        assert!(matches!(new_york.meant(date(2024, 7, 1).at(9, 30, 0, 0)), Meant::One(_)));
        assert_eq!(new_york.meant(date(2024, 3, 10).at(2, 30, 0, 0)), Meant::Never);
        let Meant::Twice(first, second) = new_york.meant(date(2024, 11, 3).at(1, 30, 0, 0)) else {
            panic!("the clock was set back")
        };
        assert_eq!(second.as_second() - first.as_second(), 3600);
    }

    #[test]
    fn a_server_zone_seven_hours_ahead_of_new_york_follows_us_daylight_saving() {
        let broker = Zone::parse("America/New_York+7").unwrap();
        let utc = |text: &str| Meant::One(text.parse().unwrap());
        for (shown, expected) in [
            (date(2024, 3, 8).at(23, 0, 0, 0), "2024-03-08T21:00:00Z"),
            (date(2024, 3, 11).at(0, 0, 0, 0), "2024-03-10T21:00:00Z"),
            // Europe changes its clocks on 31 March.
            (date(2024, 3, 12).at(12, 0, 0, 0), "2024-03-12T09:00:00Z"),
            (date(2024, 12, 2).at(0, 0, 0, 0), "2024-12-01T22:00:00Z"),
        ] {
            assert_eq!(broker.meant(shown), utc(expected), "{shown}");
        }
        assert_eq!(broker.day("2024-03-10T21:00:00Z".parse().unwrap()), date(2024, 3, 11));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,20}|[A-Z+:0-9-]{0,12}") {
            let _ = Zone::parse(&text);
        }
    }
}
