//! JSON lines: an object on a line of its own is a report.

use crate::report::{Report, ReportedPhase};
use protocol::LogLevel;
use serde_json::{Map, Value};

/// Maximum length of a value in a message.
const MAX_SHOWN_CHARS: usize = 40;
/// What [`Report::set_done`] and [`Report::set_total`] take: up to [`MAX_COUNT`](crate::report::MAX_COUNT).
const COUNT_RANGE: &str = "a number from 0 to 9,000,000,000,000,000";
/// Maximum length of a series name.
const MAX_NAME_CHARS: usize = 64;

/// Parses a report; `None` if the line is not one and belongs in the log.
pub(crate) fn read(line: &str) -> Option<Report> {
    let line = line.trim();
    if !(line.starts_with('{') && line.ends_with('}')) {
        return None;
    }
    let object: Map<String, Value> = match serde_json::from_str(line) {
        Ok(object) => object,
        // Python writes NaN and Infinity as bare words, which is not valid JSON. 1e999 is valid, but no float.
        Err(_) => serde_json::from_str(&quote_non_numbers(line)?).ok()?,
    };
    let mut report = Report::default();
    let mut level = LogLevel::Info;
    for (key, value) in object {
        let shown = value.to_string();
        if !take(&mut report, &mut level, &key, value) {
            report.odd = true;
            report.wrong.extend(wrong(&key, &shown));
        }
    }
    if report.total == Some(0) && report.done.is_some_and(|done| done > 0) {
        (report.total, report.odd) = (None, true);
        report.wrong.push(("total", "total must be more than 0, got 0".to_owned()));
    }
    if let Some((of_line, _)) = &mut report.log {
        *of_line = level;
    }
    report.anything().then_some(report)
}

/// Parses one key. Returns whether it was understood.
fn take(report: &mut Report, level: &mut LogLevel, key: &str, value: Value) -> bool {
    match (key, value) {
        ("result", value) => report.result = Some(value),
        (_, Value::Null) => {}
        ("progress", value) => match value.as_f64().filter(|p| (0.0..=1.0).contains(p)) {
            Some(progress) => report.progress = Some(progress),
            None => return false,
        },
        ("done", value) => return value.as_f64().is_some_and(|n| report.set_done(n)),
        ("total", value) => return value.as_f64().is_some_and(|n| report.set_total(n)),
        ("step", value) => match value.as_f64() {
            Some(step) => report.step = Some(step),
            None => return false,
        },
        ("unit", Value::String(text)) => report.unit = Some(text),
        ("message", Value::String(text)) => report.message = Some(text),
        ("phase", Value::String(name)) => report.phase = Some(ReportedPhase::Name(name)),
        ("phase", Value::Number(n)) => match n.as_u64().and_then(|n| u32::try_from(n).ok()) {
            Some(n) if n > 0 => report.phase = Some(ReportedPhase::Number(n)),
            _ => return false,
        },
        ("log", Value::String(text)) => report.log = Some((LogLevel::Info, text)),
        ("level", Value::String(word)) => match level_of(&word) {
            Some(named) => *level = named,
            None => return false,
        },
        ("unit" | "message" | "phase" | "log" | "level", _) => return false,
        (name, value) => {
            let y = match &value {
                Value::Number(n) => n.as_f64(),
                Value::String(text) => not_a_number(text),
                _ => None,
            };
            let (Some(y), 1..=MAX_NAME_CHARS) = (y, name.len()) else { return false };
            report.points.push((name.to_owned(), y));
        }
    }
    true
}

/// Key with an invalid value, and what would be valid. Only for numbers: other programs log JSON, too.
fn wrong(key: &str, value: &str) -> Option<(&'static str, String)> {
    let (key, takes) = match key {
        "progress" => ("progress", "from 0 to 1"),
        "done" => ("done", COUNT_RANGE),
        "total" => ("total", COUNT_RANGE),
        "step" => ("step", "a number"),
        "phase" => ("phase", "a name, or a number of at least 1"),
        _ => return None,
    };
    let mut shown: String = value.chars().take(MAX_SHOWN_CHARS).collect();
    if shown.len() < value.len() {
        shown.push('…');
    }
    Some((key, format!("{key} must be {takes}, got {shown}")))
}

