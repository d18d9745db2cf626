//! A dialog over the page that a signal opens and closes.

use leptos::html::Dialog;
use leptos::prelude::*;

/// Shows the dialog while `open` says so. Its `close` event has to set `open` back: people close dialogs by themselves.
pub fn follow(dialog: NodeRef<Dialog>, open: RwSignal<bool>) {
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        match (open.get(), dialog.open()) {
            // It fails only for a dialog that is already open.
            (true, false) => drop(dialog.show_modal()),
            (false, true) => dialog.close(),
            _ => {}
        }
    });
}
