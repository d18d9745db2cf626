//! Time range of bars, and its parameters.

use crate::bars::Timeframe;
use crate::days::{DAY, day_of, start_of, trading_day};
use crate::period::Period;
use crate::wording::excerpt;
use jiff::ToSpan;
use jiff::civil::Date;
use protocol::{FieldError, Time};

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
        let from = parse_moment(start, false).map_err(|e| vec![FieldError::new("start", e)])?;
        let to = parse_moment(end, true).map_err(|e| vec![FieldError::new("end", e)])?;
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

    pub fn contains(self, time: Time) -> bool {
        self.from.is_none_or(|from| from <= time) && self.to.is_none_or(|to| time < to)
    }

    /// Whether both ends are unbounded.
    pub fn is_all(self) -> bool {
        self.from.is_none() && self.to.is_none()
    }

    /// Whether the range overlaps the period.
    pub fn meets(self, period: Period) -> bool {
        self.from.is_none_or(|from| from < period.to()) && self.to.is_none_or(|to| period.from() < to)
    }

    /// Whether the range contains the whole period.
    pub fn covers(self, period: Period) -> bool {
        self.from.is_none_or(|from| from <= period.from()) && self.to.is_none_or(|to| period.to() <= to)
    }
}

/// Parses a date or time. An end is inclusive: the whole day, or the moment itself.
///
/// # Errors
/// A message that says what a date or time looks like.
pub fn parse_moment(text: Option<&str>, is_end: bool) -> Result<Option<Time>, String> {
    let Some(text) = text.map(str::trim).filter(|t| !t.is_empty()) else { return Ok(None) };
    if text.len() == 10
        && let Ok(day) = text.parse::<Date>()
    {
        let day = if is_end { day.checked_add(1.day()).unwrap_or(day) } else { day };
        return Ok(Some(start_of(day)));
    }
    match Time::parse(text) {
        Ok(time) => Ok(Some(if is_end { time.plus_micros(1) } else { time })),
        Err(_) => Err(format!(
            "'{}' is not a date or time. Use 2024-03-01, or a time with its zone like 2024-03-01T09:30:00Z.",
            excerpt(text, 40)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
