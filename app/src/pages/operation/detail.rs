//! The full page of one operation, kept true by the feed.

use super::POINTS;
use super::audit::AuditTable;
use super::condition::ConditionBox;
use super::curves::CurveCharts;
use super::failure::FailureBox;
use super::head::Head;
use super::log::LogView;
use super::phases::PhaseTrack;
use super::result::ResultView;
use super::tables::{AttemptsTable, ParamsTable};
use crate::api;
use crate::app::Data;
use crate::components::bar::ProgressBar;
use crate::components::receipt::ReceiptLine;
use crate::live::store::Follow;
use crate::live::{Live, OpView};
use crate::outcome::Outcome;
use crate::reactive::{part, text};
use crate::words;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_meta::Title;
use protocol::api::{LogPage, OperationDetail, SeriesAnswer};
use protocol::host::ResultDoc;
use protocol::{Attempt, AuditEntry, KindSpec};
use std::sync::Arc;

/// Everything of one operation; `first` is what it was opened with.
#[component]
pub fn Detail(first: OperationDetail, series: Option<SeriesAnswer>, logs: Option<LogPage>) -> impl IntoView {
    let live = Live::here();
    let id = first.operation.id;
    live.adopt(&first.operation, first.seq);
    let Some(op) = live.operation(id).map(|cell| cell.view()) else { return ().into_any() };
    let follow = live.follow(id);
    let told = [Some(first.seq), series.as_ref().map(|s| s.seq), logs.as_ref().map(|l| l.seq)];
    let told = told.into_iter().flatten().min().unwrap_or_default();
    take(&follow, first.operation.attempt, series, logs);
    on_cleanup({
        let (live, follow) = (live.clone(), follow.clone());
        move || live.unfollow(&follow)
    });

    let attempts = RwSignal::new(first.attempts);
    let result = RwSignal::new(first.result);
    let audit = RwSignal::new(first.audit);
    keep_true(&live, op, follow.clone(), attempts, result, audit, told);

    let fixed = op.fixed();
    let spec = StoredValue::new(spec_of(&fixed.kind));
    let title = fixed.title.clone();
    let tab_title = move || {
        let state = op.state.get();
        let far = op.progress.with(|p| words::how_far(p.as_ref()));
        match (state.ended(), far.is_empty()) {
            (false, false) => format!("{far} · {title}"),
            _ => format!("{state} · {title}"),
        }
    };
    let outcome = Memo::new({
        let kind = fixed.kind.clone();
        move |_| result.with(|r| r.as_ref().map(|r| Outcome::read(&kind, r)))
    });
    // What a person calls files made of it.
    let file = format!("{}-{}", fixed.kind.as_str().replace('.', "-"), fixed.id.short().replace('…', "-"));
    let left_out =
        Signal::derive(move || outcome.with(|o| o.as_ref().map_or(&[][..], Outcome::curves_shown)));
    let resume_note = part(move || {
        let again = words::next(op.state.get(), true).retry;
        op.facts.with(|f| {
            f.checkpoint.as_ref().filter(|_| again).map(|c| {
                view! { <p class="note">"Resume goes on from: " <strong>{c.note.clone()}</strong></p> }
                    .into_any()
            })
        })
    });
    let late = {
        let late = follow.late.clone();
        let said = part(move || {
            let said = late.with(|late| words::trail::late(late))?;
            Some(view! { <p class="note">{said}</p> }.into_any())
        });
        // Always there, so that what comes into it is read out.
        view! { <div role="status">{said}</div> }
    };
    view! {
        <Title text=tab_title/>
        <Head op/>
        <ConditionBox op/>
        <FailureBox op/>
        <ReceiptLine op/>
        {late}
        {resume_note}
        <Running op spec/>
        <ResultView op outcome/>
        <CurveCharts follow=follow.clone() spec file left_out/>
        <LogView op follow=follow.clone()/>
        <div class="columns">
            <ParamsTable fixed/>
            <AttemptsTable attempts/>
        </div>
        <AuditTable audit/>
    }
    .into_any()
}

