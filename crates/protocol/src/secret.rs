//! Marker of a secret parameter: `{"secret": true}` instead of its value, everywhere but in the request to the host.
//!
//! Parameters are single values, never objects, so the marker can't be mistaken for one.

use serde_json::{Value, json};

/// Text shown to people instead of a secret value.
pub const HIDDEN: &str = "(secret)";

/// Marker of a secret parameter that has a value.
pub fn marker() -> Value {
    json!({"secret": true})
}

/// Whether a value is the marker.
pub fn is_marker(value: &Value) -> bool {
    value
        .as_object()
        .is_some_and(|object| object.len() == 1 && object.get("secret") == Some(&Value::Bool(true)))
}

/// Names of the parameters that have a secret value.
pub fn names(params: &Value) -> impl Iterator<Item = &str> {
    let all = params.as_object().into_iter().flatten();
    all.filter(|(_, value)| is_marker(value)).map(|(name, _)| name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_marker_is_one() {
        assert!(is_marker(&marker()));
        for other in [json!({"secret": false}), json!({"secret": true, "a": 1}), json!("secret"), json!({})] {
            assert!(!is_marker(&other), "{other}");
        }
        let params = json!({"user": "me", "token": marker(), "pin": marker()});
        assert_eq!(names(&params).collect::<Vec<_>>(), ["token", "pin"]);
    }
}
