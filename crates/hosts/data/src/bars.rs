//! Bars, timeframes, and the calendar period of a segment.

use jiff::civil::{Date, date};
use jiff::tz::Offset;
use protocol::{FieldError, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Price bar: trades from `time` on, for one timeframe.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bar {
    /// Start of the bar.
    pub time: Time,
    pub open: f64,
    pub high: f64,
    pub low: f64,
    pub close: f64,
    /// Volume in the unit of the source: shares, lots, coins. `None` if the source does not know it, as for most
    /// currencies. 0 means no trades.
    pub volume: Option<f64>,
}

/// Volume of a source's number, or `None`: programs write `NaN` or −1 for an unknown volume.
pub(crate) fn known_volume(number: f64) -> Option<f64> {
    (!number.is_nan() && number != -1.0).then_some(number)
}

/// Sum of the volumes, or `None` if any of them is unknown.
pub fn total_volume(bars: &[Bar]) -> Option<f64> {
    bars.iter().map(|bar| bar.volume).sum()
}

/// Bar size.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize, JsonSchema,
)]
pub enum Timeframe {
    /// One minute
    #[serde(rename = "1m")]
    M1,
    /// Five minutes
    #[serde(rename = "5m")]
    M5,
    /// Fifteen minutes
    #[serde(rename = "15m")]
    M15,
    /// Thirty minutes
    #[serde(rename = "30m")]
    M30,
    /// One hour
    #[serde(rename = "1h")]
    #[default]
    H1,
    /// Four hours
    #[serde(rename = "4h")]
    H4,
    /// One day
    #[serde(rename = "1d")]
    D1,
}

impl Timeframe {
    pub const ALL: [Timeframe; 7] = [
        Timeframe::M1,
        Timeframe::M5,
        Timeframe::M15,
        Timeframe::M30,
        Timeframe::H1,
        Timeframe::H4,
        Timeframe::D1,
    ];

    /// Name in file names and parameters, e.g. `1h`.
    pub fn as_str(self) -> &'static str {
        match self {
            Timeframe::M1 => "1m",
            Timeframe::M5 => "5m",
            Timeframe::M15 => "15m",
            Timeframe::M30 => "30m",
            Timeframe::H1 => "1h",
            Timeframe::H4 => "4h",
            Timeframe::D1 => "1d",
        }
    }

    /// Timeframe with that name.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.as_str() == word)
    }

    /// Length of a bar in minutes.
    pub fn minutes(self) -> i64 {
        match self {
            Timeframe::M1 => 1,
            Timeframe::M5 => 5,
            Timeframe::M15 => 15,
            Timeframe::M30 => 30,
            Timeframe::H1 => 60,
            Timeframe::H4 => 240,
            Timeframe::D1 => 1440,
        }
    }

    /// Whether segments are monthly: below 1 h they are, from 1 h on they are yearly. Either way at most 44,640 bars.
    fn by_month(self) -> bool {
        self < Timeframe::H1
    }
}

impl fmt::Display for Timeframe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Calendar year or month (UTC) of one segment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Period {
    year: i16,
    /// `None` for a whole year.
    month: Option<i8>,
}

impl Period {
    /// Period of a bar with that time.
    pub(crate) fn of(time: Time, timeframe: Timeframe) -> Self {
        let day = day_of(time);
        Self { year: day.year(), month: timeframe.by_month().then_some(day.month()) }
    }

    /// First moment of the period.
    pub(crate) fn from(self) -> Time {
        start_of(self.first_day())
    }

    /// First moment after the period.
    pub(crate) fn to(self) -> Time {
        start_of(self.next().first_day())
    }

    pub(crate) fn contains(self, time: Time) -> bool {
        self.from() <= time && time < self.to()
    }

    /// Number of periods from this one to `last`, inclusive; at least 1.
    pub(crate) fn count_to(self, last: Period) -> u64 {
        let years = i64::from(last.year) - i64::from(self.year);
        let steps = match (self.month, last.month) {
            (Some(a), Some(b)) => years * 12 + i64::from(b) - i64::from(a),
            _ => years,
        };
        steps.max(0) as u64 + 1
    }

    /// File name: `2024.parquet` or `2024-03.parquet`.
    pub(crate) fn file(self) -> String {
        format!("{self}.parquet")
    }

    /// Period of a file name; `None` if it is not a segment of this timeframe.
    pub(crate) fn of_file(name: &str, timeframe: Timeframe) -> Option<Self> {
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

/// Half-open time range. An absent bound is unbounded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Range {
    pub from: Option<Time>,
    /// Exclusive end.
    pub to: Option<Time>,
}

impl Range {
    /// Parses a range from inclusive start and end parameters.
    ///
    /// # Errors
    /// A message for the invalid parameter, `start` or `end`.
    pub fn parse(start: Option<&str>, end: Option<&str>) -> Result<Self, Vec<FieldError>> {
        let from = crate::params::moment(start, false).map_err(|e| vec![FieldError::new("start", e)])?;
        let to = crate::params::moment(end, true).map_err(|e| vec![FieldError::new("end", e)])?;
        match (from, to) {
            (Some(from), Some(to)) if from >= to => {
                Err(vec![FieldError::new("end", "The end is before the start.")])
            }
            _ => Ok(Self { from, to }),
        }
    }

