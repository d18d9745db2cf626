//! Toasts at the edge of the page.

use super::icon::Icon;
use app_state::toasts::{Act, Toasts};
use leptos::prelude::*;
use live::base;

/// Container of the toasts; announced politely.
#[component]
pub fn ToastList() -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    let act = move |id: u32, act: Act| match act {
        Act::Undo(undo) => {
            let clicked = move |_| {
                undo();
                toasts.close(id);
            };
            view! {
                <button type="button" class="link" on:click=clicked>
                    "Undo"
                </button>
            }
            .into_any()
        }
        Act::Open(address) => view! {
            <a class="link" href=base::url(&address) on:click=move |_| toasts.close(id)>
                "Open"
            </a>
        }
        .into_any(),
    };
    view! {
        <div class="toasts" role="status" aria-live="polite">
            <For
                each=move || toasts.list()
                key=|toast| toast.id
                children=move |toast| {
                    view! {
                        <div class="toast" id=format!("toast-{}", toast.id) data-warns=toast.warns.then_some("")>
                            <p>{toast.text}</p>
                            {toast.act.map(|offered| act(toast.id, offered))}
                            <button
                                type="button"
                                class="quiet"
                                aria-label="Dismiss"
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
