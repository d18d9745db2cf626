//! One field: its type, and the validation of its value.

use crate::about::About;
use crate::fills::Fills;
use crate::number::ungrouped;
use crate::value::{as_number, shown};
use crate::when::When;
use protocol::{Time, secret};
use serde_json::Value;

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
    /// Notes on these values.
    pub about: About,
    /// Condition; while it does not hold, the field is not shown and its value is ignored.
    pub when: When,
    /// Values that the form fills into other fields when a value is chosen.
    pub fills: Fills,
    /// Rarely changed: a page may fold it away.
    pub advanced: bool,
    /// Its value is never shown or stored in clear: `format: password` or `writeOnly: true` in the schema. Only texts
    /// can be secret.
    pub secret: bool,
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
        /// Is kept exactly as given, also with spaces around it: `x-verbatim` in the schema.
        verbatim: bool,
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
    /// Label, from `title` or the value.
    pub title: String,
    /// Help for this value.
    pub help: String,
}

impl Field {
    /// Parses text typed into a field; empty means "not set".
    ///
    /// # Errors
    /// If it does not fit the type.
    pub fn read(&self, typed: &str) -> Result<Option<Value>, String> {
        let verbatim = matches!(self.kind, FieldKind::Text { verbatim: true, .. });
        if typed.is_empty() || typed.trim().is_empty() && !verbatim {
            return Ok(None);
        }
        if verbatim || matches!(self.kind, FieldKind::Text { multiline: true, .. }) {
            return Ok(Some(Value::from(typed)));
        }
        let typed = typed.trim();
        let wrong = || format!("'{typed}' is not {}.", self.kind.takes());
        let number = || ungrouped(typed).map_err(|why| format!("{} {why}", wrong()));
        let value = match &self.kind {
            FieldKind::Integer { .. } => number()?.parse::<i64>().map(Value::from).ok(),
            FieldKind::Number { .. } => json::float(&number()?).filter(|n| n.is_finite()).map(as_number),
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
        if self.secret && secret::is_marker(value) {
            return Err(format!("Enter the value of {}. Stored secrets are not copied.", self.title));
        }
        let wrong = || match self.secret {
            true => format!("The value of {} is not {}.", self.title, self.kind.takes()),
            false => format!("{} is not {}.", shown(value), self.kind.takes()),
        };
        match &self.kind {
            FieldKind::Text { min_length, max_length, multiline, verbatim } => {
                let given = value.as_str().ok_or_else(wrong)?;
                let trimmed = given.trim();
                // Multiline text keeps its indentation and its end. A required text has more than spaces.
                let kept = *verbatim && *min_length == 0 || (*verbatim || *multiline) && !trimmed.is_empty();
                let text = if kept { given } else { trimmed };
                let length = text.chars().count();
                if length < *min_length && length == 0 {
                    return Err(format!("{} is required.", self.title));
                }
                if (length < *min_length || length > *max_length) && self.secret {
                    return Err(format!("{} must have {min_length} to {max_length} characters.", self.title));
                }
                if length < *min_length || length > *max_length {
                    return Err(format!(
                        "{} must have {min_length} to {max_length} characters; the value has {length}.",
                        self.title
                    ));
                }
                Ok(Value::from(text))
            }
            FieldKind::Time => {
                let text = value.as_str().ok_or_else(wrong)?.trim();
                if Time::parse(text).is_ok() || Time::is_day(text) {
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
