//! Modal dialog controlled by a signal.

use leptos::html::Dialog;
use leptos::prelude::*;
use web_sys::{Event, KeyboardEvent};

/// Shows the dialog while `open` gives true; tracked. Its `close` event must reset `open`: users also close it with
/// Escape.
pub fn follow(dialog: NodeRef<Dialog>, open: impl Fn() -> bool + 'static) {
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        match (open(), dialog.open()) {
            // Fails only for a dialog that is already open.
            (true, false) => drop(dialog.show_modal()),
            (false, true) => dialog.close(),
            _ => {}
        }
    });
}

/// Handler of `close`. The event comes after the closing; if the dialog is open again by then, nothing happens.
pub fn on_close(dialog: NodeRef<Dialog>, open: RwSignal<bool>) -> impl Fn(Event) {
    move |_| {
        if dialog.get_untracked().is_none_or(|dialog| !dialog.open()) {
            // The page may be gone by now.
            open.try_set(false);
        }
    }
}

/// Handler of `keydown`: Escape resets `open` at once, not with the later `close` event, so that the shortcut of the
/// dialog can open it again.
pub fn on_escape(open: RwSignal<bool>) -> impl Fn(KeyboardEvent) {
    move |event| {
        if event.key() == "Escape" && !event.is_composing() && !event.default_prevented() {
            event.prevent_default();
            open.set(false);
        }
    }
}
