//! `x-exclusive`: parameters that name something which only one operation may use at a time.

use serde_json::Value;

/// Key of a schema's root: names of parameters. Operations of the kind with the same values of them run one after
/// another. Operations without any of these values are not affected.
pub const EXCLUSIVE_KEY: &str = "x-exclusive";

/// Reads the names.
///
/// # Errors
/// If it is no list of parameters.
pub(crate) fn from_schema(schema: &Value, known: &dyn Fn(&str) -> bool) -> Result<Vec<String>, String> {
    let Some(given) = schema.get(EXCLUSIVE_KEY) else { return Ok(Vec::new()) };
    let list = || format!("{EXCLUSIVE_KEY} must be a list of parameter names");
    let given = given.as_array().ok_or_else(list)?;
    let mut names = Vec::with_capacity(given.len());
    for name in given {
        let name = name.as_str().ok_or_else(list)?;
        if !known(name) {
            return Err(format!("{EXCLUSIVE_KEY} names '{name}', which is not a parameter"));
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use serde_json::{Value, json};

    fn form(exclusive: Value) -> Result<Form, String> {
        let properties = json!({"symbol": {"type": "string"}, "rows": {"type": "integer"}});
        Form::from_schema(&json!({"type": "object", "properties": properties, "x-exclusive": exclusive}))
    }

    #[test]
    fn operations_with_the_same_values_have_the_same_key() {
        let form = form(json!(["symbol"])).unwrap();
        let key = |params| form.exclusive_key(&params);
        assert_eq!(key(json!({"symbol": "A", "rows": 1})), key(json!({"symbol": "A", "rows": 2})));
        assert_ne!(key(json!({"symbol": "A"})), key(json!({"symbol": "B"})));
        assert_eq!(key(json!({"rows": 1})), None, "without a value nothing is exclusive");
    }

    #[test]
    fn a_schema_with_an_unknown_exclusive_param_is_rejected() {
        assert!(form(json!(["sybmol"])).unwrap_err().contains("'sybmol'"));
        assert!(form(json!("symbol")).is_err() && form(json!([1])).is_err());
    }
}
