//! Kinds of operations, as declared by hosts for forms, validation and docs.

use crate::{KindName, SeriesInfo, secret};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Kind of operation, as declared by its host.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KindSpec {
    pub name: KindName,
    /// Title for menus: "Load market data".
    pub title: String,
    /// Description of one or two sentences.
    pub description: String,
    /// Template of an operation's title, filled from its parameters: `{symbol} {timeframe} · {mode}`. A part between
    /// ` · ` is omitted if all of its parameters are absent, empty or secret.
    pub summary: Summary,
    /// JSON Schema of the parameters, an object. A text with `format: password` or `writeOnly: true` is secret.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub params: Value,
    /// Phases of an operation in order; empty if there are none.
    #[serde(default)]
    pub phases: Vec<String>,
    /// Series that operations of this kind report.
    #[serde(default)]
    pub series: Vec<SeriesInfo>,
    /// True if an attempt can resume from a checkpoint.
    #[serde(default)]
    pub resumable: bool,
}

/// Template with `{param}` placeholders.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Summary(pub String);

impl Summary {
    /// Fills the placeholders. A part between ` · ` is omitted if the parameters of all of its placeholders are absent,
    /// null, empty or secret.
    pub fn fill(&self, params: &Value) -> String {
        let parts = self.0.split(" · ").filter_map(|part| fill_part(part, params));
        parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
    }
}

/// Fills one part of a template. `None` if it has placeholders and none of them has a value.
fn fill_part(part: &str, params: &Value) -> Option<String> {
    let mut out = String::new();
    let (mut rest, mut places, mut filled) = (part, 0, 0);
    while let Some((before, after)) = rest.split_once('{')
        && let Some((name, after)) = after.split_once('}')
    {
        out.push_str(before);
        places += 1;
        match params.get(name) {
            None | Some(Value::Null) => {}
            Some(Value::String(empty)) if empty.is_empty() => {}
            Some(hidden) if secret::is_marker(hidden) => {}
            Some(value) => {
                filled += 1;
                out.push_str(&value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            }
        }
        rest = after;
    }
    out.push_str(rest);
    (places == 0 || filled > 0).then(|| out.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_summary_is_filled_in_from_params() {
        let s = Summary("{symbol} {timeframe} · {mode}".into());
        assert_eq!(s.fill(&json!({"symbol": "MSFT", "timeframe": "1h", "mode": "full"})), "MSFT 1h · full");
        assert_eq!(s.fill(&json!({"symbol": "MSFT", "timeframe": "1h"})), "MSFT 1h");
        let s = Summary("{symbol} · {fast}/{slow} · {period} bars · now".into());
        assert_eq!(s.fill(&json!({"symbol": "A", "fast": 5, "slow": 50})), "A · 5/50 · now");
        assert_eq!(s.fill(&json!({"period": 14, "fast": null, "symbol": ""})), "14 bars · now");
        assert_eq!(s.fill(&json!({"symbol": "A", "fast": secret::marker()})), "A · now");
        assert_eq!(Summary("{n} rows {".into()).fill(&json!({"n": 3})), "3 rows {");
    }
}
