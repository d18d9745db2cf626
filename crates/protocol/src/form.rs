//! Form of a kind's parameters, read from JSON Schema: the page draws fields with it, and page, server and host
//! validate with it. The same code is used everywhere.
//!
//! Supports the part of JSON Schema that flat parameters need: string, integer, number, boolean, enum and `oneOf` of
//! constants, bounds, length, pattern by `format`, default, examples, null for "not set", and `$ref` into `$defs`;
//! `x-when` for a parameter that applies only while others have certain values; and `x-fills` for values that suggest
//! values of other parameters. A kind whose schema needs more is refused when its host declares it, not when it is
//! used.

mod fills;
mod number;
mod when;

pub use fills::{FILLS_KEY, Fills};
pub use number::ungrouped;
pub use when::When;

use crate::rfc3339;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Fields of a kind's parameters, in the order of the schema.
#[derive(Clone, PartialEq, Debug)]
pub struct Form {
    pub fields: Vec<Field>,
}

/// Field of one parameter.
#[derive(Clone, PartialEq, Debug)]
pub struct Field {
    pub name: String,
    /// Label, from `title` or the name.
    pub title: String,
    /// Help, from `description`.
    pub help: String,
    pub required: bool,
    pub default: Option<Value>,
    /// Known valid values, suggested while typing.
    pub examples: Vec<String>,
    /// Condition; while it does not hold, the field is not shown and its value is ignored.
    pub when: When,
    /// Values that the form fills into other fields when a value is chosen.
    pub fills: Fills,
    pub kind: FieldKind,
}

/// Type of a parameter.
#[derive(Clone, PartialEq, Debug)]
pub enum FieldKind {
    Text {
        min_length: usize,
        max_length: usize,
        /// May have several lines, which are kept unchanged: `format: multiline` in the schema, or a
        /// `contentMediaType`.
        multiline: bool,
    },
    /// Day, or time with a time zone.
    Time,
    Integer {
        min: Option<i64>,
        max: Option<i64>,
    },
    Number {
        min: Option<f64>,
        max: Option<f64>,
    },
    Switch,
    Choice {
        options: Vec<Choice>,
    },
}

/// Allowed value of a parameter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice {
    pub value: String,
    /// Help for this value.
    pub help: String,
}

/// Validation error of one parameter.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// Name of the parameter.
    pub field: String,
    /// What is wrong, and which values are valid.
    pub message: String,
}

impl FieldError {
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

impl Form {
    /// Reads the schema of a kind.
    ///
    /// # Errors
    /// A sentence naming the parameter and the unsupported part of JSON Schema.
    pub fn from_schema(schema: &Value) -> Result<Self, String> {
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            return match schema.get("type").and_then(Value::as_str) {
                Some("object") => Ok(Self { fields: Vec::new() }),
                _ => Err("the parameter schema must be an object with properties".to_owned()),
            };
        };
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .map(|names| names.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let mut fields: Vec<Field> = Vec::with_capacity(properties.len());
        for (name, property) in properties {
            let wrong = |what| format!("parameter '{name}': {what}");
            let mut field = Field::from_schema(name, property, schema, required.contains(&name.as_str()))
                .map_err(wrong)?;
            let before: Vec<&str> = fields.iter().map(|f| f.name.as_str()).collect();
            field.when = When::from_schema(property, &before).map_err(wrong)?;
            let known = |name: &str| properties.contains_key(name);
            field.fills = Fills::from_schema(property, &known).map_err(wrong)?;
            fields.push(field);
        }
        Ok(Self { fields })
    }

