//! Switch of the theme, and of the sidebar.

use super::icon::Icon;
use crate::reactive::{part, text};
use app_state::settings;
use app_state::theme::Theme;
use leptos::prelude::*;

/// Toggles the sidebar.
pub fn fold_rail() {
    settings::store("rail", if settings::stored("rail") == "folded" { "" } else { "folded" });
}

/// Button that cycles through auto, light and dark.
#[component]
pub fn ThemeSwitch() -> impl IntoView {
    let theme = expect_context::<Theme>();
    let next = move |_| {
        theme.choose(match untrack(|| theme.get()) {
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
