//! Theme: light, dark or system. Stored in the browser; the shell's script applies it before the first paint.

use super::icon::Icon;
use crate::reactive::{part, text};
use leptos::prelude::*;

/// Stores a setting and sets it on the document; an empty value removes it.
pub fn keep(name: &str, value: &str) {
    let Some(root) = document().document_element() else { return };
    let attribute = format!("data-{name}");
    // Without storage the setting lasts until the page is left.
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

/// Current value of a setting.
pub fn kept(name: &str) -> String {
    document()
        .document_element()
        .and_then(|root| root.get_attribute(&format!("data-{name}")))
        .unwrap_or_default()
}

/// Toggles the sidebar.
pub fn fold_rail() {
    keep("rail", if kept("rail") == "folded" { "" } else { "folded" });
}

/// The theme; from the context.
#[derive(Clone, Copy)]
pub struct Theme(RwSignal<&'static str>);

impl Theme {
    /// Name and stored value of each theme.
    const ALL: [(&'static str, &'static str); 3] = [("auto", ""), ("light", "light"), ("dark", "dark")];

    /// Called once, by the frame.
    pub fn new() -> Self {
        let theme = RwSignal::new("auto");
        Effect::new(move |_| {
            let kept = kept("theme");
            let known = Self::ALL.iter().find(|(_, value)| *value == kept);
            theme.set(known.map_or("auto", |(name, _)| name));
        });
        Self(theme)
    }

    /// `auto`, `light` or `dark`. Tracked.
    pub fn get(&self) -> &'static str {
        self.0.get()
    }

    /// Sets `auto`, `light` or `dark`.
    pub fn choose(&self, wanted: &'static str) {
        if let Some((_, value)) = Self::ALL.iter().find(|(name, _)| *name == wanted) {
            keep("theme", value);
            self.0.set(wanted);
        }
    }
}

/// Button that cycles through auto, light and dark.
#[component]
pub fn ThemeSwitch() -> impl IntoView {
    let theme = expect_context::<Theme>();
    let next = move |_| {
        theme.choose(match theme.0.get_untracked() {
            "auto" => "light",
            "light" => "dark",
            _ => "auto",
        });
    };
    view! {
        <button
            type="button"
            class="quiet"
            aria-label=text(move || format!("Theme: {}. Change theme", theme.get()))
            title=text(move || format!("Theme: {}", theme.get()))
            on:click=next
        >
            {part(move || Some(view! { <Icon name=theme.get()/> }.into_any()))}
        </button>
    }
    .into_any()
}
