//! JSON values of parameters and results. Pure.

use super::figure::{NO_FIGURE, figure, grouped};
use super::number::count;
use protocol::secret;

/// JSON value of a result: strings without quotes, numbers formatted.
pub fn value(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Number(n) if n.is_f64() => n.as_f64().map_or_else(|| n.to_string(), figure),
        other => param(other),
    }
}

/// JSON value of a parameter: as [`value`], with all digits.
pub fn param(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(s) => s.clone(),
        serde_json::Value::Number(n) => match (n.as_u64(), n.as_i64(), n.as_f64()) {
            (Some(n), ..) => count(n),
            (None, Some(n), _) => format!("−{}", count(n.unsigned_abs())),
            (None, None, Some(n)) => exact(n),
            _ => n.to_string(),
        },
        serde_json::Value::Null => NO_FIGURE.to_owned(),
        serde_json::Value::Bool(true) => "yes".to_owned(),
        serde_json::Value::Bool(false) => "no".to_owned(),
        hidden if secret::is_marker(hidden) => secret::HIDDEN.to_owned(),
        other => other.to_string(),
    }
}

/// All digits. JSON writes 10000.0 for a float of 10,000.
fn exact(n: f64) -> String {
    let size = n.abs();
    let text = if size == 0.0 || (1e-4..1e15).contains(&size) {
        grouped(&size.to_string())
    } else {
        format!("{size:e}")
    };
    if n < 0.0 { format!("−{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn a_param_has_all_digits_and_a_result_those_of_a_figure() {
        let both = |text: &str| {
            let json = serde_json::from_str(text).unwrap();
            (param(&json), value(&json))
        };
        let same = |text: &str| (text.to_owned(), text.to_owned());
        assert_eq!(both("0.123456789"), ("0.123456789".to_owned(), "0.123457".to_owned()));
        assert_eq!(both("10000.0"), same("10,000"));
        assert_eq!(both("-10000"), same("−10,000"));
        assert_eq!(both("18446744073709551615"), same("18,446,744,073,709,551,615"));
        assert_eq!(both("1e308"), same("1e308"));
        assert_eq!(both("1e-7"), same("1e-7"));
        assert_eq!(both("null"), same("–"));
        assert_eq!(both(r#"{"secret": true}"#), same("(secret)"));
    }

    proptest::proptest! {
        #[test]
        fn no_parameter_panics(n: f64) {
            let _ = exact(n);
        }
    }
}
