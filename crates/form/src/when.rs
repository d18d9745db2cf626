//! Conditions: a parameter may apply only for certain values of others.
//!
//! JSON Schema can express that with `if` and `then`, in more ways than a form can follow. Here, a property declares it
//! itself: `"x-when": {"source": ["synthetic"]}`.

use serde_json::Value;

/// Key in a property.
const KEY: &str = "x-when";

/// Condition of a parameter: each of these parameters has one of these values. Empty: it always applies.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct When(Vec<(String, Vec<String>)>);

impl When {
    /// Reads it from a property. `before` are the preceding parameters; a condition may depend only on those, so that
    /// there are no cycles.
    ///
    /// # Errors
    /// If it is invalid.
    pub(crate) fn from_schema(property: &Value, before: &[&str]) -> Result<Self, String> {
        let Some(conditions) = property.get(KEY) else { return Ok(Self::default()) };
        let conditions = conditions
            .as_object()
            .ok_or_else(|| format!("{KEY} must be an object of parameters and their values"))?;
        let mut all = Vec::with_capacity(conditions.len());
        for (name, values) in conditions {
            if !before.contains(&name.as_str()) {
                return Err(format!(
                    "{KEY} names '{name}', which is not a parameter declared before this one"
                ));
            }
            let values = match values {
                Value::Array(values) => values.iter().map(crate::value::plain).collect(),
                one => vec![crate::value::plain(one)],
            };
            all.push((name.clone(), values));
        }
        Ok(Self(all))
    }

    /// Names of the parameters that it depends on.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Whether it holds. `now` returns the value of a parameter; `None` if it is not set or does not apply itself.
    pub(crate) fn holds(&self, now: &dyn Fn(&str) -> Option<String>) -> bool {
        self.0.iter().all(|(name, values)| now(name).is_some_and(|now| values.contains(&now)))
    }
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "source": {"enum": ["csv", "synthetic"], "default": "csv"},
                "seed": {"type": "integer", "default": 1, "x-when": {"source": ["synthetic"]}},
                "walk": {"enum": ["plain", "jumps"], "default": "plain", "x-when": {"source": "synthetic"}},
                "jumps": {"type": "integer", "minimum": 1, "x-when": {"source": "synthetic", "walk": ["jumps"]}}
            },
            "required": ["jumps"]
        })
    }

    fn form() -> Form {
        Form::from_schema(&schema()).unwrap()
    }

    #[test]
    fn an_inactive_param_is_not_required_filled_in_or_validated() {
        assert_eq!(form().check(&json!({})).unwrap(), json!({"source": "csv"}));
        let given = json!({"source": "csv", "seed": "not even a number", "jumps": 0});
        assert_eq!(form().check(&given).unwrap(), json!({"source": "csv"}));
        let matters = form().check(&json!({"source": "synthetic"})).unwrap();
        assert_eq!(matters, json!({"source": "synthetic", "seed": 1, "walk": "plain"}));
    }

    #[test]
    fn an_active_param_is_validated() {
        let wrong = |params: Value| form().check(&params).unwrap_err().remove(0).message;
        assert_eq!(wrong(json!({"source": "synthetic", "walk": "jumps"})), "Jumps is required.");
        assert!(wrong(json!({"source": "synthetic", "seed": "x"})).contains("whole number"));
        let all = json!({"source": "synthetic", "seed": 2, "walk": "jumps", "jumps": 3});
        assert_eq!(form().check(&all).unwrap(), all);
    }

    #[test]
    fn a_param_can_only_depend_on_an_earlier_one() {
        let of = |when: Value| {
            Form::from_schema(&json!({"type": "object", "properties": {
                "a": {"type": "string", "x-when": when}, "b": {"type": "string"}
            }}))
            .unwrap_err()
        };
        let conditions = "parameter 'a': x-when names 'b', which is not a parameter declared before this one";
        assert_eq!(of(json!({"b": "1"})), conditions);
        assert!(of(json!({"a": "1"})).contains("names 'a'"));
        assert!(of(json!(["b"])).contains("must be an object"));
    }

    proptest! {
        #[test]
        fn valid_params_pass_a_second_validation_unchanged(
            source in "csv|synthetic", seed in 0i64..9, walk in "plain|jumps", jumps in 1i64..9
        ) {
            let given = json!({"source": source, "seed": seed, "walk": walk, "jumps": jumps});
            let once = form().check(&given).unwrap();
            prop_assert_eq!(form().check(&once).unwrap(), once);
        }
    }
}
