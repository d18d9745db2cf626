//! Charts of a host, one below the other on one time axis, and the timeline of the operations that ran.

use super::alerts::HostAlerts;
use super::heat::LatencyHeat;
use super::history::{Answer, Charted};
use super::panels::{Line, PANELS, last_drawn};
use super::span::Span;
use super::timeline::Timeline;
use app_state::Zones;
use charts::{Chart, ChartGroup};
use components::link::A;
use components::placeholders::{Empty, Skeleton};
use components::reactive::part;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use protocol::HostName;
use std::sync::Arc;
use std::time::Duration;

/// Time without a further zoom after which the URL gets the zoomed time: a wheel zooms in many steps.
const ZOOM_PAUSE: Duration = Duration::from_millis(250);

/// The charts and the timeline.
#[component]
pub fn Pane(name: HostName, charted: Charted, span: Memo<Span>) -> impl IntoView {
    // Whether anything is known of the time, and whether that includes samples of the host.
    let known = Memo::new(move |_| {
        charted.answer.with(|answer| answer.as_ref().map(|a| (!a.is_empty()).then(|| a.is_sampled())))
    });
    let last = Memo::new(move |_| {
        charted.answer.with(|answer| answer.as_ref().and_then(|answer| last_drawn(&answer.history)))
    });
    let group = ChartGroup::new();
    let alerts = HostAlerts::new(name.clone());
    let zoom = zoom_to_url(name.clone(), span);
    let of = name.clone();
    let charts = part(move || {
        let name = of.clone();
        Some(match known.get() {
            None => view! { <Skeleton lines=12/> }.into_any(),
            Some(None) => view! { <NoSamples name/> }.into_any(),
            Some(Some(sampled)) => {
                let charts = (0..PANELS.len()).map(|n| {
                    view! { <PanelChart name=name.clone() n charted alerts group zoom last sampled/> }
                        .into_any()
                });
                let note = (!sampled).then(|| {
                    view! { <p class="note">{NOT_SAMPLED}</p> }
                });
                (note, charts.collect_view()).into_any()
            }
        })
    });
    let heat_of = name.clone();
    let zones = Zones::here();
    let fired = alerts.view(charted, Signal::derive(move || zones.get()));
    let timeline = part(move || {
        let Answer { operations, bounds, at, .. } = charted.answer.get()?;
        Some(view! { <Timeline host=name.clone() operations=operations.to_vec() bounds now=at zone=zones.get()/> }.into_any())
    });
    view! {
        <section class="card stacked pane chart-group host-pane" aria-label="Resources and operations">
            {charts}
            <LatencyHeat name=heat_of charted/>
            {fired}
            <section class="host-ran" aria-labelledby="ran-title">
                <h2 id="ran-title" class="chart-title">"Operations"</h2>
                {timeline}
            </section>
        </section>
    }
    .into_any()
}

/// Why a host has charts of requests only, and what to do.
const NOT_SAMPLED: &str = "In this period, the server recorded its requests to this host, but the host has no samples of its resources. Possible \
    reasons: the work runs on another machine, sampling is off, or the host uses an old version of host-kit. In the last \
    case, update host-kit and restart the host.";

/// Why there are no charts, and what to do.
#[component]
fn NoSamples(name: HostName) -> impl IntoView {
    let to = format!("/hosts/{name}?range=90d");
    view! {
        <Empty
            title="No samples in this period"
            text="Choose a longer period. If a longer period has no samples either, the server has not reached this host yet. Charts appear a few seconds after the host is connected."
        >
            <A href=to attr:class="button">
                "Show 90 days"
            </A>
        </Empty>
    }
    .into_any()
}

/// Callback for a zoom of the charts: it becomes the time of the URL, so that Back returns to the time before.
fn zoom_to_url(name: HostName, span: Memo<Span>) -> Callback<Option<(f64, f64)>> {
    let navigate = StoredValue::new(use_navigate());
    let waiting = StoredValue::new(None::<TimeoutHandle>);
    on_cleanup(move || {
        if let Some(handle) = waiting.try_get_value().flatten() {
            handle.clear();
        }
    });
    Callback::new(move |range: Option<(f64, f64)>| {
        if let Some(handle) = waiting.try_get_value().flatten() {
            handle.clear();
        }
        let zoomed = range.map(|(from, to)| Span::zoomed(from, to));
        let Some(zoomed) = zoomed.filter(|zoomed| span.try_get_untracked().is_some_and(|s| s != *zoomed))
        else {
            waiting.try_set_value(None);
            return;
        };
        let to = format!("/hosts/{name}{}", zoomed.query());
        let go = move || {
            let options = NavigateOptions { scroll: false, ..NavigateOptions::default() };
            navigate.try_with_value(|navigate| navigate(&to, options));
        };
        waiting.try_set_value(set_timeout_with_handle(go, ZOOM_PAUSE).ok());
    })
}

/// Chart of a panel, or a note that its metrics are unknown.
#[component]
fn PanelChart(
    name: HostName,
    n: usize,
    charted: Charted,
    alerts: HostAlerts,
    group: ChartGroup,
    zoom: Callback<Option<(f64, f64)>>,
    /// Place of the last panel with lines, which has the labels of the time.
    last: Memo<Option<usize>>,
    /// Whether the host has samples in the time; without them, only charts with values are shown.
    sampled: bool,
) -> impl IntoView {
    let panel = &PANELS[n];
    // The chart is built again only when its lines change.
    let lines = Memo::new(move |_| {
        charted
            .answer
            .with(|answer| answer.as_ref().map(|answer| panel.lines(&answer.history)).unwrap_or_default())
    });
    let is_last = Memo::new(move |_| last.get() == Some(n));
    part(move || {
        let lines: Vec<Line> = lines.get();
        if lines.is_empty() {
            // Only the server has such metrics.
            return (sampled && !panel.is_of_server()).then(|| {
                view! {
                    <p class="host-unknown">
                        <span class="chart-title">{panel.title}</span>
                        " "
                        <span class="muted">"Unknown: no values in this period"</span>
                    </p>
                }
                .into_any()
            });
        }
        let spec = panel.spec(name.as_str(), &lines, is_last.get());
        let sheet = Signal::derive(move || {
            charted.answer.with(|answer| {
                let Some(answer) = answer else { return Arc::default() };
                let mut sheet = panel.sheet(&answer.history, &lines, answer.fit);
                if let (Some(first), Some(last)) = (sheet.x.first(), sheet.x.last()) {
                    let bounds = (*first, *last);
                    (sheet.bands, sheet.band_texts) =
                        alerts.bands(|metric| panel.shows(metric), bounds, answer.at);
                }
                Arc::new(sheet)
            })
        });
        Some(
            view! { <section aria-label=panel.title><Chart spec sheet on_range=zoom group/></section> }
                .into_any(),
        )
    })
}
