//! What was asked for beside the snapshot, kept true: joined with what the feed brings, and asked for again when
//! something changes that no event carries.

use crate::again::Again;
use crate::api;
use crate::live::store::Follow;
use crate::live::{Live, OpView};
use leptos::prelude::*;
use leptos::task::spawn_local;
use protocol::ProblemType;
use protocol::api::{LogPage, OperationDetail, SeriesAnswer};
use std::sync::Arc;

/// What is asked for beside an operation.
#[derive(Clone, Copy)]
pub struct Beside {
    /// Points of each curve.
    pub points: u32,
    /// Some curves had more points than that: of what is here, some were left out.
    pub thinned: RwSignal<bool>,
    /// Its log as well.
    pub logs: bool,
    /// The newest event that all of what the page was opened with knows of: what happened between that and now is
    /// asked for at once.
    pub told: u64,
}

/// Joins what was asked for with what the feed brought meanwhile.
pub fn take(follow: &Follow, attempt: u32, series: Option<SeriesAnswer>, logs: Option<LogPage>) {
    if let Some(series) = series {
        follow.curves.maybe_update(|curves| curves.add(attempt, &series.series));
    }
    if let Some(logs) = logs {
        follow.log.maybe_update(|log| log.add(logs.attempt, &logs.lines));
    }
}

/// Asks again for what no event carries: everything that `taken` takes when the state changes, curves and log
/// after a gap in the feed or when a curve has grown too long to be drawn.
pub fn keep_true(
    live: &Live,
    op: OpView,
    follow: Arc<Follow>,
    beside: Beside,
    taken: impl Fn(OperationDetail) + Clone + 'static,
) {
    let epoch = live.epoch();
    let (live, now) = (live.clone(), live.clone());
    let (again, curves_again) = (Again::new(), Again::new());
    let moved = Memo::new(move |_| {
        let receipt = op.receipt.with(Option::is_some);
        (op.state.get(), op.facts.with(|f| (f.attempt, f.has_result)), receipt, epoch.get(), again.turn())
    });
    Effect::new(move |earlier: Option<()>| {
        // Read, not only tracked: a memo that nobody reads follows nothing.
        moved.get();
        if earlier.is_none() && live.seq() <= beside.told {
            return;
        }
        let (live, taken) = (live.clone(), taken.clone());
        spawn_local(async move {
            // Without an answer the page shows what it has.
            match api::operation(op.id).await {
                Ok(detail) => {
                    again.answered();
                    live.adopt(&detail.operation, detail.seq);
                    taken(detail);
                }
                // Deleted while nobody here could hear of it.
                Err(problem) if problem.kind == ProblemType::NotFound => live.forget(op.id),
                Err(problem) => again.in_vain(&problem),
            }
        });
    });
    let overgrown = {
        let curves = follow.curves.clone();
        Memo::new(move |_| curves.with(|c| c.overgrown()))
    };
    let ended = Memo::new(move |_| op.state.get().ended());
    Effect::new(move |earlier: Option<()>| {
        // The end of an attempt as well: its last points may have been thinned on the way.
        let thin = overgrown.get();
        epoch.track();
        curves_again.turn();
        ended.get();
        if earlier.is_none() && !thin && now.seq() <= beside.told {
            return;
        }
        let follow = follow.clone();
        spawn_local(async move {
            let attempt = op.facts.try_with_untracked(|f| f.attempt);
            let series = api::series(op.id, beside.points).await;
            let logs = if beside.logs { api::logs(op.id).await.map(Some) } else { Ok(None) };
            let Some(attempt) = attempt else { return };
            match series.as_ref().err().or(logs.as_ref().err()) {
                Some(problem) => curves_again.in_vain(problem),
                None => curves_again.answered(),
            }
            if let Ok(series) = series {
                beside.thinned.try_set(series.downsampled);
                follow.curves.update(|curves| curves.replace(attempt, series.series));
            }
            take(&follow, attempt, None, logs.ok().flatten());
        });
    });
}
