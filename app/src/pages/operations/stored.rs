//! Ended operations that the page has not loaded: the server returns them page by page.

use app_state::address::list::{Asked, Sort};
use components::placeholders::Trouble;
use components::reactive::{whole, word, yes};
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::OperationStore;
use live::Positioned;
use live::api;
use protocol::filter::Order;
use protocol::{Filter, OperationId, Problem, State, paths};
use std::collections::HashSet;
use std::time::Duration;

/// Page size.
const PAGE: &str = "100";
/// Debounce after the last change of the filter.
const PAUSE: Duration = Duration::from_millis(200);

/// Ended operations that the server returned for the filter.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct PageStore {
    /// In the server's order, without gaps, from its beginning.
    ids: Vec<OperationId>,
    /// Cursor of the next page; empty before the first request.
    after: String,
    /// There are no further pages.
    end: bool,
    busy: bool,
    problem: Option<Problem>,
}

/// Ended states of the filter: those it names, or all; empty when it names only active states.
fn ended_states(filter: &Filter) -> Vec<State> {
    let ended = State::ALL.into_iter().filter(|s| s.ended());
    ended.filter(|s| filter.states.is_empty() || filter.states.contains(s)).collect()
}

/// The same filter limited to ended states; `None` when it excludes them all.
fn for_ended(asked: &Asked) -> Option<Asked> {
    let states = ended_states(&asked.filter);
    let filter = Filter { states, ..asked.filter.clone() };
    Some(Asked { filter, ..asked.clone() }).filter(|asked| !asked.filter.states.is_empty())
}

/// Stored ended operations, as far as requested.
#[derive(Clone, Copy)]
pub struct Stored {
    asked: Memo<Asked>,
    page_store: RwSignal<PageStore>,
    /// Incremented when the loaded pages are replaced: answers, in flight are dropped.
    turn: StoredValue<u32>,
    /// Incremented with each page that is shown at once, even while the list is frozen.
    pub came: RwSignal<u32>,
    /// Incremented with each answer.
    pub answered: RwSignal<u32>,
}

impl Stored {
    /// Pages for the URL's filter and order. A change of either starts over, and requests the first page where the
    /// loaded operations can't answer.
    pub fn new(asked: Memo<Asked>) -> Self {
        let (came, answered) = (RwSignal::new(0), RwSignal::new(0));
        let stored =
            Self { asked, page_store: RwSignal::default(), turn: StoredValue::new(0), came, answered };
        let key = Memo::new(move |_| asked.with(|a| (a.filter.clone(), a.sort.stored())));
        let live = OperationStore::here();
        Effect::new(move |earlier: Option<Option<TimeoutHandle>>| {
            let (filter, order) = key.get();
            if let Some(earlier) = earlier {
                if let Some(timer) = earlier {
                    timer.clear();
                }
                stored.page_store.set(PageStore::default());
            }
            let held = filter.words().is_empty() && order == Order::Newest;
            if held || !stored.more_untracked(&live) {
                return None;
            }
            let live = live.clone();
            set_timeout_with_handle(move || stored.ask(&live, true), PAUSE).ok()
        });
        stored
    }

    /// The loaded pages, to be restored later.
    pub fn as_it_is(self) -> PageStore {
        PageStore { busy: false, ..self.page_store.get_untracked() }
    }

    /// Restores loaded pages and shows them at once.
    pub fn take_up(self, page_store: PageStore) {
        self.turn.update_value(|n| *n += 1);
        self.page_store.set(page_store);
        self.came.update(|n| *n += 1);
    }

    /// Number of ended operations in the filter's states, ignoring other conditions. Tracked.
    fn counted(&self, live: &OperationStore) -> u64 {
        self.asked.with(|a| ended_states(&a.filter).into_iter().map(|state| live.count(state)).sum())
    }

    /// Whether the filter has conditions other than states. Tracked.
    fn narrow(&self) -> bool {
        self.asked.with(|a| {
            let open = Filter { states: Vec::new(), ..a.filter.clone() };
            !open.words().is_empty()
        })
    }

    /// Whether the server may have more than the `shown` ones. Tracked.
    pub fn more(&self, live: &OperationStore, shown: usize) -> bool {
        let counted = self.counted(live);
        !self.page_store.read().end && counted > 0 && (self.narrow() || counted > shown as u64)
    }

    fn more_untracked(&self, live: &OperationStore) -> bool {
        untrack(|| self.more(live, 0))
    }

