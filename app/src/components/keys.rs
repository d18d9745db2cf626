//! The keyboard: one listener for the whole page, and the sheet that tells of it.

use leptos::ev::keydown;
use leptos::html::Dialog;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use wasm_bindgen::JsCast;
use web_sys::{HtmlDialogElement, HtmlElement, KeyboardEvent};

const SHEET: &str = "keys-sheet";
/// How long after `g` its second key counts, milliseconds.
const SECOND_KEY_WITHIN: f64 = 1_500.0;

/// Opens the sheet.
pub fn ask_for_keys() {
    let sheet = document().get_element_by_id(SHEET).and_then(|e| e.dyn_into::<HtmlDialogElement>().ok());
    if let Some(sheet) = sheet
        && !sheet.open()
    {
        // It fails only for a sheet that is already open.
        let _ = sheet.show_modal();
    }
}

/// A person is writing, or a key belongs to something else.
fn taken(event: &KeyboardEvent) -> bool {
    if event.ctrl_key() || event.meta_key() || event.alt_key() || event.default_prevented() {
        return true;
    }
    let Some(target) = event.target().and_then(|t| t.dyn_into::<HtmlElement>().ok()) else { return false };
    let writes = matches!(target.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT");
    writes || target.is_content_editable() || target.closest("dialog").ok().flatten().is_some()
}

fn focus_filter(event: &KeyboardEvent) {
    let field = document().query_selector("[data-filter]").ok().flatten();
    if let Some(field) = field.and_then(|f| f.dyn_into::<HtmlElement>().ok()) {
        event.prevent_default();
        // It fails only for what can't take the focus; nothing is lost then.
        let _ = field.focus();
    }
}

/// Listens, and holds the sheet.
#[component]
pub fn Keys() -> impl IntoView {
    let navigate = use_navigate();
    let sheet = NodeRef::<Dialog>::new();
    Effect::new(move |_| {
        let navigate = navigate.clone();
        let g_at = StoredValue::new(f64::NEG_INFINITY);
        let handle = window_event_listener(keydown, move |event| {
            if taken(&event) {
                return;
            }
            let now = js_sys::Date::now();
            let after_g = now - g_at.get_value() < SECOND_KEY_WITHIN;
            g_at.set_value(f64::NEG_INFINITY);
            let go = |to: &str| navigate(to, Default::default());
            match (after_g, event.key().as_str()) {
                (true, "v") => go("/"),
                (true, "o") => go("/operations"),
                (true, "h") => go("/hosts"),
                (true, "c") => go("/compare"),
                (true, "n") | (false, "n") => go("/new"),
                (false, "g") => g_at.set_value(now),
                (false, "/") => focus_filter(&event),
                (false, "?") => ask_for_keys(),
                _ => {}
            }
        });
        on_cleanup(move || handle.remove());
    });
    let line = |keys: &'static [&'static str], what: &'static str| {
        view! {
            <div>
                <dt>{keys.iter().map(|key| view! { <kbd>{*key}</kbd> }).collect_view()}</dt>
                <dd>{what}</dd>
            </div>
        }
    };
    view! {
        <dialog id=SHEET node_ref=sheet class="dialog" aria-labelledby="keys-title">
            <h2 id="keys-title">"Keys"</h2>
            <dl class="keys">
                {line(&["/"], "filter the list")}
                {line(&["n"], "new operation")}
                {line(&["g", "v"], "go to the overview")}
                {line(&["g", "o"], "go to operations")}
                {line(&["g", "c"], "go to compare")}
                {line(&["g", "h"], "go to hosts")}
                {line(&["Space"], "select the row whose box has the focus")}
                {line(&["⇧", "↓"], "select the next one too")}
                {line(&["?"], "this sheet")}
                {line(&["Esc"], "close what is open")}
            </dl>
            <form method="dialog">
                <button class="button">"Close"</button>
            </form>
        </dialog>
    }
    .into_any()
}
