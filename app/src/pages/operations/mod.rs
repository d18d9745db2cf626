//! Operations: what runs and what ended, filtered by the page's address.

mod filter_bar;
mod more;
pub mod table;

use crate::actions::{Actions, Question};
use crate::components::faces::{Empty, WithSnapshot};
use crate::components::icon::Icon;
use crate::components::picks::{Picks, SelectBar};
use crate::filter::Filter;
use crate::format;
use crate::live::Live;
use crate::reactive::{part, text, whole};
use crate::select::Selection;
use filter_bar::FilterBar;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use leptos_router::hooks::use_query_map;
use more::More;
use protocol::{OperationId, State};
use table::Table;

/// Rows of ended operations that are shown at first, and added by each "load more".
const STEP: usize = 100;
/// Rows of active operations shown at once; beyond that the filter helps better than scrolling.
const MOST_ACTIVE: usize = 500;

/// The page.
#[component]
pub fn OperationsPage() -> impl IntoView {
    view! {
        <Title text="Operations · Signalbox"/>
        <div class="page-head">
            <h1>"Operations"</h1>
            <A href="/new" attr:class="button primary">
                <Icon name="plus"/>
                "New operation"
            </A>
        </div>
        <WithSnapshot lines=10>
            <Lists/>
        </WithSnapshot>
    }
    .into_any()
}

/// Filter, active and ended operations.
#[component]
fn Lists() -> impl IntoView {
    let live = Live::here();
    let query = use_query_map();
    let filter = Memo::new(move |_| query.with(|q| Filter::new(q.get_str("state"), q.get_str("q"))));
    let limit = RwSignal::new(STEP);
    let lists = Memo::new({
        let live = live.clone();
        move |_| filter.with(|f| live.list(|state, about| f.takes(state, about)))
    });
    let active = Memo::new(move |_| {
        lists.with(|(active, _)| active.iter().take(MOST_ACTIVE).copied().collect::<Vec<_>>())
    });
    let ended = Memo::new(move |_| {
        lists.with(|(_, ended)| ended.iter().take(limit.get()).copied().collect::<Vec<_>>())
    });
    let active_count = Memo::new(move |_| lists.with(|(active, _)| active.len()));
    let places = Memo::new({
        let live = live.clone();
        move |_| live.places()
    });
    let selection = Selection::here();
    let picks = Picks { selection, shown: active, all: "Select all that are shown" };
    let ended_picks = Picks { selection, shown: ended, all: "Select all ended ones" };
    let matching = Signal::derive(move || lists.with(|(active, _)| active.clone()));
    let has_ended = Memo::new(move |_| lists.with(|(_, ended)| !ended.is_empty()));
    // Only ended ones, or only active ones, when the filter asks for such a state.
    let about_active = move || filter.with(|f| f.state.is_none_or(|s| !s.ended()));
    let about_ended = move || filter.with(|f| f.state.is_none_or(State::ended));
    let nothing = Memo::new({
        let live = live.clone();
        move |_| {
            active_count.get() == 0 && !has_ended.get() && (live.count_all() == 0 || !filter.read().is_open())
        }
    });
    view! {
        <FilterBar filter/>
        {part(move || {
            if nothing.get() {
                let filtered = !filter.read().is_open();
                return Some(
                    view! {
                        <Nothing filter/>
                        {filtered.then(|| view! { <More filter lists limit/> })}
                    }
                    .into_any(),
                );
            }
            Some(view! {
                <Show when=about_active>
                    <section class="list" aria-labelledby="active-title">
                        <header class="list-head">
                            <h2 id="active-title">
                                "Active" <span class="count num">{text(move || format::count(active_count.get() as u64))}</span>
                            </h2>
                            <CancelMatching filter matching/>
                        </header>
                        <Show
                            when=move || active_count.get() != 0
                            fallback=|| view! { <p class="muted quiet-line">"Nothing runs or waits."</p> }
                        >
                            <Table ids=active left="Left" doing="Doing" picks places/>
                        </Show>
                        <Show when=move || { active_count.get() > MOST_ACTIVE }>
                            <p class="muted quiet-line">
                                {text(move || format!(
                                    "{} more are active. Filter the list to see them.",
                                    format::count((active_count.get() - MOST_ACTIVE) as u64),
                                ))}
                            </p>
                        </Show>
                    </section>
                </Show>
                <Show when=about_ended>
                    <section class="list" aria-labelledby="ended-title">
                        <h2 id="ended-title">"Ended"</h2>
                        <Show
                            when=move || has_ended.get()
                            fallback=move || {
                                let said = match filter.read().is_open() {
                                    true => "Nothing has ended yet.",
                                    false => "Of what ended and is on this page, nothing matches.",
                                };
                                view! { <p class="muted quiet-line">{said}</p> }
                            }
                        >
                            <Table ids=ended left="Ended" doing="Why" picks=ended_picks places/>
                        </Show>
                        <More filter lists limit/>
                    </section>
                </Show>
            }
                .into_any())
        })}
        <SelectBar picks matching/>
    }
    .into_any()
}

/// Cancels all that the filter finds, and no more: for a list without a filter there is the selection.
#[component]
fn CancelMatching(filter: Memo<Filter>, matching: Signal<Vec<OperationId>>) -> impl IntoView {
    let actions = Actions::here();
    let there = Memo::new(move |_| !filter.read().is_open() && !matching.read().is_empty());
    let said = move || match matching.with(Vec::len) {
        1 => "Cancel the 1 that matches…".to_owned(),
        n => format!("Cancel all {} that match…", format::count(n as u64)),
    };
    part(move || {
        there.get().then(|| {
            view! {
                <button
                    type="button"
                    class="link danger only-script"
                    on:click=move |_| actions.question.set(Some(Question::Many(matching.get_untracked().into())))
                >
                    {text(said)}
                </button>
            }
            .into_any()
        })
    })
}

/// Nothing to list: because nothing ever ran, or because the filter leaves nothing.
#[component]
fn Nothing(filter: Memo<Filter>) -> impl IntoView {
    whole(move || {
        if filter.read().is_open() {
            view! {
                <Empty
                    title="Nothing has run yet."
                    text="Here stands everything that runs on your hosts and everything that has ended, kept true while you watch. A load of market data is a good first one; the synthetic source needs no files."
                >
                    <A href="/new?kind=data.load" attr:class="button primary">
                        "Start a load"
                    </A>
                </Empty>
            }
            .into_any()
        } else {
            let said = filter.with(|f| match (f.state, f.words.trim()) {
                (Some(state), "") => format!("No operation is {state}."),
                (Some(state), words) => {
                    format!("No operation that is {state} has \u{201c}{words}\u{201d} in it.")
                }
                (None, words) => format!("No operation has \u{201c}{words}\u{201d} in it."),
            });
            view! {
                <Empty title=said text="The page holds the newest operations only. Older ones are on the server; load more to look there.">
                    <A href="/operations" attr:class="button">
                        "Show all operations"
                    </A>
                </Empty>
            }
            .into_any()
        }
    })
}
