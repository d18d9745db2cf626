//! Charts: lines or candles over time or steps, with the same values as a table.
//!
//! Knows: drawing, axes, zoom, export. Must not know: operations, pages, where data comes from.
//!
//! Drawn by uPlot, which is loaded when the first chart becomes visible. `uplot_bridge.js` holds the plot, `kin.js`
//! what charts with the same x share (cursor, zoom and its history), `axes.js`, `ends.js`, `marks.js` and `paint.js`
//! draw on it, `reading.js` shows values, `gestures.js` handles gestures. The component passes a description once, and
//! data on each change. Charts of a [`ChartGroup`] share their settings and one [`Toolbar`].

#![recursion_limit = "256"]

#[cfg(any(test, feature = "hydrate"))]
mod axis;
mod controls;
mod data;
mod extent;
#[cfg(feature = "hydrate")]
mod figures;
mod group;
mod range;
#[cfg(any(test, feature = "hydrate"))]
mod session_axis;
mod sessions;
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
pub use data::{Event, Mark, MarkKind, Shape, Sheet, Spec, lines_of};
pub use extent::{Extent, Rows};
pub use group::{ChartGroup, Toolbar, toggle};
pub use sessions::{Missing, Sessions};

use app_state::toasts::Toasts;
use components::icon::Icon;
use components::menu::Menu;
use components::reactive::{part, text};
use controls::Legend;
use futures::future::BoxFuture;
use group::ZoomButtons;
use leptos::html::{Dialog, Div};
use leptos::prelude::*;
use leptos::task::spawn_local;
use protocol::Problem;
use std::sync::Arc;
use table::{Table, csv_of};

/// Requests the complete data of a downsampled or zoomed chart.
pub type AskAll = Callback<(), BoxFuture<'static, Result<Sheet, Problem>>>;

/// Saves a text as a file; does nothing on the server.
pub fn save_text(file: &str, media_type: &str, text: &str) {
    #[cfg(feature = "hydrate")]
    uplot_bridge::save_text(file, media_type, text);
    #[cfg(not(feature = "hydrate"))]
    let _ = (file, media_type, text);
}

/// What a drawing needs, in its place and in full screen.
#[derive(Clone, Copy)]
struct Drawn {
    sheet: Signal<Arc<Sheet>>,
    group: ChartGroup,
    /// Bit i hides column i.
    hidden: Memo<u32>,
    log: Memo<bool>,
    ranged: Callback<Option<(f64, f64)>>,
    /// Called with the trade of a pressed mark.
    on_mark: Option<Callback<usize>>,
    /// Number of requested pictures.
    pictures: RwSignal<u32>,
}

