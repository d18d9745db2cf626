//! The curves of an operation as charts, growing while it runs.

use crate::components::chart::{Chart, Shape, Sheet, Spec, lines_of};
use crate::live::store::Follow;
use crate::reactive::part;
use leptos::prelude::*;
use protocol::{KindSpec, SeriesInfo};
use std::sync::Arc;

/// One chart for each group of curves that share unit and x.
#[component]
pub fn CurveCharts(follow: Arc<Follow>, spec: StoredValue<Option<KindSpec>>) -> impl IntoView {
    let curves: RwSignal<_> = (&follow.curves).into();
    // Those that have points; a chart is made when the first of them comes.
    let names = Memo::new(move |_| curves.with(|c| c.names().map(str::to_owned).collect::<Vec<_>>()));
    part(move || {
        let infos: Vec<SeriesInfo> = names.get().into_iter().map(|name| info(&name, spec)).collect();
        let mut groups: Vec<Vec<SeriesInfo>> = Vec::new();
        for info in infos {
            match groups.iter_mut().find(|g| g[0].unit == info.unit && g[0].x == info.x) {
                Some(group) => group.push(info),
                None => groups.push(vec![info]),
            }
        }
        if groups.is_empty() {
            return None;
        }
        let charts = groups.into_iter().map(|group| {
            let keys: Vec<String> = group.iter().map(|i| i.name.clone()).collect();
            let spec = Spec {
                title: group.iter().map(|i| i.title.as_str()).collect::<Vec<_>>().join(", "),
                shape: Shape::Lines,
                time: false,
                x: group[0].x.clone(),
                unit: group[0].unit.clone(),
                names: group.iter().map(|i| i.title.clone()).collect(),
                // A rate without its zero shows a storm where there is a breeze.
                zero: group[0].unit.ends_with("/s"),
                joined: group.len() > 1,
                height: 220,
            };
            let sheet = Signal::derive(move || {
                curves.with(|c| {
                    let columns: Vec<_> = keys.iter().map(|key| c.get(key)).collect();
                    Arc::new(Sheet { fit: 1, ..lines_of(&columns) })
                })
            });
            view! { <div class="card"><Chart spec sheet/></div> }
        });
        Some(
            view! { <section class="charts" aria-label="Curves">{charts.collect_view()}</section> }
                .into_any(),
        )
    })
}

/// What the kind says of a curve; a curve that it does not know is shown under its name.
fn info(name: &str, spec: StoredValue<Option<KindSpec>>) -> SeriesInfo {
    let declared =
        spec.with_value(|s| s.as_ref().and_then(|s| s.series.iter().find(|i| i.name == name).cloned()));
    declared.unwrap_or_else(|| SeriesInfo {
        name: name.to_owned(),
        title: name.replace('_', " "),
        unit: String::new(),
        x: "x".to_owned(),
    })
}
