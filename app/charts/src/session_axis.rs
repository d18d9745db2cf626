//! Ticks of an axis in trading time: they stand at the first bar of a calendar unit and name that bar's time. Pure.

use super::range::Range;
use super::sessions::Sessions;
use super::time_axis::{self, date, month_begins};

const MINUTE: i64 = 60;
const DAY: i64 = 86_400;
/// Days from 1970-01-01 to the following Monday.
const MONDAY: i64 = 4;

/// Calendar unit.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Unit {
    Seconds(i64),
    Days,
    Weeks(i64),
    Months(i64),
}

/// Units from fine to coarse.
const UNITS: [Unit; 23] = [
    Unit::Seconds(1),
    Unit::Seconds(10),
    Unit::Seconds(MINUTE),
    Unit::Seconds(5 * MINUTE),
    Unit::Seconds(15 * MINUTE),
    Unit::Seconds(30 * MINUTE),
    Unit::Seconds(60 * MINUTE),
    Unit::Seconds(120 * MINUTE),
    Unit::Seconds(240 * MINUTE),
    Unit::Seconds(360 * MINUTE),
    Unit::Seconds(720 * MINUTE),
    Unit::Days,
    Unit::Weeks(1),
    Unit::Weeks(2),
    Unit::Months(1),
    Unit::Months(2),
    Unit::Months(3),
    Unit::Months(6),
    Unit::Months(12),
    Unit::Months(24),
    Unit::Months(60),
    Unit::Months(120),
    Unit::Months(1_200),
];

impl Unit {
    /// Number of the unit that a time belongs to.
    fn bucket(self, seconds: f64) -> i64 {
        let whole = seconds.floor() as i64;
        match self {
            Unit::Seconds(n) => whole.div_euclid(n),
            Unit::Days => whole.div_euclid(DAY),
            Unit::Weeks(n) => (whole.div_euclid(DAY) - MONDAY).div_euclid(7 * n),
            Unit::Months(n) => {
                let (year, month, _) = date(seconds);
                (year * 12 + month as i64 - 1).div_euclid(n)
            }
        }
    }

    /// Time that the label of a bar names: its day or month, or the bar's own time of the day.
    fn named(self, seconds: f64) -> f64 {
        let (year, month, _) = date(seconds);
        match self {
            Unit::Seconds(_) => seconds,
            Unit::Days | Unit::Weeks(_) => ((seconds.floor() as i64).div_euclid(DAY) * DAY) as f64,
            Unit::Months(n) if n % 12 == 0 => month_begins(year * 12),
            Unit::Months(_) => month_begins(year * 12 + month as i64 - 1),
        }
    }
}

/// A tick: its place, and the time that its label names.
pub type Tick = (f64, f64);

/// At most `most` ticks within a range of places.
pub fn ticks(of: &Sessions, (min, max): Range, most: usize) -> Vec<Tick> {
    let (times, places) = (of.times(), of.places());
    let first = places.partition_point(|place| *place < min);
    let last = places.partition_point(|place| *place <= max);
    let begins = |unit: Unit| -> Vec<Tick> {
        let mut before = first.checked_sub(1).map(|i| unit.bucket(times[i]));
        let mut found = Vec::new();
        for i in first..last {
            let bucket = unit.bucket(times[i]);
            // The first bar of all begins nothing, unless nothing else does.
            if before.is_some_and(|before| before != bucket) {
                found.push((places[i], unit.named(times[i])));
            }
            before = Some(bucket);
        }
        found
    };
    let fits = |found: &Vec<Tick>| !found.is_empty() && found.len() <= most.max(1);
    let found = UNITS.into_iter().map(begins).find(fits);
    found.unwrap_or_else(|| {
        let only = (first < last).then(|| (places[first], times[first]));
        only.into_iter().collect()
    })
}

