//! Form of a kind's parameters, read from JSON Schema: the page draws fields with it, and page, server and host
//! validate with it. The same code is used everywhere.
//!
//! Supports the part of JSON Schema that flat parameters need: string, integer, number, boolean, enum and `oneOf` of
//! constants, bounds, length, pattern by `format`, default, examples, null for "not set", and `$ref` into `$defs`;
//! `x-verbatim` for a text that keeps the spaces around it; `x-when` for a parameter that applies only while others
//! have certain values; `x-fills` for values that suggest values of other parameters; `x-about` for notes on values;
//! `x-advanced` for a parameter that is rarely changed; `format: password` or `writeOnly` for a secret text; and, at
//! the root, `x-exclusive` for parameters whose values only one running operation may have. A kind whose schema needs
//! more is refused when its host declares it, not when it is used.
//!
//! Knows JSON Schema and values. Must not know pages, hosts or HTTP. Compiles to native code and to WebAssembly.

mod about;
mod exclusive;
mod field;
mod fills;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod number;
mod schema;
mod secret;
mod similar;
mod value;
mod when;

pub use about::{ABOUT_KEY, About, ValueNote};
pub use exclusive::EXCLUSIVE_KEY;
pub use field::{Choice, Field, FieldKind};
pub use fills::{FILLS_KEY, Fills};
pub use number::ungrouped;
pub use similar::distance;
pub use when::When;

use protocol::FieldError;
use serde_json::{Map, Value, json};
use value::plain;

/// Fields of a kind's parameters, in the order of the schema.
#[derive(Clone, PartialEq, Debug)]
pub struct Form {
    pub fields: Vec<Field>,
    /// Parameters that name something which only one operation may use at a time.
    pub exclusive: Vec<String>,
}

impl Form {
    /// Whether both forms have the same fields, apart from suggested values.
    pub fn asks_alike(&self, other: &Form) -> bool {
        let plain = |field: &Field| Field {
            examples: Vec::new(),
            about: About::default(),
            fills: Fills::default(),
            ..field.clone()
        };
        self.fields.iter().map(plain).eq(other.fields.iter().map(plain))
    }

    /// Key of the operations that may not run at the same time as one with these parameters; `None` if all may.
    pub fn exclusive_key(&self, params: &Value) -> Option<String> {
        let values: Vec<Option<&Value>> =
            self.exclusive.iter().map(|name| params.get(name).filter(|value| !value.is_null())).collect();
        values.iter().any(Option::is_some).then(|| json!(values).to_string())
    }

    /// Which fields apply, in order. `now` returns the value of a field as text, or its default.
    pub fn shown(&self, now: &dyn Fn(usize) -> Option<String>) -> Vec<bool> {
        let mut shown: Vec<bool> = Vec::with_capacity(self.fields.len());
        for field in &self.fields {
            let matters = field.when.holds(&|name| {
                let at = self.fields[..shown.len()].iter().position(|f| f.name == name)?;
                let given = || now(at).or_else(|| self.fields[at].default.as_ref().map(plain));
                shown[at].then(given).flatten()
            });
            shown.push(matters);
        }
        shown
    }

    /// Validates parameters; returns them with defaults, and without those that do not apply.
    ///
    /// # Errors
    /// An error for each invalid, missing or unknown parameter, with the correct form.
    pub fn check(&self, params: &Value) -> Result<Value, Vec<FieldError>> {
        let empty = Map::new();
        let given = match params {
            Value::Object(given) => given,
            Value::Null => &empty,
            _ => {
                return Err(vec![FieldError::new(
                    "",
                    "Parameters must be a JSON object, such as {\"symbol\": \"MSFT\"}.",
                )]);
            }
        };
        let mut errors = Vec::new();
        let mut out = Map::new();
        for name in given.keys() {
            if !self.fields.iter().any(|f| &f.name == name) {
                errors.push(FieldError::new(name, self.unknown(name)));
            }
        }
        // Conditions apply to values as they are returned: without the spaces around them, and 3 for 3.0.
        let values: Vec<Option<Value>> = self
            .fields
            .iter()
            .map(|field| {
                let value = given.get(&field.name).filter(|value| !value.is_null())?;
                Some(field.check(value).unwrap_or_else(|_| value.clone()))
            })
            .collect();
        let shown = self.shown(&|at| values[at].as_ref().map(plain));
        for (field, _) in self.fields.iter().zip(shown).filter(|(_, shown)| *shown) {
            match given.get(&field.name) {
                None | Some(Value::Null) => match (&field.default, field.required) {
                    (Some(default), _) if !default.is_null() => {
                        out.insert(field.name.clone(), default.clone());
                    }
                    (_, true) => {
                        errors.push(FieldError::new(&field.name, format!("{} is required.", field.title)))
                    }
                    _ => {}
                },
                Some(value) => match field.check(value) {
                    Ok(value) => {
                        out.insert(field.name.clone(), value);
                    }
                    Err(message) => errors.push(FieldError::new(&field.name, message)),
                },
            }
        }
        if errors.is_empty() { Ok(Value::Object(out)) } else { Err(errors) }
    }

    /// Parameters for people: a value that has a title is that title (`SMA cross` for `sma_cross`), unless they differ
    /// by case only.
    pub fn titled(&self, params: &Value) -> Value {
        let mut params = params.clone();
        for field in &self.fields {
            let FieldKind::Choice { options } = &field.kind else { continue };
            let Some(value) = params.get_mut(&field.name) else { continue };
            let choice = options.iter().find(|choice| Some(choice.value.as_str()) == value.as_str());
            if let Some(choice) = choice.filter(|c| !c.title.eq_ignore_ascii_case(&c.value)) {
                *value = Value::from(choice.title.as_str());
            }
        }
        params
    }

    /// Takes the values of secret parameters out of checked parameters, and leaves the marker for each.
    pub fn take_secrets(&self, params: &mut Value) -> Vec<(String, String)> {
        let mut taken = Vec::new();
        for field in self.fields.iter().filter(|field| field.secret) {
            let Some(value) = params.get_mut(&field.name) else { continue };
            if let Value::String(text) = std::mem::replace(value, protocol::secret::marker()) {
                taken.push((field.name.clone(), text));
            }
        }
        taken
    }

    /// Whether a parameter is secret.
    pub fn is_secret(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.secret && field.name == name)
    }

    fn unknown(&self, name: &str) -> String {
        let near = self
            .fields
            .iter()
            .map(|f| (distance(&f.name, name), f.name.as_str()))
            .min()
            .filter(|(d, known)| *d <= 1 + known.len() / 4);
        match near {
            Some((_, known)) => format!("Unknown parameter '{name}'. Did you mean '{known}'?"),
            None => {
                let names: Vec<_> = self.fields.iter().map(|f| f.name.as_str()).collect();
                format!("Unknown parameter '{name}'. Parameters: {}.", names.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests;
