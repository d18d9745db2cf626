//! Charts: lines or candles over time or steps, with the same values as a table.
//!
//! Knows: drawing, axes, zoom, export. Must not know: operations, pages, where data comes from.
//!
//! Drawn by uPlot, which is loaded when the first chart becomes visible. `uplot_bridge.js` holds the plot, `axes.js` and
//! `paint.js` draw on it, `reading.js` shows values, `gestures.js` handles gestures. The component passes a description
//! once, and data on each change. Charts with the same x share cursor and zoom.

#![recursion_limit = "256"]

#[cfg(any(test, feature = "hydrate"))]
mod axis;
mod controls;
mod data;
mod extent;
#[cfg(feature = "hydrate")]
mod figures;
mod range;
#[cfg(any(test, feature = "hydrate"))]
mod smooth;
#[cfg(not(feature = "hydrate"))]
mod static_svg;
mod table;
#[cfg(any(test, feature = "hydrate"))]
mod time_axis;
#[cfg(feature = "hydrate")]
mod uplot_bridge;
mod writing;

pub use controls::{Smoothing, band_swatch, swatch};
pub use data::{Mark, MarkKind, Shape, Sheet, Spec, lines_of};
pub use extent::{Extent, Rows};

use app_state::toasts::Toasts;
use components::reactive::part;
use controls::{ChartControls, Legend, Settings};
use futures::future::BoxFuture;
use leptos::html::Div;
use leptos::prelude::*;
use leptos::task::spawn_local;
use protocol::Problem;
use std::sync::Arc;
use table::{TableTwin, csv_of};

/// Height of the value line above a chart, CSS pixels.
const LINE: u32 = 18;

/// Requests of the user, each a counter.
#[derive(Clone, Copy)]
struct Asks {
    whole: RwSignal<u32>,
    picture: RwSignal<u32>,
}

/// Requests the complete data of a downsampled or zoomed chart.
pub type AskAll = Callback<(), BoxFuture<'static, Result<Sheet, Problem>>>;

/// Saves a text as a file; does nothing on the server.
pub fn save_text(file: &str, media_type: &str, text: &str) {
    #[cfg(feature = "hydrate")]
    uplot_bridge::save_text(file, media_type, text);
    #[cfg(not(feature = "hydrate"))]
    let _ = (file, media_type, text);
}

/// A chart of `sheet` as described by `spec`.
#[component]
pub fn Chart(
    spec: Spec,
    sheet: Signal<Arc<Sheet>>,
    /// Called with the zoomed range of x, or `None` after a reset.
    #[prop(optional)]
    on_range: Option<Callback<Option<(f64, f64)>>>,
    /// Smoothing weight shared with other charts.
    #[prop(optional)]
    weight: Option<RwSignal<f64>>,
    /// Source of the complete data for the CSV.
    #[prop(optional)]
    all: Option<AskAll>,
    /// Additional control of the page.
    #[prop(optional)]
    dial: Option<AnyView>,
    /// Note between the heading and the drawing.
    #[prop(optional)]
    note: Option<AnyView>,
) -> impl IntoView {
    let node = NodeRef::<Div>::new();
    let trouble = RwSignal::new(String::new());
    let zoomed = RwSignal::new(false);
    let asks = Asks { whole: RwSignal::new(0), picture: RwSignal::new(0) };
    let controls = ChartControls::new(weight);
    let ranged = Callback::new(move |range: Option<(f64, f64)>| {
        zoomed.set(range.is_some());
        if let Some(callback) = on_range {
            callback.run(range);
        }
    });
    #[cfg(feature = "hydrate")]
    uplot_bridge::attach(node, &spec, sheet, controls, ranged, asks, trouble);
    #[cfg(not(feature = "hydrate"))]
    let _ = ranged;

    // Drawn once by the server; stays until uPlot is loaded.
    #[cfg(not(feature = "hydrate"))]
    let still = sheet.with_untracked(|sheet| static_svg::html_of(&spec, sheet));
    #[cfg(feature = "hydrate")]
    let still = String::new();

    let title = spec.title.clone();
    let unit = if spec.unit == "share" { String::new() } else { spec.unit.clone() };
    let label = format!(
        "Chart: {title}. Use the left and right arrow keys to read values, plus and minus to zoom. The table below has the same values."
    );
    let save = {
        let spec = spec.clone();
        let toasts = expect_context::<Toasts>();
        move |_| {
            let shown = sheet.get_untracked();
            match all.filter(|_| !shown.extent.is_all()) {
                None => save_csv(&spec, &shown),
                Some(all) => {
                    let spec = spec.clone();
                    spawn_local(async move {
                        match all.run(()).await {
                            Ok(sheet) => {
                                let sheet = Sheet { behind: shown.behind.clone(), ..sheet };
                                save_csv(&spec, &sheet);
                                if let Some(wording) = sheet.extent.wording(sheet.x.len()) {
                                    toasts
                                        .warn(format!("The CSV of {} is incomplete. {wording}", spec.title));
                                }
                            }
                            Err(problem) => toasts.warn(problem.detail),
                        }
                    });
                }
            }
        }
    };
    let held = part(move || {
        let (extent, rows) = sheet.with(|sheet| (sheet.extent, sheet.x.len()));
        let wording = extent.wording(rows)?;
        let csv = all.map(|_| " The CSV fetches all points.");
        Some(view! { <span class="chart-held muted">{wording} {csv}</span> }.into_any())
    });
    let (csv_label, png_label) = (format!("CSV of {title}"), format!("PNG of {title}"));
    view! {
        <figure class="chart">
            <figcaption>
                <span class="chart-title">{title}</span>
                {(!unit.is_empty()).then(|| view! { <span class="muted">{unit}</span> })}
                {(spec.shape == Shape::Lines).then(|| view! { <Legend spec=spec.clone() controls/> })}
                <Settings spec=spec.clone() sheet controls/>
                {dial}
                {part(move || {
                    zoomed
                        .get()
                        .then(|| {
                            view! {
                                <button type="button" class="link" on:click=move |_| asks.whole.update(|n| *n += 1)>
                                    "Reset zoom"
                                </button>
                            }
                            .into_any()
                        })
                })}
            </figcaption>
            {note}
            <div
                class="chart-canvas"
                node_ref=node
                role="img"
                tabindex="0"
                aria-label=label
                style=format!("min-height:{}px", spec.height + LINE)
            >
                <div class="chart-still" inner_html=still></div>
            </div>
            <p class="unseen" data-spoken="" aria-live="polite"></p>
            {part(move || {
                let wording = trouble.get();
                (!wording.is_empty()).then(|| view! { <p class="chart-trouble" role="alert">{wording}</p> }.into_any())
            })}
            <div class="chart-foot only-script">
                <TableTwin spec sheet/>
                <button type="button" class="link" aria-label=csv_label on:click=save>
                    "CSV"
                </button>
                <button
                    type="button"
                    class="link"
                    aria-label=png_label
                    on:click=move |_| asks.picture.update(|n| *n += 1)
                >
                    "PNG"
                </button>
                {held}
            </div>
        </figure>
    }
    .into_any()
}

/// Saves a CSV; the file name states when it is incomplete.
fn save_csv(spec: &Spec, sheet: &Sheet) {
    let ending = if sheet.extent.is_all() { "csv" } else { "part.csv" };
    save_text(&spec.file_name(ending), "text/csv", &csv_of(spec, sheet));
}
