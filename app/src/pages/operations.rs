//! Operations: what runs and what ended, filtered by the page's address.

use crate::api;
use crate::components::faces::{Empty, Trouble, WithSnapshot};
use crate::components::icon::Icon;
use crate::components::row::Row;
use crate::filter::Filter;
use crate::format;
use crate::live::Live;
use crate::reactive::{mark, part, text, whole, word, yes};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_meta::Title;
use leptos_router::NavigateOptions;
use leptos_router::components::A;
use leptos_router::hooks::{use_navigate, use_query_map};
use protocol::{OperationId, Problem, State};

/// Rows of ended operations that are shown at first, and added by each "load more".
const STEP: usize = 100;
/// Rows of active operations shown at once; beyond that the filter helps better than scrolling.
const MOST_ACTIVE: usize = 500;

/// The home page.
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
                        <h2 id="active-title">
                            "Active" <span class="count num">{text(move || format::count(active_count.get() as u64))}</span>
                        </h2>
                        <Show
                            when=move || active_count.get() != 0
                            fallback=|| view! { <p class="muted quiet-line">"Nothing runs or waits."</p> }
                        >
                            <Table ids=active left="Left" doing="Doing"/>
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
                            fallback=|| view! { <p class="muted quiet-line">"Nothing has ended yet."</p> }
                        >
                            <Table ids=ended left="Ended" doing="Why"/>
                        </Show>
                        <More filter lists limit/>
                    </section>
                </Show>
            }
                .into_any())
        })}
    }
    .into_any()
}

/// A table of operations, one keyed row each.
#[component]
fn Table(
    ids: Memo<Vec<OperationId>>,
    /// What its column of times tells.
    left: &'static str,
    /// What its column of words tells.
    doing: &'static str,
) -> impl IntoView {
    view! {
        <table class="ops">
            <thead>
                <tr>
                    <th scope="col" class="c-state">"State"</th>
                    <th scope="col" class="c-what">"Operation"</th>
                    <th scope="col" class="c-bar">"Progress"</th>
                    <th scope="col" class="c-doing">{doing}</th>
                    <th scope="col" class="c-left num">{left}</th>
                    <th scope="col" class="c-host">"Host"</th>
                    <th scope="col" class="c-took num">"Took"</th>
                    <th scope="col" class="c-do"><span class="unseen">"Action"</span></th>
                </tr>
            </thead>
            <tbody>
                <For each=move || ids.get() key=|id| *id children=|id| view! { <Row id/> }/>
            </tbody>
        </table>
    }
    .into_any()
}

