//! Calendar period of a segment.

use crate::bars::Timeframe;
use crate::days::{day_of, start_of};
use jiff::civil::{Date, date};
use protocol::Time;
use std::fmt;

/// Calendar year or month (UTC) of one segment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Period {
    year: i16,
    /// `None` for a whole year.
    month: Option<i8>,
}

impl Period {
    /// Period of a bar with that time.
    pub fn of(time: Time, timeframe: Timeframe) -> Self {
        let day = day_of(time);
        Self { year: day.year(), month: timeframe.by_month().then_some(day.month()) }
    }

    /// First moment of the period.
    pub fn from(self) -> Time {
        start_of(self.first_day())
    }

    /// First moment after the period.
    pub fn to(self) -> Time {
        start_of(self.next().first_day())
    }

    pub fn contains(self, time: Time) -> bool {
        self.from() <= time && time < self.to()
    }

    /// Number of periods from this one to `last`, inclusive; at least 1.
    pub fn count_to(self, last: Period) -> u64 {
        let years = i64::from(last.year) - i64::from(self.year);
        let steps = match (self.month, last.month) {
            (Some(a), Some(b)) => years * 12 + i64::from(b) - i64::from(a),
            _ => years,
        };
        steps.max(0) as u64 + 1
    }

    /// File name: `2024.parquet` or `2024-03.parquet`.
    pub fn file(self) -> String {
        format!("{self}.parquet")
    }

    /// Period of a file name; `None` if it is not a segment of this timeframe.
    pub fn of_file(name: &str, timeframe: Timeframe) -> Option<Self> {
        let stem = name.strip_suffix(".parquet")?;
        let (year, month) = match stem.split_once('-') {
            None => (stem.parse().ok()?, None),
            Some((year, month)) => (year.parse().ok()?, Some(month.parse().ok()?)),
        };
        let period = Self { year, month };
        let real = (1..=9998).contains(&year) && month.is_none_or(|m| (1..=12).contains(&m));
        (real && month.is_some() == timeframe.by_month() && period.file() == name).then_some(period)
    }

    fn first_day(self) -> Date {
        date(self.year, self.month.unwrap_or(1), 1)
    }

    fn next(self) -> Self {
        match self.month {
            Some(month) if month < 12 => Self { month: Some(month + 1), ..self },
            Some(_) => Self { year: self.year.saturating_add(1).min(9999), month: Some(1) },
            None => Self { year: self.year.saturating_add(1).min(9999), month: None },
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.month {
            Some(month) => write!(f, "{:04}-{month:02}", self.year),
            None => write!(f, "{:04}", self.year),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at;
    use proptest::prelude::*;

    fn any_timeframe() -> impl Strategy<Value = Timeframe> {
        (0..Timeframe::ALL.len()).prop_map(|i| Timeframe::ALL[i])
    }

    proptest! {
        #[test]
        fn every_bar_is_in_its_period_and_the_file_name_parses_back(
            micros in -10_000_000_000_000_000i64..30_000_000_000_000_000, timeframe in any_timeframe()
        ) {
            let time = Time::from_micros(micros);
            let period = Period::of(time, timeframe);
            prop_assert!(period.contains(time));
            prop_assert_eq!(Period::of_file(&period.file(), timeframe), Some(period));
            prop_assert_eq!(Period::of(period.to(), timeframe), period.next());
            prop_assert!(!period.contains(period.to()));
        }
    }

    #[test]
    fn segments_are_months_below_an_hour_and_years_from_there_on() {
        let time = at("2024-03-05T10:00:00Z");
        assert_eq!(Period::of(time, Timeframe::M1).file(), "2024-03.parquet");
        assert_eq!(Period::of(time, Timeframe::H1).file(), "2024.parquet");
        assert_eq!(Period::of_file("2024-3.parquet", Timeframe::M1), None);
        assert_eq!(Period::of_file("2024-13.parquet", Timeframe::M1), None);
        assert_eq!(Period::of_file("2024.parquet", Timeframe::M1), None);
        assert_eq!(Period::of_file("2024.parquet.part", Timeframe::H1), None);
    }

    #[test]
    fn periods_are_counted_inclusively() {
        let month = |text| Period::of(at(text), Timeframe::M1);
        assert_eq!(month("2024-11-05T00:00:00Z").count_to(month("2025-02-01T00:00:00Z")), 4);
        let year = |text| Period::of(at(text), Timeframe::D1);
        assert_eq!(year("2013-12-31T00:00:00Z").count_to(year("2025-06-06T00:00:00Z")), 13);
    }
}