/// A chart of `sheet` as described by `spec`.
#[component]
pub fn Chart(
    spec: Spec,
    sheet: Signal<Arc<Sheet>>,
    /// Called with the zoomed range of x, or `None` after a reset.
    #[prop(optional)]
    on_range: Option<Callback<Option<(f64, f64)>>>,
    /// Called with the number of the trade whose mark is pressed.
    #[prop(optional)]
    on_mark: Option<Callback<usize>>,
    /// ChartGroup whose settings and toolbar it shares.
    #[prop(optional)]
    group: Option<ChartGroup>,
    /// Source of the complete data for the CSV.
    #[prop(optional)]
    all: Option<AskAll>,
    /// Whether the page has a legend for all charts.
    #[prop(optional)]
    no_legend: bool,
    /// Whether the chart has the zoom buttons of its group.
    #[prop(optional)]
    own_tools: bool,
    /// Note between the heading and the drawing.
    #[prop(optional)]
    note: Option<AnyView>,
) -> impl IntoView {
    let sheet = computed_once(sheet);
    let alone = group.is_none() || own_tools;
    let group = group.unwrap_or_default();
    let (zoomed, hidden) = (RwSignal::new(false), RwSignal::new(0_u32));
    let (full, table) = (RwSignal::new(false), RwSignal::new(false));
    let may_log = Memo::new({
        let offered = spec.log;
        move |_| offered && sheet.with(|s| s.all_above_zero())
    });
    group.join(spec.smooth, may_log, zoomed);
    let ranged = Callback::new(move |range: Option<(f64, f64)>| {
        zoomed.set(range.is_some());
        if let Some(callback) = on_range {
            callback.run(range);
        }
    });
    let of_group = spec.clone();
    let drawn = Drawn {
        sheet,
        group,
        hidden: Memo::new(move |_| hidden.get() | group.hidden_of(&of_group)),
        log: Memo::new(move |_| group.log.get() && may_log.get()),
        ranged,
        on_mark,
        pictures: RwSignal::new(0),
    };
    let title = spec.title.clone();
    let unit = if spec.unit == "share" { String::new() } else { spec.unit.clone() };
    let save = saving(spec.clone(), sheet, all);
    let upper = spec.upper;
    let held = part(move || {
        if upper {
            // The pane says it once for all of its panels.
            return None;
        }
        let (extent, rows) = sheet.with(|sheet| (sheet.extent, sheet.x.len()));
        let wording = extent.wording(rows)?;
        let csv = all.map(|_| " The downloaded CSV has all points.");
        Some(view! { <p class="chart-held muted">{wording} {csv}</p> }.into_any())
    });
    let legend =
        (spec.shape == Shape::Lines && !no_legend).then(|| view! { <Legend spec=spec.clone() hidden/> });
    let (csv_label, png_label) = (format!("CSV of {title}"), format!("PNG of {title}"));
    let expand = format!("Full screen: {title}");
    let (in_table, in_full) = (spec.clone(), spec.clone());
    view! {
        <figure class="chart">
            <figcaption>
                <span class="chart-title">{title}</span>
                {(!unit.is_empty()).then(|| view! { <span class="muted">{unit}</span> })}
                {legend}
                <span class="chart-do only-script">
                    {alone.then(|| view! { <ZoomButtons group/> })}
                    <button
                        type="button"
                        class="quiet"
                        title="Full screen"
                        aria-label=expand
                        on:click=move |_| full.set(true)
                    >
                        <Icon name="expand"/>
                    </button>
                    <Menu label="Chart menu">
                        <button type="button" on:click=move |_| table.update(|shown| *shown = !*shown)>
                            {text(move || if table.get() { "Hide table".to_owned() } else { "Show as table".to_owned() })}
                        </button>
                        {(alone && spec.log)
                            .then(|| {
                                view! {
                                    <button type="button" on:click=move |_| group.log.update(|log| *log = !*log)>
                                        {text(move || if group.log.get() { "Linear scale".to_owned() } else { "Log scale".to_owned() })}
                                    </button>
                                }
                            })}
                        <button type="button" aria-label=csv_label on:click=move |_| save.run(())>
                            "Download CSV"
                        </button>
                        <button
                            type="button"
                            aria-label=png_label
                            on:click=move |_| drawn.pictures.update(|n| *n += 1)
                        >
                            "Download PNG"
                        </button>
                    </Menu>
                </span>
            </figcaption>
            {note}
            {drawing(spec, drawn)}
            {held}
            {part(move || table.get().then(|| view! { <Table spec=in_table.clone() sheet/> }.into_any()))}
            {full_screen(in_full, drawn, full)}
        </figure>
    }
    .into_any()
}

/// The data, computed once per change, however many readers it has: the drawing, the table, the note on its extent.
fn computed_once(sheet: Signal<Arc<Sheet>>) -> Signal<Arc<Sheet>> {
    // Comparing the data would take longer than drawing it.
    Memo::new_with_compare(move |_| sheet.get(), |_, _| true).into()
}

