//! Addresses of pages: what a URL shows, and the URL of what is shown. [`list`] is that of the operations list with its
//! [`columns`], [`comparison`] that of compared operations.

pub mod columns;
pub mod comparison;
pub mod list;

use crate::kinds::SWEEP;
use leptos::prelude::*;
use leptos_router::hooks::use_location;
use live::base;
use live::query::url;
use protocol::{OperationId, secret};
use serde_json::Value;

/// Page of an operation.
pub fn operation(id: OperationId) -> String {
    format!("/operations/{id}")
}

/// Parameters that are set, as text; without secret ones, which have to be entered again.
pub fn plain(params: &Value) -> Vec<(String, String)> {
    let set = params.as_object().into_iter().flatten();
    let set = set.filter(|(_, value)| !value.is_null() && !secret::is_marker(value));
    set.map(|(name, value)| (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        .collect()
}

/// New operation form of a sweep over a kind, with fixed parameters. Those that a sweep can't write are left out.
pub fn sweep_of(run: &str, fixed: Vec<(String, String)>) -> String {
    let writable = |pair: &(String, String)| sweep_plan::write(std::slice::from_ref(pair)).is_ok();
    let fixed: Vec<_> = fixed.into_iter().filter(writable).collect();
    let fixed = sweep_plan::write(&fixed).unwrap_or_default();
    url("/new", [("kind", SWEEP), ("run", run), ("fixed", fixed.as_str())])
}

/// New operation form, filled with parameters.
pub fn start_again(kind: &str, params: &Value) -> String {
    let plain = plain(params);
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

    #[test]
    fn a_secret_param_has_to_be_entered_again() {
        let params = json!({"user": "me", "token": secret::marker()});
        assert_eq!(start_again("exec.push", &params), "/new?kind=exec.push&user=me");
    }

    #[test]
    fn params_of_an_operation_are_fixed_in_a_sweep_unless_it_can_not_write_them() {
        let params = json!({"fast": 5, "end": null, "plan": "a; b", "note": "", "dry": false});
        let address = sweep_of("backtest.run", plain(&params));
        assert_eq!(address, "/new?kind=analysis.sweep&run=backtest.run&fixed=fast%3D5%3B%20dry%3Dfalse");
        assert_eq!(sweep_of("backtest.run", Vec::new()), "/new?kind=analysis.sweep&run=backtest.run");
    }
}
