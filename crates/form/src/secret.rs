//! Secret parameters: texts whose values are never shown. A schema that would disclose a value is refused.

use crate::about::ABOUT_KEY;
use crate::fills::FILLS_KEY;
use crate::{Field, FieldKind};
use serde_json::Value;

/// Whether a property is secret: `format: password`, or `writeOnly: true`, in one of the schemas that describe it.
///
/// # Errors
/// If a schema within them says so: a secret that nobody recognizes would be shown.
pub(crate) fn is_secret(schemas: &[&Value]) -> Result<bool, String> {
    if schemas.iter().any(|schema| is_marked(schema)) {
        return Ok(true);
    }
    if schemas.iter().any(|schema| within(schema).any(is_marked_anywhere)) {
        return Err("'format: password' and 'writeOnly' must be keys of the parameter itself".to_owned());
    }
    Ok(false)
}

fn is_marked(schema: &Value) -> bool {
    schema.get("format").and_then(Value::as_str) == Some("password")
        || schema.get("writeOnly").and_then(Value::as_bool) == Some(true)
}

fn is_marked_anywhere(value: &Value) -> bool {
    is_marked(value) || within(value).any(is_marked_anywhere)
}

/// Values within a value.
fn within(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value {
        Value::Object(object) => Box::new(object.values()),
        Value::Array(list) => Box::new(list.iter()),
        _ => Box::new(std::iter::empty()),
    }
}

/// Refuses keys that contain values.
pub(crate) fn refuse_keys(schemas: &[&Value]) -> Result<(), String> {
    for key in ["default", "examples", "enum", "const", "oneOf", ABOUT_KEY, FILLS_KEY] {
        let given = |schema: &Value| schema.get(key).is_some_and(|value| !value.is_null());
        if schemas.iter().any(|schema| given(schema)) {
            return Err(format!(
                "a secret parameter can't have '{key}', because everyone who starts operations reads it"
            ));
        }
    }
    Ok(())
}

/// Type of a secret parameter: a text of one line, kept exactly as given.
pub(crate) fn of_kind(kind: FieldKind) -> Result<FieldKind, String> {
    match kind {
        FieldKind::Text { multiline: true, .. } => {
            Err("a secret parameter can't be multiline, because forms can't hide several lines".to_owned())
        }
        FieldKind::Text { min_length, max_length, multiline, .. } => {
            Ok(FieldKind::Text { min_length, max_length, multiline, verbatim: true })
        }
        _ => Err("only a text can be secret".to_owned()),
    }
}

