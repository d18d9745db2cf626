//! Kinds: what a host can do, described once for forms, validation and docs.

use crate::{KindName, SeriesInfo};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One kind of operation, as its host declares it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KindSpec {
    pub name: KindName,
    /// For a menu: "Load market data".
    pub title: String,
    /// What it does, in a sentence or two.
    pub description: String,
    /// How one operation is told from another: `{symbol} {timeframe} · {mode}`, filled from its params.
    pub summary: Summary,
    /// The params as JSON Schema, an object.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub params: Value,
    /// The phases that it goes through, in order; empty when it has none.
    #[serde(default)]
    pub phases: Vec<String>,
    /// The curves that it draws.
    #[serde(default)]
    pub series: Vec<SeriesInfo>,
    /// A later attempt can go on from a checkpoint.
    #[serde(default)]
    pub resumable: bool,
}

/// A template with `{param}` places.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Summary(pub String);

impl Summary {
    /// The template with its places filled; a param that is absent or null leaves nothing behind.
    pub fn fill(&self, params: &Value) -> String {
        let mut out = String::new();
        let mut rest = self.0.as_str();
        while let Some(open) = rest.find('{') {
            out.push_str(&rest[..open]);
            let after = &rest[open + 1..];
            let Some(close) = after.find('}') else {
                out.push_str(&rest[open..]);
                return out.trim().to_owned();
            };
            match params.get(&after[..close]) {
                Some(Value::String(s)) => out.push_str(s),
                Some(Value::Null) | None => {}
                Some(other) => out.push_str(&other.to_string()),
            }
            rest = &after[close + 1..];
        }
        out.push_str(rest);
        out.trim().trim_end_matches('·').trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_summary_is_filled_from_params() {
        let s = Summary("{symbol} {timeframe} · {mode}".into());
        assert_eq!(s.fill(&json!({"symbol": "MSFT", "timeframe": "1h", "mode": "full"})), "MSFT 1h · full");
        assert_eq!(s.fill(&json!({"symbol": "MSFT", "timeframe": "1h"})), "MSFT 1h");
        assert_eq!(Summary("{n} rows {".into()).fill(&json!({"n": 3})), "3 rows {");
    }
}