/// Phases, bar and what is being done, while it is not over.
#[component]
fn Running(op: OpView, spec: StoredValue<Option<KindSpec>>) -> impl IntoView {
    let running = Memo::new(move |_| !op.state.get().ended());
    let said = move || {
        op.progress.with(|p| {
            let Some(p) = p else { return String::new() };
            let all = [words::done_of_total(p), words::doing(p)];
            all.into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join(" · ")
        })
    };
    let clock = Live::here().clock();
    let forecast = part(move || {
        let told = words::forecast::of(op, clock.get(), |forecast, _, now| {
            forecast.map(|f| words::forecast::sentence(f, now))
        });
        told.map(|said| view! { <p class="muted forecast">{said}</p> }.into_any())
    });
    part(move || {
        running.get().then(|| {
            view! {
                <section class="card running" aria-label="Progress">
                    <PhaseTrack op spec/>
                    <ProgressBar op/>
                    <p class="muted">{text(said)}</p>
                    {forecast.clone()}
                </section>
            }
            .into_any()
        })
    })
}

/// What the kind declares, as far as the page knows.
fn spec_of(kind: &protocol::KindName) -> Option<KindSpec> {
    Data::here().kinds.with_untracked(|kinds| {
        let list = kinds.as_ref()?.as_ref().ok()?;
        list.kinds.iter().find(|o| o.spec.name == *kind).map(|o| o.spec.clone())
    })
}

/// Joins what was asked for with what the feed brought meanwhile.
fn take(follow: &Follow, attempt: u32, series: Option<SeriesAnswer>, logs: Option<LogPage>) {
    if let Some(series) = series {
        follow.curves.maybe_update(|curves| curves.add(attempt, &series.series));
    }
    if let Some(logs) = logs {
        follow.log.maybe_update(|log| log.add(logs.attempt, &logs.lines));
    }
}

/// Asks again for what no event carries: attempts, audit and result when the state changes, curves and log after a
/// gap in the feed or when a curve has grown too long to be drawn. `told` is the newest event that all of what
/// the page was opened with knows of: what happened between that and now is asked for at once.
fn keep_true(
    live: &Live,
    op: OpView,
    follow: Arc<Follow>,
    attempts: RwSignal<Vec<Attempt>>,
    result: RwSignal<Option<ResultDoc>>,
    audit: RwSignal<Vec<AuditEntry>>,
    told: u64,
) {
    let epoch = live.epoch();
    let (live, beside) = (live.clone(), live.clone());
    let moved = Memo::new(move |_| {
        let receipt = op.receipt.with(Option::is_some);
        (op.state.get(), op.facts.with(|f| (f.attempt, f.has_result)), receipt, epoch.get())
    });
    Effect::new(move |earlier: Option<()>| {
        // Read, not only tracked: a memo that nobody reads follows nothing.
        moved.get();
        if earlier.is_none() && live.seq() <= told {
            return;
        }
        let live = live.clone();
        spawn_local(async move {
            // Without an answer the page shows what it has; the next change asks again.
            if let Ok(detail) = api::operation(op.id).await {
                live.adopt(&detail.operation, detail.seq);
                attempts.try_set(detail.attempts);
                result.try_set(detail.result);
                audit.try_set(detail.audit);
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
        ended.get();
        if earlier.is_none() && !thin && beside.seq() <= told {
            return;
        }
        let follow = follow.clone();
        spawn_local(async move {
            let attempt = op.facts.try_with_untracked(|f| f.attempt);
            let (series, logs) = (api::series(op.id, POINTS).await, api::logs(op.id).await);
            let Some(attempt) = attempt else { return };
            if let Ok(series) = series {
                follow.curves.update(|curves| curves.replace(attempt, series.series));
            }
            if let Ok(logs) = logs {
                follow.log.maybe_update(|log| log.add(logs.attempt, &logs.lines));
            }
        });
    });
}
