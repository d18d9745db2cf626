//! What a person has typed into a form, and what it means as params.

use crate::format;
use leptos::prelude::*;
use protocol::{Field, FieldError, FieldKind, Form};
use serde_json::{Map, Value};

/// What a field shows at first: what the address says, else the default, else nothing.
pub fn first_text(field: &Field, given: Option<String>) -> String {
    match (given, &field.default, &field.kind) {
        (Some(given), _, _) => given,
        (None, Some(Value::String(default)), _) => default.clone(),
        // 2.0 is how JSON writes a 2 that may have decimals; nobody types it so.
        (None, Some(Value::Number(n)), _) => n.as_f64().map_or_else(|| n.to_string(), |n| n.to_string()),
        (None, Some(default), _) => default.to_string(),
        (None, None, FieldKind::Switch) => "false".to_owned(),
        (None, None, _) => String::new(),
    }
}

/// Reads all fields and checks them as the server will.
///
/// # Errors
/// Every field that is wrong, in the order of the form.
pub fn read(form: &Form, typed: &[String]) -> Result<Value, Vec<FieldError>> {
    let mut params = Map::new();
    let mut errors = Vec::new();
    for (field, text) in form.fields.iter().zip(typed) {
        match field.read(text) {
            Ok(Some(value)) => {
                params.insert(field.name.clone(), value);
            }
            Ok(None) => {}
            Err(message) => errors.push(FieldError::new(&field.name, message)),
        }
    }
    let params = Value::Object(params);
    if let Err(found) = form.check(&params) {
        // A field that can't be read is not also missing.
        let known: Vec<String> = errors.iter().map(|e| e.field.clone()).collect();
        errors.extend(found.into_iter().filter(|e| !known.contains(&e.field)));
    }
    if errors.is_empty() {
        return Ok(params);
    }
    errors.sort_by_key(|e| form.fields.iter().position(|f| f.name == e.field));
    Err(errors)
}

/// What is allowed, in a few words, for beside the label: `1 to 1,000,000`.
pub fn bounds(kind: &FieldKind) -> String {
    let whole = |n: i64| if n < 0 { n.to_string() } else { format::count(n as u64) };
    match kind {
        FieldKind::Integer { min: Some(min), max: Some(max) } => {
            format!("{} to {}", whole(*min), whole(*max))
        }
        FieldKind::Integer { min: Some(min), max: None } => format!("at least {}", whole(*min)),
        FieldKind::Integer { min: None, max: Some(max) } => format!("at most {}", whole(*max)),
        FieldKind::Number { min: Some(min), max: Some(max) } => format!("{min} to {max}"),
        FieldKind::Number { min: Some(min), max: None } => format!("at least {min}"),
        FieldKind::Number { min: None, max: Some(max) } => format!("at most {max}"),
        FieldKind::Time => "UTC".to_owned(),
        _ => String::new(),
    }
}

/// The form while it is filled in: one signal a field.
#[derive(Clone, Copy)]
pub struct Typed {
    form: StoredValue<Form>,
    texts: StoredValue<Vec<RwSignal<String>>>,
    /// What is wrong, as last checked here or by the server.
    pub errors: RwSignal<Vec<FieldError>>,
}

impl Typed {
    /// A form filled from `given`, which looks up a param by its name.
    pub fn new(form: Form, given: impl Fn(&str) -> Option<String>) -> Self {
        let texts =
            form.fields.iter().map(|field| RwSignal::new(first_text(field, given(&field.name)))).collect();
        Self { form: StoredValue::new(form), texts: StoredValue::new(texts), errors: RwSignal::default() }
    }

    /// Its fields, each with the signal of what is typed.
    pub fn fields(&self) -> Vec<(Field, RwSignal<String>)> {
        self.form.with_value(|form| {
            self.texts.with_value(|texts| form.fields.iter().cloned().zip(texts.iter().copied()).collect())
        })
    }

    /// The params, if all is well; what is wrong is in [`Typed::errors`] then.
    pub fn params(&self) -> Option<Value> {
        let texts: Vec<String> =
            self.texts.with_value(|texts| texts.iter().map(|t| t.get_untracked()).collect());
        match self.form.with_value(|form| read(form, &texts)) {
            Ok(params) => {
                self.errors.set(Vec::new());
                Some(params)
            }
            Err(errors) => {
                self.errors.set(errors);
                None
            }
        }
    }

    /// What is wrong with one field. Tracked.
    pub fn error_of(&self, name: &str) -> Option<String> {
        self.errors.with(|errors| errors.iter().find(|e| e.field == name).map(|e| e.message.clone()))
    }

    /// What is wrong with no field of the form. Tracked.
    pub fn other_errors(&self) -> Vec<String> {
        self.form.with_value(|form| {
            self.errors.with(|errors| {
                let of_none = |e: &&FieldError| !form.fields.iter().any(|f| f.name == e.field);
                errors.iter().filter(of_none).map(|e| e.message.clone()).collect()
            })
        })
    }

    /// A field was changed: what was said of it no longer holds.
    pub fn forgive(&self, name: &str) {
        if self.errors.with_untracked(|errors| errors.iter().any(|e| e.field == name)) {
            self.errors.update(|errors| errors.retain(|e| e.field != name));
        }
    }

    /// The id of a field's control on the page.
    pub fn id_of(name: &str) -> String {
        format!("param-{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn form() -> Form {
        Form::from_schema(&json!({
            "type": "object",
            "required": ["symbol"],
            "properties": {
                "symbol": {"type": "string", "minLength": 1, "maxLength": 12},
                "rows": {"type": ["integer", "null"], "minimum": 1, "maximum": 1000000},
                "mode": {"enum": ["full", "tail"], "default": "full"},
                "dry": {"type": "boolean"}
            }
        }))
        .unwrap()
    }

    fn typed(texts: [&str; 4]) -> Result<Value, Vec<FieldError>> {
        read(&form(), &texts.map(str::to_owned))
    }

    #[test]
    fn what_is_typed_becomes_params_and_what_is_empty_is_left_out() {
        let params = typed(["MSFT", "20,000", "tail", "true"]).unwrap();
        assert_eq!(params, json!({"symbol": "MSFT", "rows": 20000, "mode": "tail", "dry": true}));
        assert_eq!(
            typed(["MSFT", " ", "full", "false"]).unwrap(),
            json!({"symbol": "MSFT", "mode": "full", "dry": false})
        );
    }

    #[test]
    fn each_wrong_field_is_named_once_in_the_order_of_the_form() {
        let errors = typed(["", "many", "half", "true"]).unwrap_err();
        let names: Vec<_> = errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(names, ["symbol", "rows", "mode"]);
    }

    #[test]
    fn the_address_goes_before_the_default() {
        let form = form();
        let mode = &form.fields[2];
        assert_eq!(first_text(mode, Some("tail".into())), "tail");
        assert_eq!(first_text(mode, None), "full");
        assert_eq!(first_text(&form.fields[0], None), "");
        assert_eq!(first_text(&form.fields[3], None), "false");
    }

    #[test]
    fn bounds_are_said_in_a_few_words() {
        assert_eq!(bounds(&form().fields[1].kind), "1 to 1,000,000");
        assert_eq!(bounds(&form().fields[0].kind), "");
    }
}
