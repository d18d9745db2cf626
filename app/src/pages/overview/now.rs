//! Running operations with their progress, queued operations, and the last ended ones.

use crate::pages::operations::table::Table;
use app_state::Failures;
use components::link::A;
use components::reactive::{part, text};
use display::QueuePosition;
use display::format;
use leptos::prelude::*;
use live::OperationStore;
use protocol::{OperationId, State};
use std::collections::HashMap;

/// Maximum number of running rows.
const MAX_RUNNING: usize = 20;
/// Maximum number of queued rows.
const WAITING: usize = 8;
/// Maximum number of rows of ended operations.
const MAX_JUST_ENDED: usize = 6;
/// URLs that list all running, all queued and all ended operations.
pub const ALL_RUNNING: &str = "/operations?state=starting,running,cancelling";
const ALL_WAITING: &str = "/operations?state=queued";
pub const ALL_ENDED: &str = "/operations?state=succeeded,failed,cancelled";

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
                <A href attr:class="head-link">
                    {title} " " <span class="count num">{text(move || format::count(count.get() as u64))}</span>
                </A>
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

/// Running operations, newest first.
#[component]
pub fn Running() -> impl IntoView {
    let live = OperationStore::here();
    let (ids, count) = newest(runs, MAX_RUNNING);
    let places = Memo::new(move |_| live.places());
    view! {
        <section class="list" aria-labelledby="running-title">
            <Head id="running-title" title="Running" count shown=MAX_RUNNING href=ALL_RUNNING/>
            <Show
                when=move || count.get() != 0
                fallback=|| {
                    view! {
                        <p class="muted quiet-line">"Nothing is running. " <A href="/new">"Start an operation"</A></p>
                    }
                }
            >
                <Table ids left="Remaining" doing="Activity" places/>
            </Show>
        </section>
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

/// Operations that ended last, with their key figures; runs of a parent are left to it, and unseen failures need
/// attention.
#[component]
pub fn Ended() -> impl IntoView {
    let live = OperationStore::here();
    let unseen = Failures::here().unseen();
    let ids = Memo::new({
        let live = live.clone();
        move |_| unseen.with(|unseen| last_ended(&live, MAX_JUST_ENDED, |id| !unseen.has(id)))
    });
    let places = Memo::new(move |_| live.places());
    view! {
        <Show when=move || !ids.read().is_empty()>
            <section class="list" aria-labelledby="ended-title">
                <header class="list-head">
                    <h2 id="ended-title">"Just ended"</h2>
                    <A href=ALL_ENDED>"Show all"</A>
                </header>
                <Table ids left="Ended" doing="Result" places of="ended"/>
            </section>
        </Show>
    }
    .into_any()
}

/// Loaded operations without a parent, latest end first. Tracks as [`OperationStore::list`] does.
fn last_ended(live: &OperationStore, most: usize, takes: impl Fn(OperationId) -> bool) -> Vec<OperationId> {
    let ended = live.list(State::ended).1.into_iter().filter(|id| takes(*id)).filter_map(|id| {
        let cell = live.operation(id).filter(|cell| cell.fixed().parent.is_none())?;
        Some((cell.ended_at()?, id))
    });
    let mut ended: Vec<_> = ended.collect();
    ended.sort_unstable_by(|a, b| b.cmp(a));
    ended.into_iter().take(most).map(|(_, id)| id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::operation;
    use app_state::address::list::Asked;
    use protocol::{Operation, Time};

    #[test]
    fn the_link_to_all_leads_to_the_counted_operations() {
        for (address, counted) in
            [(ALL_RUNNING, runs as fn(State) -> bool), (ALL_WAITING, waits), (ALL_ENDED, State::ended)]
        {
            let asked = Asked::read(address.split_once('?').unwrap().1);
            let states: Vec<State> = State::ALL.into_iter().filter(|state| counted(*state)).collect();
            assert_eq!(asked.filter.states, states);
            assert_eq!(asked.address(), address);
        }
    }

    #[test]
    fn the_last_end_comes_first_whenever_it_was_started() {
        let live = OperationStore::default();
        let ended = |n: u8, at: i64, parent: Option<OperationId>| Operation {
            id: format!("0199c2d4-7f3a-7c11-9e1b-{n:012}").parse().unwrap(),
            ended_at: Some(Time::from_micros(at)),
            parent,
            ..operation(State::Succeeded, 1)
        };
        let long = ended(1, 30, None);
        let all = [ended(2, 20, None), ended(3, 40, Some(long.id)), ended(4, 10, None), long.clone()];
        live.adopt_all(all.iter(), 1);
        assert_eq!(last_ended(&live, 2, |_| true), [long.id, all[0].id]);
        assert_eq!(last_ended(&live, 2, |id| id != long.id), [all[0].id, all[2].id]);
    }
}
