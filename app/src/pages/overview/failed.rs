//! What failed since one looked last. The browser keeps when that was; without it, the last 24 hours.

use crate::components::toasts::Toasts;
use crate::format;
use crate::live::Live;
use crate::pages::operations::table::Table;
use crate::reactive::{part, text};
use leptos::prelude::*;
use leptos_router::components::A;
use protocol::{State, Time};

/// Where the browser keeps it, in RFC 3339.
const KEY: &str = "signalbox.looked";
const DAY: i64 = 86_400_000_000;
/// So many are shown.
const MOST: usize = 10;

fn kept() -> Option<Time> {
    let storage = window().local_storage().ok().flatten()?;
    Time::parse(&storage.get_item(KEY).ok().flatten()?).ok()
}

fn keep(looked: Option<Time>) {
    // A browser that keeps nothing still shows it until the page is left.
    let Some(storage) = window().local_storage().ok().flatten() else { return };
    let _ = match looked {
        Some(at) => storage.set_item(KEY, &at.to_string()),
        None => storage.remove_item(KEY),
    };
}

/// The failures, and the button that says that they are known.
#[component]
pub fn Failed() -> impl IntoView {
    let live = Live::here();
    let clock = live.clock();
    let looked = RwSignal::new(None::<Time>);
    // What was known before "seen" was pressed last, for the way back.
    let before = RwSignal::new(None::<Option<Time>>);
    Effect::new(move |_| looked.set(kept()));
    let seeded_at = live.seeded_at();
    let since = Memo::new(move |_| looked.get().unwrap_or_else(|| seeded_at.get().plus_micros(-DAY)));
    let all = Memo::new({
        let live = live.clone();
        move |_| {
            let since = since.get();
            let failed = live.list(|state| state == State::Failed).1;
            let known = |id| live.operation(id).and_then(|cell| cell.ended_at());
            let mut failed: Vec<_> = failed
                .into_iter()
                .filter_map(|id| known(id).filter(|at| *at > since).map(|at| (at, id)))
                .collect();
            failed.sort_unstable_by(|a, b| b.cmp(a));
            failed
        }
    });
    let ids =
        Memo::new(move |_| all.with(|all| all.iter().take(MOST).map(|(_, id)| *id).collect::<Vec<_>>()));
    let count = Memo::new(move |_| all.with(Vec::len));
    let places = Memo::new(move |_| live.places());
    let put_back = move |was: Option<Time>| {
        keep(was);
        // The page may have been left meanwhile.
        looked.try_set(was);
        before.try_set(None);
    };
    let toasts = expect_context::<Toasts>();
    let seen = move |_| {
        // What fails between this moment and the next word from the server is not marked as seen.
        let newest = all.with_untracked(|all| all.first().map(|(at, _)| *at));
        let at = newest.unwrap_or_else(|| clock.get_untracked());
        let said = match count.get_untracked() {
            1 => "1 failure is marked as seen.".to_owned(),
            n => format!("{} failures are marked as seen.", format::count(n as u64)),
        };
        let was = looked.get_untracked();
        before.set(Some(was));
        looked.set(Some(at));
        keep(Some(at));
        toasts.undoable(said, move || put_back(was));
    };
    let back = move |_| {
        if let Some(was) = before.get_untracked() {
            put_back(was);
        }
    };
    let since_words = text(move || match looked.get() {
        Some(at) => format!("since you looked, {}", format::ago(clock.get().seconds_since(at))),
        None => "in the last 24 hours".to_owned(),
    });
    view! {
        <section class="list failed-list" aria-labelledby="failed-title">
            <header class="list-head">
                <h2 id="failed-title">
                    "Failed " <span class="count num">{text(move || format::count(count.get() as u64))}</span> " "
                    <span class="count">{since_words}</span>
                </h2>
                {part(move || {
                    if count.get() > 0 {
                        Some(
                            view! {
                                <button type="button" class="link only-script" on:click=seen>
                                    "I have seen these"
                                </button>
                            }
                                .into_any(),
                        )
                    } else if before.read().is_some() {
                        Some(
                            view! {
                                <button type="button" class="link only-script" on:click=back>
                                    "Show them again"
                                </button>
                            }
                                .into_any(),
                        )
                    } else {
                        None
                    }
                })}
            </header>
            <Show
                when=move || count.get() != 0
                fallback=|| view! { <p class="muted quiet-line">"Nothing failed."</p> }
            >
                <Table ids left="Ended" doing="Why" places/>
            </Show>
            <Show when=move || { count.get() > MOST }>
                <p class="muted quiet-line">
                    "The newest of them. " <A href="/operations?state=failed">"Show all that failed"</A>
                </p>
            </Show>
        </section>
    }
    .into_any()
}
