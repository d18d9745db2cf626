//! Parallel coordinates: each run is a line across the axes of its parameters and its metric. A drag along an axis
//! chooses the runs that pass through it; the ranked table shows the same runs.

use super::axes::{Axis, Lines, Range, passes};
use super::heat::{TINTS, tint};
use super::{figures, metric, place};
use app_state::address;
use components::reactive::{mark, maybe, part, text, yes};
use display::format;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use protocol::sweep::SweepResult;
use std::collections::HashSet;
use std::sync::Arc;
use sweep_plan::Plan;
use wasm_bindgen::JsCast;
use web_sys::{Element, PointerEvent};

/// Size of the drawing, in its own units: it is stretched to its place.
const SIZE: f64 = 1_000.0;
/// Width of an axis that takes the pointer, in the same units.
const GRIP: f64 = 60.0;
/// Shorter drags are clicks, which clear the axis. A share of its height.
const CLICK: f64 = 0.02;

/// The chosen runs.
#[derive(Clone, Copy)]
pub struct Choice {
    /// Axes and lines; `None` while there are too few runs.
    lines: Memo<Option<Arc<Lines>>>,
    ranges: RwSignal<Vec<Range>>,
}

impl Choice {
    /// All runs.
    pub fn new(plan: StoredValue<Plan>, known: Memo<Option<Arc<SweepResult>>>) -> Self {
        let lines = Memo::new(move |_| {
            let known = known.get()?;
            plan.with_value(|plan| Lines::of(plan, &known)).map(Arc::new)
        });
        Self { lines, ranges: RwSignal::default() }
    }

    /// Places of the chosen runs in the ranking; `None` while all are. Tracked.
    pub fn chosen(self) -> Option<HashSet<usize>> {
        let ranges = self.ranges.get();
        let lines = self.lines.get().filter(|_| ranges.iter().any(Option::is_some))?;
        Some(lines.lines.iter().filter(|line| passes(line, &ranges)).map(|line| line.ran).collect())
    }

    /// Chooses a range on an axis.
    fn set(self, axis: usize, range: Range) {
        let axes = self.lines.with_untracked(|lines| lines.as_ref().map_or(0, |lines| lines.axes.len()));
        self.ranges.update(|ranges| {
            ranges.resize(axes, None);
            if let Some(known) = ranges.get_mut(axis) {
                *known = range;
            }
        });
    }
}

/// The number in an attribute of the pointed part or one around it.
fn number_at(event: &PointerEvent, attribute: &str) -> Option<usize> {
    let at = event.target()?.dyn_into::<Element>().ok()?;
    at.closest(&format!("[{attribute}]")).ok()??.get_attribute(attribute)?.parse().ok()
}

/// Height of the pointer in the plot, 0 at the bottom to 1 at the top.
fn height(event: &PointerEvent) -> Option<f64> {
    let plot = event.current_target()?.dyn_into::<Element>().ok()?;
    let inside = plot.query_selector("svg").ok()??.get_bounding_client_rect();
    let share = (f64::from(event.client_y()) - inside.top()) / inside.height();
    share.is_finite().then(|| 1.0 - share.clamp(0.0, 1.0))
}

/// The card; nothing while there are too few runs.
#[component]
pub fn Parallel(
    plan: StoredValue<Plan>,
    known: Memo<Option<Arc<SweepResult>>>,
    choice: Choice,
) -> impl IntoView {
    let Choice { lines, ranges } = choice;
    let hovered = RwSignal::new(None::<usize>);
    let dragged = StoredValue::new(None::<(usize, f64)>);
    let navigate = use_navigate();
    let start = move |event: PointerEvent| {
        let Some((axis, at)) = number_at(&event, "data-axis").zip(height(&event)) else { return };
        event.prevent_default();
        let plot = event.current_target().and_then(|plot| plot.dyn_into::<Element>().ok());
        // Fails only if the pointer is gone.
        let _ = plot.map(|plot| plot.set_pointer_capture(event.pointer_id()));
        dragged.set_value(Some((axis, at)));
    };
    let moved = move |event: PointerEvent| {
        if let Some((axis, from)) = dragged.get_value() {
            if let Some(at) = height(&event).filter(|at| (at - from).abs() > CLICK) {
                choice.set(axis, Some((from.min(at), from.max(at))));
            }
            return;
        }
        let over = number_at(&event, "data-ran");
        if hovered.get_untracked() != over {
            hovered.set(over);
        }
    };
    let ended = move |event: PointerEvent| {
        if let Some((axis, from)) = dragged.try_update_value(Option::take).flatten() {
            if height(&event).is_none_or(|at| (at - from).abs() <= CLICK) {
                choice.set(axis, None);
            }
            return;
        }
        let ran = number_at(&event, "data-ran").filter(|_| event.button() == 0);
        let operation = known.with_untracked(|known| known.as_ref()?.ran.get(ran?).map(|ran| ran.operation));
        if let Some(operation) = operation {
            navigate(&address::operation(operation), Default::default());
        }
    };
    let read = move || {
        let known = known.get()?;
        let ran = known.ran.get(hovered.get()?)?;
        let value = figures(std::slice::from_ref(ran)).remove(0);
        let name = metric(&known.rank_by);
        Some(plan.with_value(|plan| format!("{}: {name} {value}", place(plan, ran.run))))
    };
    let words = move || {
        let count = || {
            let all = lines.with(|lines| lines.as_ref().map_or(0, |lines| lines.lines.len()));
            let chosen = choice.chosen()?.len();
            Some(format!("{chosen} of {} chosen", format::counted(all as u64, "run", "runs")))
        };
        read()
            .or_else(count)
            .unwrap_or_else(|| "Drag along an axis to choose runs. Click a line to open its run.".to_owned())
    };
    let any = Memo::new(move |_| ranges.with(|ranges| ranges.iter().any(Option::is_some)));
    let there = Memo::new(move |_| lines.with(Option::is_some));
    let drawing = part(move || {
        let (lines, known) = (lines.get()?, known.get_untracked()?);
        Some(drawing(&lines, &known, choice, hovered))
    });
    view! {
        <section class="card parallel" aria-labelledby="parallel-title" hidden=yes(move || !there.get())>
            <header class="result-head">
                <h2 id="parallel-title">"Parallel coordinates"</h2>
                <button
                    type="button"
                    class="link"
                    hidden=yes(move || !any.get())
                    on:click=move |_| ranges.set(Vec::new())
                >
                    "Show all runs"
                </button>
            </header>
            <p class="parallel-read muted num">{text(words)}</p>
            <div
                class="parallel-plot"
                on:pointerdown=start
                on:pointermove=moved
                on:pointerup=ended
                on:pointercancel=move |_| dragged.set_value(None)
                on:pointerleave=move |_| hovered.set(None)
            >
                {drawing}
            </div>
        </section>
    }
    .into_any()
}

