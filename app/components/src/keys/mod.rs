//! Keyboard shortcuts: one listener for the whole page, and the dialog that lists them.

mod sheet;

use super::deferred::Deferred;
use super::palette::Palette;
use super::row_selection::with_neighbours;
use super::theme::fold_rail;
use app_state::ShortcutHelp;
use app_state::current::{ActionScope, CurrentOperation, OperationAction};
use app_state::settings;
use leptos::ev::keydown;
use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};
use leptos_router::hooks::use_navigate;
use live::{OpView, base};
use sheet::KeysSheet;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, HtmlInputElement, KeyboardEvent};

/// Time window for the second key after `g`, milliseconds.
const SECOND_KEY_WITHIN: f64 = 1_500.0;
/// Name of the setting for single-key shortcuts.
const SINGLE: &str = "keys";

/// Shortcuts after `g`: key, path, label.
const PLACES: [(&str, &str, &str); 6] = [
    ("v", "/", "Overview"),
    ("o", "/operations", "Operations"),
    ("n", "/new", "New operation"),
    ("c", "/compare", "Compare"),
    ("h", "/hosts", "Hosts"),
    ("a", "/alerts", "Alerts"),
];

/// Whether a key press triggers a shortcut. Checks the Shift key, not the case of the letter: Caps Lock inverts the
/// case.
fn means(of_deed: &str, pressed: &str, shift: bool) -> bool {
    of_deed.eq_ignore_ascii_case(pressed) && shift == of_deed.chars().all(char::is_uppercase)
}

/// Whether a modal dialog is open.
fn dialog_open() -> bool {
    document().query_selector("dialog[open]").is_ok_and(|dialog| dialog.is_some())
}

