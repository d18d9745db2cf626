//! Readable view of any JSON: objects as tables, lists of similar objects as one table, short lists on one line, and
//! the source text.

use display::format;
use leptos::prelude::*;
use serde_json::{Map, Value};

/// Maximum depth; deeper values are shown as text.
const DEEPEST: usize = 5;
/// Maximum number of list entries shown.
const MAX_ENTRIES: usize = 100;
/// Maximum number of columns in a table of objects.
const MAX_COLUMNS: usize = 12;

fn is_plain(value: &Value) -> bool {
    !matches!(value, Value::Object(_) | Value::Array(_))
}

/// Columns of a list of objects, if they are flat and few enough for one table.
fn columns_of(list: &[Value]) -> Option<Vec<String>> {
    let mut columns: Vec<String> = Vec::new();
    for entry in list {
        let object = entry.as_object().filter(|o| o.values().all(is_plain))?;
        for name in object.keys() {
            if !columns.contains(name) {
                columns.push(name.clone());
            }
        }
        if columns.len() > MAX_COLUMNS {
            return None;
        }
    }
    (!columns.is_empty()).then_some(columns)
}

fn plain(value: &Value) -> AnyView {
    let class = if value.is_number() { "num" } else { "wrap" };
    view! { <span class=class>{format::value(value)}</span> }.into_any()
}

fn object(map: &Map<String, Value>, depth: usize) -> AnyView {
    let rows = map.iter().map(|(name, value)| {
        view! {
            <tr>
                <th scope="row">{name.clone()}</th>
                <td>{tree(value, depth + 1)}</td>
            </tr>
        }
    });
    view! { <table class="plain json"><tbody>{rows.collect_view()}</tbody></table> }.into_any()
}

fn table(list: &[Value], columns: &[String]) -> AnyView {
    let heads = columns.iter().map(|name| view! { <th scope="col">{name.clone()}</th> });
    let rows = list.iter().map(|entry| {
        let cells = columns.iter().map(|name| view! { <td>{entry.get(name).map(plain)}</td> });
        view! { <tr>{cells.collect_view()}</tr> }
    });
    view! {
        <div class="scroll">
            <table class="plain json">
                <thead>
                    <tr>{heads.collect_view()}</tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn list(list: &[Value], depth: usize) -> AnyView {
    let shown = &list[..list.len().min(MAX_ENTRIES)];
    let view = if shown.iter().all(is_plain) {
        let text = shown.iter().map(format::value).collect::<Vec<_>>().join(", ");
        view! { <span class="wrap num">{text}</span> }.into_any()
    } else if let Some(columns) = columns_of(shown) {
        table(shown, &columns)
    } else {
        let entries = shown.iter().map(|entry| view! { <li>{tree(entry, depth + 1)}</li> });
        view! { <ol class="json-list">{entries.collect_view()}</ol> }.into_any()
    };
    let more = (list.len() > shown.len()).then(|| {
        let more = format::count((list.len() - shown.len()) as u64);
        view! { <p class="muted">{format!("{more} more in the JSON below")}</p> }
    });
    view! {
        {view}
        {more}
    }
    .into_any()
}

fn tree(value: &Value, depth: usize) -> AnyView {
    match value {
        Value::Object(map) if map.is_empty() => view! { <span class="muted">"empty"</span> }.into_any(),
        Value::Array(entries) if entries.is_empty() => {
            view! { <span class="muted">"empty"</span> }.into_any()
        }
        Value::Object(_) | Value::Array(_) if depth >= DEEPEST => {
            view! { <code class="wrap">{value.to_string()}</code> }.into_any()
        }
        Value::Object(map) => object(map, depth),
        Value::Array(entries) => list(entries, depth),
        plain_one => plain(plain_one),
    }
}

/// View of a JSON value.
pub fn json_view(value: &Value) -> AnyView {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    view! {
        {tree(value, 0)}
        <details>
            <summary>"Show JSON"</summary>
            <pre class="scroll" tabindex="0">{text}</pre>
        </details>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn columns(value: Value) -> Option<Vec<String>> {
        columns_of(value.as_array().unwrap())
    }

    #[test]
    fn similar_objects_form_one_table_with_all_names() {
        assert_eq!(columns(json!([{"a": 1}, {"b": null, "a": 2}])).unwrap(), ["a", "b"]);
    }

    #[test]
    fn nested_mixed_or_wide_values_are_not_a_table() {
        assert_eq!(columns(json!([{"a": [1]}])), None);
        assert_eq!(columns(json!([{"a": 1}, 2])), None);
        assert_eq!(columns(json!([{}])), None);
        let wide: Map<String, Value> = (0..=MAX_COLUMNS).map(|n| (n.to_string(), Value::Null)).collect();
        assert_eq!(columns(json!([wide])), None);
    }
}
