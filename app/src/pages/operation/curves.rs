//! Live charts of the series of an operation.

use super::POINTS;
use super::band::Bands;
use super::curve_events::events_of;
use crate::features::curves::flat;
use crate::features::curves::group::{Panel, cards};
use crate::features::curves::{MAX_POINTS, extent_of, info};
use charts::{AskAll, Chart, ChartGroup, Shape, Sheet, Spec, Toolbar, lines_of};
use components::reactive::part;
use leptos::prelude::*;
use live::api;
use live::model::curves::Curves;
use protocol::{Attempt, Checkpoint, KindSpec, OperationId, Point, SeriesInfo};
use std::sync::Arc;

/// Charts grouped into cards.
#[component]
pub fn CurveCharts(
    id: OperationId,
    curves: RwSignal<Curves>,
    /// Whether some series are downsampled.
    downsampled: RwSignal<bool>,
    spec: StoredValue<Option<KindSpec>>,
    /// Base name of exported files.
    file: String,
    /// Series that the result shows in better quality.
    left_out: Signal<&'static [&'static str]>,
    /// Baselines drawn behind the series.
    bands: Bands,
    /// Attempts, whose resumes are marked.
    attempts: RwSignal<Vec<Attempt>>,
    /// Newest checkpoint, which is marked.
    checkpoint: Memo<Option<Checkpoint>>,
) -> impl IntoView {
    let group = ChartGroup::new();
    let of = Source { id, curves, downsampled, bands, group, spec, attempts, checkpoint };
    // A chart appears with the first point of its series.
    let infos = Memo::new(move |_| {
        let names: Vec<String> = curves.with(|c| c.names().map(str::to_owned).collect());
        let out = left_out.get();
        let mut infos: Vec<(usize, SeriesInfo)> =
            names.iter().filter(|n| !out.contains(&n.as_str())).map(|name| info(name, spec)).collect();
        // In the order of the kind's declaration, not of arrival.
        infos.sort_by_key(|(place, _)| *place);
        infos.into_iter().map(|(_, info)| info).collect::<Vec<_>>()
    });
    // Name, text, and whether it is the only value.
    let constant = Memo::new(move |_| {
        let is_shown = |name: &String| bands.shows(std::slice::from_ref(name));
        let text = |info: &SeriesInfo| {
            let (value, single) = curves.with(|c| {
                let points = c.get(&info.name);
                let single = flat::single(points);
                Some((flat::constant(points).or(single)?, single.is_some()))
            })?;
            (!is_shown(&info.name)).then(|| (info.name.clone(), flat::wording(info, value), single))
        };
        infos.with(|infos| infos.iter().filter_map(text).collect::<Vec<_>>())
    });
    let groups = Memo::new(move |_| {
        let flat = constant.get();
        let panels =
            |panel: &Panel| !panel.series.iter().all(|i| flat.iter().any(|(name, ..)| *name == i.name));
        let cards = cards(infos.get());
        cards
            .into_iter()
            .map(|card| card.into_iter().filter(panels).collect::<Vec<_>>())
            .filter(|card| !card.is_empty())
            .collect::<Vec<_>>()
    });
    let any = Memo::new(move |_| !infos.read().is_empty());
    let first_names = Signal::derive(move || {
        groups.with(|cards| cards.iter().flatten().map(|panel| panel.series[0].name.clone()).collect())
    });
    let constants = move || {
        part(move || {
            let drawn = groups
                .with(|cards| cards.iter().flatten().flat_map(|p| p.series.clone()).collect::<Vec<_>>());
            let (single, constant): (Vec<_>, Vec<_>) = constant
                .get()
                .into_iter()
                .filter(|(name, ..)| !drawn.iter().any(|info| info.name == *name))
                .partition(|(.., single)| *single);
            let line = |title: &str, some: Vec<(String, String, bool)>| {
                let texts: Vec<String> = some.into_iter().map(|(_, text, _)| text).collect();
                (!texts.is_empty()).then(|| format!("{title}: {}", texts.join(" · ")))
            };
            let lines = [line("Single value", single), line("Constant", constant)];
            let lines: Vec<String> = lines.into_iter().flatten().collect();
            (!lines.is_empty())
                .then(|| view! { <p class="chart-constants muted">{lines.join(". ")}</p> }.into_any())
        })
    };
    part(move || {
        let file = file.clone();
        any.get().then(|| {
            view! {
                <section class="chart-group" aria-label="Curves">
                    <Toolbar group=of.group after=bands.dial(first_names)/>
                    <div class="charts">
                        <For
                            each=move || groups.get()
                            key=|card| names_of(card)
                            children=move |card| {
                                let one = card.len() == 1;
                                let charts = card.into_iter().map(|panel| panel_chart(panel, one, &file, of));
                                view! { <div class="card stacked">{charts.collect_view()}</div> }
                            }
                        />
                    </div>
                    {constants()}
                </section>
            }
            .into_any()
        })
    })
}

