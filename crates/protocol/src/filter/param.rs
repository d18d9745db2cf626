//! Parameter with a wanted value, compared as people write values: ignoring case, and numbers by value.

use serde_json::{Number, Value};

/// Longest value that can be searched; longer ones, such as whole texts, never match.
const MAX_VALUE_CHARS: usize = 200;
/// Largest whole number written without fraction or exponent.
const WHOLE: f64 = 1e15;

/// `param.symbol=MSFT`
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ParamIs {
    pub name: String,
    pub value: String,
}

impl ParamIs {
    /// Forms that [`plain`] may return for a matching value: as text, and as a number if it is one.
    pub fn meant(&self) -> Vec<String> {
        let text = self.value.trim().to_lowercase();
        let numeric = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e'));
        let number = json::float(&text).filter(|_| numeric).and_then(Number::from_f64);
        let number = number.map(|n| written(&n)).filter(|written| *written != text);
        std::iter::once(text).chain(number).collect()
    }

    /// Whether these parameters match.
    pub fn fits(&self, params: &Value) -> bool {
        let value = params.get(&self.name).and_then(plain);
        value.is_some_and(|value| self.meant().contains(&value))
    }
}

/// Comparable form of a value; `None` for values that are not searched.
pub fn plain(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_lowercase(),
        Value::Number(number) => written(number),
        Value::Bool(on) => on.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    Some(text).filter(|text| !text.is_empty() && text.len() <= MAX_VALUE_CHARS)
}

/// `10000` for 10,000 and for 10000.0.
fn written(number: &Number) -> String {
    match number.as_f64() {
        Some(n) if number.is_f64() && n.fract() == 0.0 && n.abs() < WHOLE => (n as i64).to_string(),
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fits(value: &str, params: &Value) -> bool {
        ParamIs { name: "x".into(), value: value.into() }.fits(params)
    }

    #[test]
    fn values_are_compared_as_people_write_them() {
        assert!(fits("msft", &json!({"x": "MSFT"})));
        assert!(!fits("MS", &json!({"x": "MSFT"})));
        for typed in ["10000", "1e4", "10000.0", "+10000"] {
            assert!(fits(typed, &json!({"x": 10_000.0})), "{typed}");
            assert!(fits(typed, &json!({"x": 10_000})), "{typed}");
        }
        assert!(fits("0.00001", &json!({"x": 1e-5})));
        assert!(fits("true", &json!({"x": true})));
        // Text that looks like a number is still text.
        assert!(fits("007", &json!({"x": "007"})));
        assert!(!fits("", &json!({"x": ""})) && !fits("null", &json!({"x": null})) && !fits("1", &json!({})));
    }
}
