//! What the server was asked for beside the snapshot, kept true: joined with the feed, and asked for again when
//! something changes that no event carries or that may have been lost.

use crate::again::Again;
use crate::api;
use crate::live::store::{Follow, Stand};
use crate::live::{Live, OpView};
use leptos::prelude::*;
use leptos::task::spawn_local;
use protocol::api::{LogPage, OperationDetail, SeriesAnswer};
use protocol::{OperationId, ProblemType};
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
}

/// Follows an operation from before the server is asked for it, until the page goes or another one takes its place.
#[derive(Clone, Copy, Default)]
pub struct Following(StoredValue<Vec<Arc<Follow>>>);

/// How the page follows one: with its log or without.
type How = fn(&Live, OperationId) -> Arc<Follow>;

impl Following {
    /// Called by a page before it asks for these operations; others are let go.
    pub fn begin(self, live: &Live, ids: &[OperationId], how: How) {
        self.0.try_update_value(|known| {
            let kept = |id: &OperationId| known.iter().find(|follow| follow.id == *id).cloned();
            *known = ids.iter().map(|id| kept(id).unwrap_or_else(|| how(live, *id))).collect();
            known.iter().for_each(|follow| follow.expect_answers(live.seq()));
        });
    }

    /// For what shows one of them: of a page that the server rendered it was not asked for here.
    pub fn of(self, live: &Live, id: OperationId, how: How) -> Arc<Follow> {
        let known = self.0.try_update_value(|known| match known.iter().find(|follow| follow.id == id) {
            Some(follow) => follow.clone(),
            None => {
                known.push(how(live, id));
                known[known.len() - 1].clone()
            }
        });
        known.unwrap_or_else(|| how(live, id))
    }
}

/// Joins what the page was opened with.
pub fn take_first(
    follow: &Follow,
    detail: &OperationDetail,
    series: Option<SeriesAnswer>,
    logs: Option<LogPage>,
) {
    let stand = Stand::of(&detail.operation);
    if !follow.details.take_first(Some((detail.seq, stand.clone())))
        && follow.details.state().with_untracked(|known| !known.stands(&stand))
    {
        // A view that is made a second time begins with what the first one began with.
        follow.details.ask_again();
    }
    follow.curves.take_first(series.map(|answer| (answer.seq, (answer.attempt, answer.series))));
    follow.log.take_first(logs.map(|page| (page.seq, (page.attempt, page.lines))));
}

/// Asks again: for everything that `taken` takes when it is known to have changed, for curves and log where events may be
/// missing, and for curves that have grown too long to be drawn.
pub fn keep_true(
    live: &Live,
    op: OpView,
    follow: Arc<Follow>,
    beside: Beside,
    taken: impl Fn(OperationDetail) + Clone + 'static,
) {
    let (again, curves_again, log_again) = (Again::new(), Again::new(), Again::new());
    Effect::new({
        let (live, follow, asks) = (live.clone(), follow.clone(), follow.details.asks());
        move |_| {
            if asks.get() + again.turn() == 0 {
                return;
            }
            let (live, follow, taken) = (live.clone(), follow.clone(), taken.clone());
            let question = follow.details.ask(live.seq());
            spawn_local(async move {
                // Without an answer the page shows what it has.
                match api::operation(op.id).await {
                    Ok(detail) => {
                        again.answered();
                        live.adopt(&detail.operation, detail.seq);
                        if follow.details.take(question, detail.seq, Stand::of(&detail.operation)) {
                            taken(detail);
                        }
                    }
                    Err(problem) => {
                        follow.details.failed(question);
                        match problem.kind {
                            // Deleted while no event of it could come here.
                            ProblemType::NotFound => live.forget(op.id),
                            _ => again.in_vain(&problem),
                        }
                    }
                }
            });
        }
    });
    let overgrown = {
        let curves = follow.curves.state();
        Memo::new(move |_| curves.with(|c| c.overgrown()))
    };
    let ended = Memo::new(move |_| op.state.get().ended());
    Effect::new({
        let (live, follow, asks) = (live.clone(), follow.clone(), follow.curves.asks());
        move |earlier: Option<()>| {
            // The end of an attempt as well: its last points may have been thinned on the way.
            let thin = overgrown.get();
            ended.track();
            let wanted = asks.get() + curves_again.turn() > 0;
            if earlier.is_none() && !thin && !wanted {
                return;
            }
            let follow = follow.clone();
            let question = follow.curves.ask(live.seq());
            spawn_local(async move {
                match api::series(op.id, beside.points).await {
                    Ok(series) => {
                        curves_again.answered();
                        let answer = (series.attempt, series.series);
                        if follow.curves.take(question, series.seq, answer) {
                            beside.thinned.try_set(series.downsampled);
                        }
                    }
                    Err(problem) => {
                        follow.curves.failed(question);
                        curves_again.in_vain(&problem);
                    }
                }
            });
        }
    });
    if !beside.logs {
        return;
    }
    Effect::new({
        let (live, asks) = (live.clone(), follow.log.asks());
        move |earlier: Option<()>| {
            ended.track();
            let wanted = asks.get() + log_again.turn() > 0;
            if earlier.is_none() && !wanted {
                return;
            }
            let follow = follow.clone();
            let question = follow.log.ask(live.seq());
            spawn_local(async move {
                match api::logs(op.id).await {
                    Ok(page) => {
                        log_again.answered();
                        follow.log.take(question, page.seq, (page.attempt, page.lines));
                    }
                    Err(problem) => {
                        follow.log.failed(question);
                        log_again.in_vain(&problem);
                    }
                }
            });
        }
    });
}
