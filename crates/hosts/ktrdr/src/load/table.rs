//! Parses the response of `POST /data/historical`: `data` is JSON inside a string, an object of bars by time.

use crate::shape::{Node, succeeded};
use crate::wire::CallError;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use protocol::Time;
use serde_json::Value;

const CALL: &str = "POST /data/historical";

/// Bars of a response, in time order.
#[derive(Debug, PartialEq)]
pub(crate) struct Table {
    pub columns: Vec<String>,
    pub bars: Vec<Bar>,
    /// Number of bars reported by the service.
    pub rows_said: Option<u64>,
    /// Whether times had no zone and were read as UTC.
    pub zone_assumed: bool,
}

/// Bar, with its values in column order.
#[derive(Debug, PartialEq)]
pub(crate) struct Bar {
    pub at: Time,
    pub figures: Vec<Option<f64>>,
}

/// Parses a response.
///
/// # Errors
/// The rejection of `success: false`, or the unreadable part.
pub(crate) fn read(answer: &Value) -> Result<Table, CallError> {
    let node = Node::answer(CALL, answer);
    succeeded(&node)?;
    let rows_said = node.get("rows").map(|rows| rows.count()).transpose()?;
    let unreadable = |what| CallError::Unreadable { call: CALL.to_owned(), what };
    let text = node.need("data")?;
    let inner: Value = serde_json::from_str(text.text()?)
        .map_err(|e| unreadable(format!("the text in 'data' is not JSON ({e})")))?;
    let node = Node::answer("POST /data/historical, the text in 'data',", &inner);
    let by_time = node.object()?;
    let mut table = Table {
        columns: Vec::new(),
        bars: Vec::with_capacity(by_time.len()),
        rows_said,
        zone_assumed: false,
    };
    for (key, row) in by_time {
        let (at, zoned) = moment(key).ok_or_else(|| {
            let key: String = key.chars().take(40).collect();
            unreadable(format!("in 'data' the key '{key}' should be the time of a bar"))
        })?;
        table.zone_assumed |= !zoned;
        let row = row.as_object().ok_or_else(|| {
            node.get(key)
                .map_or_else(|| unreadable(format!("the bar at {key} is null")), |row| row.not("a bar"))
        })?;
        for name in row.keys().filter(|name| !table.columns.contains(name)).cloned().collect::<Vec<_>>() {
            table.columns.push(name);
        }
        let figures = table.columns.iter().map(|name| row.get(name).and_then(Value::as_f64)).collect();
        table.bars.push(Bar { at, figures });
    }
    let width = table.columns.len();
    for bar in &mut table.bars {
        bar.figures.resize(width, None);
    }
    table.bars.sort_by_key(|bar| bar.at);
    Ok(table)
}

/// Parses RFC 3339 with or without a zone, or milliseconds since 1970. Also returns whether there was a zone.
fn moment(key: &str) -> Option<(Time, bool)> {
    if let Ok(time) = Time::parse(key) {
        return Some((time, true));
    }
    if let Ok(millis) = key.parse::<i64>() {
        return Some((Time::from_micros(millis.checked_mul(1000)?), true));
    }
    let local = key.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok()?;
    Some((Time::from_micros(local.timestamp().as_microsecond()), false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(data: &str) -> Value {
        json!({"success": true, "data": data, "error": null, "rows": 2})
    }

    #[test]
    fn a_table_within_a_text_is_read_in_order_of_time() {
        let bars = r#"{"2024-01-03T00:00:00.000Z":{"open":2,"volume":null},"2024-01-02T00:00:00.000Z":{"open":1,"volume":9}}"#;
        let table = read(&answer(bars)).unwrap();
        assert_eq!(table.columns, ["open", "volume"]);
        assert_eq!(table.bars[0].at, Time::parse("2024-01-02T00:00:00Z").unwrap());
        assert_eq!(table.bars[1].figures, [Some(2.0), None]);
        assert!(!table.zone_assumed);
        assert!(read(&answer(r#"{"2024-01-02T10:30:00.000":{"open":1}}"#)).unwrap().zone_assumed);
        assert!(read(&answer("{}")).unwrap().bars.is_empty());
        let millis = read(&answer(r#"{"1704153600000":{"open":1}}"#)).unwrap();
        assert_eq!(millis.bars[0].at, Time::parse("2024-01-02T00:00:00Z").unwrap());
    }

    #[test]
    fn text_that_is_no_table_is_rejected_with_its_position() {
        let told = |answer: &Value| read(answer).unwrap_err().to_string();
        assert!(
            told(&json!({"success": true, "data": {"a": 1}}))
                .contains("'data' should be text, but is an object")
        );
        assert!(told(&answer("{")).contains("the text in 'data' is not JSON"));
        assert!(told(&answer("[1]")).contains("should be an object, but is a list"));
        assert!(told(&answer(r#"{"noon":{}}"#)).contains("'noon' should be the time of a bar"));
        assert!(
            told(&answer(r#"{"2024-01-02T00:00:00Z":5}"#)).contains("should be a bar, but is the number 5")
        );
        assert!(
            told(&json!({"success": false, "error": "Symbol validation failed"}))
                .contains("validation failed")
        );
    }
}
