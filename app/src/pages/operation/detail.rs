//! Page of one operation, kept current by the feed.

use super::POINTS;
use super::condition::ConditionBox;
use super::facts::FactsColumn;
use super::head::Head;
use super::key_figures::KeyFigures;
use super::progress::ProgressLine;
use super::result::{Place, ResultParts, result_label};
use super::sections::{self, CurvesOf};
use super::sweep::Sweep;
use super::tabs::{Tab, Tabs};
use super::time::TimeTab;
use crate::features::curves::cached::{Additional, Following, keep_current, take_first};
use crate::features::curves::spec_of;
use crate::outcome::{Body, EXEC, Outcome};
use components::hint::Hint;
use components::reactive::part;
use leptos::prelude::*;
use leptos_meta::Title;
use live::{OpView, OperationStore};
use protocol::State;
use protocol::api::{LogPage, OperationDetail, SeriesAnswer};

/// All sections of the page; `first` is the initial response.
#[component]
pub fn Detail(
    first: OperationDetail,
    series: Option<SeriesAnswer>,
    logs: Option<LogPage>,
    following: Following,
) -> impl IntoView {
    let live = OperationStore::here();
    let id = first.operation.id;
    live.adopt(&first.operation, first.seq);
    let Some(op) = live.operation(id).map(|cell| cell.view()) else { return ().into_any() };
    let follow = following.of(&live, id, OperationStore::follow);
    let downsampled = RwSignal::new(series.as_ref().is_some_and(|series| series.downsampled));
    take_first(&follow, &first, series, logs);

    let attempts = RwSignal::new(first.attempts);
    let result = RwSignal::new(first.result);
    let audit = RwSignal::new(first.audit);
    let beside = Additional { points: POINTS, downsampled, logs: true };
    keep_current(&live, op, follow.clone(), beside, move |detail| {
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
    let curves: RwSignal<_> = follow.curves.state().into();
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
        let wording = part(move || {
            let wording = late.with(|late| display::cancel_steps::late(late))?;
            Some(view! { <p class="note">{wording}</p> }.into_any())
        });
        // The live region exists from the start, so that screen readers announce its content.
        view! { <div role="status">{wording}</div> }
    };
    let sweep = Sweep::of(op, outcome);
    let parts = ResultParts::new(op, outcome);
    let tabs = tabs_of(op, outcome, sweep.is_some());
    parts.on_table(Callback::new(move |()| tabs.show(Tab::Trades)));
    let shown = move |tab: Tab| Signal::derive(move || tabs.shown.get() == tab);
    let result_tab = match sweep {
        Some(sweep) => sections::sweep_section(sweep, false, shown(Tab::Result)),
        None => parts.view(Place::Result, shown(Tab::Result)),
    };
    let always = Signal::stored(true);
    let log = sections::log_section(op, follow.clone(), shown(Tab::Log));
    let details = sections::details_section(op, attempts, audit, parts, shown(Tab::Details));
    let failure = sections::failure_section(op, follow.log.state().into());
    let charts =
        sections::curves_section(CurvesOf { op, curves, downsampled, spec, file, outcome, attempts });
    view! {
        <Title text=tab_title/>
        <Head op/>
        <Hint page="operation" text="One operation, live: key figures and curves first; result, log and details in the tabs."/>
        <ProgressLine op spec/>
        <ConditionBox op/>
        {failure}
        {late}
        {resume_note}
        <div class="op-columns">
            <div class="op-main">
                <KeyFigures op outcome sweep curves spec/>
                {parts.view(Place::Main, always)}
                {sweep.map(|sweep| sections::sweep_section(sweep, true, always))}
                {charts}
                <div class="op-tabs">
                    {tabs.list()}
                    {tabs.panel(Tab::Result, result_tab)}
                    {tabs.panel(Tab::Trades, parts.view(Place::Trades, shown(Tab::Trades)))}
                    {tabs.panel(Tab::Returns, parts.view(Place::Returns, shown(Tab::Returns)))}
                    {tabs.panel(Tab::Log, log)}
                    {tabs.panel(Tab::Time, view! { <TimeTab op shown=shown(Tab::Time)/> }.into_any())}
                    {tabs.panel(Tab::Details, details)}
                </div>
            </div>
            <FactsColumn op spec curves audit/>
        </div>
    }
    .into_any()
}

/// Tabs of an operation. Once it has succeeded, its result is shown unless a tab was chosen.
fn tabs_of(op: OpView, outcome: Memo<Option<Outcome>>, is_sweep: bool) -> Tabs {
    let kind = op.fixed().kind.clone();
    let is_command = kind.as_str().starts_with(EXEC);
    let offered = Memo::new(move |_| {
        outcome.with(|outcome| {
            let has = |tab: &Tab| match (tab, outcome.as_ref().map(|o| (&o.body, o))) {
                (Tab::Log | Tab::Time | Tab::Details, _) => true,
                (Tab::Result, outcome) => is_sweep || outcome.is_some(),
                (Tab::Trades, Some((Body::Backtest(result), outcome))) => {
                    result.trade_count > 0 && outcome.has("trades")
                }
                (Tab::Returns, Some((Body::Backtest(result), outcome))) => {
                    !result.months.is_empty() || result.trade_count > 0 && outcome.has("trades")
                }
                (Tab::Trades | Tab::Returns, _) => false,
            };
            Tab::ALL.into_iter().filter(has).collect::<Vec<_>>()
        })
    });
    let standard = Memo::new(move |_| {
        let succeeded = op.state.get() == State::Succeeded && !is_command;
        let result = is_sweep || succeeded && outcome.with(Option::is_some);
        if result { Tab::Result } else { Tab::Log }
    });
    Tabs::new(offered, standard, result_label(kind.as_str()))
}
