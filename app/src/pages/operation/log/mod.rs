//! Log of the current attempt. It follows the end unless the user scrolls up.
//!
//! Only the lines in view are in the document, and only viewed lines are loaded. The URL holds the level, the search
//! and a line as `#L1234`.

mod copying;
mod line;
mod load;
mod log_filter;
pub mod paint;
mod search;
mod state;
mod tools;

use components::print_note::{OnPaper, Printed};
use components::reactive::{maybe, part, text, word};
use display::format;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};
use line::{Drawn, Marked, row};
use live::OpView;
use live::model::log_buffer::LogBuffer;
use live::model::store::Follow;
use load::Loading;
use protocol::LogLevel;
use state::{Look, ROW};
use std::sync::Arc;
use tools::{Missing, Tools, level_of};

/// Query parameters of the level and the search.
const LEVEL: &str = "log-level";
const WORDS: &str = "log-find";

/// Line number in a URL hash: `#L1234`.
pub fn line_of(hash: &str) -> Option<u64> {
    hash.trim_start_matches('#').strip_prefix('L')?.parse().ok()
}

/// Whether lines arrive slowly enough to be announced.
fn is_calm(log: &LogBuffer) -> bool {
    const LINES: u64 = 4;
    const SECONDS: f64 = 10.0;
    let (Some(newest), Some(earlier)) = (log.get(log.last()), log.get(log.last().saturating_sub(LINES)))
    else {
        return true;
    };
    newest.at.seconds_since(earlier.at) > SECONDS
}

