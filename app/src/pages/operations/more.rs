//! Ended operations beyond those the page shows: what it holds first, then what the server has.

use super::STEP;
use crate::api;
use crate::components::faces::Trouble;
use crate::filter::Filter;
use crate::live::Live;
use crate::reactive::{whole, word, yes};
use leptos::prelude::*;
use leptos::task::spawn_local;
use protocol::{OperationId, Problem, State};

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
pub fn More(
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
