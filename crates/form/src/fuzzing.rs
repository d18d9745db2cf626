//! What holds for any schema of a host and any parameters; `make fuzz` searches for some that break it.

use crate::{Field, FieldKind, Form};
use serde_json::Value;

/// Valid parameters stay the same when they are validated again, and a typed number is valid. The lines of the input
/// are a schema, parameters, and a typed text.
pub fn schema(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.splitn(3, '\n');
    let mut next = || lines.next().unwrap_or_default();
    let (schema, params, typed) = (next(), next(), next());
    let Ok(form) = serde_json::from_str::<Value>(schema)
        .map_err(drop)
        .and_then(|schema| Form::from_schema(&schema).map_err(drop))
    else {
        return;
    };
    let params = serde_json::from_str(params).unwrap_or_default();
    // A host may declare a default that it does not accept itself.
    let fits = |field: &Field| {
        field.default.as_ref().is_none_or(|default| field.check(default).as_ref() == Ok(default))
    };
    match form.check(&params) {
        Ok(checked) if form.fields.iter().all(fits) => {
            assert_eq!(form.check(&checked).as_ref(), Ok(&checked));
            let _ = (form.titled(&checked), form.exclusive_key(&checked));
        }
        Ok(_) => {}
        Err(errors) => assert!(!errors.is_empty(), "rejected without a reason"),
    }
    for field in &form.fields {
        let read = field.read(typed);
        let is_number = matches!(field.kind, FieldKind::Integer { .. } | FieldKind::Number { .. });
        if let Ok(Some(value)) = read.as_ref().map(Option::as_ref)
            && is_number
        {
            assert_eq!(field.check(value).as_ref(), Ok(value));
        }
    }
}

#[cfg(test)]
#[test]
fn the_stored_inputs_hold() {
    fuzz_corpus::each("schema", schema);
}
