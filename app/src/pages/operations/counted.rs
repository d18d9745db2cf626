//! Counts per state for the list's filter. Without a filter they come from the snapshot; with one from the server,
//! again whenever an operation is added, deleted or changes state.

use app_state::address::list::Asked;
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::OperationStore;
use live::api;
use live::model::counts::{Numbers, numbers_of, slot};
use live::model::joined::{Added, Joinable, Joined};
use protocol::{Event, EventBody, Filter, OperationId, State, paths};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Debounce after the last change of the filter.
const TYPING_PAUSE: Duration = Duration::from_millis(200);
/// Delay before counts are requested again: many events may arrive at once.
const SETTLE_TIME: Duration = Duration::from_secs(1);
/// Maximum number of states remembered to ignore other changes of an operation.
const MAX_SEEN: usize = 4_000;
const MINUTE: i64 = 60_000_000;

/// Tracks whether the counts may be outdated.
#[derive(Default)]
struct Changes {
    seen: HashMap<OperationId, State>,
}

impl Joinable for Changes {
    type Answer = ();

    fn take(&mut self, (): ()) {}

    fn add(&mut self, event: &Event) -> Added {
        match &event.body {
            EventBody::Operation { operation } => {
                if self.seen.len() > MAX_SEEN {
                    self.seen.clear();
                }
                let before = self.seen.insert(operation.id, operation.state);
                if before == Some(operation.state) { Added::Unchanged } else { Added::Stale }
            }
            EventBody::Deleted { .. } => Added::Stale,
            _ => Added::Unchanged,
        }
    }
}

type Join = Arc<Joined<Changes>>;

/// Counts of the state chips.
#[derive(Clone, Copy)]
pub struct Counted {
    /// The filter without states; `None` when nothing else is filtered.
    filter: Memo<Option<Filter>>,
    /// Counts from the server for the filter.
    numbers: RwSignal<Option<Numbers>>,
}

/// The filter without its states; `None` when nothing remains.
fn narrow(filter: &Filter) -> Option<Filter> {
    let open = Filter { states: Vec::new(), ..filter.clone() };
    (!open.words().is_empty()).then_some(open)
}

impl Counted {
    pub fn new(asked: Memo<Asked>) -> Self {
        let live = OperationStore::here();
        let filter = Memo::new(move |_| asked.with(|a| narrow(&a.filter)));
        let counted = Self { filter, numbers: RwSignal::new(None) };
        let join = RwSignal::new(None::<Join>);
        Effect::new({
            let live = live.clone();
            move |_| {
                let wanted = filter.with(Option::is_some);
                counted.numbers.set(None);
                join.set(wanted.then(|| {
                    live.join(Changes::default(), |event| {
                        matches!(event.body, EventBody::Operation { .. } | EventBody::Deleted { .. })
                    })
                }));
            }
        });
        let clock = live.clock();
        // A time range relative to now moves with the clock.
        let minute = Memo::new(move |_| {
            let moving = filter.with(|f| f.as_ref().is_some_and(Filter::moves));
            moving.then(|| clock.get().micros() / MINUTE)
        });
        let timer = StoredValue::new(None::<(Join, TimeoutHandle)>);
        Effect::new(move |_| {
            let Some(now) = join.get() else { return };
            // Not `track`, which does not compute a memo.
            minute.get();
            let pause = if now.asks().get() == 0 { TYPING_PAUSE } else { SETTLE_TIME };
            let waiting = timer.with_value(|timer| match timer {
                Some((of, _)) if Arc::ptr_eq(of, &now) => true,
                Some((_, handle)) => {
                    handle.clear();
                    false
                }
                None => false,
            });
            if waiting {
                return;
            }
            let (of, live) = (now.clone(), live.clone());
            let later = move || {
                timer.try_set_value(None);
                counted.ask(of, &live, join);
            };
            timer.set_value(set_timeout_with_handle(later, pause).ok().map(|handle| (now, handle)));
        });
        on_cleanup(move || {
            if let Some(Some((_, handle))) = timer.try_update_value(Option::take) {
                handle.clear();
            }
        });
        counted
    }

    fn ask(self, of: Join, live: &OperationStore, join: RwSignal<Option<Join>>) {
        let Some(Some(filter)) = self.filter.try_get_untracked() else { return };
        let question = of.ask(live.seq());
        spawn_local(async move {
            let asked = Asked { filter, ..Asked::default() };
            match api::counts(&asked.call(paths::COUNTS, &[])).await {
                Ok(response) => {
                    let taken = of.take(question, response.seq, ());
                    // The filter may have changed, or the page may be gone.
                    let still =
                        join.try_with_untracked(|now| now.as_ref().is_some_and(|now| Arc::ptr_eq(now, &of)));
                    if taken && still == Some(true) {
                        self.numbers.try_set(Some(numbers_of(&response.of.counts)));
                    }
                }
                // No numbers are better than wrong ones.
                Err(_) => {
                    of.failed(question);
                    self.numbers.try_set(None);
                }
            }
        });
    }

    /// Count of one state, or of all; `None` while unknown. Tracked.
    pub fn of(self, live: &OperationStore, state: Option<State>) -> Option<u64> {
        if self.filter.with(Option::is_none) {
            return Some(state.map_or_else(|| live.count_all(), |state| live.count(state)));
        }
        let numbers = self.numbers.get()?;
        Some(state.map_or_else(|| numbers.iter().sum(), |state| numbers[slot(state)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{event, operation};

    #[test]
    fn a_filter_by_states_only_has_the_total_counts() {
        let read = |search| narrow(&Asked::read(search).filter);
        assert_eq!(read("state=failed"), None);
        assert_eq!(read(""), None);
        let kind = read("kind=data.load&state=failed").unwrap();
        assert!(kind.states.is_empty() && kind.kinds.len() == 1);
    }

    #[test]
    fn counts_are_requested_again_after_a_state_change_but_not_after_a_checkpoint() {
        let mut changes = Changes::default();
        let mut stands = |seq, state| {
            changes.add(&event(seq, EventBody::Operation { operation: Box::new(operation(state, 1)) }))
        };
        assert_eq!(stands(1, State::Running), Added::Stale);
        assert_eq!(stands(2, State::Running), Added::Unchanged);
        assert_eq!(stands(3, State::Failed), Added::Stale);
        let id = operation(State::Failed, 1).id;
        let gone = event(4, EventBody::Deleted { id, state: State::Failed });
        assert_eq!(changes.add(&gone), Added::Stale);
    }
}
