//! Fields of spans and events as attributes, with the names of OpenTelemetry's semantic conventions where there is one.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use std::fmt;
use tracing::field::{Field, Visit};

/// Longest text of a value, in bytes, so that a queue of entries has a limit.
const MAX_TEXT_BYTES: usize = 8_192;

/// Attributes of known fields.
const NAMES: [(&str, &str); 7] = [
    ("method", "http.request.method"),
    ("path", "url.path"),
    ("client", "client.address"),
    ("status", "http.response.status_code"),
    ("operation", "signalbox.operation.id"),
    ("attempt", "signalbox.operation.attempt"),
    ("kind", "signalbox.operation.kind"),
];

/// Attribute with a text.
pub fn attribute(key: impl Into<String>, text: impl Into<String>) -> KeyValue {
    with_value(key.into(), text_value(text.into()))
}

pub(crate) fn with_value(key: String, value: AnyValue) -> KeyValue {
    KeyValue { key, value: Some(value), ..KeyValue::default() }
}

pub(crate) fn text_value(mut text: String) -> AnyValue {
    text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
    AnyValue { value: Some(Value::StringValue(text)) }
}

/// Attribute of a field.
pub(crate) fn name_of(field: &str) -> &str {
    NAMES.iter().find(|(known, _)| *known == field).map_or(field, |(_, name)| name)
}

/// Recorded fields.
#[derive(Default)]
pub(crate) struct Fields(pub Vec<(&'static str, AnyValue)>);

impl Fields {
    /// Text of a field.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| *name == field).and_then(|(_, value)| match &value.value {
            Some(Value::StringValue(text)) => Some(text.as_str()),
            _ => None,
        })
    }

    /// Removes a field.
    pub fn take(&mut self, field: &str) -> Option<AnyValue> {
        let at = self.0.iter().position(|(name, _)| *name == field)?;
        Some(self.0.remove(at).1)
    }

    fn add(&mut self, field: &Field, value: Value) {
        self.0.push((field.name(), AnyValue { value: Some(value) }));
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, Value::DoubleValue(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, Value::IntValue(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, Value::IntValue(i64::try_from(value).unwrap_or(i64::MAX)));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, Value::BoolValue(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name(), text_value(value.to_owned())));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push((field.name(), text_value(format!("{value:?}"))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_two_characters() {
        let cut = text_value("é".repeat(MAX_TEXT_BYTES));
        assert_eq!(cut, text_value("é".repeat(MAX_TEXT_BYTES / 2)));
        let Some(Value::StringValue(odd)) = text_value(format!("a{}", "é".repeat(MAX_TEXT_BYTES))).value
        else {
            panic!("not a text");
        };
        assert_eq!(odd.len(), MAX_TEXT_BYTES - 1);
    }
}