/// Log with its toolbar.
#[component]
pub fn LogView(
    op: OpView,
    follow: Arc<Follow>,
    /// Whether its tab is shown; a hidden list has no height.
    shown: Signal<bool>,
) -> impl IntoView {
    let location = use_location();
    let (level, words) = location.query.with_untracked(|q| (level_of(q.get_str(LEVEL)), q.get(WORDS)));
    let words = words.unwrap_or_default().trim().to_lowercase();
    let look = Look::new(op.id, follow.log.state().into(), level, words);
    let loading = Loading::new(look);
    look.listing.run(look);
    look.finding.run(look);

    // Writes level, search and line to the URL.
    let navigate = use_navigate();
    let address = StoredValue::new(move |marked: Option<u64>| {
        let mut query = location.query.get_untracked();
        query.remove(LEVEL);
        query.remove(WORDS);
        let least = look.least.get_untracked();
        if least != LogLevel::Debug {
            query.insert(LEVEL, least.as_str().to_owned());
        }
        look.words.with_untracked(|words| {
            if !words.is_empty() {
                query.insert(WORDS, words.clone());
            }
        });
        let mut to = location.pathname.get_untracked() + &query.to_query_string();
        if let Some(n) = marked {
            to.push_str(&format!("#L{n}"));
        }
        navigate(&to, NavigateOptions { replace: true, scroll: false, resolve: false, ..Default::default() });
    });
    // A line selected in the list or search is already in view; one from a link may not be.
    let here = StoredValue::new(None::<u64>);
    let go = Callback::new(move |n: u64| {
        here.set_value(Some(n));
        address.with_value(|address| address(Some(n)));
    });
    let wording = Callback::new(move |()| address.with_value(|address| address(look.marked.get_untracked())));
    let unmark = Callback::new(move |()| address.with_value(|address| address(None)));

    // The URL alone decides which line is selected.
    Effect::new(move |_| {
        let named = line_of(&location.hash.read());
        look.marked.set(named);
    });
    // The line scrolls into view once it is known to exist.
    let there = Memo::new(move |_| {
        let n = look.marked.get()?;
        look.log.with(|log| n >= log.first() && n <= log.last()).then_some(n)
    });
    Effect::new(move |_| {
        let Some(n) = there.get() else { return };
        if !look.show(n) && look.least.get_untracked() != LogLevel::Debug {
            look.least.set(LogLevel::Debug);
            look.show(n);
        }
        if here.get_value() != Some(n)
            && let Some(list) = look.node.get_untracked()
        {
            list.scroll_into_view_with_bool(false);
        }
    });
    // Before hydration, the newest lines are at the top of the list.
    let awake = RwSignal::new(false);
    Effect::new(move |_| {
        look.rows.track();
        look.log.track();
        awake.set(true);
        if look.following.get() {
            look.show_end();
        }
    });
    Effect::new(move |_| {
        if shown.get() {
            look.unhidden();
        }
    });
    let resized = window_event_listener(leptos::ev::resize, move |_| look.scrolled());
    on_cleanup(move || resized.remove());

    let stamp = Memo::new(move |earlier: Option<&u64>| {
        look.words.track();
        earlier.map_or(0, |n| n + 1)
    });
    let drawn = Memo::new(move |_| {
        let (rows, (from, to)) = (look.rows.get(), look.drawn());
        let (stamp, marked) = (stamp.get(), look.marked.get());
        look.log.with(|log| {
            let stamp = (u64::from(log.attempt()) << 32) | stamp;
            let row = |row| {
                let n = look.line_at(rows, row);
                Drawn { n, here: log.get(n).is_some(), marked: marked == Some(n), stamp }
            };
            (from..to).map(row).collect::<Vec<_>>()
        })
    });
    let pixels = move |rows: usize| awake.get().then(|| format!("{}px", rows as f64 * ROW));
    let height = maybe(move || pixels(look.rows.get().len).map(|height| format!("height:{height}")));
    let offset = maybe(move || pixels(look.drawn().0).map(|top| format!("transform:translateY({top})")));
    let printed = Signal::derive(move || {
        let (all, (from, to)) = (look.rows.get().len, look.drawn());
        Printed { before: from, here: to - from, all, more: false }
    });
    let nothing = part(move || {
        let empty = look.rows.get().len == 0;
        let left = look.log.with(LogBuffer::first);
        let wording = match (look.log.with(|l| l.last() == 0), op.state.get().ended()) {
            (true, true) => "No log output.",
            (true, false) => "Waiting for output…",
            (false, _) if look.listing.left(left).is_some() => {
                "No lines at this level among the newest lines."
            }
            (false, _) => "No lines at this level.",
        };
        empty.then(|| view! { <p class="muted quiet-line">{wording}</p> }.into_any())
    });
    let to_end = part(move || {
        (!look.following.get()).then(|| {
            let new = move || match look.log.with(LogBuffer::last).saturating_sub(look.left_at.get()) {
                0 => "Jump to end ↓".to_owned(),
                1 => "1 new line ↓".to_owned(),
                n => format!("{} new lines ↓", format::count(n)),
            };
            view! {
                <button type="button" class="button log-end" on:click=move |_| look.follow(true)>
                    {text(new)}
                </button>
            }
            .into_any()
        })
    });
    // Fast lines are not announced, since the announcements would never end.
    let live = word(move || if look.following.get() && look.log.with(is_calm) { "polite" } else { "off" });
    view! {
        <section class="card log" aria-labelledby="log-title">
            <Tools look go wording/>
            <Missing look loading/>
            <div class="log-frame">
                <div
                    class="log-lines"
                    node_ref=look.node
                    tabindex="0"
                    role="log"
                    aria-live=live
                    aria-labelledby="log-title"
                    on:scroll=move |_| look.scrolled()
                >
                    <div class="log-space" style=height>
                        <div class="log-window" style=offset>
                            <For each=move || drawn.get() key=|of| *of children=move |of| row(look, of, go)/>
                        </div>
                    </div>
                    {nothing}
                </div>
                {to_end}
            </div>
            <OnPaper what="lines" printed/>
            <Marked look close=unmark/>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{LogLine, Time};

    #[test]
    fn an_address_names_a_line() {
        assert_eq!(line_of("#L1234"), Some(1_234));
        assert_eq!(line_of("L7"), Some(7));
        assert_eq!([line_of(""), line_of("#log"), line_of("#L"), line_of("#L-1")], [None; 4]);
    }

    #[test]
    fn a_log_is_read_out_only_while_it_is_slow() {
        let mut log = LogBuffer::default();
        assert!(is_calm(&log));
        let line = |n: u64, second: i64| LogLine {
            n,
            at: Time::from_micros(second * 1_000_000),
            level: LogLevel::Info,
            text: String::new(),
        };
        log.add(1, &(1..=5).map(|n| line(n, n as i64 * 5)).collect::<Vec<_>>());
        assert!(is_calm(&log));
        log.add(1, &(6..=10).map(|n| line(n, 30)).collect::<Vec<_>>());
        assert!(!is_calm(&log));
    }
}
