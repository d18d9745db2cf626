//! Time axis: tick positions and labels. UTC only, so that it is equal in every browser: local time has jumps and
//! uneven hours. Pure.

use super::range::Range;
use display::format::{self, clock};
use protocol::Time;

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// Even steps, seconds.
const STEPS: [i64; 20] = [
    1,
    2,
    5,
    10,
    15,
    30,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
];
/// Calendar steps, months.
const MONTH_STEPS: [i64; 10] = [1, 3, 6, 12, 24, 60, 120, 240, 600, 1_200];
/// Mean length of a month, seconds.
const MONTH: f64 = 2_629_746.0;
/// Days from 1970-01-01 to the following Monday.
const MONDAY: i64 = 4;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// Years 6 to 9999 in seconds since 1970; other times have no calendar labels.
const CALENDAR: std::ops::Range<f64> = -6.2e10..253_402_300_800.0;

/// Smallest step of whole millennia with at least this width, months.
fn millennia(width: f64) -> i64 {
    (width / (12_000.0 * MONTH)).ceil() as i64 * 12_000
}

/// Year, month (from 1) and day of a time.
pub(super) fn date(seconds: f64) -> (i64, usize, u32) {
    let (year, month, day) = format::date(time(seconds));
    (year, month.clamp(1, 12) as usize, day)
}

fn time(seconds: f64) -> Time {
    Time::from_millis(seconds * 1_000.0)
}

/// Start of a month in seconds; months are counted from year 0. Infinite beyond the calendar.
pub(super) fn month_begins(months: i64) -> f64 {
    let start = format::month_start(months.div_euclid(12), months.rem_euclid(12) as u32 + 1);
    start.map_or(f64::INFINITY, |start| start.millis() / 1_000.0)
}

/// About `most` ticks at even UTC times; `min` and `max` are seconds since 1970.
pub fn ticks((min, max): Range, most: usize) -> Vec<f64> {
    if !(max > min && CALENDAR.contains(&min) && CALENDAR.contains(&max)) {
        return Vec::new();
    }
    let width = (max - min) / most.max(1) as f64;
    if let Some(step) = STEPS.into_iter().find(|step| *step as f64 >= width) {
        // Weeks start on Monday.
        let begin = if step == 7 * DAY { (MONDAY * DAY) as f64 } else { 0.0 };
        let (first, last) =
            (((min - begin) / step as f64).ceil() as i64, ((max - begin) / step as f64).floor() as i64);
        return (first..=last).map(|n| (n * step) as f64 + begin).collect();
    }
    let step = MONTH_STEPS
        .into_iter()
        .find(|step| *step as f64 * MONTH >= width)
        .unwrap_or_else(|| millennia(width));
    let (year, month, _) = date(min);
    let first = (year * 12 + month as i64 - 1).div_euclid(step);
    let all = (first..).map(|n| month_begins(n * step));
    all.skip_while(|at| *at < min).take_while(|at| *at <= max).collect()
}

/// Labels of two lines; the second appears where the day or year changes.
pub fn labels(ticks: &[f64]) -> Vec<String> {
    let step = ticks.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
    let midnight = |at: f64| at.rem_euclid(DAY as f64) == 0.0;
    // A single tick has a complete label.
    let hours = if step.is_finite() { step < DAY as f64 } else { !ticks.iter().all(|at| midnight(*at)) };
    let mut before = String::new();
    let mut second = |line: String| {
        let shown = if line == before { String::new() } else { format!("\n{line}") };
        before = line;
        shown
    };
    let label = |at: &f64| {
        let (year, month, day) = date(*at);
        let month_name = MONTHS[month - 1];
        if hours {
            let clock = clock(time(*at));
            let whole_minute = step >= MINUTE as f64 && clock.ends_with(":00");
            let short = if whole_minute { &clock[..5] } else { &clock };
            return format!("{short}{}", second(format!("{day} {month_name} {year}")));
        }
        if step.is_finite() && step >= 28.0 * DAY as f64 {
            if month == 1 && step >= 360.0 * DAY as f64 {
                return year.to_string();
            }
            return format!("{month_name}{}", second(year.to_string()));
        }
        format!("{day} {month_name}{}", second(year.to_string()))
    };
    ticks.iter().map(label).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seconds(text: &str) -> f64 {
        Time::parse(text).unwrap().millis() / 1_000.0
    }

    fn read(from: &str, to: &str, most: usize) -> Vec<String> {
        labels(&ticks((seconds(from), seconds(to)), most))
    }

    #[test]
    fn the_hours_of_a_day_on_which_clocks_jump_somewhere_are_even() {
        // In New York, clocks change at 07:00 UTC on this day.
        let ticks = ticks((seconds("2026-03-08T00:00:00Z"), seconds("2026-03-08T12:00:00Z")), 13);
        assert_eq!(ticks.len(), 13);
        assert!(ticks.windows(2).all(|pair| pair[1] - pair[0] == 3_600.0));
        let labels = labels(&ticks);
        assert_eq!(labels[0], "00:00\n8 Mar 2026");
        assert_eq!(labels[1..7], ["01:00", "02:00", "03:00", "04:00", "05:00", "06:00"]);
    }

    #[test]
    fn the_day_and_the_year_stand_where_they_begin() {
        assert_eq!(
            read("2024-03-01T12:00:00Z", "2024-03-02T12:00:00Z", 4),
            ["12:00\n1 Mar 2024", "18:00", "00:00\n2 Mar 2024", "06:00", "12:00"]
        );
        assert_eq!(
            read("2023-12-20T00:00:00Z", "2024-01-17T00:00:00Z", 5),
            ["25 Dec\n2023", "1 Jan\n2024", "8 Jan", "15 Jan"]
        );
        assert_eq!(
            read("2023-08-20T00:00:00Z", "2024-06-02T00:00:00Z", 5),
            ["Oct\n2023", "Jan\n2024", "Apr"]
        );
        assert_eq!(read("2019-08-20T00:00:00Z", "2022-06-02T00:00:00Z", 4), ["2020", "2021", "2022"]);
        assert_eq!(
            read("2024-03-01T12:00:00Z", "2024-03-01T12:00:20Z", 4),
            ["12:00:00\n1 Mar 2024", "12:00:05", "12:00:10", "12:00:15", "12:00:20"]
        );
    }

    proptest! {
        #[test]
        fn ticks_are_few_in_order_and_in_range(from in -1e10f64..1e11, width in 1.0f64..1e11, most in 1usize..20) {
            let ticks = ticks((from, from + width), most);
            prop_assert!(ticks.len() <= 2 * most + 2, "{} for {}", ticks.len(), most);
            prop_assert!(ticks.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(ticks.iter().all(|at| *at >= from && *at <= from + width));
            prop_assert_eq!(labels(&ticks).len(), ticks.len());
        }

        #[test]
        fn a_month_tick_is_at_its_first_day(months in 0i64..40_000) {
            let (year, month, day) = date(month_begins(months));
            prop_assert_eq!((year * 12 + month as i64 - 1, day), (months, 1));
        }

        #[test]
        fn steps_of_less_than_a_month_are_even(from in 0f64..2e9, width in 60f64..1.8e6, most in 3usize..12) {
            let ticks = ticks((from, from + width), most);
            prop_assert!(ticks.windows(3).all(|three| three[2] - three[1] == three[1] - three[0]));
        }

        #[test]
        fn no_time_makes_an_axis_panic(a: f64, b: f64, most in 0usize..20) {
            prop_assert!(labels(&ticks((a, b), most)).len() < 100);
        }
    }
}
