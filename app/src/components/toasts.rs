//! Short notes that float in and go by themselves; those that tell of trouble stay until they are closed.

use super::icon::Icon;
use leptos::prelude::*;
use std::time::Duration;

#[derive(Clone, PartialEq)]
struct Toast {
    id: u32,
    text: String,
    warns: bool,
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

    /// Something went as asked; gone after some seconds.
    pub fn say(&self, text: impl Into<String>) {
        let id = self.push(text.into(), false);
        let toasts = *self;
        set_timeout(move || toasts.close(id), Duration::from_secs(5));
    }

    /// Something did not; stays.
    pub fn warn(&self, text: impl Into<String>) {
        self.push(text.into(), true);
    }

    fn push(&self, text: String, warns: bool) -> u32 {
        self.last.update_value(|n| *n += 1);
        let id = self.last.get_value();
        self.list.update(|list| {
            // The same words twice are one note.
            list.retain(|toast| toast.text != text);
            list.push(Toast { id, text, warns });
            if list.len() > 4 {
                list.remove(0);
            }
        });
        id
    }

    fn close(&self, id: u32) {
        self.list.update(|list| list.retain(|toast| toast.id != id));
    }
}

/// Where they appear; read out politely.
#[component]
pub fn ToastList() -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    view! {
        <div class="toasts" role="status" aria-live="polite">
            <For
                each=move || toasts.list.get()
                key=|toast| toast.id
                children=move |toast| {
                    view! {
                        <div class="toast" data-warns=toast.warns.then_some("")>
                            <p>{toast.text}</p>
                            <button
                                type="button"
                                class="quiet"
                                aria-label="Close this note"
                                on:click=move |_| toasts.close(toast.id)
                            >
                                <Icon name="cross"/>
                            </button>
                        </div>
                    }
                }
            />
        </div>
    }
    .into_any()
}