/// Log level by its common names.
pub(crate) fn level_of(word: &str) -> Option<LogLevel> {
    match word.to_ascii_lowercase().as_str() {
        "debug" | "trace" => Some(LogLevel::Debug),
        "info" | "notice" => Some(LogLevel::Info),
        "warn" | "warning" => Some(LogLevel::Warn),
        "error" | "critical" | "fatal" => Some(LogLevel::Error),
        _ => None,
    }
}

/// Value of a non-finite number's name.
fn not_a_number(text: &str) -> Option<f64> {
    match text {
        "NaN" | "nan" => Some(f64::NAN),
        "Infinity" | "inf" => Some(f64::INFINITY),
        "-Infinity" | "-inf" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// Number at the start of the text that is too large for a float, and its value as a word.
fn too_large(text: &str) -> Option<(&str, &'static str)> {
    let end =
        text.find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(text.len());
    let number = text[..end].parse::<f64>().ok().filter(|n| n.is_infinite())?;
    Some((&text[..end], if number > 0.0 { "Infinity" } else { "-Infinity" }))
}

/// Quotes bare `NaN` and `Infinity`, and makes numbers that are too large one of them; `None` if there are none.
fn quote_non_numbers(line: &str) -> Option<String> {
    let mut out = String::with_capacity(line.len() + 8);
    let (mut in_text, mut escaped, mut changed) = (false, false, false);
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let word = ["NaN", "Infinity", "-Infinity"].into_iter().find(|word| rest.starts_with(word));
        let begins_number =
            (c.is_ascii_digit() || c == '-') && !out.ends_with(|c: char| c.is_ascii_alphanumeric());
        let word = word
            .map(|word| (word, word))
            .or_else(|| begins_number.then(|| too_large(rest)).flatten())
            .filter(|_| !in_text);
        if let Some((written, word)) = word {
            out.push('"');
            out.push_str(word);
            out.push('"');
            changed = true;
            rest = &rest[written.len()..];
            continue;
        }
        in_text ^= c == '"' && !escaped;
        escaped = in_text && c == '\\' && !escaped;
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    changed.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn known_keys_are_progress_and_other_numbers_are_points() {
        let line = r#"{"progress":0.4,"done":3,"total":10.0,"unit":"epochs","message":"m","phase":"fit","step":7,"loss":0.3,"lr":1e-3}"#;
        let expected = Report {
            progress: Some(0.4),
            done: Some(3),
            total: Some(10),
            unit: Some("epochs".into()),
            message: Some("m".into()),
            phase: Some(ReportedPhase::Name("fit".into())),
            step: Some(7.0),
            points: vec![("loss".into(), 0.3), ("lr".into(), 0.001)],
            ..Report::default()
        };
        assert_eq!(read(line), Some(expected));
    }

    #[test]
    fn other_json_stays_in_the_log() {
        for line in
            ["", "hello", "[1]", "{}", "{\"a\"", "{\"msg\":\"only text\"}", "{\"progress\":null}", "3", "{1}"]
        {
            assert_eq!(read(line), None, "{line}");
        }
    }

    #[test]
    fn a_line_with_unknown_keys_stays_in_the_log() {
        let odd = |line: &str| read(line).is_some_and(|report| report.odd);
        assert!(odd(r#"{"loss":0.1,"best":true}"#));
        assert!(odd(r#"{"done":1,"progress":40}"#), "a fraction is not a percentage");
        assert!(odd(r#"{"done":1,"total":-1}"#));
        assert!(odd(r#"{"progress":50}"#));
        assert!(!odd(r#"{"done":1,"total":null}"#));
    }

    #[test]
    fn a_non_numeric_loss_is_still_a_report() {
        let report = read(r#"{"done": 4, "note \" NaN": NaN, "loss": -Infinity}"#).unwrap();
        assert_eq!(report.done, Some(4));
        assert!(report.points[0].1.is_nan() && report.points[0].0 == "note \" NaN");
        assert_eq!(report.points[1], ("loss".to_owned(), f64::NEG_INFINITY));
    }

    #[test]
    fn one_invalid_value_of_a_report_is_named_and_the_others_are_used() {
        let report = read(r#"{"done":1,"total":3,"loss":1e999,"gain":-1e400,"lr":1e-3}"#).unwrap();
        assert_eq!((report.done, report.total, report.odd), (Some(1), Some(3), false));
        let points = [("loss", f64::INFINITY), ("gain", f64::NEG_INFINITY), ("lr", 0.001)];
        assert_eq!(report.points, points.map(|(name, y)| (name.to_owned(), y)));
        for (line, wrong) in [
            (r#"{"progress":50}"#, "progress must be from 0 to 1, got 50"),
            (r#"{"progress":1.7,"loss":1}"#, "progress must be from 0 to 1, got 1.7"),
            (r#"{"done":"9"}"#, "done must be a number from 0 to 9,000,000,000,000,000, got \"9\""),
            (
                r#"{"total":10000000000000000}"#,
                "total must be a number from 0 to 9,000,000,000,000,000, got 10000000000000000",
            ),
            (r#"{"done":-4}"#, "done must be a number from 0 to 9,000,000,000,000,000, got -4"),
            (r#"{"done":5,"total":0}"#, "total must be more than 0, got 0"),
            (r#"{"step":"a","loss":1}"#, "step must be a number, got \"a\""),
            (r#"{"phase":0}"#, "phase must be a name, or a number of at least 1, got 0"),
        ] {
            let report = read(line).unwrap();
            assert_eq!(report.wrong.iter().map(|(_, why)| why.as_str()).collect::<Vec<_>>(), [wrong]);
            assert!(report.odd, "{line}");
        }
        assert_eq!(read(r#"{"done":5,"total":0}"#).unwrap().done, Some(5));
        assert_eq!(read(r#"{"done":0,"total":0}"#).unwrap().wrong, []);
        assert_eq!(read(r#"{"done":9e15,"total":9e15}"#).unwrap().wrong, []);
    }

    #[test]
    fn a_rejected_number_is_outside_the_range_that_its_warning_names() {
        for n in [-1.0, -1e-9, 9e15 + 2.0, 1e16, 1e30] {
            for key in ["done", "total"] {
                let report = read(&json!({ key: n }).to_string()).unwrap();
                let range = "a number from 0 to 9,000,000,000,000,000";
                assert!(report.wrong[0].1.contains(range), "{:?}", report.wrong);
            }
        }
    }

    #[test]
    fn a_result_is_any_json_and_a_log_line_has_its_level() {
        assert_eq!(read(r#"{"result":{"a":[1,null]}}"#).unwrap().result, Some(json!({"a": [1, null]})));
        assert_eq!(read(r#"{"level":"warning","log":"x"}"#).unwrap().log, Some((LogLevel::Warn, "x".into())));
        assert_eq!(read(r#"{"log":"x","level":"ERROR"}"#).unwrap().log, Some((LogLevel::Error, "x".into())));
    }

    proptest! {
        #[test]
        fn no_line_panics(line in "\\PC{0,80}", inner in "[-NaInfity\"\\\\{},:0-9e. é]{0,60}") {
            let _ = read(&line);
            let _ = read(&format!("{{{inner}}}"));
        }

        #[test]
        fn every_finite_number_is_a_point(y in proptest::num::f64::NORMAL, name in "[a-z_]{1,20}") {
            prop_assume!(!["done", "total", "step", "progress", "phase", "unit", "message", "log", "level", "result"].contains(&name.as_str()));
            let report = read(&json!({ name.clone(): y }).to_string()).unwrap();
            // The parser can be off in the last digit.
            prop_assert!(report.points.len() == 1 && report.points[0].0 == name);
            prop_assert!((report.points[0].1 / y - 1.0).abs() < 1e-15);
        }
    }
}
