//! Date order: `03/04/2024` is decided by a number above 12 in the sample, or by the user; `24/04/03` also by the order
//! of the rows.

use super::super::SourceResult;
use super::super::columns::{Columns, TimeColumns};
use super::unclear;
use crate::options::DateOrder;
use csv::StringRecord;
use market_data::wording::excerpt;
use std::collections::BTreeSet;

/// Number of dates from which the order of the rows decides the date order.
const MIN_ORDERED: usize = 5;

/// Date such as `1/2/2024`, as written.
struct Written<'a> {
    first: u8,
    second: u8,
    year: u16,
    has_short_year: bool,
    text: &'a str,
}

/// Date order of the first rows. A chosen one must be possible. `of_taiwan` means that short years may be those of
/// Taiwan's calendar.
pub(super) fn order(
    columns: &Columns,
    rows: &[&StringRecord],
    what: &str,
    chosen: Option<DateOrder>,
    of_taiwan: bool,
) -> SourceResult<DateOrder> {
    let at = match columns.time {
        TimeColumns::One(at) | TimeColumns::Two(at, _) => at,
    };
    let dates: Vec<Written> = rows.iter().filter_map(|row| written(row.get(at)?)).collect();
    let Some(example) = dates.first() else { return Ok(chosen.unwrap_or_default()) };
    let day_first = dates.iter().find(|date| date.first > 12);
    let month_first = dates.iter().find(|date| date.second > 12);
    let year_first = begin_with_year(&dates);
    let contrary = match chosen {
        Some(DateOrder::DayFirst) => month_first.map(|date| (date, "day")),
        Some(DateOrder::MonthFirst) => day_first.map(|date| (date, "month")),
        Some(DateOrder::YearFirst) => {
            dates.iter().find(|date| !date.fits_year_first()).map(|date| (date, "year"))
        }
        None => None,
    };
    if let Some((date, wanted)) = contrary {
        return Err(unclear(
            format!("{what} has the date '{}', which can't begin with a {wanted}.", excerpt(date.text, 30)),
            "Select another date order, or leave the date order empty to detect it.",
        ));
    }
    if chosen.is_some_and(|chosen| chosen != DateOrder::YearFirst) && year_first {
        return Err(unclear(
            format!(
                "{what} has dates such as '{}'. The rows are in time order only if dates begin with the year.",
                excerpt(example.text, 30)
            ),
            "Select year_first as date order (date_order), or leave the date order empty to detect it.",
        ));
    }
    if let Some(chosen) = chosen {
        return Ok(chosen);
    }
    if of_taiwan && example.has_short_year {
        return Err(unclear(
            format!(
                "{what} has dates such as '{}'. The year may be a year of Taiwan's calendar, or have only two digits.",
                excerpt(example.text, 30)
            ),
            "Write dates as 2024-03-01.",
        ));
    }
    if year_first {
        return Ok(DateOrder::YearFirst);
    }
    match (day_first, month_first) {
        (Some(date), None) if may_begin_with_year(&dates) => Err(unclear(
            format!(
                "{what} has dates such as '{}', which may begin with a day or with a year.",
                excerpt(date.text, 30)
            ),
            "Choose day_first or year_first as date order (date_order), or write dates as 2024-03-01.",
        )),
        (Some(_), None) => Ok(DateOrder::DayFirst),
        (None, Some(_)) => Ok(DateOrder::MonthFirst),
        (Some(_), Some(_)) => Err(unclear(
            format!("{what} mixes day-first and month-first dates, such as '{}'.", excerpt(example.text, 30)),
            "Write dates as 2024-03-01.",
        )),
        (None, None) if dates.iter().all(|date| date.first == date.second) => Ok(DateOrder::DayFirst),
        (None, None) => Err(unclear(
            format!(
                "{what} has ambiguous dates such as '{}': day {1} of month {2} or day {2} of month {1}.",
                excerpt(example.text, 30),
                example.first,
                example.second
            ),
            "Choose the date order (date_order), write dates as 2024-03-01, or include a day after the 12th in the first 256 rows.",
        )),
    }
}

impl Written<'_> {
    /// Whether it can be a short year, a month and a day.
    fn fits_year_first(&self) -> bool {
        self.has_short_year && (1..=12).contains(&self.second) && (1..=31).contains(&self.year)
    }

    /// Year, month and day in an order, for comparison. Short years are from 1970 to 2069.
    fn key(&self, order: DateOrder) -> (u16, u8, u16) {
        let (first, second) = (u16::from(self.first), u16::from(self.second));
        let full = |year: u16| if self.has_short_year { (year + 30) % 100 } else { year };
        match order {
            DateOrder::DayFirst => (full(self.year), self.second, first),
            DateOrder::MonthFirst => (full(self.year), self.first, second),
            DateOrder::YearFirst => (full(first), self.second, self.year),
        }
    }
}

/// Whether dates certainly begin with a short year: a first number is no day, or only then the rows are in time order.
fn begin_with_year(dates: &[Written]) -> bool {
    let ordered = |order: DateOrder| {
        let keys: Vec<_> = dates.iter().map(|date| date.key(order)).collect();
        keys.is_sorted() || keys.iter().rev().is_sorted()
    };
    let only_ordered = || {
        dates.len() >= MIN_ORDERED
            && ordered(DateOrder::YearFirst)
            && !ordered(DateOrder::DayFirst)
            && !ordered(DateOrder::MonthFirst)
    };
    dates.iter().all(Written::fits_year_first) && (dates.iter().any(|date| date.first > 31) || only_ordered())
}

/// Whether the first number may be a short year: it changes no more often than the last one.
fn may_begin_with_year(dates: &[Written]) -> bool {
    let firsts: BTreeSet<u8> = dates.iter().map(|date| date.first).collect();
    let years: BTreeSet<u16> = dates.iter().map(|date| date.year).collect();
    dates.iter().all(|date| date.has_short_year) && firsts.len() <= years.len()
}

/// Numbers of a date like `1/2/2024`, `1/2/24` or `01-02-2024`. Dates with dots are always day-first.
fn written(text: &str) -> Option<Written<'_>> {
    let text = text.trim();
    let separator = if text.contains('/') { '/' } else { '-' };
    let mut parts = text.splitn(3, separator);
    let (first, second, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let short = |part: &str| (1..=2).contains(&part.len()).then(|| part.parse::<u8>().ok()).flatten();
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let year = rest[..digits].parse().ok().filter(|_| matches!(digits, 2 | 4))?;
    Some(Written { first: short(first)?, second: short(second)?, year, has_short_year: digits == 2, text })
}
