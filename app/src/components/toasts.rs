//! Short notes that float in and go by themselves, some with a way back; those that tell of trouble stay until they
//! are closed.

use super::icon::Icon;
use leptos::prelude::*;
use std::sync::Arc;
use std::time::Duration;

/// A way back is there for so long.
const TO_UNDO: Duration = Duration::from_secs(15);

#[derive(Clone)]
struct Toast {
    id: u32,
    text: String,
    warns: bool,
    /// Takes back what was done.
    undo: Option<Arc<dyn Fn() + Send + Sync>>,
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
        let id = self.push(text.into(), false, None);
        let toasts = *self;
        set_timeout(move || toasts.close(id), Duration::from_secs(5));
    }

    /// Something went as asked and can be taken back for a while. `undo` may be called on another page than the one
    /// it was made on.
    pub fn undoable(&self, text: impl Into<String>, undo: impl Fn() + Send + Sync + 'static) {
        let id = self.push(text.into(), false, Some(Arc::new(undo)));
        let toasts = *self;
        set_timeout(move || toasts.close(id), TO_UNDO);
    }

    /// Something did not; stays.
    pub fn warn(&self, text: impl Into<String>) {
        self.push(text.into(), true, None);
    }

    fn push(&self, text: String, warns: bool, undo: Option<Arc<dyn Fn() + Send + Sync>>) -> u32 {
        self.last.update_value(|n| *n += 1);
        let id = self.last.get_value();
        self.list.update(|list| {
            // The same words twice are one note.
            list.retain(|toast| toast.text != text);
            list.push(Toast { id, text, warns, undo });
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
                            {toast.undo.map(|undo| {
                                let clicked = move |_| {
                                    undo();
                                    toasts.close(toast.id);
                                };
                                view! { <button type="button" class="link" on:click=clicked>"Undo"</button> }.into_any()
                            })}
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
