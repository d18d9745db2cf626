//! Toolbar of the log, and notes about lines that are not searched or loaded.

use super::copying::copy_all;
use super::load::Loading;
use super::search::{Left, MAX_FINDS};
use super::state::Look;
use app_state::Zones;
use app_state::toasts::Toasts;
use components::icon::Icon;
use components::reactive::{part, text, yes};
use display::format;
use leptos::prelude::*;
use live::OperationStore;
use live::base;
use live::model::log_buffer::LogBuffer;
use protocol::LogLevel;
use protocol::paths;

/// Selectable levels, each including those above it.
const LEVELS: [(LogLevel, &str); 4] = [
    (LogLevel::Debug, "All levels"),
    (LogLevel::Info, "Info and above"),
    (LogLevel::Warn, "Warnings and above"),
    (LogLevel::Error, "Errors"),
];

/// Level with this name, or all levels.
pub fn level_of(word: Option<&str>) -> LogLevel {
    LEVELS.iter().map(|(level, _)| *level).find(|l| Some(l.as_str()) == word).unwrap_or(LogLevel::Debug)
}

/// Search, level, follow, copy and download. `go` selects a line; `wording` runs when the URL must change.
#[component]
pub fn Tools(look: Look, go: Callback<u64>, wording: Callback<()>) -> impl IntoView {
    let next = move |back: bool| {
        // From the selected line, or from the middle of the view.
        let from = look.marked.get_untracked().or_else(|| look.middle());
        if let Some(n) = look.found_lines.with_value(|lines| lines.next(from, back)) {
            go.run(n);
        }
    };
    let keys = move |event: web_sys::KeyboardEvent| {
        if event.key() == "Enter" {
            event.prevent_default();
            next(event.shift_key());
        }
    };
    let typed = move |event| look.words.set(event_target_value(&event).trim().to_lowercase());
    let choose = move |event| {
        look.least.set(level_of(Some(&event_target_value(&event))));
        wording.run(());
    };
    let levels = LEVELS.map(|(level, name)| {
        view! {
            <option value=level.as_str() selected=yes(move || look.least.get() == level)>
                {name}
            </option>
        }
    });
    let any = Memo::new(move |_| look.found.get().0 > 0);
    let searching = Memo::new(move |_| !look.words.read().is_empty());
    let count = move || {
        let (found, ..) = look.found.get();
        let place = look.marked.get().and_then(|n| look.found_lines.with_value(|lines| lines.place(n)));
        let left = look.finding.left(look.log.with(LogBuffer::first));
        match (searching.get(), found, place) {
            (false, ..) => String::new(),
            // "No matches" is shown only after a complete search.
            (true, 0, _) => match left {
                None => "No matches".to_owned(),
                Some(Left::Trouble(_)) => "No matches so far".to_owned(),
                Some(_) => "Searching…".to_owned(),
            },
            (true, n, Some(at)) => format!("{} of {}", format::count(at as u64 + 1), format::count(n as u64)),
            (true, n, None) => {
                let so_far = if left.is_some() { " so far" } else { "" };
                format!("{} {}{so_far}", format::count(n as u64), if n == 1 { "match" } else { "matches" })
            }
        }
    };
    let steps = part(move || {
        let step = move |label: &'static str, sign: &'static str, back: bool| {
            view! {
                <button
                    type="button"
                    class="quiet"
                    aria-label=label
                    title=label
                    disabled=yes(move || !any.get())
                    on:click=move |_| next(back)
                >
                    {sign}
                </button>
            }
        };
        searching.get().then(|| {
            view! {
                {step("Previous match (Shift+Enter)", "↑", true)}
                {step("Next match (Enter)", "↓", false)}
            }
            .into_any()
        })
    });
    let file = {
        let id = look.id;
        move || {
            let attempt = look.log.with(LogBuffer::attempt);
            base::url(&paths::log_file(id, (attempt > 0).then_some(attempt)))
        }
    };
    let toasts = expect_context::<Toasts>();
    let (zone, now) = (Zones::here(), OperationStore::here().seeded_at());
    // Lines show no time zone. The zones of the first and last loaded lines are named above the list.
    let ends = Memo::new(move |_| {
        look.log.with(|log| {
            let mut lines = log.from(0);
            let first = lines.next()?.at;
            Some((first, log.get(log.last()).map_or(first, |line| line.at)))
        })
    });
    let zones = move || {
        let (first, last) = ends.get().unwrap_or_else(|| (now.get(), now.get()));
        format!("Times in {}", zone.get().name_over(first, last))
    };
    view! {
        <header>
            <h2 id="log-title">"Log"</h2>
            <span class="muted">{text(zones)}</span>
            <div class="log-search">
                <input
                    type="search"
                    aria-label="Search the log"
                    placeholder="Search"
                    value=look.words.get_untracked()
                    on:input=typed
                    on:change=move |_| wording.run(())
                    on:keydown=keys
                />
                <span class="log-count num" role="status">{text(count)}</span>
                {steps}
            </div>
            <select aria-label="Minimum level" on:change=choose>
                {levels.collect_view()}
            </select>
            <label class="check">
                <input
                    type="checkbox"
                    prop:checked=yes(move || look.following.get())
                    checked=true
                    on:change=move |event| look.follow(event_target_checked(&event))
                />
                "Follow"
            </label>
            <button
                type="button"
                class="link only-script"
                title="Copy the lines at the selected level and above"
                on:click=move |_| copy_all(look, toasts, untrack(|| zone.get()))
            >
                "Copy"
            </button>
            <a class="link" href=text(file) download="" title="Download the full log as a text file">
                "Download"
            </a>
        </header>
    }
    .into_any()
}

