//! The one chart of the page: lines or candles over time or steps, with a table as its twin.
//!
//! Drawn by uPlot, which is loaded when the first chart comes into sight. Everything that touches it is in
//! `glue.js`; this component gives it a description once and data whenever there is some.

mod data;
#[cfg(feature = "hydrate")]
mod glue;
mod table;

pub use data::{Shape, Sheet, Spec, lines_of};

use crate::reactive::part;
use leptos::html::Div;
use leptos::prelude::*;
use std::sync::Arc;
use table::TableTwin;

/// Height of the line of values above a chart, CSS pixels.
const LINE: u32 = 18;

/// A chart of `sheet`, drawn as `spec` says.
#[component]
pub fn Chart(
    spec: Spec,
    sheet: Signal<Arc<Sheet>>,
    /// Told what a person zooms to, in x; `None` for the whole.
    #[prop(optional)]
    on_range: Option<Callback<Option<(f64, f64)>>>,
) -> impl IntoView {
    let node = NodeRef::<Div>::new();
    let trouble = RwSignal::new(String::new());
    let zoomed = RwSignal::new(false);
    let whole = RwSignal::new(0u32);
    let ranged = Callback::new(move |range: Option<(f64, f64)>| {
        zoomed.set(range.is_some());
        if let Some(told) = on_range {
            told.run(range);
        }
    });
    #[cfg(feature = "hydrate")]
    glue::attach(node, &spec, sheet, ranged, whole, trouble);
    #[cfg(not(feature = "hydrate"))]
    let _ = ranged;

    let title = spec.title.clone();
    let unit = spec.unit.clone();
    let label = format!("Chart: {title}. The same figures stand in the table below it.");
    view! {
        <figure class="chart">
            <figcaption>
                <span class="chart-title">{title}</span>
                {(!unit.is_empty()).then(|| view! { <span class="muted">{unit}</span> })}
                {part(move || {
                    zoomed
                        .get()
                        .then(|| {
                            view! {
                                <button type="button" class="link" on:click=move |_| whole.update(|n| *n += 1)>
                                    "whole range"
                                </button>
                            }
                            .into_any()
                        })
                })}
            </figcaption>
            <div
                class="chart-canvas"
                node_ref=node
                role="img"
                aria-label=label
                style=format!("min-height:{}px", spec.height + LINE)
            ></div>
            {part(move || {
                let said = trouble.get();
                (!said.is_empty()).then(|| view! { <p class="chart-trouble" role="alert">{said}</p> }.into_any())
            })}
            <TableTwin spec sheet/>
        </figure>
    }
    .into_any()
}