/// The plot, with what is shown before and instead of it.
fn drawing(spec: Spec, drawn: Drawn) -> AnyView {
    let node = NodeRef::<Div>::new();
    let trouble = RwSignal::new(String::new());
    // Drawn once by the server; stays until uPlot is loaded.
    #[cfg(not(feature = "hydrate"))]
    let still = drawn.sheet.with_untracked(|sheet| static_svg::html_of(&spec, sheet));
    #[cfg(feature = "hydrate")]
    let still = String::new();
    #[cfg(feature = "hydrate")]
    uplot_bridge::attach(node, &spec, drawn, trouble);
    #[cfg(not(feature = "hydrate"))]
    let _ = (drawn.log, drawn.hidden, drawn.ranged, drawn.on_mark);
    let label = format!(
        "Chart: {}. Use the left and right arrow keys to read values, plus and minus to zoom. The chart menu has a table with the same values.",
        spec.title
    );
    let style = if spec.tall { String::new() } else { format!("min-height:{}px", spec.height) };
    view! {
        <div class="chart-canvas" node_ref=node role="img" tabindex="0" aria-label=label style=style>
            <div class="chart-still" inner_html=still></div>
        </div>
        <p class="unseen" data-spoken="" aria-live="polite"></p>
        {part(move || {
            let wording = trouble.get();
            (!wording.is_empty()).then(|| view! { <p class="chart-trouble" role="alert">{wording}</p> }.into_any())
        })}
    }
    .into_any()
}

/// Dialog with the chart in full screen, drawn when it opens.
fn full_screen(spec: Spec, drawn: Drawn, open: RwSignal<bool>) -> AnyView {
    let dialog = NodeRef::<Dialog>::new();
    components::dialog::follow(dialog, move || open.get());
    let label = format!("{}, full screen", spec.title);
    let content = part(move || {
        let spec = Spec { tall: true, upper: false, ..spec.clone() };
        open.get().then(|| {
            view! {
                <div class="chart chart-full">
                    <div class="chart-full-head">
                        <h2>{spec.title.clone()}</h2>
                        <ZoomButtons group=drawn.group/>
                        <button type="button" class="button" on:click=move |_| open.set(false)>
                            "Close"
                        </button>
                    </div>
                    {drawing(spec, Drawn { pictures: RwSignal::new(0), ..drawn })}
                </div>
            }
            .into_any()
        })
    });
    view! {
        <dialog class="chart-dialog" aria-label=label node_ref=dialog on:close=components::dialog::on_close(dialog, open)>
            {content}
        </dialog>
    }
    .into_any()
}

/// Saves the data as CSV, complete if there is a source for it.
fn saving(spec: Spec, sheet: Signal<Arc<Sheet>>, all: Option<AskAll>) -> Callback<()> {
    let toasts = expect_context::<Toasts>();
    Callback::new(move |()| {
        let shown = sheet.get_untracked();
        let Some(all) = all.filter(|_| !shown.extent.is_all()) else { return save_csv(&spec, &shown) };
        let spec = spec.clone();
        spawn_local(async move {
            match all.run(()).await {
                Ok(sheet) => {
                    let sheet = Sheet { behind: shown.behind.clone(), ..sheet };
                    save_csv(&spec, &sheet);
                    if let Some(wording) = sheet.extent.wording(sheet.x.len()) {
                        toasts.warn(format!("The CSV of {} is incomplete. {wording}", spec.title));
                    }
                }
                Err(problem) => toasts.warn(problem.detail),
            }
        });
    })
}

/// Saves a CSV; the file name states when it is incomplete.
fn save_csv(spec: &Spec, sheet: &Sheet) {
    let ending = if sheet.extent.is_all() { "csv" } else { "part.csv" };
    save_text(&spec.file_name(ending), "text/csv", &csv_of(spec, sheet));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn the_data_of_a_chart_is_computed_once_per_change() {
        let owner = Owner::new();
        owner.with(|| {
            let (points, computed) = (RwSignal::new(1), Arc::new(AtomicU32::new(0)));
            let count = computed.clone();
            let sheet = computed_once(Signal::derive(move || {
                count.fetch_add(1, Ordering::Relaxed);
                let x = (0..points.get()).map(f64::from).collect();
                Arc::new(Sheet { x, ..Sheet::default() })
            }));
            let lengths = || [sheet.get_untracked().x.len(), sheet.with_untracked(|sheet| sheet.x.len())];
            assert_eq!(lengths(), [1, 1]);
            points.set(2);
            assert_eq!(lengths(), [2, 2]);
            assert_eq!(computed.load(Ordering::Relaxed), 2);
        });
    }
}
