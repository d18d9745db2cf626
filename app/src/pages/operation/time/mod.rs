//! Tab that says why the operation is slow. Its code is loaded when it is first shown.

mod answer;
mod parts;
mod view;

use components::deferred::Deferred;
use components::placeholders::Skeleton;
use components::reactive::part;
use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};
use live::OpView;
use view::time_view;

/// The tab's content.
#[wasm_split(operation_time, wasm_split_path = leptos::wasm_split, preload(load_content), fallible)]
fn content(op: OpView, shown: Signal<bool>) -> Result<AnyView, SplitLoaderError> {
    Ok(time_view(op, shown))
}

/// The tab; it requests nothing before it is shown.
#[component]
pub fn TimeTab(op: OpView, shown: Signal<bool>) -> impl IntoView {
    let code = Deferred::on_demand(|| Box::pin(load_content()), || {});
    // It stays when another tab is shown.
    let wanted = Memo::new(move |before: Option<&bool>| before.copied().unwrap_or_default() || shown.get());
    // The server does not know the answer of the browser's request.
    let in_browser = RwSignal::new(false);
    Effect::new(move |_| in_browser.set(true));
    part(move || {
        if !(in_browser.get() && wanted.get()) {
            return None;
        }
        Some(code.view(|| content(op, shown)).unwrap_or_else(|| view! { <Skeleton lines=6/> }.into_any()))
    })
}
