//! Notes on suggested values: what a stored data set or a model is, and when it was made.
//!
//! A property declares them by value: `"x-about": {"ACME": {"note": "1h · 2021–2023", "at": "2026-11-29T10:00:00Z"}}`.
//! A form shows them beside the value. Validation ignores them.

use protocol::Time;
use serde_json::Value;

/// Key in a property.
pub const ABOUT_KEY: &str = "x-about";

/// Note on one value.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ValueNote {
    /// A few words, such as range and bar size.
    pub note: String,
    /// When it was made or last changed.
    pub at: Option<Time>,
}

/// Notes on values of a parameter.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct About(Vec<(String, ValueNote)>);

impl About {
    /// Reads it from a property.
    ///
    /// # Errors
    /// A sentence about the part that is not a note.
    pub(crate) fn from_schema(property: &Value) -> Result<Self, String> {
        let Some(about) = property.get(ABOUT_KEY) else { return Ok(Self::default()) };
        let shape = || {
            format!("{ABOUT_KEY} must be an object that maps each value to a note and, optionally, a time")
        };
        let mut all = Vec::new();
        for (value, property) in about.as_object().ok_or_else(shape)? {
            let text = |key: &str| property.get(key).and_then(Value::as_str);
            let at = text("at").map(Time::parse).transpose().map_err(|_| shape())?;
            let note = text("note").ok_or_else(shape)?.to_owned();
            all.push((value.clone(), ValueNote { note, at }));
        }
        Ok(Self(all))
    }

    /// Note on a value; `None` for values without one.
    pub fn of(&self, value: &str) -> Option<&ValueNote> {
        self.0.iter().find(|(known, _)| known == value).map(|(_, note)| note)
    }
}

#[cfg(test)]
mod tests {
    use crate::Form;
    use serde_json::json;

    fn form(about: serde_json::Value) -> Result<Form, String> {
        Form::from_schema(
            &json!({"type": "object", "properties": {"symbol": {"type": "string", "x-about": about}}}),
        )
    }

    #[test]
    fn a_value_has_its_note_and_age() {
        let form =
            form(json!({"A": {"note": "1h", "at": "2026-11-29T10:00:00Z"}, "B": {"note": "1d"}})).unwrap();
        let about = &form.fields[0].about;
        assert_eq!(about.of("A").map(|a| (a.note.as_str(), a.at.is_some())), Some(("1h", true)));
        assert_eq!(about.of("B").map(|a| (a.note.as_str(), a.at.is_some())), Some(("1d", false)));
        assert_eq!(about.of("C"), None);
    }

    #[test]
    fn a_note_without_text_or_with_a_time_that_is_none_is_refused() {
        for wrong in [json!({"A": "1h"}), json!({"A": {"note": "1h", "at": "soon"}}), json!(["A"])] {
            assert!(form(wrong.clone()).unwrap_err().contains("parameter 'symbol'"), "{wrong}");
        }
    }
}
