//! Failures since the user last marked them as seen, or in the last 24 hours. The page holds the newest operations
//! only: if more failures are stored, it requests the newest of them, and states when even these are not all.

use crate::pages::operations::table::Table;
use app_state::toasts::Toasts;
use components::link::A;
use components::reactive::{part, text, word};
use display::format;
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::OperationStore;
use live::api;
use live::base;
use protocol::{OperationId, State, Time};

/// Storage key; the value is a time in RFC 3339.
const KEY: &str = "signalbox.looked";
const MINUTE: i64 = 60_000_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// Maximum number of rows shown.
const MAX_ROWS: usize = 10;
/// Request for the newest failures, if the page does not hold all.
const NEWEST: &str = "/api/v1/operations?state=failed&limit=200";

fn stored() -> Option<Time> {
    let storage = window().local_storage().ok().flatten()?;
    Time::parse(&storage.get_item(&base::scoped(KEY)).ok().flatten()?).ok()
}

fn keep(looked: Option<Time>) {
    // Without storage the mark lasts until the page is left.
    let Some(storage) = window().local_storage().ok().flatten() else { return };
    let _ = match looked {
        Some(at) => storage.set_item(&base::scoped(KEY), &at.to_string()),
        None => storage.remove_item(&base::scoped(KEY)),
    };
}

/// Failures known to the page.
#[derive(Clone, PartialEq, Debug, Default)]
struct Known {
    /// End time and id, newest first.
    failed: Vec<(Time, OperationId)>,
    /// No other failure is stored.
    whole: bool,
}

/// Failures after a time. Tracks what [`OperationStore::list`] tracks, and the counts.
fn known(live: &OperationStore, since: Time) -> Known {
    let held = live.list(|state| state == State::Failed).1;
    let whole = live.count(State::Failed) <= held.len() as u64;
    let at = |id: OperationId| live.operation(id).and_then(|cell| cell.ended_at()).map(|at| (at, id));
    let mut failed: Vec<_> = held.into_iter().filter_map(at).filter(|(at, _)| *at > since).collect();
    failed.sort_unstable_by(|a, b| b.cmp(a));
    Known { failed, whole }
}

/// Start of the range: the last mark, or 24 hours ago, rounded to the minute.
fn since(looked: Option<Time>, now: Time) -> Time {
    looked.unwrap_or_else(|| Time::from_micros(now.micros().div_euclid(MINUTE) * MINUTE).plus_micros(-DAY))
}

/// Requests the newest failures if the page does not hold all stored ones: once, and again after each snapshot.
fn ask_for_others(live: OperationStore, whole: Memo<bool>) {
    let epoch = live.epoch();
    Effect::new(move |asked: Option<Option<u32>>| {
        let (asked, now) = (asked.flatten(), epoch.get());
        if whole.get() || asked == Some(now) {
            return asked;
        }
        let live = live.clone();
        spawn_local(async move {
            // Without an answer the page goes on to state that more may exist.
            loop {
                let question = live.page_question();
                let Ok(response) = api::operations(NEWEST).await else { break };
                if live.take_page(&question, response.seq, &response.of.operations) {
                    break;
                }
            }
        });
        Some(now)
    });
}

