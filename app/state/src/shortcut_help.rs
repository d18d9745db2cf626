//! Dialog that lists the keyboard shortcuts.

use leptos::prelude::*;

/// Whether the dialog is open; from the context.
#[derive(Clone, Copy)]
pub struct ShortcutHelp(RwSignal<bool>);

impl ShortcutHelp {
    /// Called once, by the frame.
    pub fn new() -> Self {
        Self(RwSignal::new(false))
    }

    /// The page's own, provided by the frame.
    pub fn here() -> Self {
        expect_context::<ShortcutHelp>()
    }

    /// Opens the dialog.
    pub fn open(self) {
        self.0.set(true);
    }

    /// Whether the dialog is open, or will be once its code is loaded. Not tracked.
    pub fn is_open(self) -> bool {
        self.0.get_untracked()
    }

    /// Closes the dialog.
    pub fn close(self) {
        self.0.set(false);
    }

    /// Signal of the dialog, which resets it.
    pub fn signal(self) -> RwSignal<bool> {
        self.0
    }
}
