//! What an operation does: an icon for its kind, and where there is room the kind's name.

use crate::icon::Icon;
use app_state::kinds::{BACKTEST, DEMO, EXEC, LOAD, SWEEP, TRAINING};
use leptos::prelude::*;
use protocol::KindName;

/// Name of the icon of a kind; kinds of other hosts have a common one.
pub fn icon_of(kind: &str) -> &'static str {
    match kind {
        LOAD => "load",
        TRAINING => "train",
        BACKTEST => "backtest",
        SWEEP => "sweep",
        DEMO => "play",
        name if name.starts_with(EXEC) => "terminal",
        _ => "operation",
    }
}

/// The icon alone, for rows. The kind is its tooltip, and is read by screen readers.
#[component]
pub fn KindIcon(
    /// Kind of the operation.
    kind: KindName,
) -> impl IntoView {
    let name = kind.to_string();
    view! {
        <span class="kind-mark" title=name>
            <Icon name=icon_of(kind.as_str())/>
            <span class="unseen">{kind.to_string()}</span>
        </span>
    }
    .into_any()
}

/// Icon and name of the kind, for heads of pages.
#[component]
pub fn KindPill(
    /// Kind of the operation.
    kind: KindName,
) -> impl IntoView {
    view! {
        <span class="kind-mark kind-pill">
            <Icon name=icon_of(kind.as_str())/>
            {kind.to_string()}
        </span>
    }
    .into_any()
}
