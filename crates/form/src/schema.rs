//! Reads fields from JSON Schema.

use crate::about::About;
use crate::exclusive;
use crate::fills::Fills;
use crate::secret;
use crate::value::{as_number, plain};
use crate::when::When;
use crate::{Choice, EXCLUSIVE_KEY, Field, FieldKind, Form};
use serde_json::Value;

/// Key in a property: whether the parameter is rarely changed.
const ADVANCED_KEY: &str = "x-advanced";
/// Without that key, a form of more fields than this folds optional ones beyond the first [`FIRST_FIELDS`].
const MAX_UNFOLDED_FIELDS: usize = 10;
const FIRST_FIELDS: usize = 6;
/// Largest number of references from a property to its type.
const MAX_REFERENCES: usize = 32;

impl Form {
    /// Reads the schema of a kind.
    ///
    /// # Errors
    /// A sentence naming the parameter and the unsupported part of JSON Schema.
    pub fn from_schema(schema: &Value) -> Result<Self, String> {
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            return match schema.get("type").and_then(Value::as_str) {
                Some("object") => Ok(Self { fields: Vec::new(), exclusive: Vec::new() }),
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
            field.about = About::from_schema(property).map_err(wrong)?;
            field.fills = Fills::from_schema(property, &known).map_err(wrong)?;
            fields.push(field);
        }
        secret::refuse_disclosure(&fields)?;
        let marked = properties.values().any(|property| property.get(ADVANCED_KEY).is_some());
        if !marked && fields.len() > MAX_UNFOLDED_FIELDS {
            for field in fields.iter_mut().skip(FIRST_FIELDS) {
                field.advanced = !field.required;
            }
        }
        let exclusive = exclusive::from_schema(schema, &|name: &str| properties.contains_key(name))?;
        if let Some(name) = exclusive.iter().find(|name| fields.iter().any(|f| f.secret && f.name == **name))
        {
            return Err(format!("{EXCLUSIVE_KEY} names '{name}', which is secret"));
        }
        Ok(Self { fields, exclusive })
    }
}

impl Field {
    fn from_schema(name: &str, property: &Value, root: &Value, required: bool) -> Result<Self, String> {
        let schemas = resolve(property, root)?;
        let target = *schemas.last().expect("the first schema is the property itself");
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
        let mut kind = FieldKind::from_schema(target)?;
        let secret = secret::is_secret(&schemas)?;
        if secret {
            secret::refuse_keys(&schemas)?;
            kind = secret::of_kind(kind)?;
        }
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
            about: About::default(),
            when: When::default(),
            fills: Fills::default(),
            advanced: property.get(ADVANCED_KEY).and_then(Value::as_bool) == Some(true),
            secret,
            kind,
        })
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
                        verbatim: target.get("x-verbatim").and_then(Value::as_bool) == Some(true),
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
            other => Err(match other {
                "" => "forms don't support a parameter without a type".to_owned(),
                other => format!("forms don't support the type '{other}'"),
            }),
        }
    }
}

impl Choice {
    fn new(value: &Value, title: Option<&str>, help: &str) -> Self {
        let value = plain(value);
        let title = title.map_or_else(|| value.clone(), str::to_owned);
        Self { value, title, help: help.to_owned() }
    }
}

/// Follows `$ref`, and `anyOf` of a type and null, to the actual type. Returns all schemas on this way, from the
/// property to the type.
fn resolve<'a>(property: &'a Value, root: &'a Value) -> Result<Vec<&'a Value>, String> {
    let mut target = property;
    let mut schemas = vec![property];
    for _ in 0..MAX_REFERENCES {
        if let Some(path) = target.get("$ref").and_then(Value::as_str) {
            let pointer = path.strip_prefix('#').ok_or("a $ref must point into the schema itself")?;
            let to = root.pointer(pointer).ok_or_else(|| format!("{path} does not exist in the schema"))?;
            if std::ptr::eq(to, target) {
                return Err("a $ref must not refer to itself".into());
            }
            target = to;
        } else if let Some(any) = target.get("anyOf").and_then(Value::as_array) {
            let mut not_null = any.iter().filter(|s| s.get("type").and_then(Value::as_str) != Some("null"));
            target = match (not_null.next(), not_null.next()) {
                (Some(only), None) => only,
                _ => return Err("forms don't support anyOf with several types".into()),
            };
        } else {
            return Ok(schemas);
        }
        schemas.push(target);
    }
    Err(format!("its $ref leads through more than {MAX_REFERENCES} others, or in a circle"))
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
        return Some(values.iter().filter(|v| !v.is_null()).map(|v| Choice::new(v, None, "")).collect());
    }
    let of = target.get("oneOf").and_then(Value::as_array)?;
    let mut options = Vec::new();
    for one in of {
        let help = one.get("description").and_then(Value::as_str).unwrap_or_default();
        if let Some(value) = one.get("const") {
            options.push(Choice::new(value, one.get("title").and_then(Value::as_str), help));
        } else if let Some(values) = one.get("enum").and_then(Value::as_array) {
            options.extend(values.iter().map(|v| Choice::new(v, None, help)));
        } else {
            return None;
        }
    }
    Some(options)
}

/// `rows_per_second` → "Rows per second".
fn in_words(name: &str) -> String {
    let mut words = name.replace('_', " ");
    if let Some(first) = words.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    words
}
