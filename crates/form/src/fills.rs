//! Values of one parameter that suggest values of others: a model knows which symbol it was trained on.
//!
//! A property declares it by value: `"x-fills": {"acme-1h-0001": {"symbol": "ACME", "timeframe": "1h"}}`. A form fills
//! in these parameters when the value is chosen, and the user may change them. Validation ignores it.

use serde_json::Value;

/// Key in a property.
pub const FILLS_KEY: &str = "x-fills";

/// Values of a parameter, each with the parameters that it fills in.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Fills(Vec<(String, Vec<(String, String)>)>);

impl Fills {
    /// Reads it from a property. `known` tells whether a parameter exists.
    ///
    /// # Errors
    /// A sentence about a part that is not an object, or names an unknown parameter.
    pub(crate) fn from_schema(property: &Value, known: &dyn Fn(&str) -> bool) -> Result<Self, String> {
        let Some(fills) = property.get(FILLS_KEY) else { return Ok(Self::default()) };
        let shape =
            || format!("{FILLS_KEY} must be an object that maps each value to an object of parameters");
        let mut all = Vec::new();
        for (value, params) in fills.as_object().ok_or_else(shape)? {
            let params = params.as_object().ok_or_else(shape)?;
            if let Some(unknown) = params.keys().find(|name| !known(name)) {
                return Err(format!("{FILLS_KEY} names the unknown parameter '{unknown}'"));
            }
            let texts = params.iter().map(|(name, value)| (name.clone(), crate::value::plain(value)));
            all.push((value.clone(), texts.collect()));
        }
        Ok(Self(all))
    }

    /// Names of the parameters that any value fills in.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|(_, params)| params).map(|(name, _)| name.as_str())
    }

    /// Parameters that a value fills in, by name, as text. Empty for other values.
    pub fn of(&self, value: &str) -> &[(String, String)] {
        self.0.iter().find(|(known, _)| known == value).map_or(&[], |(_, params)| params)
    }
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use serde_json::json;

    fn form(fills: serde_json::Value) -> Result<Form, String> {
        Form::from_schema(&json!({"type": "object", "properties": {
            "symbol": {"type": "string"},
            "bars": {"type": "integer"},
            "model": {"type": "string", "x-fills": fills}
        }}))
    }

    #[test]
    fn a_value_fills_in_other_params_only_if_it_defines_them() {
        let form = form(json!({"a-1h": {"symbol": "A", "bars": 20}})).unwrap();
        let texts = [("symbol".to_owned(), "A".to_owned()), ("bars".to_owned(), "20".to_owned())];
        assert_eq!(form.fields[2].fills.of("a-1h"), texts);
        assert!(form.fields[2].fills.of("a-1").is_empty() && form.fields[0].fills.of("a-1h").is_empty());
    }

    #[test]
    fn a_schema_that_fills_in_an_unknown_param_is_rejected() {
        let error = form(json!({"a": {"sybmol": "A"}})).unwrap_err();
        assert!(error.contains("parameter 'model'") && error.contains("'sybmol'"), "{error}");
        assert!(form(json!({"a": "A"})).is_err() && form(json!(["a"])).is_err());
    }
}
