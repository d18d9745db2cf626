//! Toasts: short messages that disappear, some with Undo. Warnings and notifications stay until they are closed.

use leptos::prelude::*;
use std::sync::Arc;
use std::time::Duration;

/// Display time, and addition per character.
const STAYS: Duration = Duration::from_secs(4);
const FOR_A_LETTER: Duration = Duration::from_millis(40);
/// Display time of a toast with Undo.
const TO_UNDO: Duration = Duration::from_secs(15);
/// Extension while the toast is hovered or focused.
const AGAIN: Duration = Duration::from_secs(3);

/// Action of a toast.
#[derive(Clone)]
pub enum Act {
    /// Reverts the action.
    Undo(Arc<dyn Fn() + Send + Sync>),
    /// Opens a page.
    Open(String),
}

/// A shown message.
#[derive(Clone)]
pub struct Toast {
    pub id: u32,
    pub text: String,
    /// It stays until it is closed.
    pub warns: bool,
    pub act: Option<Act>,
}

/// The page's toasts; from the context.
#[derive(Clone, Copy)]
pub struct Toasts {
    list: RwSignal<Vec<Toast>>,
    last: StoredValue<u32>,
}

impl Toasts {
    /// Called once, by the app.
    pub fn new() -> Self {
        Self { list: RwSignal::default(), last: StoredValue::new(0) }
    }

    /// Shows a confirmation for some seconds.
    pub fn say(&self, text: impl Into<String>) {
        let text = text.into();
        let stays = STAYS + FOR_A_LETTER * u32::try_from(text.chars().count()).unwrap_or(u32::MAX).min(500);
        let id = self.push(text, false, None);
        self.close_after(id, stays);
    }

    /// Shows a confirmation with Undo. `undo` may run on another page than the one it was made on.
    pub fn undoable(&self, text: impl Into<String>, undo: impl Fn() + Send + Sync + 'static) {
        let id = self.push(text.into(), false, Some(Act::Undo(Arc::new(undo))));
        self.close_after(id, TO_UNDO);
    }

    /// Shows a warning that stays.
    pub fn warn(&self, text: impl Into<String>) {
        self.push(text.into(), true, None);
    }

    /// Shows a message with an action that stays.
    pub fn offer(&self, text: impl Into<String>, act: Act) {
        self.push(text.into(), false, Some(act));
    }

    fn push(&self, text: String, warns: bool, act: Option<Act>) -> u32 {
        self.last.update_value(|n| *n += 1);
        let id = self.last.get_value();
        self.list.update(|list| {
            // A repeated text replaces the earlier toast.
            list.retain(|toast| toast.text != text);
            list.push(Toast { id, text, warns, act });
            if list.len() > 4 {
                list.remove(0);
            }
        });
        id
    }

    /// Messages in the order in which they are shown. Tracked.
    pub fn list(&self) -> Vec<Toast> {
        self.list.get()
    }

    /// Closes a toast.
    pub fn close(&self, id: u32) {
        self.list.update(|list| list.retain(|toast| toast.id != id));
    }

    /// Closes a toast, unless it is hovered or focused.
    fn close_after(&self, id: u32, stays: Duration) {
        let toasts = *self;
        set_timeout(
            move || {
                let used = format!("#toast-{id}:is(:hover, :focus-within)");
                if document().query_selector(&used).is_ok_and(|found| found.is_some()) {
                    toasts.close_after(id, AGAIN);
                } else {
                    toasts.close(id);
                }
            },
            stays,
        );
    }
}
