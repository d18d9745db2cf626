//! Date order: `03/04/2024` is decided by a number above 12 in the sample, or by the user.

use super::super::SourceResult;
use super::super::columns::{Columns, TimeColumns};
use super::unclear;
use crate::options::DateOrder;
use csv::StringRecord;
use market_data::wording::excerpt;
use std::collections::BTreeSet;

/// Date such as `1/2/2024`, as written.
struct Written<'a> {
    first: u8,
    second: u8,
    year: u16,
    has_short_year: bool,
    text: &'a str,
}

/// Date order of the first rows. A chosen one must be possible.
pub(super) fn order(
    columns: &Columns,
    rows: &[&StringRecord],
    what: &str,
    chosen: Option<DateOrder>,
) -> SourceResult<DateOrder> {
    let at = match columns.time {
        TimeColumns::One(at) | TimeColumns::Two(at, _) => at,
    };
    let dates: Vec<Written> = rows.iter().filter_map(|row| written(row.get(at)?)).collect();
    let Some(example) = dates.first() else { return Ok(chosen.unwrap_or_default()) };
    let day_first = dates.iter().find(|date| date.first > 12);
    let month_first = dates.iter().find(|date| date.second > 12);
    let contrary = match chosen {
        Some(DateOrder::DayFirst) => month_first.map(|date| (date, "day")),
        Some(DateOrder::MonthFirst) => day_first.map(|date| (date, "month")),
        None => None,
    };
    if let Some((date, wanted)) = contrary {
        return Err(unclear(
            format!("{what} has the date '{}', which can't begin with a {wanted}.", excerpt(date.text, 30)),
            "Select the other date order, or none to detect it.",
        ));
    }
    if let Some(chosen) = chosen {
        return Ok(chosen);
    }
    match (day_first, month_first) {
        (Some(date), None) if may_begin_with_year(&dates) => Err(unclear(
            format!(
                "{what} has dates such as '{}', which may begin with a day or with a year.",
                excerpt(date.text, 30)
            ),
            "Choose the date order (date_order), or write dates as 2024-03-01.",
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
