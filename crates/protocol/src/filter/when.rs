//! Time in a filter, as a user enters it: an age, a day by date or name, or a time.

use crate::Time;
use std::fmt;
use std::str::FromStr;

/// Microseconds per day.
const DAY: i64 = 86_400_000_000;

/// `24h`, `today`, `yesterday`, `2026-11-01` or `2026-11-01T09:30:00Z`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// Time before now, which moves with the clock.
    Ago {
        count: u32,
        unit: Unit,
    },
    /// Current day in UTC.
    Today,
    /// Day before the current one in UTC.
    Yesterday,
    /// Day in UTC, as its first moment.
    Day(Time),
    At(Time),
}

/// Unit of [`When::Ago`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    Seconds,
    Minutes,
    Hours,
    Days,
    Weeks,
}

impl Unit {
    const ALL: [(Unit, char, i64); 5] = [
        (Unit::Seconds, 's', 1_000_000),
        (Unit::Minutes, 'm', 60_000_000),
        (Unit::Hours, 'h', 3_600_000_000),
        (Unit::Days, 'd', DAY),
        (Unit::Weeks, 'w', 7 * DAY),
    ];

    fn entry(self) -> (Unit, char, i64) {
        Self::ALL.into_iter().find(|(unit, ..)| *unit == self).expect("ALL holds every unit")
    }
}

impl When {
    /// Beginning of a range that begins with it.
    pub fn from(self, now: Time) -> Time {
        match self {
            When::Ago { count, unit } => {
                now.plus_micros(i64::from(count).saturating_mul(unit.entry().2).saturating_neg())
            }
            When::Today => midnight(now),
            When::Yesterday => midnight(now).plus_micros(-DAY),
            When::Day(time) | When::At(time) => time,
        }
    }

    /// End, exclusive, of a range that ends with it: a day is included as a whole.
    pub fn to(self, now: Time) -> Time {
        match self {
            When::Today | When::Yesterday | When::Day(_) => self.from(now).plus_micros(DAY),
            When::Ago { .. } | When::At(_) => self.from(now),
        }
    }

    /// Whether it moves with the clock.
    pub fn moves(self) -> bool {
        matches!(self, When::Ago { .. } | When::Today | When::Yesterday)
    }
}

/// First moment of a time's day in UTC.
fn midnight(time: Time) -> Time {
    time.plus_micros(-time.micros().rem_euclid(DAY))
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            When::Ago { count, unit } => write!(f, "{count}{}", unit.entry().1),
            When::Today => f.write_str("today"),
            When::Yesterday => f.write_str("yesterday"),
            When::Day(time) => f.write_str(time.to_string().split('T').next().unwrap_or_default()),
            When::At(time) => f.write_str(&time.to_string().replace(".000000Z", "Z")),
        }
    }
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "today" => return Ok(When::Today),
            "yesterday" => return Ok(When::Yesterday),
            _ => {}
        }
        let ago = Unit::ALL.into_iter().find_map(|(unit, letter, _)| {
            let count = text.strip_suffix(letter).filter(|n| n.bytes().all(|b| b.is_ascii_digit()))?;
            count.parse().ok().map(|count| When::Ago { count, unit })
        });
        if let Some(ago) = ago {
            return Ok(ago);
        }
        let day = (text.len() == 10).then(|| Time::parse(&format!("{text}T00:00:00Z")).ok()).flatten();
        day.map(When::Day).or_else(|| Time::parse(text).ok().map(When::At)).ok_or_else(|| {
            let text: String = text.chars().take(40).collect();
            format!(
                "'{text}' is not a time; use a period such as 24h or 7d, today, yesterday, a date such as 2026-11-01, \
                 or a time such as 2026-11-01T09:30:00Z"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_a_time_parses_back() {
        for text in
            ["24h", "7d", "90s", "5m", "2w", "today", "yesterday", "2026-11-01", "2026-11-01T09:30:00Z"]
        {
            assert_eq!(text.parse::<When>().unwrap().to_string(), text);
        }
        for bad in ["", "h", "tomorrow", "-3h", "24 h", "2026-13-01", "2026-11-01T09:30:00", "99999999999d"] {
            assert!(bad.parse::<When>().unwrap_err().contains("is not a time"), "{bad}");
        }
    }

    #[test]
    fn a_range_includes_whole_days() {
        let now = Time::parse("2026-11-23T10:00:00Z").unwrap();
        let at = |text: &str| Time::parse(text).unwrap();
        let day: When = "2026-11-01".parse().unwrap();
        assert_eq!(day.from(now), at("2026-11-01T00:00:00Z"));
        assert_eq!(day.to(now), at("2026-11-02T00:00:00Z"));
        let (today, yesterday): (When, When) = ("today".parse().unwrap(), "yesterday".parse().unwrap());
        assert_eq!(
            (today.from(now), today.to(now)),
            (at("2026-11-23T00:00:00Z"), at("2026-11-24T00:00:00Z"))
        );
        assert_eq!((yesterday.from(now), yesterday.to(now)), (at("2026-11-22T00:00:00Z"), today.from(now)));
        let ago: When = "24h".parse().unwrap();
        assert_eq!(ago.from(now), at("2026-11-22T10:00:00Z"));
        assert_eq!(ago.to(now), ago.from(now));
        // An age beyond the calendar matches everything.
        assert!("4000000000w".parse::<When>().unwrap().from(now) < now);
    }
}
