//! Shared parsing of parameters: comma-separated lists and dates.

use jiff::Timestamp;
use jiff::civil::Date;
use protocol::FieldError;
use serde_json::{Map, Value, json};

/// Parses `MSFT, AAPL`; `None` if empty.
///
/// # Errors
/// A message for the field.
pub(crate) fn list(field: &str, text: Option<&str>) -> Result<Option<Vec<String>>, FieldError> {
    let names: Vec<String> = text
        .unwrap_or_default()
        .split([',', ' '])
        .map(str::trim)
        .filter(|n| !n.is_empty())
        .map(str::to_owned)
        .collect();
    let plain = |name: &String| {
        name.len() <= 20
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/'))
    };
    match names.iter().find(|name| !plain(name)) {
        Some(bad) => {
            let bad: String = bad.chars().take(30).collect();
            Err(FieldError::new(
                field,
                format!("'{bad}' is not valid. Enter comma-separated values: MSFT, AAPL."),
            ))
        }
        None => Ok((!names.is_empty()).then_some(names)),
    }
}

/// Parses the start and end dates, in order.
///
/// # Errors
/// A message for the invalid field.
pub(crate) fn days(
    start: Option<&str>,
    end: Option<&str>,
) -> Result<(Option<Date>, Option<Date>), FieldError> {
    let start_day = day("start", start)?;
    let end_day = day("end", end)?;
    match (start_day, end_day) {
        (Some(start), Some(end)) if start > end => {
            Err(FieldError::new("end", "The end is before the start."))
        }
        days => Ok(days),
    }
}

fn day(field: &str, text: Option<&str>) -> Result<Option<Date>, FieldError> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    let moment = || text.parse::<Timestamp>().map(|t| t.to_zoned(jiff::tz::TimeZone::UTC).date());
    match text.parse::<Date>().or_else(|_| moment()) {
        Ok(day) => Ok(Some(day)),
        Err(_) => Err(FieldError::new(field, "Enter a date like 2024-03-01.")),
    }
}

/// Adds a value if present. Otherwise the service uses its default.
pub(crate) fn put<T: serde::Serialize>(order: &mut Map<String, Value>, name: &str, value: Option<T>) {
    if let Some(value) = value {
        order.insert(name.to_owned(), json!(value));
    }
}

/// Collects a single error into a list.
pub(crate) fn one<T>(result: Result<T, FieldError>, errors: &mut Vec<FieldError>) -> Option<T> {
    result.map_err(|error| errors.push(error)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_days_are_parsed_and_rejected_by_field() {
        assert_eq!(
            list("symbols", Some(" MSFT,AAPL ,EUR/USD")).unwrap().unwrap(),
            ["MSFT", "AAPL", "EUR/USD"]
        );
        assert_eq!(list("symbols", Some(" ")).unwrap(), None);
        assert!(list("symbols", Some("MS;FT")).is_err());
        let (start, end) = days(Some("2024-03-01"), Some("2024-03-02T10:00:00Z")).unwrap();
        assert_eq!(
            (start.unwrap().to_string(), end.unwrap().to_string()),
            ("2024-03-01".into(), "2024-03-02".into())
        );
        assert_eq!(days(Some("2024-03-02"), Some("2024-03-01")).unwrap_err().field, "end");
        assert_eq!(days(Some("yesterday"), None).unwrap_err().field, "start");
    }
}
