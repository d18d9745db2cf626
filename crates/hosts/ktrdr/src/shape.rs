//! JSON reader whose errors name the place and the actual value: "'data.progress.percentage' should be a number, but is
//! text ('5 %')".

use crate::wire::CallError;
use serde_json::Value;

/// Node of a response, with its path.
#[derive(Debug, Clone)]
pub(crate) struct Node<'a> {
    call: &'a str,
    place: String,
    value: &'a Value,
}

impl<'a> Node<'a> {
    /// Root of a response.
    pub fn answer(call: &'a str, value: &'a Value) -> Self {
        Self { call, place: String::new(), value }
    }

    /// Child by name; `None` if it is absent or null.
    pub fn get(&self, name: &str) -> Option<Node<'a>> {
        let value = self.value.get(name).filter(|value| !value.is_null())?;
        let place = if self.place.is_empty() { name.to_owned() } else { format!("{}.{name}", self.place) };
        Some(Node { call: self.call, place, value })
    }

    /// Required child by name.
    ///
    /// # Errors
    /// If it is absent or null.
    pub fn need(&self, name: &str) -> Result<Node<'a>, CallError> {
        self.get(name).ok_or_else(|| {
            let what = match self.value {
                Value::Object(_) => format!("{} has no '{name}'", self.named()),
                _ => format!(
                    "{} should be an object with '{name}', but is {}",
                    self.named(),
                    shown(self.value)
                ),
            };
            CallError::Unreadable { call: self.call.to_owned(), what }
        })
    }

    /// # Errors
    /// If it is not text.
    pub fn text(&self) -> Result<&'a str, CallError> {
        self.value.as_str().ok_or_else(|| self.not("text"))
    }

    /// # Errors
    /// If it is not a number.
    pub fn number(&self) -> Result<f64, CallError> {
        self.value.as_f64().ok_or_else(|| self.not("a number"))
    }

    /// # Errors
    /// If it is not a whole number of at least 0.
    pub fn count(&self) -> Result<u64, CallError> {
        let whole = |n: f64| (n.fract() == 0.0 && (0.0..9e15).contains(&n)).then_some(n as u64);
        self.value
            .as_u64()
            .or_else(|| self.value.as_f64().and_then(whole))
            .ok_or_else(|| self.not("a whole number of at least 0"))
    }

    /// # Errors
    /// If it is not a list.
    pub fn list(&self) -> Result<Vec<Node<'a>>, CallError> {
        let list = self.value.as_array().ok_or_else(|| self.not("a list"))?;
        let node = |(i, value)| Node { call: self.call, place: format!("{}[{i}]", self.place), value };
        Ok(list.iter().enumerate().map(node).collect())
    }

    /// # Errors
    /// If it is not an object.
    pub fn object(&self) -> Result<&'a serde_json::Map<String, Value>, CallError> {
        self.value.as_object().ok_or_else(|| self.not("an object"))
    }

    /// Raw value.
    pub fn value(&self) -> &'a Value {
        self.value
    }

    /// Error that something else was expected here.
    pub fn not(&self, wanted: &str) -> CallError {
        let what = format!("{} should be {wanted}, but is {}", self.named(), shown(self.value));
        CallError::Unreadable { call: self.call.to_owned(), what }
    }

    fn named(&self) -> String {
        if self.place.is_empty() { "the response".to_owned() } else { format!("'{}'", self.place) }
    }
}

/// Lenient reader: collects errors and continues.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    pub unread: Vec<CallError>,
}

impl Reader {
    /// Reads an optional part; `None` if it is absent or unreadable.
    pub fn read<'a, T>(
        &mut self,
        part: Option<Node<'a>>,
        read: impl FnOnce(&Node<'a>) -> Result<T, CallError>,
    ) -> Option<T> {
        part.and_then(|part| self.keep(read(&part)))
    }

    /// Unwraps a value or collects its error.
    pub fn keep<T>(&mut self, read: Result<T, CallError>) -> Option<T> {
        read.map_err(|unread| self.unread.push(unread)).ok()
    }
}

/// `data` of a response `{success, data}`.
///
/// # Errors
/// The rejection if `success` is false, despite status 200.
pub(crate) fn data<'a>(call: &'a str, answer: &'a Value) -> Result<Node<'a>, CallError> {
    let node = Node::answer(call, answer);
    succeeded(&node)?;
    node.need("data")
}

/// Treats `success: false` with status 200 as a rejection.
///
/// # Errors
/// That rejection, or an unreadable response.
pub(crate) fn succeeded(node: &Node<'_>) -> Result<(), CallError> {
    match node.get("success").map(|success| (success.value().as_bool(), success)) {
        Some((Some(true), _)) => Ok(()),
        Some((Some(false), _)) => {
            let detail =
                ["error", "error_message", "message", "detail"].iter().find_map(|name| node.get(name));
            let detail = detail.map_or_else(
                || "no details".to_owned(),
                |d| d.value().as_str().map_or_else(|| d.value().to_string(), str::to_owned),
            );
            Err(CallError::Refused { call: node.call.to_owned(), status: 200, detail })
        }
        Some((None, success)) => Err(success.not("true or false")),
        None => Err(node.need("success").err().unwrap_or_else(|| node.not("an object with 'success'"))),
    }
}

/// Describes a value: its type and an excerpt.
fn shown(value: &Value) -> String {
    let little =
        |text: &str| text.chars().take(60).map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(b) => format!("{b}"),
        Value::Number(n) => format!("the number {n}"),
        Value::String(s) => format!("text ('{}')", little(s)),
        Value::Array(list) => format!("a list of {} ({})", list.len(), little(&value.to_string())),
        Value::Object(map) => {
            let names: Vec<_> = map.keys().take(6).map(String::as_str).collect();
            format!(
                "an object with {}",
                if names.is_empty() { "nothing".to_owned() } else { little(&names.join(", ")) }
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_unexpected_response_is_reported_with_its_location_and_shape() {
        let answer = json!({"data": {"progress": {"percentage": "5 %"}, "metrics": [[1], 2]}});
        let node = Node::answer("GET /x", &answer);
        let told = |error: CallError| error.to_string();
        let progress = node.need("data").unwrap().need("progress").unwrap();
        assert_eq!(
            told(progress.need("percentage").unwrap().number().unwrap_err()),
            "GET /x returned an unexpected response: 'data.progress.percentage' should be a number, but is text \
             ('5 %')"
        );
        assert!(told(progress.need("nothing").unwrap_err()).ends_with("'data.progress' has no 'nothing'"));
        let metrics = node.need("data").unwrap().need("metrics").unwrap().list().unwrap();
        assert!(
            told(metrics[0].number().unwrap_err())
                .contains("'data.metrics[0]' should be a number, but is a list")
        );
    }

    #[test]
    fn success_false_in_a_200_is_an_error() {
        let answer = json!({"success": false, "data": null, "error": "Not connected to IB"});
        let error = data("POST /data/historical", &answer).unwrap_err();
        assert_eq!(error.status(), Some(200));
        assert!(error.to_string().contains("Not connected to IB"), "{error}");
        assert!(
            data("GET /x", &json!({"success": "yes"})).unwrap_err().to_string().contains("true or false")
        );
        assert!(data("GET /x", &json!([])).unwrap_err().to_string().contains("a list"), "no panic");
    }
}