    /// Whether both forms have the same fields, apart from suggested values.
    pub fn asks_alike(&self, other: &Form) -> bool {
        let plain = |field: &Field| Field { examples: Vec::new(), fills: Fills::default(), ..field.clone() };
        self.fields.iter().map(plain).eq(other.fields.iter().map(plain))
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
        let shown = self.shown(&|at| given.get(&self.fields[at].name).filter(|v| !v.is_null()).map(plain));
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

impl Field {
    fn from_schema(name: &str, property: &Value, root: &Value, required: bool) -> Result<Self, String> {
        let target = resolve(property, root)?;
        let text = |key: &str| {
            property.get(key).or_else(|| target.get(key)).and_then(Value::as_str).map(str::to_owned)
        };
        let nullable = is_nullable(property);
        let default = property.get("default").filter(|d| !d.is_null()).cloned();
        let examples = property
            .get("examples")
            .and_then(Value::as_array)
            .map(|list| list.iter().map(plain).collect())
            .unwrap_or_default();
        let kind = FieldKind::from_schema(target)?;
        let default = match (default, &kind) {
            (Some(Value::Number(n)), FieldKind::Number { .. }) if n.is_f64() => n.as_f64().map(as_number),
            (default, _) => default,
        };
        Ok(Self {
            name: name.to_owned(),
            title: property
                .get("title")
                .and_then(Value::as_str)
                .map_or_else(|| in_words(name), str::to_owned),
            help: text("description").unwrap_or_default(),
            required: required && !nullable && default.is_none(),
            default,
            examples,
            when: When::default(),
            fills: Fills::default(),
            kind,
        })
    }

    /// Parses text typed into a field; empty means "not set".
    ///
    /// # Errors
    /// If it does not fit the type.
    pub fn read(&self, typed: &str) -> Result<Option<Value>, String> {
        if typed.trim().is_empty() {
            return Ok(None);
        }
        if let FieldKind::Text { multiline: true, .. } = self.kind {
            return Ok(Some(Value::from(typed)));
        }
        let typed = typed.trim();
        let wrong = || format!("'{typed}' is not {}.", self.kind.takes());
        let number = || ungrouped(typed).map_err(|why| format!("{} {why}", wrong()));
        let value = match &self.kind {
            FieldKind::Integer { .. } => number()?.parse::<i64>().map(Value::from).ok(),
            FieldKind::Number { .. } => {
                number()?.parse::<f64>().ok().filter(|n| n.is_finite()).map(as_number)
            }
            FieldKind::Switch => typed.parse::<bool>().map(Value::from).ok(),
            _ => Some(Value::from(typed)),
        };
        let value = value.ok_or_else(wrong)?;
        // Bounds are also checked here, so that the message quotes the number as typed.
        let number = matches!(self.kind, FieldKind::Integer { .. } | FieldKind::Number { .. });
        if number && self.check(&value).is_err() { Err(wrong()) } else { Ok(Some(value)) }
    }

    /// Validates a value; returns it in the form that the host expects.
    ///
    /// # Errors
    /// What is wrong, and the correct form.
    pub fn check(&self, value: &Value) -> Result<Value, String> {
        let wrong = || format!("{} is not {}.", shown(value), self.kind.takes());
        match &self.kind {
            FieldKind::Text { min_length, max_length, multiline } => {
                let given = value.as_str().ok_or_else(wrong)?;
                let trimmed = given.trim();
                // Multiline text keeps its indentation and its end.
                let text = if *multiline && !trimmed.is_empty() { given } else { trimmed };
                let length = text.chars().count();
                if length < *min_length && length == 0 {
                    return Err(format!("{} is required.", self.title));
                }
                if length < *min_length || length > *max_length {
                    return Err(format!(
                        "{} must have {min_length} to {max_length} characters; this has {length}.",
                        self.title
                    ));
                }
                Ok(Value::from(text))
            }
            FieldKind::Time => {
                let text = value.as_str().ok_or_else(wrong)?.trim();
                if rfc3339::read(text).is_ok() || rfc3339::is_day(text) {
                    Ok(Value::from(text))
                } else {
                    Err(wrong())
                }
            }
            FieldKind::Integer { min, max } => {
                let whole = value.as_f64().filter(|n| n.fract() == 0.0 && n.abs() < 9e15).map(|n| n as i64);
                let n = value.as_i64().or(whole).ok_or_else(wrong)?;
                if min.is_some_and(|min| n < min) || max.is_some_and(|max| n > max) {
                    return Err(wrong());
                }
                Ok(Value::from(n))
            }
            FieldKind::Number { min, max } => {
                let n = value.as_f64().ok_or_else(wrong)?;
                if min.is_some_and(|min| n < min) || max.is_some_and(|max| n > max) {
                    return Err(wrong());
                }
                Ok(if value.is_f64() { as_number(n) } else { value.clone() })
            }
            FieldKind::Switch => value.as_bool().map(Value::from).ok_or_else(wrong),
            FieldKind::Choice { options } => {
                let text = value.as_str().ok_or_else(wrong)?;
                if options.iter().any(|o| o.value == text) { Ok(Value::from(text)) } else { Err(wrong()) }
            }
        }
    }
}

impl FieldKind {
    fn from_schema(target: &Value) -> Result<Self, String> {
        if let Some(options) = choices(target) {
            return Ok(FieldKind::Choice { options });
        }
        let ty = match target.get("type") {
            Some(Value::String(ty)) => ty.as_str(),
            Some(Value::Array(types)) => {
                types.iter().filter_map(Value::as_str).find(|t| *t != "null").unwrap_or_default()
            }
            _ => "",
        };
        let float = |key: &str| target.get(key).and_then(Value::as_f64);
        match ty {
            "string" => match target.get("format").and_then(Value::as_str) {
                Some("date" | "date-time") => Ok(FieldKind::Time),
                format => {
                    let length = |key: &str| target.get(key).and_then(Value::as_u64).map(|n| n as usize);
                    Ok(FieldKind::Text {
                        min_length: length("minLength").unwrap_or(0),
                        max_length: length("maxLength").unwrap_or(10_000),
                        multiline: format == Some("multiline") || target.get("contentMediaType").is_some(),
                    })
                }
            },
            "integer" => Ok(FieldKind::Integer {
                min: float("minimum").map(|n| n as i64),
                max: float("maximum").map(|n| n as i64),
            }),
            "number" => Ok(FieldKind::Number { min: float("minimum"), max: float("maximum") }),
            "boolean" => Ok(FieldKind::Switch),
            other => {
                Err(format!("forms don't support {}", if other.is_empty() { "this schema" } else { other }))
            }
        }
    }

    /// Type of the parameter, for a message after "is not".
    pub fn takes(&self) -> String {
        match self {
            FieldKind::Text { .. } => "text".to_owned(),
            FieldKind::Time => "a date like 2024-03-01 or a time like 2024-03-01T09:30:00Z".to_owned(),
            FieldKind::Integer { min, max } => bounds("a whole number", *min, *max),
            FieldKind::Number { min, max } => bounds("a number", *min, *max),
            FieldKind::Switch => "true or false".to_owned(),
            FieldKind::Choice { options } => {
                let values: Vec<_> = options.iter().map(|o| o.value.as_str()).collect();
                match values.split_last() {
                    None => "allowed: there are no choices".to_owned(),
                    Some((only, [])) => format!("'{only}', the only choice"),
                    Some((last, rest)) => format!("one of {} or {last}", rest.join(", ")),
                }
            }
        }
    }
}

fn bounds<T: std::fmt::Display>(what: &str, min: Option<T>, max: Option<T>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!("{what} from {min} to {max}"),
        (Some(min), None) => format!("{what} of at least {min}"),
        (None, Some(max)) => format!("{what} of at most {max}"),
        (None, None) => what.to_owned(),
    }
}

/// Follows `$ref`, and `anyOf` of a type and null, to the actual type.
fn resolve<'a>(property: &'a Value, root: &'a Value) -> Result<&'a Value, String> {
    if let Some(path) = property.get("$ref").and_then(Value::as_str) {
        let pointer = path.strip_prefix('#').ok_or("a $ref must point into the schema itself")?;
        let target = root.pointer(pointer).ok_or_else(|| format!("{path} does not exist in the schema"))?;
        return if std::ptr::eq(target, property) {
            Err("a $ref must not refer to itself".into())
        } else {
            resolve(target, root)
        };
    }
    if let Some(any) = property.get("anyOf").and_then(Value::as_array) {
        let not_null: Vec<_> =
            any.iter().filter(|s| s.get("type").and_then(Value::as_str) != Some("null")).collect();
        return match not_null.as_slice() {
            [only] => resolve(only, root),
            _ => Err("forms don't support anyOf with several types".into()),
        };
    }
    Ok(property)
}

fn is_nullable(property: &Value) -> bool {
    let null = |v: &Value| v.as_str() == Some("null");
    property.get("type").and_then(Value::as_array).is_some_and(|types| types.iter().any(null))
        || property
            .get("anyOf")
            .and_then(Value::as_array)
            .is_some_and(|any| any.iter().any(|s| s.get("type").is_some_and(null)))
}

fn choices(target: &Value) -> Option<Vec<Choice>> {
    if let Some(values) = target.get("enum").and_then(Value::as_array) {
        let help = String::new;
        return Some(
            values
                .iter()
                .filter(|v| !v.is_null())
                .map(|v| Choice { value: plain(v), help: help() })
                .collect(),
        );
    }
    let of = target.get("oneOf").and_then(Value::as_array)?;
    let mut options = Vec::new();
    for one in of {
        let help = one.get("description").and_then(Value::as_str).unwrap_or_default();
        if let Some(value) = one.get("const") {
            options.push(Choice { value: plain(value), help: help.to_owned() });
        } else if let Some(values) = one.get("enum").and_then(Value::as_array) {
            options.extend(values.iter().map(|v| Choice { value: plain(v), help: help.to_owned() }));
        } else {
            return None;
        }
    }
    Some(options)
}

/// Number as people write it: a whole number without a decimal point, however it was given.
fn as_number(n: f64) -> Value {
    /// Largest value up to which a float represents every whole number.
    const MAX_EXACT: f64 = 9_007_199_254_740_992.0;
    if n.fract() == 0.0 && n.abs() <= MAX_EXACT { Value::from(n as i64) } else { Value::from(n) }
}

/// Value without the quotes of JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(s) => s.clone(),
        other => other.to_string(),
    }
}

/// Value as quoted in a message, shortened if long.
fn shown(value: &Value) -> String {
    let text = plain(value);
    let cut: String = text.chars().take(40).collect();
    if cut.len() < text.len() { format!("'{cut}…'") } else { format!("'{cut}'") }
}

/// `rows_per_second` → "Rows per second".
fn in_words(name: &str) -> String {
    let mut words = name.replace('_', " ");
    if let Some(first) = words.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    words
}

/// Edit distance between two names (Levenshtein), for "did you mean".
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let cost = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests;