/// Labels of ticks.
pub fn labels(ticks: &[Tick]) -> Vec<String> {
    time_axis::labels(&ticks.iter().map(|(_, named)| *named).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use protocol::Time;

    fn seconds(text: &str) -> f64 {
        Time::parse(text).unwrap().millis() / 1_000.0
    }

    /// Hourly bars from 14:30 to 20:30 on five days of each week.
    fn bars(from: &str, weeks: i64) -> Sessions {
        let begin = seconds(from);
        let hours = |day: i64| (0..7).map(move |hour| begin + (day * DAY + hour * 3_600) as f64);
        let times: Vec<f64> = (0..weeks * 7).filter(|day| day % 7 < 5).flat_map(hours).collect();
        Sessions::of_rows(&times, 1, times.len() as u64, None, &[]).unwrap()
    }

    fn read(of: &Sessions, range: Range, most: usize) -> Vec<(usize, String)> {
        let ticks = ticks(of, range, most);
        let labels = labels(&ticks);
        ticks.into_iter().map(|(at, _)| at as usize).zip(labels).collect()
    }

    #[test]
    fn days_begin_at_their_first_bar_and_weekends_take_no_room() {
        // 2024-03-04 is a Monday.
        let of = bars("2024-03-04T14:30:00Z", 2);
        let found = read(&of, (0.0, 69.0), 10);
        let expected =
            ["5 Mar\n2024", "6 Mar", "7 Mar", "8 Mar", "11 Mar", "12 Mar", "13 Mar", "14 Mar", "15 Mar"];
        assert_eq!(found.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), expected);
        // Monday stands right behind Friday: seven bars a day.
        assert_eq!(found.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [7, 14, 21, 28, 35, 42, 49, 56, 63]);
    }

    #[test]
    fn within_a_day_a_tick_names_the_time_of_its_bar() {
        let of = bars("2024-03-04T14:30:00Z", 1);
        let found = read(&of, (0.0, 6.0), 6);
        assert_eq!(found[0], (1, "15:30\n4 Mar 2024".to_owned()));
        assert_eq!(found[1], (2, "16:30".to_owned()));
        // A day that begins at the left edge has its tick there.
        assert_eq!(read(&of, (7.0, 13.0), 8)[0], (7, "14:30\n5 Mar 2024".to_owned()));
    }

    #[test]
    fn long_ranges_name_months_and_years() {
        let of = bars("2023-01-02T14:30:00Z", 120);
        let texts =
            |most| read(&of, (0.0, of.ends().1), most).into_iter().map(|(_, text)| text).collect::<Vec<_>>();
        assert_eq!(texts(2), ["2024", "2025"]);
        assert_eq!(texts(10)[..4], ["Apr\n2023", "Jul", "Oct", "Jan\n2024"]);
    }

    #[test]
    fn a_single_bar_names_its_time() {
        let of = Sessions::of_rows(&[seconds("2024-03-04T14:30:00Z")], 1, 1, None, &[]).unwrap();
        assert_eq!(read(&of, (-0.5, 0.5), 4), [(0, "14:30\n4 Mar 2024".to_owned())]);
        assert!(ticks(&of, (5.0, 9.0), 4).is_empty());
    }

    proptest! {
        #[test]
        fn ticks_are_bars_in_order_and_few(weeks in 1i64..60, from in 0f64..1.0, to in 0f64..1.0, most in 1usize..12) {
            let of = bars("2024-03-04T14:30:00Z", weeks);
            let n = of.ends().1;
            let range = (from.min(to) * n, from.max(to) * n);
            let ticks = ticks(&of, range, most);
            prop_assert!(ticks.len() <= most);
            prop_assert!(ticks.windows(2).all(|pair| pair[0].0 < pair[1].0));
            prop_assert!(ticks.iter().all(|(at, _)| *at >= range.0 && *at <= range.1 && at.fract() == 0.0));
            prop_assert_eq!(labels(&ticks).len(), ticks.len());
        }
    }
}