/// Lines, axes and ranges, and the labels over them.
fn drawing(
    lines: &Arc<Lines>,
    known: &SweepResult,
    choice: Choice,
    hovered: RwSignal<Option<usize>>,
) -> AnyView {
    let figures = || known.ran.iter().filter_map(|ran| ran.figure).filter(|figure| figure.is_finite());
    let ends = (figures().fold(f64::INFINITY, f64::min), figures().fold(f64::NEG_INFINITY, f64::max));
    let best = lines.lines.last().map(|line| line.ran);
    let ranges = choice.ranges;
    let drawn = lines.lines.iter().map(|line| {
        let point =
            |(axis, at): (usize, &f64)| format!("{:.1},{:.1}", lines.across(axis) * SIZE, (1.0 - at) * SIZE);
        let points = line.at.iter().enumerate().map(point).collect::<Vec<_>>().join(" ");
        let tint = known.ran[line.ran].figure.map_or(TINTS, |figure| tint(figure, ends, known.lowest));
        let (ran, own) = (line.ran, line.clone());
        let out = move || ranges.with(|ranges| !passes(&own, ranges));
        view! {
            <g
                data-ran=ran.to_string()
                data-tint=tint.to_string()
                data-best=(best == Some(ran)).then_some("")
                data-out=mark(out)
                data-over=mark(move || hovered.get() == Some(ran))
            >
                <polyline class="parallel-hit" points=points.clone()></polyline>
                <polyline class="parallel-line" points=points></polyline>
            </g>
        }
        .into_any()
    });
    let axes = (0..lines.axes.len()).map(|axis| {
        let x = lines.across(axis) * SIZE;
        let range = move || ranges.with(|ranges| ranges.get(axis).copied().flatten());
        let top = move || range().map(|(_, high)| format!("{:.1}", (1.0 - high) * SIZE));
        let tall = move || range().map(|(low, high)| format!("{:.1}", (high - low) * SIZE));
        view! {
            <line class="parallel-rule" x1=x.to_string() x2=x.to_string() y1="0" y2=SIZE.to_string()></line>
            <rect
                class="parallel-range"
                x=(x - GRIP / 4.0).to_string()
                width=(GRIP / 2.0).to_string()
                y=maybe(top)
                height=maybe(tall)
            ></rect>
            <rect
                class="parallel-grip"
                data-axis=axis.to_string()
                x=(x - GRIP / 2.0).to_string()
                width=GRIP.to_string()
                y="-40"
                height=(SIZE + 80.0).to_string()
            ></rect>
        }
        .into_any()
    });
    let (drawn, axes) = (drawn.collect_view(), axes.collect_view());
    let labels = lines.axes.iter().enumerate().map(|(place, axis)| labels(lines.across(place), axis));
    let names: Vec<&str> = lines.axes.iter().map(|axis| axis.name.as_str()).collect();
    let label = format!(
        "Parallel coordinates of {}: {}. The table of ranked runs has the same values.",
        format::counted(lines.lines.len() as u64, "run", "runs"),
        names.join(", ")
    );
    view! {
        <svg
            viewBox=format!("0 0 {SIZE} {SIZE}")
            preserveAspectRatio="none"
            role="img"
            aria-label=label
        >
            {drawn}
            {axes}
        </svg>
        <div class="parallel-labels" aria-hidden="true" style=format!("--axes:{}", lines.axes.len())>
            {labels.collect_view()}
        </div>
    }
    .into_any()
}

fn labels(across: f64, axis: &Axis) -> AnyView {
    let values = axis.labels.iter().map(|(at, label)| {
        view! { <span class="num" style=format!("--up:{at:.3}")>{label.clone()}</span> }.into_any()
    });
    view! {
        <div style=format!("--across:{across:.3}")>
            <b>{axis.name.clone()}</b>
            {values.collect_view()}
        </div>
    }
    .into_any()
}