/// The failures, and the button that marks them as seen.
#[component]
pub fn Failed() -> impl IntoView {
    let live = OperationStore::here();
    let clock = live.clock();
    let looked = RwSignal::new(None::<Time>);
    // The mark before the last press of the button, for Undo.
    let before = RwSignal::new(None::<Option<Time>>);
    Effect::new(move |_| looked.set(stored()));
    let since = Memo::new(move |_| since(looked.get(), clock.get()));
    let all = Memo::new({
        let live = live.clone();
        move |_| known(&live, since.get())
    });
    let ids = Memo::new(move |_| {
        all.with(|all| all.failed.iter().take(MAX_ROWS).map(|(_, id)| *id).collect::<Vec<_>>())
    });
    let count = Memo::new(move |_| all.with(|all| all.failed.len()));
    let whole = Memo::new(move |_| all.with(|all| all.whole));
    ask_for_others(live.clone(), whole);
    let places = Memo::new(move |_| live.places());
    let put_back = move |was: Option<Time>| {
        keep(was);
        // The page may be gone by now.
        looked.try_set(was);
        before.try_set(None);
    };
    let toasts = expect_context::<Toasts>();
    let seen = move |_| {
        // A failure that arrives after this press must not be marked as seen.
        let newest = all.with_untracked(|all| all.failed.first().map(|(at, _)| *at));
        let at = newest.unwrap_or_else(|| clock.get_untracked());
        let wording = match count.get_untracked() {
            1 => "1 failure marked as seen".to_owned(),
            n => format!("{} failures marked as seen", format::count(n as u64)),
        };
        let was = looked.get_untracked();
        before.set(Some(was));
        looked.set(Some(at));
        keep(Some(at));
        toasts.undoable(wording, move || put_back(was));
    };
    let back = move |_| {
        if let Some(was) = before.get_untracked() {
            put_back(was);
        }
    };
    let since_words = text(move || {
        let since = match looked.get() {
            Some(at) => format!("since your last check, {}", format::ago(clock.get().seconds_since(at))),
            None => "in the last 24 hours".to_owned(),
        };
        if whole.get() { since } else { format!("{since}, newest operations only") }
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
                                    "Mark as seen"
                                </button>
                            }
                                .into_any(),
                        )
                    } else if before.read().is_some() {
                        Some(
                            view! {
                                <button type="button" class="link only-script" on:click=back>
                                    "Show again"
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
                fallback=move || {
                    let wording = move || if whole.get() { "No failures" } else { "None among the newest operations" };
                    view! { <p class="muted quiet-line">{word(wording)}</p> }
                }
            >
                <Table ids left="Ended" doing="Reason" places/>
            </Show>
            <Show when=move || { count.get() > MAX_ROWS || !whole.get() }>
                <p class="muted quiet-line">
                    {word(move || match (whole.get(), count.get() > MAX_ROWS) {
                        (true, _) => "Showing the newest. ",
                        (false, true) => "Showing the newest. Older operations may also have failed. ",
                        (false, false) => "Older operations may also have failed. ",
                    })} <A href="/operations?state=failed">"Show all failed operations"</A>
                </p>
            </Show>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::operation;
    use protocol::Operation;
    use protocol::api::{Snapshot, StateCount};

    fn failed(n: u8, at: i64) -> Operation {
        Operation {
            id: format!("0199c2d4-7f3a-7c11-9e1b-{n:012}").parse().unwrap(),
            ended_at: Some(Time::from_micros(at)),
            ..operation(State::Failed, 1)
        }
    }

    fn page(operations: Vec<Operation>, stored: u64) -> OperationStore {
        let live = OperationStore::default();
        live.seed(&Snapshot {
            seq: 10,
            now: Time::from_micros(3 * DAY),
            server: "0199c2d4-7f3a-7c11-9e1b-000000000001".parse().unwrap(),
            version: "0.1.0".into(),
            operations,
            counts: vec![StateCount { state: State::Failed, count: stored }],
            ended_from: None,
            hosts: vec![],
        });
        live
    }

    #[test]
    fn no_failures_is_claimed_only_if_all_failures_are_loaded() {
        let yesterday = Time::from_micros(2 * DAY);
        let live = page(vec![failed(2, DAY)], 2);
        assert_eq!(known(&live, yesterday), Known { failed: vec![], whole: false });
        // The answer to the request has the other one.
        let late = failed(1, 2 * DAY + 5);
        live.adopt_all([&late, &failed(2, DAY)].into_iter(), 0);
        let all = Known { failed: vec![(Time::from_micros(2 * DAY + 5), late.id)], whole: true };
        assert_eq!(known(&live, yesterday), all);
        assert_eq!(known(&page(vec![], 0), yesterday), Known { failed: vec![], whole: true });
    }

    #[test]
    fn the_last_24_hours_move_with_the_clock() {
        assert_eq!(since(None, Time::from_micros(5 * DAY + 7)), Time::from_micros(4 * DAY));
        assert_eq!(since(None, Time::from_micros(8 * DAY + MINUTE)), Time::from_micros(7 * DAY + MINUTE));
        let looked = Time::from_micros(9);
        assert_eq!(since(Some(looked), Time::from_micros(8 * DAY)), looked);
    }
}
