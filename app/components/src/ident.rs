//! Ids and names with a copy button.

use super::icon::Icon;
use app_state::clipboard::copy_and_say;
use app_state::toasts::Toasts;
use leptos::prelude::*;

/// Shortened id in monospace; a click copies the full one.
#[component]
pub fn Ident(
    /// Displayed text.
    short: String,
    /// Copied text.
    whole: String,
) -> impl IntoView {
    let toasts = expect_context::<Toasts>();
    let title = whole.clone();
    view! {
        <button
            type="button"
            class="ident"
            title=format!("Copy {title}")
            on:click=move |_| copy_and_say(toasts, whole.clone(), "ID")
        >
            <code>{short}</code>
            <Icon name="copy"/>
        </button>
    }
}

/// A name used elsewhere, like that of a model; a click copies it.
#[component]
pub fn CopyName(name: String) -> impl IntoView {
    view! { <Ident short=name.clone() whole=name/> }
}