/// Refuses other parameters that would tell or contain the value of a secret one.
pub(crate) fn refuse_disclosure(fields: &[Field]) -> Result<(), String> {
    let is_secret = |name: &&str| fields.iter().any(|field| field.secret && field.name == **name);
    for field in fields {
        if let Some(name) = field.when.names().find(is_secret) {
            return Err(format!("parameter '{}': x-when names '{name}', which is secret", field.name));
        }
        if let Some(name) = field.fills.names().find(is_secret) {
            return Err(format!("parameter '{}': {FILLS_KEY} names '{name}', which is secret", field.name));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use protocol::secret::{is_marker, marker};
    use serde_json::{Value, json};

    fn form(token: Value, more: Value) -> Result<Form, String> {
        let mut properties = json!({"user": {"type": "string"}, "token": token});
        for (name, property) in more.as_object().unwrap() {
            properties[name] = property.clone();
        }
        Form::from_schema(&json!({"type": "object", "required": ["token"], "properties": properties}))
    }

    fn secret() -> Value {
        json!({"type": "string", "format": "password", "minLength": 4, "maxLength": 20})
    }

    #[test]
    fn a_password_and_a_write_only_text_are_secret() {
        let write_only = json!({"type": ["string", "null"], "writeOnly": true});
        for schema in [secret(), write_only] {
            let form = form(schema, json!({})).unwrap();
            assert!(form.is_secret("token") && !form.is_secret("user") && !form.is_secret("none"));
        }
        let open = json!({"type": "string", "writeOnly": false});
        assert!(!form(open, json!({})).unwrap().is_secret("token"));
        // Behind a reference, too.
        let schema = json!({"type": "object", "properties": {"token": {"$ref": "#/$defs/Token"}}, "$defs": {"Token": secret()}});
        assert!(Form::from_schema(&schema).unwrap().is_secret("token"));
        // On the way of references, too.
        for token in [
            json!({"$ref": "#/$defs/Token"}),
            json!({"anyOf": [{"$ref": "#/$defs/Text", "format": "password"}, {"type": "null"}]}),
        ] {
            let definitions = json!({
                "Token": {"$ref": "#/$defs/Text", "writeOnly": true},
                "Text": {"type": "string"},
            });
            let schema = json!({"type": "object", "properties": {"token": token}, "$defs": definitions});
            assert!(Form::from_schema(&schema).unwrap().is_secret("token"), "{schema}");
        }
        // Elsewhere, it would be overlooked.
        let within = json!({"type": "string", "allOf": [{"format": "password"}]});
        assert!(form(within, json!({})).unwrap_err().contains("must be keys of the parameter itself"));
    }

    #[test]
    fn a_schema_that_discloses_a_secret_is_rejected() {
        let with = |key: &str, value: Value| {
            let mut schema = secret();
            schema[key] = value;
            form(schema, json!({})).unwrap_err()
        };
        for (key, value) in [
            ("default", json!("hunter2")),
            ("examples", json!(["hunter2"])),
            ("enum", json!(["hunter2"])),
            ("x-about", json!({"hunter2": {"note": "x"}})),
            ("x-fills", json!({"hunter2": {"user": "me"}})),
        ] {
            let error = with(key, value);
            assert!(error.starts_with("parameter 'token': a secret parameter can't have"), "{error}");
            assert!(error.contains(key) && !error.contains("hunter2"), "{error}");
        }
        assert!(with("contentMediaType", json!("text/plain")).contains("multiline"));
        assert!(
            form(json!({"type": "integer", "writeOnly": true}), json!({}))
                .unwrap_err()
                .contains("only a text")
        );
        let depends = json!({"pin": {"type": "string", "x-when": {"token": "hunter2"}}});
        assert_eq!(
            form(secret(), depends).unwrap_err(),
            "parameter 'pin': x-when names 'token', which is secret"
        );
        let fills = json!({"model": {"type": "string", "x-fills": {"a": {"token": "hunter2"}}}});
        assert_eq!(
            form(secret(), fills).unwrap_err(),
            "parameter 'model': x-fills names 'token', which is secret"
        );
        let schema = json!({"type": "object", "properties": {"token": secret()}, "x-exclusive": ["token"]});
        assert_eq!(Form::from_schema(&schema).unwrap_err(), "x-exclusive names 'token', which is secret");
    }

    #[test]
    fn no_message_about_a_secret_quotes_it_or_tells_its_length() {
        let form = form(secret(), json!({})).unwrap();
        let wrong = |value: Value| form.check(&json!({"token": value})).unwrap_err().remove(0).message;
        assert_eq!(wrong(json!("abc")), "Token must have 4 to 20 characters.");
        assert_eq!(wrong(json!(123_456)), "The value of Token is not text.");
        assert_eq!(wrong(json!(["hunter2"])), "The value of Token is not text.");
        assert_eq!(wrong(json!("")), "Token is required.");
        assert_eq!(wrong(marker()), "Enter the value of Token. Stored secrets are not copied.");
    }

    #[test]
    fn secrets_are_taken_out_exactly_as_given() {
        let form = form(secret(), json!({"pin": {"type": "string", "writeOnly": true}})).unwrap();
        let mut params = form.check(&json!({"user": " me ", "token": " hunter2 "})).unwrap();
        assert_eq!(form.take_secrets(&mut params), [("token".to_owned(), " hunter2 ".to_owned())]);
        assert_eq!(params, json!({"user": "me", "token": marker()}));
        assert!(is_marker(&params["token"]));
    }
}
