//! Frame around every page: sidebar (a bottom bar on phones), search, connection badge and content; plus palette, tab
//! title and notifications.

use super::badge::Badge;
use super::icon::Icon;
use super::moment::ZoneSwitch;
use super::palette::{Palette, PaletteButton, PaletteDialog};
use super::placeholders::WithSnapshot;
use super::tab::Tab;
use super::theme::{ThemeSwitch, fold_rail};
use crate::reactive::{mark, maybe};
use app_state::ShortcutHelp;
use app_state::Zones;
use app_state::current::CurrentOperation;
use app_state::notifications::{self, Notifications};
use app_state::theme::Theme;
use app_state::toasts::Toasts;
use leptos::prelude::*;
use live::ConnectionStatus;
use live::base;

/// Sidebar entries: path, icon, label.
const PAGES: [(&str, &str, &str); 5] = [
    ("/", "overview", "Overview"),
    ("/operations", "list", "Operations"),
    ("/new", "plus", "New"),
    ("/compare", "compare", "Compare"),
    ("/hosts", "hosts", "Hosts"),
];

/// Provides the contexts of the frame. Called once, by the app.
pub fn provide(toasts: Toasts) {
    provide_context(Theme::new());
    provide_context(Zones::new());
    provide_context(CurrentOperation::new());
    provide_context(Palette::new());
    provide_context(ShortcutHelp::new());
    provide_context(Notifications::new(toasts));
}

/// The frame; its children are the page.
#[component]
pub fn Frame(children: Children) -> impl IntoView {
    notifications::watch();
    let (fresh, sheet) = (ConnectionStatus::here().fresh(), ShortcutHelp::here());
    let at = app_state::address::use_path();
    let entry = move |(href, picture, word): (&'static str, &'static str, &'static str)| {
        // Every path starts with "/".
        let here = move || match href {
            "/" => at.read().as_str() == "/",
            href => at.read().starts_with(href),
        };
        view! {
            <li>
                // Not the router's link: below a base path the root entry would be current on every page.
                <a
                    href=base::url(href)
                    class="rail-entry"
                    title=word
                    data-here=mark(here)
                    aria-current=maybe(move || here().then(|| "page".to_owned()))
                >
                    <Icon name=picture/>
                    <span>{word}</span>
                </a>
            </li>
        }
    };
    view! {
        <a class="skip" href="#content">"Skip to content"</a>
        <div class="frame" data-stale=mark(move || !fresh.get())>
            <header class="top">
                <a class="brand" href=base::url("/") aria-label="Signalbox: overview">
                    <svg viewBox="0 0 16 16" aria-hidden="true" inner_html=BRAND></svg>
                    <span>"Signalbox"</span>
                </a>
                <PaletteButton/>
                <div class="top-right">
                    <WithSnapshot silent=true>
                        <Badge/>
                    </WithSnapshot>
                    <ZoneSwitch/>
                    <button
                        type="button"
                        class="quiet wide-only"
                        aria-label="Keyboard shortcuts"
                        title="Keyboard shortcuts (?)"
                        on:click=move |_| sheet.open()
                    >
                        <Icon name="keys"/>
                    </button>
                    <ThemeSwitch/>
                </div>
            </header>
            <nav class="rail" aria-label="Pages">
                <ul>{PAGES.map(entry).collect_view()}</ul>
                <button type="button" class="rail-fold quiet" aria-label="Toggle sidebar" on:click=|_| fold_rail()>
                    <Icon name="fold"/>
                </button>
            </nav>
            <main id="content" tabindex="-1">{children()}</main>
        </div>
        <PaletteDialog/>
        <Tab/>
    }
    .into_any()
}

const BRAND: &str = r#"<path d="M2 2h5v5H2zM9 9h5v5H9z" fill="currentColor"/><path d="M9 2h5v5H9zM2 9h5v5H2z" fill="currentColor" opacity=".35"/>"#;
