//! The browser's clipboard.

use crate::toasts::Toasts;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;

/// Copies text to the clipboard; false when the browser forbids it.
pub async fn copy(text: &str) -> bool {
    let Some(window) = web_sys::window() else { return false };
    let navigator = window.navigator();
    // Missing on pages served over plain HTTP from another machine.
    let there = js_sys::Reflect::get(&navigator, &"clipboard".into()).is_ok_and(|c| c.is_object());
    there && JsFuture::from(navigator.clipboard().write_text(text)).await.is_ok()
}

/// Copies, and confirms it in a toast.
pub fn copy_and_say(toasts: Toasts, text: String, what: &'static str) {
    spawn_local(async move {
        if copy(&text).await {
            toasts.say(format!("{what} copied"));
        } else {
            toasts.warn(format!("The browser blocked copying. {what}: {text}"));
        }
    });
}
