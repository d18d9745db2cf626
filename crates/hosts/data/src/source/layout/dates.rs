//! Date order: `03/04/2024` is decided by a number above 12 in the sample, or is ambiguous.

use super::super::SourceResult;
use super::super::columns::{Columns, TimeColumns};
use super::super::times::DateOrder;
use super::unclear;
use crate::wording::excerpt;
use csv::StringRecord;

/// Date order of the first rows.
pub(super) fn order(columns: &Columns, rows: &[&StringRecord], what: &str) -> SourceResult<DateOrder> {
    let at = match columns.time {
        TimeColumns::One(at) | TimeColumns::Two(at, _) => at,
    };
    let pairs: Vec<(u8, u8, &str)> = rows
        .iter()
        .filter_map(|row| row.get(at))
        .filter_map(|text| Some((first_two(text)?, text)))
        .map(|((a, b), text)| (a, b, text))
        .collect();
    let Some((first, second, text)) = pairs.first() else { return Ok(DateOrder::DayFirst) };
    let day_first = pairs.iter().any(|(first, ..)| *first > 12);
    let month_first = pairs.iter().any(|(_, second, _)| *second > 12);
    match (day_first, month_first) {
        (true, false) => Ok(DateOrder::DayFirst),
        (false, true) => Ok(DateOrder::MonthFirst),
        (true, true) => Err(unclear(
            format!("{what} mixes day-first and month-first dates, such as '{}'.", excerpt(text, 30)),
            "Write dates as 2024-03-01.",
        )),
        (false, false) if pairs.iter().all(|(first, second, _)| first == second) => Ok(DateOrder::DayFirst),
        (false, false) => Err(unclear(
            format!(
                "{what} has ambiguous dates such as '{}': day {first} of month {second} or day {second} of month {first}.",
                excerpt(text, 30)
            ),
            "Write dates as 2024-03-01, or include a day after the 12th in the first 256 rows.",
        )),
    }
}

/// First two numbers of a date like `1/2/2024` or `01-02-2024`. Dates with dots are always day-first.
fn first_two(text: &str) -> Option<(u8, u8)> {
    let text = text.trim();
    let separator = if text.contains('/') { '/' } else { '-' };
    let mut parts = text.splitn(3, separator);
    let (first, second, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let short = |part: &str| (1..=2).contains(&part.len()).then(|| part.parse::<u8>().ok()).flatten();
    let year = rest.get(..4)?.bytes().all(|b| b.is_ascii_digit());
    year.then_some((short(first)?, short(second)?))
}