/// A chip for each state with its count, and a field for words; both live in the page's address.
#[component]
fn FilterBar(filter: Memo<Filter>) -> impl IntoView {
    let live = Live::here();
    let chip = {
        let live = live.clone();
        move |state: Option<State>| {
            let live = live.clone();
            let chosen = move || filter.with(|f| f.state == state);
            let count = move || match state {
                Some(state) => live.count(state),
                None => live.count_all(),
            };
            view! {
                <A
                    href=move || filter.with(|f| f.with_state(state).address())
                    scroll=false
                    attr:class="chip"
                    attr:data-state=state.map(State::as_str)
                    attr:data-chosen=mark(chosen)
                >
                    {state.map_or("all", State::as_str)}
                    <span class="num">{text(move || format::count(count()))}</span>
                </A>
            }
        }
    };
    let typed = RwSignal::new(filter.with_untracked(|f| f.words.clone()));
    // The address may change by other ways than typing: back, a link.
    Effect::new(move |_| {
        let words = filter.with(|f| f.words.clone());
        if typed.with_untracked(|typed| typed.trim() != words) {
            typed.set(words);
        }
    });
    let navigate = use_navigate();
    let on_input = move |event| {
        let words = event_target_value(&event);
        typed.set(words.clone());
        let wanted = filter.with_untracked(|f| Filter { state: f.state, words });
        let options = NavigateOptions { replace: true, scroll: false, ..Default::default() };
        navigate(&wanted.address(), options);
    };
    view! {
        <div class="filter">
            <nav class="chips" aria-label="Filter by state">
                {chip(None)}
                {State::ALL.map(|state| chip(Some(state))).collect_view()}
            </nav>
            <form class="search" role="search" action="/operations" method="get" on:submit=|event| event.prevent_default()>
                {part(move || filter.with(|f| f.state).map(|s| view! { <input type="hidden" name="state" value=s.as_str()/> }.into_any()))}
                <input
                    type="search"
                    name="q"
                    data-filter=""
                    aria-label="Filter by words"
                    placeholder="Filter by title, kind, host or id"
                    autocomplete="off"
                    value=typed.get_untracked()
                    prop:value=text(move || typed.get())
                    on:input=on_input
                />
                <kbd aria-hidden="true">"/"</kbd>
            </form>
        </div>
    }
    .into_any()
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

/// What is known of the older operations on the server.
#[derive(Clone, Default)]
struct Older {
    /// Where its next page begins; empty before the first was asked for.
    after: String,
    /// There are no more.
    end: bool,
    busy: bool,
    problem: Option<Problem>,
}

/// The button that shows more ended operations: those the page holds first, then the server's.
#[component]
fn More(
    filter: Memo<Filter>,
    lists: Memo<(Vec<OperationId>, Vec<OperationId>)>,
    limit: RwSignal<usize>,
) -> impl IntoView {
    let live = Live::here();
    let older = RwSignal::new(Older::default());
    Effect::new(move |earlier: Option<()>| {
        drop(filter.read());
        if earlier.is_some() {
            older.set(Older::default());
            limit.set(STEP);
        }
    });
    let held = move || lists.with(|(_, ended)| ended.len());
    // Without words the counts tell whether the server has more; with words only asking does.
    let stored = {
        let live = live.clone();
        move || {
            let states = State::ALL.into_iter().filter(|s| s.ended());
            let wanted = filter.with(|f| f.state);
            states.filter(|s| wanted.is_none_or(|w| w == *s)).map(|s| live.count(s)).sum::<u64>()
        }
    };
    let there_is_more = Memo::new(move |_| {
        let words = filter.with(|f| !f.words.trim().is_empty());
        held() > limit.get() || (!older.read().end && (words || stored() > held() as u64))
    });
    let ask = move || {
        if held() > limit.get_untracked() {
            limit.update(|n| *n += STEP);
            return;
        }
        older.update(|o| o.busy = true);
        let live = live.clone();
        let wanted = filter.get_untracked();
        spawn_local(async move {
            let mut state = older.get_untracked();
            state.problem = None;
            // The first pages hold what the page has already: go on until something is new.
            loop {
                let of = wanted.state.map(State::as_str).unwrap_or_default();
                match api::operations(of, wanted.words.trim(), &state.after).await {
                    Ok(page) => {
                        let added = live.adopt_all(page.operations.iter(), 0);
                        state.end = page.next.is_none();
                        state.after = page.next.unwrap_or_default();
                        if added > 0 || state.end {
                            break;
                        }
                    }
                    Err(problem) => {
                        state.problem = Some(problem);
                        break;
                    }
                }
            }
            state.busy = false;
            // The filter may have changed meanwhile; then this answer is of no use.
            if filter.get_untracked() == wanted {
                older.set(state);
                limit.update(|n| *n += STEP);
            }
        });
    };
    let ask = Callback::new(move |()| ask());
    whole(move || {
        if let Some(problem) = older.read().problem.clone() {
            return view! { <Trouble problem retry=ask/> }.into_any();
        }
        if !there_is_more.get() {
            return ().into_any();
        }
        let busy = move || older.read().busy;
        view! {
            <p class="more">
                <button type="button" class="button" disabled=yes(busy) on:click=move |_| ask.run(())>
                    {word(move || if busy() { "Loading…" } else { "Load more" })}
                </button>
            </p>
        }
        .into_any()
    })
}
