//! The keyboard: one listener for the whole page, and the sheet that tells of it.

use super::palette::Palette;
use super::theme::{fold_rail, keep, kept};
use crate::open::{Deed, Doer, Open};
use crate::reactive::yes;
use leptos::ev::keydown;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlDialogElement, HtmlElement, HtmlInputElement, KeyboardEvent};

const SHEET: &str = "keys-sheet";
/// How long after `g` its second key counts, milliseconds.
const SECOND_KEY_WITHIN: f64 = 1_500.0;
/// How the choice to have no single keys is kept.
const SINGLE: &str = "keys";

/// What `g` and a second key lead to.
const PLACES: [(&str, &str, &str); 5] = [
    ("v", "/", "go to the overview"),
    ("o", "/operations", "go to operations"),
    ("n", "/new", "start something new"),
    ("c", "/compare", "go to compare"),
    ("h", "/hosts", "go to hosts"),
];
/// What else there is, as the sheet tells it. What can be done with an operation comes from its deeds.
const ANYWHERE: [(&str, &str); 6] = [
    ("Ctrl K", "search, or say what to do"),
    ("/", "filter the list; search where there is none"),
    ("n", "new operation"),
    ("[", "fold or unfold the rail"),
    ("?", "this sheet"),
    ("Esc", "close what is open"),
];
const IN_A_LIST: [(&str, &str); 5] = [
    ("j k", "the next row, the one before"),
    ("Enter", "open the row"),
    ("x", "select the row, or let it go"),
    ("↓ ↑", "from box to box"),
    ("⇧ ↓", "select the next one too"),
];
const IN_A_CHART: [(&str, &str); 4] = [
    ("← →", "read the values, with ⇧ ten at a time"),
    ("Home End", "the first value, the last"),
    ("+ −", "zoom in and out"),
    ("0", "the whole of it"),
];

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

/// Something asks and waits for an answer, over the page.
fn dialog_open() -> bool {
    document().query_selector("dialog[open]").is_ok_and(|dialog| dialog.is_some())
}

/// A person is writing, or a key belongs to something else.
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

/// The focus goes there; false where nothing can take it.
fn focus(element: Option<Element>) -> bool {
    let element = element.and_then(|e| e.dyn_into::<HtmlElement>().ok());
    element.is_some_and(|element| element.focus().is_ok())
}

/// The row that has the focus, and all rows.
fn rows() -> (Option<usize>, Vec<Element>) {
    let found = document().query_selector_all("tr.row, .now-card").ok();
    let rows: Vec<Element> = found
        .iter()
        .flat_map(|list| (0..list.length()).filter_map(move |i| list.get(i)))
        .filter_map(|row| row.dyn_into().ok())
        .collect();
    let here = document().active_element();
    let at = rows.iter().position(|row| row.contains(here.as_ref().map(AsRef::as_ref)));
    (at, rows)
}

/// The focus goes to the link of the next row, or of the one before.
fn step(down: bool) {
    let (at, rows) = rows();
    let to = match (at, down) {
        (None, true) => 0,
        (None, false) => rows.len().saturating_sub(1),
        (Some(at), true) => at + 1,
        (Some(at), false) => at.saturating_sub(1),
    };
    let link = rows.get(to).and_then(|row| row.query_selector("a.title, h3 a").ok().flatten());
    focus(link);
}

/// The box of the row that has the focus.
fn tick() {
    let (at, rows) = rows();
    let row = at.and_then(|at| rows.get(at));
    let found = row.and_then(|row| row.query_selector("[data-pick]").ok().flatten());
    if let Some(input) = found.and_then(|found| found.dyn_into::<HtmlElement>().ok()) {
        input.click();
    }
}

/// Listens, and holds the sheet.
#[component]
pub fn Keys() -> impl IntoView {
    let navigate = use_navigate();
    let (palette, open, doer) = (Palette::here(), Open::here(), Doer::here());
    Effect::new(move |_| {
        let navigate = navigate.clone();
        let owner = Owner::current().unwrap_or_default();
        let g_at = StoredValue::new(f64::NEG_INFINITY);
        let pressed = move |event: KeyboardEvent| {
            let key = event.key();
            // Wherever one is, also while writing: no letter comes of it.
            if (event.ctrl_key() || event.meta_key()) && !event.alt_key() && key.eq_ignore_ascii_case("k") {
                event.prevent_default();
                if palette.is_open() || !dialog_open() {
                    palette.turn();
                }
                return;
            }
            if taken(&event) || kept(SINGLE) == "off" {
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
                "n" => go("/new"),
                "g" => g_at.set_value(now),
                "/" => {
                    event.prevent_default();
                    if !focus(document().query_selector("[data-filter]").ok().flatten()) {
                        palette.turn();
                    }
                }
                "?" => ask_for_keys(),
                "[" => fold_rail(),
                "j" => step(true),
                "k" => step(false),
                "x" => tick(),
                key => {
                    let op = open.operation();
                    let deed =
                        op.and_then(|op| Deed::fitting(op).find(|deed| deed.key() == key).map(|d| (d, op)));
                    if let Some((deed, op)) = deed {
                        deed.carry_out(op, doer, &go);
                    }
                }
            }
        };
        let handle = window_event_listener(keydown, move |event| owner.with(|| pressed(event)));
        on_cleanup(move || handle.remove());
    });
    let line = |keys: &str, what: &'static str| {
        let keys = keys.split(' ').map(|key| view! { <kbd>{key.to_owned()}</kbd> }).collect_view();
        view! {
            <div>
                <dt>{keys}</dt>
                <dd>{what}</dd>
            </div>
        }
        .into_any()
    };
    let lines = |title: &'static str, lines: Vec<AnyView>| {
        view! {
            <section>
                <h3>{title}</h3>
                <dl class="keys">{lines}</dl>
            </section>
        }
        .into_any()
    };
    let plain =
        |all: &[(&'static str, &'static str)]| all.iter().map(|&(keys, what)| line(keys, what)).collect();
    let places = PLACES.iter().map(|&(second, _, what)| line(&format!("g {second}"), what)).collect();
    let deeds = Deed::ALL.iter().filter(|deed| !deed.key().is_empty()).map(|deed| {
        let key = deed.key();
        let keys = if key.chars().all(char::is_uppercase) { format!("⇧ {key}") } else { key.to_owned() };
        line(&keys, deed.words(false))
    });
    let single = RwSignal::new(true);
    Effect::new(move |_| single.set(kept(SINGLE) != "off"));
    let turn = move |event| {
        let on = event_target_checked(&event);
        keep(SINGLE, if on { "" } else { "off" });
        single.set(on);
    };
    view! {
        <dialog id=SHEET class="dialog keys-sheet" aria-labelledby="keys-title">
            <h2 id="keys-title">"Keys"</h2>
            <div class="keys-parts">
                {lines("Anywhere", plain(&ANYWHERE))}
                {lines("To a page", places)}
                {lines("In a list", plain(&IN_A_LIST))}
                {lines("On an operation's page", deeds.collect())}
                {lines("In a chart that has the focus", plain(&IN_A_CHART))}
            </div>
            <form method="dialog" class="dialog-do">
                <label class="check">
                    <input type="checkbox" checked=true prop:checked=yes(move || single.get()) on:change=turn/>
                    "single letters are keys"
                </label>
                <button class="button">"Close"</button>
            </form>
        </dialog>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_of_an_operation_means_something_else() {
        let others = ["n", "g", "/", "?", "[", "j", "k", "x"];
        assert!(Deed::ALL.iter().all(|deed| !others.contains(&deed.key())));
    }
}
