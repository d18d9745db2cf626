//! Data of an operation beyond the snapshot, kept current. Responses are merged with the feed, and requested again
//! after changes without events or after a gap in the feed.

use app_state::retry_timer::RetryTimer;
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::api;
use live::model::store::{DetailVersion, Follow};
use live::{OpView, OperationStore};
use protocol::api::{LogPage, OperationDetail, SeriesAnswer};
use protocol::{OperationId, ProblemType};
use std::sync::Arc;

/// Data requested in addition to an operation.
#[derive(Clone, Copy)]
pub struct Additional {
    /// Maximum number of points per series.
    pub points: u32,
    /// Whether some series are downsampled.
    pub downsampled: RwSignal<bool>,
    /// Whether the log is requested.
    pub logs: bool,
}

/// Subscriptions of a page. They start before the first request and end with the page, or when other operations take
/// their place.
#[derive(Clone, Copy, Default)]
pub struct Following(StoredValue<Vec<Arc<Follow>>>);

/// Subscribes with or without the log.
type How = fn(&OperationStore, OperationId) -> Arc<Follow>;

impl Following {
    /// Subscribes to these operations before their data is requested, and drops all others.
    pub fn begin(self, live: &OperationStore, ids: &[OperationId], how: How) {
        self.0.try_update_value(|known| {
            let subscribed = |id: &OperationId| known.iter().find(|follow| follow.id == *id).cloned();
            *known = ids.iter().map(|id| subscribed(id).unwrap_or_else(|| how(live, *id))).collect();
            known.iter().for_each(|follow| follow.expect_answers(live.seq()));
        });
    }

    /// Subscription of one operation. On a page rendered by the server `begin` did not run in the browser.
    pub fn of(self, live: &OperationStore, id: OperationId, how: How) -> Arc<Follow> {
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

/// Merges the initial responses.
pub fn take_first(
    follow: &Follow,
    detail: &OperationDetail,
    series: Option<SeriesAnswer>,
    logs: Option<LogPage>,
) {
    let version = DetailVersion::of(&detail.operation);
    if !follow.details.take_first(Some((detail.seq, version.clone())))
        && follow.details.state().with_untracked(|known| !known.is_current(&version))
    {
        // A view that is built twice starts again with the initial response.
        follow.details.ask_again();
    }
    follow.curves.take_first(series.map(|answer| (answer.seq, (answer.attempt, answer.series))));
    follow.log.take_first(logs.map(|page| (page.seq, (page.attempt, page.lines))));
}

/// Repeats requests: details after a known change, series and log after a gap in the feed, and series that have grown
/// too long to draw.
pub fn keep_current(
    live: &OperationStore,
    op: OpView,
    follow: Arc<Follow>,
    additional: Additional,
    on_detail: impl Fn(OperationDetail) + Clone + 'static,
) {
    let (again, curves_again, log_again) = (RetryTimer::new(), RetryTimer::new(), RetryTimer::new());
    Effect::new({
        let (live, follow, asks) = (live.clone(), follow.clone(), follow.details.asks());
        move |_| {
            if asks.get() + again.turn() == 0 {
                return;
            }
            let (live, follow, on_detail) = (live.clone(), follow.clone(), on_detail.clone());
            let question = follow.details.ask(live.seq());
            spawn_local(async move {
                // Without a response the page keeps its data.
                match api::operation(op.id).await {
                    Ok(detail) => {
                        again.succeeded();
                        live.adopt(&detail.operation, detail.seq);
                        if follow.details.take(question, detail.seq, DetailVersion::of(&detail.operation)) {
                            on_detail(detail);
                        }
                    }
                    Err(problem) => {
                        follow.details.failed(question);
                        match problem.kind {
                            // Deleted during a gap in the feed.
                            ProblemType::NotFound => live.remove_deleted(op.id),
                            _ => again.failed(&problem),
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
            // Also at the end of an attempt, since its last points may be downsampled.
            let thin = overgrown.get();
            // Not `track`, which does not compute a memo.
            ended.get();
            let wanted = asks.get() + curves_again.turn() > 0;
            if earlier.is_none() && !thin && !wanted {
                return;
            }
            let follow = follow.clone();
            let question = follow.curves.ask(live.seq());
            spawn_local(async move {
                match api::series(op.id, additional.points).await {
                    Ok(series) => {
                        curves_again.succeeded();
                        let answer = (series.attempt, series.series);
                        if follow.curves.take(question, series.seq, answer) {
                            additional.downsampled.try_set(series.downsampled);
                        }
                    }
                    Err(problem) => {
                        follow.curves.failed(question);
                        curves_again.failed(&problem);
                    }
                }
            });
        }
    });
    if !additional.logs {
        return;
    }
    Effect::new({
        let (live, asks) = (live.clone(), follow.log.asks());
        move |earlier: Option<()>| {
            // Not `track`, which does not compute a memo.
            ended.get();
            let wanted = asks.get() + log_again.turn() > 0;
            if earlier.is_none() && !wanted {
                return;
            }
            let follow = follow.clone();
            let question = follow.log.ask(live.seq());
            spawn_local(async move {
                match api::logs(op.id).await {
                    Ok(page) => {
                        log_again.succeeded();
                        follow.log.take(question, page.seq, (page.attempt, page.lines));
                    }
                    Err(problem) => {
                        follow.log.failed(question);
                        log_again.failed(&problem);
                    }
                }
            });
        }
    });
}