/// The user is typing, or the key belongs to something else.
fn taken(event: &KeyboardEvent) -> bool {
    if event.ctrl_key() || event.meta_key() || event.alt_key() || event.default_prevented() {
        return true;
    }
    if dialog_open() {
        return true;
    }
    let Some(target) = event.target().and_then(|t| t.dyn_into::<HtmlElement>().ok()) else { return false };
    let input = target.dyn_ref::<HtmlInputElement>();
    let ticks = input.is_some_and(|input| matches!(input.type_().as_str(), "checkbox" | "radio"));
    let writes = matches!(target.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT") && !ticks;
    writes || target.is_content_editable()
}

/// Focuses an element; false when that is not possible.
fn focus(element: Option<Element>) -> bool {
    let element = element.and_then(|e| e.dyn_into::<HtmlElement>().ok());
    element.is_some_and(|element| element.focus().is_ok())
}

/// Maximum number of frames to wait for the form of a new operation, about 10 s.
const ARRIVAL_FRAMES: u32 = 600;

/// Fields of that form; of a radio group the checked one.
const FIELDS: &str = ".fields input:not([type='radio']), .fields input[type='radio']:checked, .fields select, \
     .fields textarea";

/// Focuses the first field of the new operation form once it is rendered, unless the user has focused something else.
fn focus_first_field(frames: u32) {
    request_animation_frame(move || {
        let path = window().location().pathname().unwrap_or_default();
        if base::local(&path) == "/new" {
            let writes = |at: &Element| matches!(at.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT");
            let elsewhere = document().active_element().is_some_and(|at| writes(&at)) || dialog_open();
            if elsewhere || focus(document().query_selector(FIELDS).ok().flatten()) {
                return;
            }
        }
        if frames > 0 {
            focus_first_field(frames - 1);
        }
    });
}

/// All rows in the document.
fn rows() -> Vec<Element> {
    let found = document().query_selector_all("tr.row").ok();
    let nodes = found.iter().flat_map(|list| (0..list.length()).filter_map(move |i| list.get(i)));
    nodes.filter_map(|row| row.dyn_into().ok()).collect()
}

/// The row that has the focus.
fn row_here() -> Option<Element> {
    document().active_element()?.closest("tr.row").ok().flatten()
}

/// Moves the focus to the link of the next or previous row.
fn step(down: bool) {
    let Some(here) = row_here() else {
        let rows = rows();
        return focus_row(if down { rows.first() } else { rows.last() });
    };
    let from = here.clone();
    with_neighbours(&here, move || {
        let rows = rows();
        let at = rows.iter().position(|row| *row == from).unwrap_or_default();
        focus_row(rows.get(if down { at + 1 } else { at.saturating_sub(1) }));
    });
}

fn focus_row(row: Option<&Element>) {
    focus(row.and_then(|row| row.query_selector("a.title").ok().flatten()));
}

/// Toggles the checkbox of the focused row.
fn tick() {
    let found = row_here().and_then(|row| row.query_selector("[data-pick]").ok().flatten());
    if let Some(input) = found.and_then(|found| found.dyn_into::<HtmlElement>().ok()) {
        input.click();
    }
}

/// Runs an action of an operation.
#[wasm_split(later, wasm_split_path = leptos::wasm_split, preload(load_act), fallible)]
fn act(
    deed: OperationAction,
    op: OpView,
    by: ActionScope,
    go: Rc<dyn Fn(&str)>,
) -> Result<(), SplitLoaderError> {
    deed.carry_out(op, by, &*go);
    Ok(())
}

/// Registers the listener and holds the dialog.
#[component]
pub fn Keys() -> impl IntoView {
    let navigate = use_navigate();
    let (palette, sheet, open, doer) =
        (Palette::here(), ShortcutHelp::here(), CurrentOperation::here(), ActionScope::here());
    let code = Deferred::new(|| Box::pin(load_act()), || ());
    Effect::new(move |_| {
        let navigate = navigate.clone();
        let owner = Owner::current().unwrap_or_default();
        let g_at = StoredValue::new(f64::NEG_INFINITY);
        let pressed = move |event: KeyboardEvent| {
            let key = event.key();
            // Works everywhere, also in fields: it types no letter.
            if (event.ctrl_key() || event.meta_key()) && !event.alt_key() && key.eq_ignore_ascii_case("k") {
                event.prevent_default();
                if palette.is_open() || !dialog_open() {
                    palette.turn();
                }
                return;
            }
            if palette.is_open() && !dialog_open() {
                palette.type_ahead(&event);
                return;
            }
            // The list of shortcuts is being loaded: it would cover what a shortcut does.
            if sheet.is_open() && !dialog_open() {
                if key == "Escape" {
                    sheet.close();
                }
                return;
            }
            if taken(&event) || settings::stored(SINGLE) == "off" {
                return;
            }
            let go = |to: &str| navigate(to, Default::default());
            let now = js_sys::Date::now();
            let after_g = now - g_at.get_value() < SECOND_KEY_WITHIN;
            g_at.set_value(f64::NEG_INFINITY);
            if after_g {
                if let Some((_, to, _)) = PLACES.iter().find(|(second, ..)| *second == key) {
                    go(to);
                }
                return;
            }
            match key.as_str() {
                "n" => {
                    go("/new");
                    focus_first_field(ARRIVAL_FRAMES);
                }
                "g" => g_at.set_value(now),
                "/" => {
                    event.prevent_default();
                    if !focus(document().query_selector("[data-filter]").ok().flatten()) {
                        palette.turn();
                    }
                }
                "?" => sheet.open(),
                "[" => fold_rail(),
                "j" => step(true),
                "k" => step(false),
                "x" => tick(),
                key => {
                    let op = open.operation();
                    let shift = event.shift_key();
                    let deed = op.and_then(|op| {
                        OperationAction::fitting(op)
                            .find(|deed| means(deed.key(), key, shift))
                            .map(|d| (d, op))
                    });
                    if let Some((deed, op)) = deed {
                        let navigate = navigate.clone();
                        code.run(move || {
                            act(deed, op, doer, Rc::new(move |to| navigate(to, Default::default())))
                        });
                    }
                }
            }
        };
        let handle = window_event_listener(keydown, move |event| owner.with(|| pressed(event)));
        on_cleanup(move || handle.remove());
    });
    view! { <KeysSheet/> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_has_two_meanings_on_an_operation() {
        let others = ["n", "g", "/", "?", "[", "j", "k", "x"];
        assert!(OperationAction::ALL.iter().all(|deed| !others.contains(&deed.key())));
    }

    #[test]
    fn shift_shortcuts_ignore_caps_lock() {
        assert!(means("C", "C", true) && means("a", "a", false));
        assert!(!means("C", "c", false) && !means("a", "A", true));
        // With Caps Lock on.
        assert!(!means("C", "C", false) && means("C", "c", true) && means("a", "A", false));
    }
}
