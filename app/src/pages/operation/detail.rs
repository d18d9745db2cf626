//! Page of one operation, kept current by the feed.

use super::POINTS;
use super::audit::AuditTable;
use super::band::Bands;
use super::cached::{Beside, Following, keep_true, take_first};
use super::condition::ConditionBox;
use super::curves::CurveCharts;
use super::failure::FailureBox;
use super::head::Head;
use super::log::LogView;
use super::phases::PhaseTrack;
use super::result::ResultView;
use super::rule::RuleCard;
use super::sweep::SweepView;
use super::tables::{AttemptsTable, ParamsTable};
use crate::app::Data;
use crate::components::bar::ProgressBar;
use crate::components::receipt::ReceiptLine;
use crate::live::{Live, OpView};
use crate::outcome::Outcome;
use crate::reactive::{part, text};
use crate::zone::Zones;
use leptos::prelude::*;
use leptos_meta::Title;
use protocol::KindSpec;
use protocol::api::{LogPage, OperationDetail, SeriesAnswer};

/// All sections of the page; `first` is the initial response.
#[component]
pub fn Detail(
    first: OperationDetail,
    series: Option<SeriesAnswer>,
    logs: Option<LogPage>,
    following: Following,
) -> impl IntoView {
    let live = Live::here();
    let id = first.operation.id;
    live.adopt(&first.operation, first.seq);
    let Some(op) = live.operation(id).map(|cell| cell.view()) else { return ().into_any() };
    let follow = following.of(&live, id, Live::follow);
    let downsampled = RwSignal::new(series.as_ref().is_some_and(|series| series.downsampled));
    take_first(&follow, &first, series, logs);

    let attempts = RwSignal::new(first.attempts);
    let result = RwSignal::new(first.result);
    let audit = RwSignal::new(first.audit);
    let beside = Beside { points: POINTS, downsampled, logs: true };
    keep_true(&live, op, follow.clone(), beside, move |detail| {
        attempts.try_set(detail.attempts);
        result.try_set(detail.result);
        audit.try_set(detail.audit);
    });

    let fixed = op.fixed();
    let spec = StoredValue::new(spec_of(&fixed.kind));
    let title = fixed.title.clone();
    let clock = live.clock();
    let tab_title = {
        let now = move || {
            let state = op.state.try_get()?;
            // Updated once a second, whatever the event rate.
            clock.try_get()?;
            let far = op.progress.try_with_untracked(|p| display::how_far(p.as_ref()))?;
            Some(match (state.ended(), far.is_empty()) {
                (false, false) => format!("{far} · {title} · Signalbox"),
                _ => format!("{state} · {title} · Signalbox"),
            })
        };
        // The server may read the title after the signals are disposed.
        let first = untrack(&now);
        move || now().or_else(|| first.clone()).unwrap_or_default()
    };
    let outcome = Memo::new({
        let kind = fixed.kind.clone();
        move |_| result.with(|r| r.as_ref().map(|r| Outcome::read(&kind, r)))
    });
    // Base name of exported files.
    let file = format!("{}-{}", fixed.kind.as_str().replace('.', "-"), fixed.id.short().replace('…', "-"));
    let left_out =
        Signal::derive(move || outcome.with(|o| o.as_ref().map_or(&[][..], Outcome::curves_shown)));
    let curves: RwSignal<_> = follow.curves.state().into();
    let bands = Bands::new(op);
    let resume_note = part(move || {
        let again = display::next(op.state.get(), true).retry;
        op.facts.with(|f| {
            f.checkpoint.as_ref().filter(|_| again).map(|c| {
                view! { <p class="note">"Resume continues from checkpoint: " <strong>{c.note.clone()}</strong></p> }
                    .into_any()
            })
        })
    });
    let late = {
        let late = follow.late.clone();
        let said = part(move || {
            let said = late.with(|late| display::cancel_steps::late(late))?;
            Some(view! { <p class="note">{said}</p> }.into_any())
        });
        // The live region exists from the start, so that screen readers announce its content.
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
        <SweepView op outcome/>
        <ResultView op outcome/>
        <RuleCard op curves spec/>
        <CurveCharts id curves downsampled spec file left_out bands/>
        <LogView op follow=follow.clone()/>
        <div class="columns">
            <ParamsTable fixed/>
            <AttemptsTable attempts/>
        </div>
        <AuditTable audit/>
    }
    .into_any()
}

/// Phases, progress bar and activity of an operation that has not ended.
#[component]
fn Running(op: OpView, spec: StoredValue<Option<KindSpec>>) -> impl IntoView {
    let running = Memo::new(move |_| !op.state.get().ended());
    let said = move || {
        op.progress.with(|p| {
            let Some(p) = p else { return String::new() };
            let all = [display::done_of_total(p), display::doing(p)];
            all.into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join(" · ")
        })
    };
    let (live, zone) = (Live::here(), Zones::here());
    let (clock, newest) = (live.clock(), live.newest());
    let forecast = part(move || {
        let zone = zone.get();
        let told = op.expected_end(clock.get(), newest.get(), |forecast, eta, now| {
            // The line is always present, so that nothing shifts when the estimate arrives.
            let unknown = || "ETA not available yet.".to_owned();
            let by_host = |left| format!("Host estimate: {left} left.");
            Some(match forecast {
                Some(forecast) => display::forecast::sentence(forecast, now, zone),
                None => display::forecast::left(None, eta, now).map_or_else(unknown, by_host),
            })
        });
        told.map(|said| view! { <p class="muted forecast">{said}</p> }.into_any())
    });
    part(move || {
        running.get().then(|| {
            view! {
                <section class="card running" aria-label="Progress">
                    <PhaseTrack op spec/>
                    <ProgressBar op/>
                    <p class="muted doing">{text(said)}</p>
                    {forecast.clone()}
                </section>
            }
            .into_any()
        })
    })
}

/// Declaration of a kind, if the page knows it.
pub fn spec_of(kind: &protocol::KindName) -> Option<KindSpec> {
    Data::here().kinds.with_untracked(|kinds| {
        let list = kinds.as_ref()?.as_ref().ok()?;
        list.kinds.iter().find(|o| o.spec.name == *kind).map(|o| o.spec.clone())
    })
}
