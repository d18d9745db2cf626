//! Modal dialog controlled by a signal.

use leptos::html::Dialog;
use leptos::prelude::*;

/// Shows the dialog while `open` gives true; tracked. Its `close` event must reset `open`: users also close it with Escape.
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
