//! Live charts of the series of an operation.

use super::POINTS;
use super::band::Bands;
use crate::features::curves::group::{Panel, cards};
use crate::features::curves::{MAX_POINTS, extent_of, info};
use charts::{AskAll, Chart, Shape, Sheet, Spec, lines_of};
use components::reactive::part;
use leptos::prelude::*;
use live::api;
use live::model::curves::Curves;
use protocol::{KindSpec, OperationId, Point, SeriesInfo};
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
) -> impl IntoView {
    let of = Source { id, curves, downsampled, bands };
    // A chart appears with the first point of its series.
    let groups = Memo::new(move |_| {
        let names: Vec<String> = curves.with(|c| c.names().map(str::to_owned).collect());
        let out = left_out.get();
        let mut infos: Vec<(usize, SeriesInfo)> =
            names.iter().filter(|n| !out.contains(&n.as_str())).map(|name| info(name, spec)).collect();
        // In the order of the kind's declaration, not of arrival.
        infos.sort_by_key(|(place, _)| *place);
        cards(infos.into_iter().map(|(_, info)| info).collect())
    });
    let any = Memo::new(move |_| !groups.read().is_empty());
    part(move || {
        let file = file.clone();
        any.get().then(|| {
            view! {
                <section class="charts" aria-label="Curves">
                    <For
                        each=move || groups.get()
                        key=|card| names_of(card)
                        children=move |card| {
                            let one = card.len() == 1;
                            let charts = card.into_iter().map(|panel| panel_chart(panel, one, &file, of));
                            view! { <div class="card stacked">{charts.collect_view()}</div> }
                        }
                    />
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
}

/// Key of a card.
fn names_of(card: &[Panel]) -> Vec<String> {
    card.iter().flat_map(|p| p.series.iter().map(|i| i.name.clone())).collect()
}

/// Chart of a panel; `alone` if it is the only one on its card.
fn panel_chart(panel: Panel, alone: bool, file: &str, of: Source) -> impl IntoView + use<> {
    let Source { id, curves, downsampled, bands } = of;
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
        smooth: alone && !falls,
        log: panel.is_steep(),
        height: if falls && !alone { 120 } else { 220 },
        ..Spec::default()
    };
    let called = spec.names.clone();
    let keys: Vec<String> = panel.series.into_iter().map(|i| i.name).collect();
    let (dial, note) = (bands.dial(keys.clone()), bands.note(keys.clone(), called, curves));
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
            Arc::new(Sheet { fit: 1, behind: bands.behind(&keys), extent, ..lines_of(&columns) })
        })
    });
    view! { <Chart spec sheet dial note all/> }
}