/// Note about lines that a search or level filter has not reached.
#[component]
pub fn Missing(look: Look, loading: Loading) -> impl IntoView {
    let left = Memo::new(move |_| {
        let first = look.log.with(LogBuffer::first);
        look.finding.left(first).or_else(|| look.listing.left(first))
    });
    let note = part(move || {
        let wording = match left.get()? {
            Left::Searching(from) => {
                let all = format::count(look.log.with(LogBuffer::last));
                match from {
                    Some(from) => {
                        format!("Searching {all} lines, newest first. Reached line {}.", format::count(from))
                    }
                    None => format!("Searching {all} lines…"),
                }
            }
            Left::TooMany => format!(
                "Showing the newest {} matches. Narrow the search to find older matches, or download the log.",
                format::count(MAX_FINDS as u64)
            ),
            Left::Trouble(why) => {
                let again = move |_| {
                    look.finding.again();
                    look.listing.again();
                };
                return Some(
                    view! {
                        <p class="note bad log-note" role="alert">
                            "Older lines could not be searched. " {why} " "
                            <button type="button" class="link" on:click=again>
                                "Try again"
                            </button>
                        </p>
                    }
                    .into_any(),
                );
            }
        };
        Some(view! { <p class="muted quiet-line log-note" role="status">{wording}</p> }.into_any())
    });
    let trouble = part(move || {
        let why = loading.trouble.get()?;
        Some(
            view! {
                <p class="note bad log-note" role="alert">
                    "Older lines could not be loaded. " {why} " "
                    <button type="button" class="link" on:click=move |_| loading.trouble.set(None)>
                        "Try again"
                    </button>
                </p>
            }
            .into_any(),
        )
    });
    view! {
        {note}
        {trouble}
    }
    .into_any()
}

/// Button that closes the details of a line.
#[component]
pub fn Close(label: &'static str, close: Callback<()>) -> impl IntoView {
    view! {
        <button type="button" class="quiet" aria-label=label title=label on:click=move |_| close.run(())>
            <Icon name="cross"/>
        </button>
    }
    .into_any()
}
