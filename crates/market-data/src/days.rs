//! Trading days of daily bars.

use jiff::civil::Date;
use jiff::tz::Offset;
use protocol::Time;

/// Microseconds of a day.
pub const DAY: i64 = 86_400_000_000;

/// Trading day of a daily bar that starts at this UTC time, as the first moment of that day: the day with most of the
/// following 24 hours. A day in Tokyo starts at 15:00 UTC of the previous day, in New York at 05:00, for currencies at
/// 22:00 of the previous day.
pub fn trading_day(time: Time) -> Time {
    start_of(day_of(time.plus_micros(DAY / 2 - 1)))
}

/// UTC day of a moment.
pub fn day_of(time: Time) -> Date {
    Offset::UTC.to_datetime(time.timestamp()).date()
}

/// First moment of a UTC day, or the last representable moment if it is out of range.
pub fn start_of(day: Date) -> Time {
    Offset::UTC
        .to_timestamp(day.at(0, 0, 0, 0))
        .map_or(Time::from_micros(i64::MAX), |t| Time::from_micros(t.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at;

    #[test]
    fn a_daily_bar_belongs_to_the_day_that_it_mostly_covers() {
        for (time, day) in [
            ("2024-01-08T00:00:00Z", "2024-01-08"),
            ("2024-01-07T15:00:00Z", "2024-01-08"),
            ("2024-01-08T05:00:00Z", "2024-01-08"),
            ("2024-01-07T22:00:00Z", "2024-01-08"),
            ("2024-01-07T18:30:00Z", "2024-01-08"),
            ("2024-01-08T08:00:00Z", "2024-01-08"),
        ] {
            assert_eq!(day_of(trading_day(at(time))).to_string(), day, "{time}");
        }
    }
}
