//! Light, dark, or as the system has it. The choice is kept in the browser and put on the document before
//! the first paint by the shell's script.

use super::icon::Icon;
use crate::reactive::{part, text};
use leptos::prelude::*;

/// Remembers a choice and puts it on the document; empty forgets it.
pub fn keep(name: &str, value: &str) {
    let Some(root) = document().document_element() else { return };
    let attribute = format!("data-{name}");
    // A browser that keeps nothing still shows what was chosen until the page is left.
    let storage = window().local_storage().ok().flatten();
    let key = format!("signalbox.{name}");
    if value.is_empty() {
        let _ = root.remove_attribute(&attribute);
        if let Some(storage) = storage {
            let _ = storage.remove_item(&key);
        }
    } else {
        let _ = root.set_attribute(&attribute, value);
        if let Some(storage) = storage {
            let _ = storage.set_item(&key, value);
        }
    }
}

/// What the document says of a choice.
pub fn kept(name: &str) -> String {
    document()
        .document_element()
        .and_then(|root| root.get_attribute(&format!("data-{name}")))
        .unwrap_or_default()
}

/// One button that goes through auto, light and dark.
#[component]
pub fn ThemeSwitch() -> impl IntoView {
    let theme = RwSignal::new(String::new());
    Effect::new(move |_| theme.set(kept("theme")));
    let word = move || match theme.read().as_str() {
        "light" => "light",
        "dark" => "dark",
        _ => "auto",
    };
    let next = move |_| {
        let next = match word() {
            "auto" => "light",
            "light" => "dark",
            _ => "",
        };
        keep("theme", next);
        theme.set(next.to_owned());
    };
    view! {
        <button
            type="button"
            class="quiet"
            aria-label=text(move || format!("Theme: {}. Change it", word()))
            title=text(move || format!("Theme: {}", word()))
            on:click=next
        >
            {part(move || Some(view! { <Icon name=word()/> }.into_any()))}
        </button>
    }
    .into_any()
}
