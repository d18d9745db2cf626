//! Frame around every page: sidebar (a bottom bar on phones), search, connection badge and content; plus palette, tab
//! title and notifications.

use super::account::Account;
use super::badge::{Badge, StaleStrip};
use super::deferred::Deferred;
use super::icon::Icon;
use super::moment::ZoneSwitch;
use super::palette::{Palette, PaletteButton, PaletteDialog};
use super::permission::PermissionNotes;
use super::placeholders::WithSnapshot;
use super::rail_views::RailViews;
use super::signed_out::SignedOut;
use super::tab::Tab;
use super::theme::{ThemeSwitch, fold_rail};
use crate::reactive::{mark, maybe, part};
use app_state::Failures;
use app_state::SavedViews;
use app_state::ShortcutHelp;
use app_state::Zones;
use app_state::current::CurrentOperation;
use app_state::notifications::{self, Notifications};
use app_state::theme::Theme;
use app_state::toasts::Toasts;
use display::format;
use leptos::prelude::*;
use live::base;
use live::{ConnectionStatus, OperationStore};
use protocol::alerts::AlertSummary;
use protocol::{OperationId, State};

/// Sidebar entries: path, icon, label.
const PAGES: [(&str, &str, &str); 6] = [
    (OVERVIEW, "overview", "Overview"),
    (OPERATIONS, "list", "Operations"),
    (NEW, "plus", "New"),
    ("/compare", "compare", "Compare"),
    (HOSTS, "hosts", "Hosts"),
    (ALERTS, "bell", "Alerts"),
];
const OVERVIEW: &str = "/";
const OPERATIONS: &str = "/operations";
const NEW: &str = "/new";
const HOSTS: &str = "/hosts";
const ALERTS: &str = "/alerts";

/// Label of the page at a path; empty for pages that are not in the sidebar.
fn label(path: &str) -> &'static str {
    let here = |href: &str| if href == OVERVIEW { path == href } else { path.starts_with(href) };
    PAGES.into_iter().find(|(href, ..)| here(href)).map_or("", |(.., label)| label)
}

/// Provides the contexts of the frame. Called once, by the app.
pub fn provide(toasts: Toasts) {
    provide_context(Theme::new());
    provide_context(Zones::new());
    provide_context(CurrentOperation::new());
    provide_context(Palette::new());
    provide_context(ShortcutHelp::new());
    provide_context(Notifications::new(toasts));
    provide_context(Failures::new());
    provide_context(SavedViews::new());
}

