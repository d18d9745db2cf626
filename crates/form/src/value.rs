//! Values as people write them.

use serde_json::Value;

/// Number as people write it: a whole number without a decimal point, however it was given.
pub(crate) fn as_number(n: f64) -> Value {
    /// Largest value up to which a float represents every whole number.
    const MAX_EXACT: f64 = 9_007_199_254_740_992.0;
    if n.fract() == 0.0 && n.abs() <= MAX_EXACT { Value::from(n as i64) } else { Value::from(n) }
}

/// Value without the quotes of JSON.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(s) => s.clone(),
        other => other.to_string(),
    }
}

/// Value as quoted in a message, shortened if long.
pub(crate) fn shown(value: &Value) -> String {
    let text = plain(value);
    let cut: String = text.chars().take(40).collect();
    if cut.len() < text.len() { format!("'{cut}…'") } else { format!("'{cut}'") }
}
