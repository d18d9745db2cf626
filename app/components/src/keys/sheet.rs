//! Dialog that lists all keyboard shortcuts, built when opened.

use super::{PLACES, SINGLE};
use crate::deferred::Deferred;
use crate::dialog;
use crate::reactive::{part, yes};
use app_state::ShortcutHelp;
use app_state::current::OperationAction;
use app_state::settings;
use leptos::html::Dialog;
use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};

/// Fixed shortcuts. Those of the operation page come from [`OperationAction`].
const ANYWHERE: [(&str, &str); 6] = [
    ("Ctrl K", "Search or run a command"),
    ("/", "Filter the list, or search"),
    ("n", "New operation"),
    ("[", "Toggle sidebar"),
    ("?", "Keyboard shortcuts"),
    ("Esc", "Close"),
];
const IN_A_LIST: [(&str, &str); 6] = [
    ("j k", "Next row, previous row"),
    ("Enter", "Open row"),
    ("Space", "Preview row (↓ ↑ to move, Esc to close)"),
    ("x", "Toggle selection"),
    ("↓ ↑", "Move between checkboxes"),
    ("⇧ ↓", "Extend selection"),
];
const IN_A_CHART: [(&str, &str); 6] = [
    ("← →", "Read values (with ⇧: ten at a time)"),
    ("Home End", "First value, last value"),
    ("+ −", "Zoom in, zoom out (mouse: drag to zoom in)"),
    ("PgUp PgDn", "Pan left, pan right (mouse: ⇧ drag)"),
    ("⌫", "Previous zoom"),
    ("0", "Reset zoom"),
];

#[component]
pub fn KeysSheet() -> impl IntoView {
    let open = ShortcutHelp::here().signal();
    let dialog = NodeRef::<Dialog>::new();
    let code = Deferred::new(|| Box::pin(load_shortcuts()), move || open.set(false));
    dialog::follow(dialog, move || open.get() && code.loaded());
    view! {
        <dialog
            node_ref=dialog
            class="dialog keys-sheet"
            aria-label="Keyboard shortcuts"
            on:close=dialog::on_close(dialog, open)
            on:keydown=dialog::on_escape(open)
        >
            {part(move || open.get().then(|| code.view(shortcuts)).flatten())}
        </dialog>
    }
    .into_any()
}

/// The content of the dialog.
#[wasm_split(later, wasm_split_path = leptos::wasm_split, preload(load_shortcuts), fallible)]
fn shortcuts() -> Result<AnyView, SplitLoaderError> {
    Ok(view! { <All/> }.into_any())
}

#[component]
fn All() -> impl IntoView {
    let plain =
        |all: &[(&'static str, &'static str)]| all.iter().map(|&(keys, what)| line(keys, what)).collect();
    let places = PLACES.iter().map(|&(second, _, what)| line(&format!("g {second}"), what)).collect();
    let deeds = OperationAction::ALL.iter().filter(|deed| !deed.key().is_empty()).map(|deed| {
        let key = deed.key();
        let keys = if key.chars().all(char::is_uppercase) { format!("⇧ {key}") } else { key.to_owned() };
        line(&keys, deed.words(false, false))
    });
    let single = RwSignal::new(settings::stored(SINGLE) != "off");
    let turn = move |event| {
        let on = event_target_checked(&event);
        settings::store(SINGLE, if on { "" } else { "off" });
        single.set(on);
    };
    view! {
        // Focused, so that screen readers start at the beginning.
        <h2 tabindex="-1" autofocus=true>"Keyboard shortcuts"</h2>
        <div class="keys-parts">
            {lines("Anywhere", plain(&ANYWHERE))} {lines("Go to", places)}
            {lines("In a list", plain(&IN_A_LIST))} {lines("Operation page", deeds.collect())}
            {lines("Focused chart", plain(&IN_A_CHART))}
        </div>
        <form method="dialog" class="dialog-do">
            <label class="check">
                <input type="checkbox" prop:checked=yes(move || single.get()) on:change=turn/>
                "Enable single-key shortcuts"
            </label>
            <button class="button">"Close"</button>
        </form>
    }
    .into_any()
}

fn line(keys: &str, what: &'static str) -> AnyView {
    let keys = keys.split(' ').map(|key| view! { <kbd>{key.to_owned()}</kbd> }).collect_view();
    view! {
        <div>
            <dt>{keys}</dt>
            <dd>{what}</dd>
        </div>
    }
    .into_any()
}

fn lines(title: &'static str, lines: Vec<AnyView>) -> AnyView {
    view! {
        <section>
            <h3>{title}</h3>
            <dl class="keys">{lines}</dl>
        </section>
    }
    .into_any()
}