/// The frame; its children are the page.
#[component]
pub fn Frame(children: Children) -> impl IntoView {
    watch_notifications();
    let (fresh, sheet) = (ConnectionStatus::here().fresh(), ShortcutHelp::here());
    let at = app_state::address::use_path();
    let entry = move |(href, picture, word): (&'static str, &'static str, &'static str)| {
        // Every path starts with "/".
        let here = move || match href {
            OVERVIEW => at.read().as_str() == OVERVIEW,
            href => at.read().starts_with(href),
        };
        view! {
            <li>
                // Not the router's link: below a base path the root entry would be current on every page.
                <a
                    href=base::url(href)
                    class="rail-entry"
                    data-new=(href == NEW).then_some("")
                    title=word
                    data-here=mark(here)
                    aria-current=maybe(move || here().then(|| "page".to_owned()))
                >
                    <Icon name=picture/>
                    <span>{word}</span>
                    {(href == ALERTS).then(|| {
                        view! {
                            <WithSnapshot silent=true>
                                <Firing/>
                            </WithSnapshot>
                        }
                        .into_any()
                    })}
                    {(href == OPERATIONS).then(|| {
                        view! {
                            <WithSnapshot silent=true>
                                <UnseenFailures/>
                                <Active/>
                            </WithSnapshot>
                        }
                        .into_any()
                    })}
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
                <nav class="breadcrumb" aria-label="Breadcrumb">
                    <WithSnapshot silent=true>
                        <Crumbs/>
                    </WithSnapshot>
                </nav>
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
                    <Account/>
                </div>
            </header>
            <aside class="rail" aria-label="Sidebar">
                <nav aria-label="Pages">
                    <ul>{PAGES.map(entry).collect_view()}</ul>
                </nav>
                <RailViews/>
                <button type="button" class="rail-fold quiet" aria-label="Toggle sidebar" on:click=|_| fold_rail()>
                    <Icon name="fold"/>
                </button>
            </aside>
            <WithSnapshot silent=true>
                <StaleStrip/>
            </WithSnapshot>
            <main id="content" tabindex="-1">{children()}</main>
        </div>
        <PaletteDialog/>
        <PermissionNotes/>
        <SignedOut/>
        <Tab/>
    }
    .into_any()
}

/// Watches awaited operations, once the page is live.
fn watch_notifications() {
    let code = Deferred::new(|| Box::pin(notifications::load_watch()), || ());
    let owner = Owner::current().unwrap_or_default();
    Effect::new(move |_| {
        if code.loaded() {
            // Not part of this effect.
            owner.with(|| untrack(|| code.run(notifications::watch)));
        }
    });
}

/// Dot for failures that the user has not seen; absent without any.
#[component]
fn UnseenFailures() -> impl IntoView {
    let failures = Failures::here();
    let count = Memo::new(move |_| failures.count());
    part(move || {
        let count = Some(count.get()).filter(|count| *count > 0)?;
        let wording = format!("{} not seen", format::counted(count as u64, "failure", "failures"));
        let hint = wording.clone();
        Some(
            view! { <span class="rail-dot" title=hint><span class="unseen">" "{wording}</span></span> }
                .into_any(),
        )
    })
}

/// Number of firing and unknown alerts; absent without any. In a folded sidebar a dot.
#[component]
fn Firing() -> impl IntoView {
    let alerts = OperationStore::here().alerts();
    let shown = Memo::new(move |_| {
        let AlertSummary { firing, unknown, severity, .. } = alerts.get();
        (firing, unknown, severity)
    });
    part(move || {
        let (firing, unknown, severity) = shown.get();
        let wording = format::alert_counts(u64::from(firing), u64::from(unknown));
        let (severity, hint) = (severity?.as_str(), wording.clone());
        Some(
            view! {
                <span class="rail-dot" data-severity=severity title=format!("Alerts: {wording}")></span>
                <span class="rail-count num" data-severity=severity title=hint>
                    <span aria-hidden="true">{format::count(u64::from(firing + unknown))}</span>
                    <span class="unseen">" "{wording}</span>
                </span>
            }
            .into_any(),
        )
    })
}

/// Number of active operations; absent without any.
#[component]
fn Active() -> impl IntoView {
    let live = OperationStore::here();
    let count = Memo::new(move |_| {
        State::ALL.into_iter().filter(|state| !state.ended()).map(|state| live.count(state)).sum::<u64>()
    });
    part(move || {
        let count = Some(count.get()).filter(|count| *count > 0)?;
        let wording = format::count(count);
        Some(
            view! { <span class="rail-count num">{wording}<span class="unseen">" active"</span></span> }
                .into_any(),
        )
    })
}

/// Where the page is: its entry of the sidebar, and the operation or host on it.
#[component]
fn Crumbs() -> impl IntoView {
    let live = OperationStore::here();
    let at = app_state::address::use_path();
    part(move || {
        let path = at.get();
        let label = label(&path);
        let id = path
            .strip_prefix(OPERATIONS)
            .and_then(|rest| rest.strip_prefix('/')?.parse::<OperationId>().ok());
        if let Some(host) = path.strip_prefix(HOSTS).and_then(|rest| rest.strip_prefix('/')) {
            return Some(crumbs(HOSTS, label, host.to_owned()));
        }
        let Some(id) = id else {
            let known = (!label.is_empty()).then_some(label)?;
            return Some(view! { <span aria-current="page">{known}</span> }.into_any());
        };
        live.track_list();
        let title = live.operation(id).map_or_else(|| id.to_string(), |op| op.fixed().title.clone());
        Some(crumbs(OPERATIONS, label, title))
    })
}

/// Link to the page above, and the title of this one.
fn crumbs(above: &str, label: &'static str, title: String) -> AnyView {
    view! {
        <a href=base::url(above)>{label}</a>
        <span aria-hidden="true">"/"</span>
        <span class="crumb-title" aria-current="page">{title}</span>
    }
    .into_any()
}

const BRAND: &str = r#"<path d="M2 2h5v5H2zM9 9h5v5H9z" fill="currentColor"/><path d="M9 2h5v5H9zM2 9h5v5H2z" fill="currentColor" opacity=".35"/>"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_belongs_to_its_entry_of_the_sidebar() {
        assert_eq!(
            (label("/"), label("/operations"), label("/operations/x")),
            ("Overview", "Operations", "Operations")
        );
        assert_eq!(label("/no-such-page"), "");
    }
}
