//! Times in UTC, without a zone: it is displayed beside them, or added by [`crate::zone`]. Pure.

use protocol::Time;

/// Last year of the calendar: RFC 3339 has four digits.
const MAX_YEAR: i64 = 9_999;

/// `2026-11-23`
pub fn day(time: Time) -> String {
    time.to_string()[..10].to_owned()
}

/// `10:41:07`, without zone.
pub fn clock(time: Time) -> String {
    time.to_string()[11..19].to_owned()
}

/// `10:43:17.204`
pub fn clock_millis(time: Time) -> String {
    time.to_string()[11..23].to_owned()
}

/// Time of a bar: `2024-03-01`, or `2024-03-01 14:30` unless midnight.
pub fn bar_time(time: Time) -> String {
    let clock = clock(time);
    match clock.strip_suffix(":00") {
        Some("00:00") => day(time),
        Some(minutes) => format!("{} {minutes}", day(time)),
        None => format!("{} {clock}", day(time)),
    }
}

/// Year, month from 1 to 12, and day of a time.
pub fn date(time: Time) -> (i64, u32, u32) {
    let text = time.to_string();
    let part = |at: std::ops::Range<usize>| text[at].parse::<u32>().unwrap_or_default();
    (i64::from(part(0..4)), part(5..7), part(8..10))
}

/// Start of a month, from 1 to 12. `None` outside of the years 0 to 9999.
pub fn month_start(year: i64, month: u32) -> Option<Time> {
    let known = (0..=MAX_YEAR).contains(&year);
    known.then(|| Time::parse(&format!("{year:04}-{month:02}-01T00:00Z")).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn time(text: &str) -> Time {
        Time::parse(text).unwrap()
    }

    #[test]
    fn times_match_the_calendar_in_utc() {
        let t = time("2026-11-23T10:43:17.204113Z");
        assert_eq!((clock(t).as_str(), clock_millis(t).as_str()), ("10:43:17", "10:43:17.204"));
        assert_eq!(day(time("2024-02-29T23:59:59Z")), "2024-02-29");
        assert_eq!(day(time("1969-12-31T23:59:59Z")), "1969-12-31");
        assert_eq!(bar_time(time("2024-03-01T00:00:00Z")), "2024-03-01");
        assert_eq!(bar_time(time("2024-03-01T14:30:00Z")), "2024-03-01 14:30");
        assert_eq!(bar_time(time("2024-03-01T14:30:05Z")), "2024-03-01 14:30:05");
        assert_eq!(month_start(10_000, 1), None);
        assert_eq!(month_start(2024, 13), None);
    }

    proptest! {
        #[test]
        fn no_time_panics(micros: i64) {
            let t = Time::from_micros(micros);
            let _ = (day(t), clock(t), clock_millis(t), bar_time(t), date(t));
        }

        #[test]
        fn a_month_starts_on_its_first_day(year in 0i64..=9_999, month in 1u32..=12) {
            let start = month_start(year, month).unwrap();
            prop_assert_eq!(date(start), (year, month, 1));
            prop_assert_eq!(clock(start), "00:00:00");
        }
    }
}
