//! Running operations with their progress, and queued ones.

use crate::pages::operations::table::Table;
use app_state::address;
use components::bar::ProgressBar;
use components::link::A;
use components::reactive::{part, text, word};
use components::row::{RowAction, Tags};
use components::state_mark::StateMark;
use display::QueuePosition;
use display::format;
use leptos::prelude::*;
use live::OperationStore;
use protocol::{OperationId, State};
use std::collections::HashMap;

/// Maximum number of cards.
const CARDS: usize = 12;
/// Maximum number of queued rows.
const WAITING: usize = 8;
/// URLs that list all running and all queued operations.
const ALL_RUNNING: &str = "/operations?state=starting,running,cancelling";
const ALL_WAITING: &str = "/operations?state=queued";

/// Running or about to run on a host.
fn runs(state: State) -> bool {
    !state.ended() && !waits(state)
}

fn waits(state: State) -> bool {
    state == State::Queued
}

/// The newest operations in some states, and how many there are.
fn newest(which: fn(State) -> bool, most: usize) -> (Memo<Vec<OperationId>>, Memo<usize>) {
    let live = OperationStore::here();
    let all = Memo::new(move |_| live.list(which).0);
    let few = Memo::new(move |_| all.with(|all| all.iter().take(most).copied().collect::<Vec<_>>()));
    (few, Memo::new(move |_| all.with(Vec::len)))
}

/// Section heading with a count, and a link to all when not all are shown.
#[component]
fn Head(
    id: &'static str,
    title: &'static str,
    count: Memo<usize>,
    shown: usize,
    href: &'static str,
) -> impl IntoView {
    view! {
        <header class="list-head">
            <h2 id=id>
                {title} " " <span class="count num">{text(move || format::count(count.get() as u64))}</span>
            </h2>
            {part(move || {
                (count.get() > shown).then(|| {
                    let wording = text(move || format!("Show all {}", format::count(count.get() as u64)));
                    view! { <A href=href>{wording}</A> }.into_any()
                })
            })}
        </header>
    }
    .into_any()
}

/// Running operations as cards.
#[component]
pub fn Running() -> impl IntoView {
    let (ids, count) = newest(runs, CARDS);
    view! {
        <section class="list" aria-labelledby="running-title">
            <Head id="running-title" title="Running" count shown=CARDS href=ALL_RUNNING/>
            <Show
                when=move || count.get() != 0
                fallback=|| view! { <p class="muted quiet-line">"Nothing is running"</p> }
            >
                <div class="now-cards">
                    <For each=move || ids.get() key=|id| *id children=move |id| view! { <Card id/> }/>
                </div>
            </Show>
        </section>
    }
    .into_any()
}

#[component]
fn Card(id: OperationId) -> impl IntoView {
    let live = OperationStore::here();
    let Some(op) = live.operation(id).map(|cell| cell.view()) else { return ().into_any() };
    let (clock, newest) = (live.clock(), live.newest());
    let (kind, title) = (op.fixed().kind.to_string(), op.fixed().title.clone());
    let doing = text(move || op.progress.with(|p| p.as_ref().map(display::doing).unwrap_or_default()));
    let left = text(move || {
        op.expected_end(clock.get(), newest.get(), display::forecast::left_with_band).unwrap_or_default()
    });
    let took = text(move || {
        let now = clock.get();
        op.condition.with(|c| op.facts.with(|f| display::elapsed_text(&f.attempt_facts(), c.as_ref(), now)))
    });
    let host = part(move || {
        op.facts.with(|f| f.host.as_ref().map(|h| view! { <span>{h.to_string()}</span> }.into_any()))
    });
    view! {
        <article class="card now-card" data-state=word(move || op.state.get().as_str())>
            <header>
                <StateMark state=op.state/>
                <RowAction op/>
            </header>
            <h3>
                <A href=address::operation(id)>{title}</A>
                <Tags op/>
            </h3>
            <ProgressBar op/>
            <p class="now-words muted">
                <span class="kind">{kind}</span>
                {host}
                <span class="num">{took}</span>
                <span class="num">{left}</span>
                <span class="now-doing">{doing}</span>
            </p>
        </article>
    }
    .into_any()
}

/// Queued operations in queue order; absent when there are none.
#[component]
pub fn Waiting() -> impl IntoView {
    let (_, count) = newest(waits, WAITING);
    let live = OperationStore::here();
    let places = Memo::new({
        let live = live.clone();
        move |_| live.places()
    });
    let first = Memo::new(move |_| {
        let mut waiting = live.list(waits).0;
        places.with(|places: &HashMap<OperationId, QueuePosition>| {
            waiting.sort_unstable_by_key(|id| (places.get(id).map_or(u32::MAX, |place| place.number), *id));
        });
        waiting.truncate(WAITING);
        waiting
    });
    view! {
        <Show when=move || count.get() != 0>
            <section class="list" aria-labelledby="waiting-title">
                <Head id="waiting-title" title="Queued" count shown=WAITING href=ALL_WAITING/>
                <Table ids=first left="Remaining" doing="Activity" places/>
            </section>
        </Show>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use app_state::address::list::Asked;

    #[test]
    fn the_link_to_all_leads_to_the_counted_operations() {
        for (address, counted) in [(ALL_RUNNING, runs as fn(State) -> bool), (ALL_WAITING, waits)] {
            let asked = Asked::read(address.split_once('?').unwrap().1);
            let states: Vec<State> = State::ALL.into_iter().filter(|state| counted(*state)).collect();
            assert_eq!(asked.filter.states, states);
            assert_eq!(asked.address(), address);
        }
    }
}