    /// Ended operations to show, unsorted. Where the list follows the server's order, it ends at the last loaded page.
    /// Includes operations that were loaded and dropped from memory. Tracked.
    pub fn ended(&self, live: &OperationStore, held: &[OperationId]) -> Vec<OperationId> {
        let oldest = self.asked.with(|a| a.sort == Sort::Oldest);
        let from = live.ended_from().get();
        self.page_store.with(|page_store| {
            let listed = |id: &OperationId| match (page_store.ids.last(), oldest) {
                _ if page_store.end => true,
                (Some(last), true) => id <= last,
                (Some(last), false) => id >= last,
                (None, oldest) => !oldest && from.is_none_or(|from| *id >= from),
            };
            let mut ids: Vec<OperationId> = held.iter().filter(|id| listed(id)).copied().collect();
            if !page_store.ids.is_empty() {
                let here: HashSet<OperationId> = held.iter().copied().collect();
                let let_go = |id: &&OperationId| {
                    !here.contains(id) && live.operation(**id).is_none() && !live.is_deleted(**id)
                };
                ids.extend(page_store.ids.iter().filter(let_go));
            }
            ids
        })
    }

    /// Requests the next page, unless a request is in flight. With `show` its rows appear at once; otherwise they wait
    /// while the list is frozen.
    pub fn ask(self, live: &OperationStore, show: bool) {
        let Some(asked) = self.asked.try_get_untracked() else { return };
        let mut page_store = self.page_store.get_untracked();
        let Some(ended) = for_ended(&asked) else { return };
        if page_store.busy || page_store.end {
            return;
        }
        let known: HashSet<OperationId> = untrack(|| live.find(&asked.filter)).1.into_iter().collect();
        self.page_store.update(|page_store| page_store.busy = true);
        let turn = self.turn.get_value();
        let live = live.clone();
        spawn_local(async move {
            page_store.problem = None;
            let order = if asked.sort == Sort::Oldest { "oldest" } else { "newest" };
            // The first pages may hold only known operations: continue until something is new.
            loop {
                let path = ended.call(
                    paths::OPERATIONS,
                    &[("order", order), ("after", &page_store.after), ("limit", PAGE)],
                );
                let question = live.page_question();
                match api::operations(&path).await {
                    Ok(Positioned { seq, of: page }) => {
                        // Events since then are in a newer answer.
                        if !live.adopt_listed(&question, seq, &page.operations) {
                            continue;
                        }
                        let new = page.operations.iter().any(|op| !known.contains(&op.id));
                        page_store.ids.extend(page.operations.iter().map(|op| op.id));
                        page_store.end = page.next.is_none();
                        page_store.after = page.next.unwrap_or_default();
                        if new || page_store.end || asked.sort == Sort::Oldest {
                            break;
                        }
                    }
                    Err(problem) => {
                        page_store.problem = Some(problem);
                        break;
                    }
                }
            }
            // The filter may have changed; then this answer is outdated.
            let still = |now: Asked| now.filter == asked.filter && now.sort.stored() == asked.sort.stored();
            if self.asked.try_get_untracked().is_some_and(still) && self.turn.get_value() == turn {
                let fine = page_store.problem.is_none();
                self.page_store.set(page_store);
                if fine {
                    self.answered.update(|n| *n += 1);
                }
                if show {
                    self.came.update(|n| *n += 1);
                }
            }
        });
    }

    /// Requests rows again that the page dropped from memory, from this one on.
    pub fn fill(self, live: &OperationStore, from: OperationId) {
        let Some(ended) = self.asked.try_get_untracked().as_ref().and_then(for_ended) else { return };
        let live = live.clone();
        spawn_local(async move {
            let path = ended.call(paths::OPERATIONS, &[("after", &from.next().to_string()), ("limit", PAGE)]);
            // Without an answer the rows stay empty until they are visible again.
            loop {
                let question = live.page_question();
                let Ok(Positioned { seq, of: page }) = api::operations(&path).await else { break };
                if live.adopt_listed(&question, seq, &page.operations) {
                    break;
                }
            }
        });
    }
}

/// Load-more button; rows near the end of the list load without it.
#[component]
pub fn More(
    stored: Stored,
    /// Number of rows shown.
    #[prop(into)]
    shown: Signal<usize>,
) -> impl IntoView {
    let live = OperationStore::here();
    let there_is_more = Memo::new({
        let live = live.clone();
        move |_| stored.more(&live, shown.get())
    });
    let ask = Callback::new(move |()| stored.ask(&live, true));
    whole(move || {
        if let Some(problem) = stored.page_store.read().problem.clone() {
            return view! { <Trouble problem retry=ask/> }.into_any();
        }
        if !there_is_more.get() {
            return ().into_any();
        }
        let busy = move || stored.page_store.read().busy;
        view! {
            <p class="more only-script">
                <button type="button" class="button" disabled=yes(busy) on:click=move |_| ask.run(())>
                    {word(move || if busy() { "Loading…" } else { "Load more" })}
                </button>
            </p>
            <p class="no-script muted quiet-line">
                "Only the newest operations are shown. Older operations need JavaScript or the API."
            </p>
        }
        .into_any()
    })
}
