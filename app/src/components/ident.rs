//! Ids and addresses to take along: shortened for the eye, copied whole.

use super::icon::Icon;
use super::toasts::Toasts;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;

/// Puts text on the clipboard; false when the browser does not let a page do that.
pub async fn copy(text: &str) -> bool {
    let Some(window) = web_sys::window() else { return false };
    let navigator = window.navigator();
    // The browser withholds it from pages that came over plain HTTP from another machine.
    let there = js_sys::Reflect::get(&navigator, &"clipboard".into()).is_ok_and(|c| c.is_object());
    there && JsFuture::from(navigator.clipboard().write_text(text)).await.is_ok()
}

/// Copies, and says so in a toast.
pub fn copy_and_say(toasts: Toasts, text: String, what: &'static str) {
    spawn_local(async move {
        if copy(&text).await {
            toasts.say(format!("{what} copied"));
        } else {
            toasts.warn(format!("The browser blocked copying. {what}: {text}"));
        }
    });
}

/// An id: its ends in monospace, and a button that copies all of it.
#[component]
pub fn Ident(
    /// As shown.
    short: String,
    /// As copied.
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

/// A name that is used elsewhere, like that of a model, and a button that copies it.
#[component]
pub fn CopyName(name: String) -> impl IntoView {
    view! { <Ident short=name.clone() whole=name/> }
}
