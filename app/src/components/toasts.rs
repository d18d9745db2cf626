//! Short notes that float in and go by themselves; those that tell of trouble stay until they are closed.

use super::icon::Icon;
use leptos::prelude::*;
use std::sync::Arc;
use std::time::Duration;

/// What a note offers to do: its word, and the deed.
type Offer = (&'static str, Arc<dyn Fn() + Send + Sync>);

#[derive(Clone)]
struct Toast {
    id: u32,
    text: String,
    warns: bool,
    offer: Option<Offer>,
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

    /// Something went as asked and can be undone, or gone on with; gone after long enough to reach for it.
    pub fn offer(&self, text: impl Into<String>, word: &'static str, act: Arc<dyn Fn() + Send + Sync>) {
        let id = self.push(text.into(), false, Some((word, act)));
        let toasts = *self;
        set_timeout(move || toasts.close(id), Duration::from_secs(12));
    }

    /// Something did not; stays.
    pub fn warn(&self, text: impl Into<String>) {
        self.push(text.into(), true, None);
    }

    fn push(&self, text: String, warns: bool, offer: Option<Offer>) -> u32 {
        self.last.update_value(|n| *n += 1);
        let id = self.last.get_value();
        self.list.update(|list| {
            // The same words twice are one note.
            list.retain(|toast| toast.text != text);
            list.push(Toast { id, text, warns, offer });
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
                    let offered = toast.offer.map(|(word, act)| {
                        let done = move |_| {
                            toasts.close(toast.id);
                            act();
                        };
                        view! {
                            <button type="button" class="link toast-do" on:click=done>
                                {word}
                            </button>
                        }
                    });
                    view! {
                        <div class="toast" data-warns=toast.warns.then_some("")>
                            <p>{toast.text}</p>
                            {offered}
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
