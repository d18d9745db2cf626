//! Breakdown of the operation's time: requested when it is shown, again while the operation runs, and once more when
//! the last samples have arrived.

use leptos::prelude::*;
use leptos::task::spawn_local;
use live::{OpView, OperationStore, api};
use protocol::Problem;
use protocol::time_breakdown::TimeBreakdown;

/// Interval of requests while the operation runs: the server collects samples that often.
const REFRESH_MICROS: i64 = 5_000_000;
/// Time after the end in which samples may still arrive.
const SETTLED_SECONDS: f64 = 15.0;
/// Largest number of buckets of the course.
const WIDTH: u32 = 300;

/// Latest answer.
#[derive(Clone, Copy)]
pub struct Answer {
    pub breakdown: RwSignal<Option<TimeBreakdown>>,
    pub trouble: RwSignal<Option<Problem>>,
    pub ask: Callback<()>,
}

impl Answer {
    /// Requests it in the browser while it is shown.
    pub fn new(op: OpView, shown: Signal<bool>) -> Self {
        let (breakdown, trouble) = (RwSignal::new(None), RwSignal::new(None));
        let clock = OperationStore::here().clock();
        let under_way = StoredValue::new(false);
        let ask = Callback::new(move |()| {
            if under_way.try_get_value() != Some(false) {
                return;
            }
            under_way.set_value(true);
            spawn_local(async move {
                let read = api::time_breakdown(op.id, WIDTH).await;
                // The page may be gone by now.
                if under_way.try_set_value(false).is_some() {
                    return;
                }
                match read {
                    Ok(read) => {
                        trouble.try_set(None);
                        breakdown.try_set(Some(read));
                    }
                    Err(problem) => {
                        trouble.try_set(Some(problem));
                    }
                }
            });
        });
        // Changes when the answer is due.
        let due = Memo::new(move |_| {
            if !shown.get() {
                return None;
            }
            let (attempt, ended_at) = op.facts.with(|f| (f.attempt, f.ended_at));
            let now = clock.get();
            let settled = ended_at.is_some_and(|at| now.seconds_since(at) > SETTLED_SECONDS);
            let turn = (!settled).then(|| now.micros() / REFRESH_MICROS);
            Some((attempt, ended_at, turn))
        });
        Effect::new(move |_| {
            if due.get().is_some() {
                ask.run(());
            }
        });
        Self { breakdown, trouble, ask }
    }
}