/// Data source of the charts.
#[derive(Clone, Copy)]
struct Source {
    id: OperationId,
    curves: RwSignal<Curves>,
    downsampled: RwSignal<bool>,
    bands: Bands,
    group: ChartGroup,
    spec: StoredValue<Option<KindSpec>>,
    attempts: RwSignal<Vec<Attempt>>,
    checkpoint: Memo<Option<Checkpoint>>,
}

/// Key of a card.
fn names_of(card: &[Panel]) -> Vec<String> {
    card.iter().flat_map(|p| p.series.iter().map(|i| i.name.clone())).collect()
}

/// Chart of a panel; `alone` if it is the only one on its card.
fn panel_chart(panel: Panel, alone: bool, file: &str, of: Source) -> impl IntoView + use<> {
    let Source { id, curves, downsampled, bands, group, spec: declared, attempts, checkpoint } = of;
    let first = &panel.series[0];
    let falls = panel.stem.ends_with("drawdown");
    let spec = Spec {
        title: panel.title(),
        file: file.to_owned(),
        shape: Shape::Lines,
        x: first.x.clone(),
        unit: first.unit.clone(),
        names: panel.names(),
        // A rate axis starts at 0. Otherwise small variations would look large.
        zero: first.unit.ends_with("/s") || falls,
        fill: falls,
        smooth: !falls,
        log: panel.is_steep(),
        height: if falls && !alone { 120 } else { 220 },
        ..Spec::default()
    };
    let called = spec.names.clone();
    let keys: Vec<String> = panel.series.into_iter().map(|i| i.name).collect();
    let note = bands.note(keys.clone(), called, curves);
    let x = spec.x.clone();
    let all = {
        let keys = keys.clone();
        AskAll::new(move |()| {
            let keys = keys.clone();
            Box::pin(async move {
                let response = api::series(id, MAX_POINTS).await?;
                let points = |key: &String| response.series.iter().find(|curve| curve.name == *key);
                let columns: Vec<&[Point]> =
                    keys.iter().map(|key| points(key).map_or(&[][..], |curve| &curve.points)).collect();
                Ok(Sheet {
                    extent: extent_of(response.downsampled, MAX_POINTS, &columns),
                    ..lines_of(&columns)
                })
            })
        })
    };
    let sheet = Signal::derive(move || {
        curves.with(|c| {
            let columns: Vec<_> = keys.iter().map(|key| c.get(key)).collect();
            let extent = extent_of(downsampled.get(), POINTS, &columns);
            let x_of = |name: &str| info(name, declared).1.x;
            let events = attempts
                .with(|attempts| checkpoint.with(|saved| events_of(c, &x, x_of, attempts, saved.as_ref())));
            Arc::new(Sheet { fit: 1, behind: bands.behind(&keys), extent, events, ..lines_of(&columns) })
        })
    });
    view! { <Chart spec sheet group note all/> }
}