    /// Range extended to whole trading days for daily bars; unchanged for other timeframes. A daily bar starts with its
    /// day, so a range that begins or ends within a day includes that day.
    pub fn of(self, timeframe: Timeframe) -> Self {
        if timeframe != Timeframe::D1 {
            return self;
        }
        let after = |to: Time| {
            if start_of(day_of(to)) == to { to } else { trading_day(to.plus_micros(-1)).plus_micros(DAY) }
        };
        Self { from: self.from.map(trading_day), to: self.to.map(after) }
    }

    pub(crate) fn contains(self, time: Time) -> bool {
        self.from.is_none_or(|from| from <= time) && self.to.is_none_or(|to| time < to)
    }

    /// Whether both ends are unbounded.
    pub(crate) fn is_all(self) -> bool {
        self.from.is_none() && self.to.is_none()
    }

    /// Whether the range overlaps the period.
    pub(crate) fn meets(self, period: Period) -> bool {
        self.from.is_none_or(|from| from < period.to()) && self.to.is_none_or(|to| period.from() < to)
    }

    /// Whether the range contains the whole period.
    pub(crate) fn covers(self, period: Period) -> bool {
        self.from.is_none_or(|from| from <= period.from()) && self.to.is_none_or(|to| period.to() <= to)
    }
}

const DAY: i64 = 86_400_000_000;

/// Trading day of a daily bar that starts at this UTC time, as the first moment of that day: the day with most of the
/// following 24 hours. A day in Tokyo starts at 15:00 UTC of the previous day, in New York at 05:00, for currencies at
/// 22:00 of the previous day.
pub(crate) fn trading_day(time: Time) -> Time {
    start_of(day_of(time.plus_micros(DAY / 2 - 1)))
}

/// UTC day of a moment.
pub(crate) fn day_of(time: Time) -> Date {
    Offset::UTC.to_datetime(time.timestamp()).date()
}

/// First moment of a UTC day, or the last representable moment if it is out of range.
pub(crate) fn start_of(day: Date) -> Time {
    Offset::UTC
        .to_timestamp(day.at(0, 0, 0, 0))
        .map_or(Time::from_micros(i64::MAX), |t| Time::from_micros(t.as_microsecond()))
}

#[cfg(test)]
pub(crate) fn at(text: &str) -> Time {
    Time::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_timeframe() -> impl Strategy<Value = Timeframe> {
        (0..Timeframe::ALL.len()).prop_map(|i| Timeframe::ALL[i])
    }

    proptest! {
        #[test]
        fn every_bar_lies_in_its_period_and_the_file_name_reads_back(
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
    fn periods_are_counted_with_both_ends() {
        let month = |text| Period::of(at(text), Timeframe::M1);
        assert_eq!(month("2024-11-05T00:00:00Z").count_to(month("2025-02-01T00:00:00Z")), 4);
        let year = |text| Period::of(at(text), Timeframe::D1);
        assert_eq!(year("2013-12-31T00:00:00Z").count_to(year("2025-06-06T00:00:00Z")), 13);
    }

    #[test]
    fn a_daily_bar_belongs_to_the_day_that_most_of_it_lies_in() {
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

    #[test]
    fn a_range_of_daily_bars_has_whole_days() {
        let days = |start: &str, end: &str| {
            let range = Range::parse(Some(start), Some(end)).unwrap().of(Timeframe::D1);
            (day_of(range.from.unwrap()).to_string(), day_of(range.to.unwrap().plus_micros(-1)).to_string())
        };
        let expected = ("2024-01-08".to_owned(), "2024-01-12".to_owned());
        assert_eq!(days("2024-01-08", "2024-01-12"), expected);
        assert_eq!(days("2024-01-08T00:00:00+09:00", "2024-01-12T00:00:00+09:00"), expected);
        assert_eq!(days("2024-01-08T00:00:00-05:00", "2024-01-12T00:00:00-05:00"), expected);
        let moments = Range::parse(Some("2024-01-08T05:00:00Z"), None).unwrap();
        assert_eq!(moments.of(Timeframe::H1), moments);
    }

    #[test]
    fn a_word_names_its_timeframe() {
        for timeframe in Timeframe::ALL {
            assert_eq!(Timeframe::parse(timeframe.as_str()), Some(timeframe));
            assert_eq!(serde_json::to_value(timeframe).unwrap(), timeframe.as_str());
        }
        assert_eq!(Timeframe::parse("2h"), None);
    }
}
