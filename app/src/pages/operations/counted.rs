//! How many operations in each state the list's filter finds. Without a filter the snapshot's counts say it; with one
//! the server is asked, and again when an operation comes, goes or changes its state.

use crate::api;
use crate::filter::Asked;
use crate::live::Live;
use crate::live::counts::{Numbers, numbers_of, slot};
use crate::live::joined::{Added, Joinable, Joined};
use leptos::prelude::*;
use leptos::task::spawn_local;
use protocol::filter::When;
use protocol::{Event, EventBody, Filter, OperationId, State};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// A new filter asks once nobody has typed for this long.
const TYPING_PAUSE: Duration = Duration::from_millis(200);
/// After a change it asks this much later: much may change within a moment.
const SETTLE_TIME: Duration = Duration::from_secs(1);
/// States remembered, so that other changes of an operation ask for nothing.
const MAX_SEEN: usize = 4_000;
const MINUTE: i64 = 60_000_000;

/// Whether the counts may be others by now.
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
            EventBody::Forgotten { .. } => Added::Stale,
            _ => Added::Unchanged,
        }
    }
}

type Join = Arc<Joined<Changes>>;

/// The counts of the chips.
#[derive(Clone, Copy)]
pub struct Counted {
    /// What the address asks for beside states; nothing when that is all.
    filter: Memo<Option<Filter>>,
    /// As the server says it of the filter.
    numbers: RwSignal<Option<Numbers>>,
}

/// The filter without its states; nothing where it has no more.
fn narrow(filter: &Filter) -> Option<Filter> {
    let open = Filter { states: Vec::new(), ..filter.clone() };
    (!open.words().is_empty()).then_some(open)
}

fn moves(filter: &Filter) -> bool {
    [filter.since, filter.until].into_iter().flatten().any(|when| matches!(when, When::Ago { .. }))
}

impl Counted {
    pub fn new(asked: Memo<Asked>) -> Self {
        let live = Live::here();
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
                        matches!(event.body, EventBody::Operation { .. } | EventBody::Forgotten { .. })
                    })
                }));
            }
        });
        let clock = live.clock();
        // A range of time that ends now moves.
        let minute = Memo::new(move |_| {
            let moving = filter.with(|f| f.as_ref().is_some_and(moves));
            moving.then(|| clock.get().micros() / MINUTE)
        });
        let timer = StoredValue::new(None::<(Join, TimeoutHandle)>);
        Effect::new(move |_| {
            let Some(now) = join.get() else { return };
            minute.track();
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

    fn ask(self, of: Join, live: &Live, join: RwSignal<Option<Join>>) {
        let Some(Some(filter)) = self.filter.try_get_untracked() else { return };
        let question = of.ask(live.seq());
        spawn_local(async move {
            let asked = Asked { filter, ..Asked::default() };
            match api::counts(&asked.call("/api/v1/operations/counts", &[])).await {
                Ok(told) => {
                    let taken = of.take(question, told.seq, ());
                    // The filter may have changed meanwhile, or the page may be gone.
                    let still =
                        join.try_with_untracked(|now| now.as_ref().is_some_and(|now| Arc::ptr_eq(now, &of)));
                    if taken && still == Some(true) {
                        self.numbers.try_set(Some(numbers_of(&told.of.counts)));
                    }
                }
                // The chips go without numbers rather than with wrong ones.
                Err(_) => {
                    of.failed(question);
                    self.numbers.try_set(None);
                }
            }
        });
    }

    /// How many there are in a state, or in all; nothing while it is not known. Tracked.
    pub fn of(self, live: &Live, state: Option<State>) -> Option<u64> {
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
    use crate::live::ledger::tests::{event, operation};

    #[test]
    fn a_filter_by_states_alone_has_the_counts_of_everything() {
        let read = |search| narrow(&Asked::read(search).filter);
        assert_eq!(read("state=failed"), None);
        assert_eq!(read(""), None);
        let kind = read("kind=data.load&state=failed").unwrap();
        assert!(kind.states.is_empty() && kind.kinds.len() == 1);
    }

    #[test]
    fn counts_are_asked_for_again_when_a_state_changes_and_not_for_a_checkpoint() {
        let mut changes = Changes::default();
        let mut stands = |seq, state| {
            changes.add(&event(seq, EventBody::Operation { operation: Box::new(operation(state, 1)) }))
        };
        assert_eq!(stands(1, State::Running), Added::Stale);
        assert_eq!(stands(2, State::Running), Added::Unchanged);
        assert_eq!(stands(3, State::Failed), Added::Stale);
        let id = operation(State::Failed, 1).id;
        let gone = event(4, EventBody::Forgotten { id, state: State::Failed });
        assert_eq!(changes.add(&gone), Added::Stale);
    }
}
