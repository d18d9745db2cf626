//! The curves of an operation as charts, growing while it runs.

use super::band::Bands;
use super::group::{Panel, cards};
use crate::components::chart::{Chart, Shape, Sheet, Spec, lines_of};
use crate::live::follow::Curves;
use crate::reactive::part;
use leptos::prelude::*;
use protocol::{KindSpec, SeriesInfo};
use std::sync::Arc;

/// A card for each group of curves that belong together.
#[component]
pub fn CurveCharts(
    curves: RwSignal<Curves>,
    spec: StoredValue<Option<KindSpec>>,
    /// What files made of them are called.
    file: String,
    /// Curves that the result shows already, and better.
    left_out: Signal<&'static [&'static str]>,
    /// Earlier runs, for what is drawn behind them.
    bands: Bands,
) -> impl IntoView {
    // Those that have points; a chart is made when the first of them comes.
    let groups = Memo::new(move |_| {
        let names: Vec<String> = curves.with(|c| c.names().map(str::to_owned).collect());
        let out = left_out.get();
        let mut infos: Vec<(usize, SeriesInfo)> =
            names.iter().filter(|n| !out.contains(&n.as_str())).map(|name| info(name, spec)).collect();
        // As the kind declares them, not as their first points happened to come.
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
                            let charts = card.into_iter().map(|panel| panel_chart(panel, one, &file, curves, bands));
                            view! { <div class="card stacked">{charts.collect_view()}</div> }
                        }
                    />
                </section>
            }
            .into_any()
        })
    })
}

/// What tells one card from another.
fn names_of(card: &[Panel]) -> Vec<String> {
    card.iter().flat_map(|p| p.series.iter().map(|i| i.name.clone())).collect()
}

/// One chart; `alone` on its card or stacked with others.
fn panel_chart(
    panel: Panel,
    alone: bool,
    file: &str,
    curves: RwSignal<Curves>,
    bands: Bands,
) -> impl IntoView + use<> {
    let first = &panel.series[0];
    let falls = panel.stem.ends_with("drawdown");
    let spec = Spec {
        title: panel.title(),
        file: file.to_owned(),
        shape: Shape::Lines,
        x: first.x.clone(),
        unit: first.unit.clone(),
        names: panel.names(),
        // A rate without its zero shows a storm where there is a breeze.
        zero: first.unit.ends_with("/s") || falls,
        fill: falls,
        joined: panel.series.len() > 1,
        smooth: alone && !falls,
        log: panel.is_steep(),
        height: if falls && !alone { 120 } else { 220 },
        ..Spec::default()
    };
    let called = spec.names.clone();
    let keys: Vec<String> = panel.series.into_iter().map(|i| i.name).collect();
    let (dial, note) = (bands.dial(keys.clone()), bands.note(keys.clone(), called, curves));
    let sheet = Signal::derive(move || {
        curves.with(|c| {
            let columns: Vec<_> = keys.iter().map(|key| c.get(key)).collect();
            Arc::new(Sheet { fit: 1, behind: bands.behind(&keys), ..lines_of(&columns) })
        })
    });
    view! { <Chart spec sheet dial note/> }
}

/// What the kind says of a curve, and the place at which it does; a curve that it does not know comes after
/// all others, under its name.
pub fn info(name: &str, spec: StoredValue<Option<KindSpec>>) -> (usize, SeriesInfo) {
    let declared = spec.with_value(|s| {
        let series = &s.as_ref()?.series;
        series.iter().enumerate().find(|(_, i)| i.name == name).map(|(place, i)| (place, i.clone()))
    });
    declared.unwrap_or_else(|| {
        let unknown = SeriesInfo {
            name: name.to_owned(),
            title: name.replace('_', " "),
            unit: String::new(),
            x: "x".to_owned(),
        };
        (usize::MAX, unknown)
    })
}
