//! The filter of the list: a state and some words, both in the page's address.

use crate::filter::Filter;
use crate::format;
use crate::live::Live;
use crate::reactive::{mark, part, text};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::components::A;
use leptos_router::hooks::use_navigate;
use protocol::State;

/// A chip for each state with its count, and a field for words; both live in the page's address.
#[component]
pub fn FilterBar(filter: Memo<Filter>) -> impl IntoView {
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
