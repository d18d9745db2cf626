//! Addresses of pages: what a URL shows, and the URL of what is shown. [`list`] is that of the operations list with its
//! [`columns`], [`comparison`] that of compared operations.

pub mod columns;
pub mod comparison;
pub mod list;

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use live::base;
use live::query::url;
use protocol::OperationId;
use serde_json::Value;

/// Page of an operation.
pub fn operation(id: OperationId) -> String {
    format!("/operations/{id}")
}

/// New operation form, filled with parameters.
pub fn start_again(kind: &str, params: &Value) -> String {
    let plain: Vec<(String, String)> = params
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        .collect();
    let kind = [("kind", kind)];
    url("/new", kind.into_iter().chain(plain.iter().map(|(n, v)| (n.as_str(), v.as_str()))))
}

/// Current path without the base path. Tracked.
pub fn use_path() -> Memo<String> {
    let pathname = use_location().pathname;
    Memo::new(move |_| base::local(&pathname.read()).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn params_of_an_operation_fill_the_form_again() {
        let params = json!({"symbol": "MSFT", "rows": 5, "dry": true, "end": null});
        assert_eq!(start_again("data.load", &params), "/new?kind=data.load&symbol=MSFT&rows=5&dry=true");
    }
}
