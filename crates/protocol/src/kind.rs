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
    /// How one operation is told from another: `{symbol} {timeframe} · {mode}`, filled from its params. Of the parts
    /// between ` · `, one whose params are all absent or empty is left out.
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
    /// The template with its places filled. Of the parts between ` · `, one whose places are all of params that are absent,
    /// null or empty is left out.
    pub fn fill(&self, params: &Value) -> String {
        let parts = self.0.split(" · ").filter_map(|part| fill_part(part, params));
        parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
    }
}

/// A part of a template; `None` when it has places and none of them is filled.
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
    fn a_summary_is_filled_from_params() {
        let s = Summary("{symbol} {timeframe} · {mode}".into());
        assert_eq!(s.fill(&json!({"symbol": "MSFT", "timeframe": "1h", "mode": "full"})), "MSFT 1h · full");
        assert_eq!(s.fill(&json!({"symbol": "MSFT", "timeframe": "1h"})), "MSFT 1h");
        let s = Summary("{symbol} · {fast}/{slow} · {period} bars · now".into());
        assert_eq!(s.fill(&json!({"symbol": "A", "fast": 5, "slow": 50})), "A · 5/50 · now");
        assert_eq!(s.fill(&json!({"period": 14, "fast": null, "symbol": ""})), "14 bars · now");
        assert_eq!(Summary("{n} rows {".into()).fill(&json!({"n": 3})), "3 rows {");
    }
}
