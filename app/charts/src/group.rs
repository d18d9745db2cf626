//! Settings that the charts of a group share, and their toolbar.

use super::controls::Smoothing;
use super::data::Spec;
use components::reactive::{part, word};
use leptos::prelude::*;
use std::sync::atomic::{AtomicU32, Ordering};

/// Request to zoom to a range of x.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Show {
    /// Differs for each request of the page.
    pub number: u32,
    pub from: f64,
    pub to: f64,
    /// Shows the surroundings of the range, too.
    pub around: bool,
}

/// Number of the next request of any group.
static NEXT_SHOW: AtomicU32 = AtomicU32::new(1);

/// Settings and requests of a group of charts.
#[derive(Clone, Copy)]
pub struct ChartGroup {
    /// Smoothing weight, 0 to 0.99.
    pub weight: RwSignal<f64>,
    /// Logarithmic y axes, where the data allows them.
    pub log: RwSignal<bool>,
    /// Style of the highlighted curves; the others are dimmed.
    pub highlighted: RwSignal<Option<usize>>,
    /// Bit i hides the curves of style i.
    pub hidden: RwSignal<u32>,
    /// Number of requests to reset the zoom.
    pub(crate) resets: RwSignal<u32>,
    /// Number of requests to go back to the previous zoom.
    pub(crate) backs: RwSignal<u32>,
    /// Request to show a range.
    pub(crate) shows: RwSignal<Option<Show>>,
    smoothable: RwSignal<u32>,
    loggable: RwSignal<u32>,
    zoomed: RwSignal<u32>,
}

impl ChartGroup {
    /// Settings of a new group.
    pub fn new() -> Self {
        Self {
            weight: RwSignal::new(0.0),
            log: RwSignal::new(false),
            highlighted: RwSignal::new(None),
            hidden: RwSignal::new(0),
            resets: RwSignal::new(0),
            backs: RwSignal::new(0),
            shows: RwSignal::new(None),
            smoothable: RwSignal::new(0),
            loggable: RwSignal::new(0),
            zoomed: RwSignal::new(0),
        }
    }

    /// Zooms to a range of x and scrolls to the bars; with `around` to the surroundings of a trade or gap.
    pub fn show(self, (from, to): (f64, f64), around: bool) {
        let number = NEXT_SHOW.fetch_add(1, Ordering::Relaxed);
        self.shows.try_set(Some(Show { number, from, to, around }));
    }

    /// Columns of a chart that the group hides, as bits. Tracked.
    pub(crate) fn hidden_of(self, spec: &Spec) -> u32 {
        let hidden = self.hidden.get();
        let bits = (0..spec.names.len().min(31)).map(|i| {
            let style = spec.style(i);
            u32::from(style < 32 && hidden & (1 << style) != 0) << i
        });
        bits.sum()
    }

    /// Adds a chart: the toolbar offers what at least one chart of the group can do.
    pub(crate) fn join(self, smooth: bool, log: Memo<bool>, zoomed: RwSignal<bool>) {
        count(self.smoothable, move || smooth);
        count(self.loggable, move || log.get());
        count(self.zoomed, move || zoomed.get());
    }
}

impl Default for ChartGroup {
    fn default() -> Self {
        Self::new()
    }
}

/// Counts the calling component in `all` as long as it lives and `holds` is true.
fn count(all: RwSignal<u32>, holds: impl Fn() -> bool + 'static) {
    let counted = StoredValue::new(false);
    Effect::new(move |_| {
        let now = holds();
        if counted.get_value() != now {
            counted.set_value(now);
            all.update(|n| *n = if now { *n + 1 } else { n.saturating_sub(1) });
        }
    });
    // Later: if the whole page goes, its toolbar must not read signals that are gone.
    on_cleanup(move || {
        if counted.try_get_value() == Some(true) {
            queue_microtask(move || {
                all.try_update(|n| *n = n.saturating_sub(1));
            });
        }
    });
}

/// Buttons that undo the zoom of a group; absent without a zoom.
#[component]
pub(crate) fn ZoomButtons(group: ChartGroup) -> impl IntoView {
    part(move || {
        (group.zoomed.get() > 0).then(|| {
            view! {
                <span class="zoom-do">
                    <button
                        type="button"
                        class="link"
                        title="Previous zoom (Backspace in a chart)"
                        on:click=move |_| group.backs.update(|n| *n += 1)
                    >
                        "Back"
                    </button>
                    <button
                        type="button"
                        class="link"
                        title="Show everything (0 in a chart)"
                        on:click=move |_| group.resets.update(|n| *n += 1)
                    >
                        "Reset zoom"
                    </button>
                </span>
            }
            .into_any()
        })
    })
}

/// Toggle of a toolbar.
pub fn toggle(
    label: &'static str,
    title: &'static str,
    on: impl Fn() -> bool + Copy + Send + 'static,
    press: impl Fn() + 'static,
) -> AnyView {
    view! {
        <button
            type="button"
            class="tool only-script"
            title=title
            aria-pressed=word(move || if on() { "true" } else { "false" })
            on:click=move |_| press()
        >
            {label}
        </button>
    }
    .into_any()
}

/// Toolbar of a group: one for all of its charts.
#[component]
pub fn Toolbar(
    group: ChartGroup,
    /// Called with the chosen smoothing weight instead of setting it.
    #[prop(optional)]
    on_smooth: Option<Callback<f64>>,
    /// Additional controls of the page, before the others.
    #[prop(optional)]
    before: Option<AnyView>,
    /// Additional controls of the page, after the others.
    #[prop(optional)]
    after: Option<AnyView>,
) -> impl IntoView {
    let smooth = on_smooth.unwrap_or_else(|| Callback::new(move |to: f64| group.weight.set(to)));
    let smoothing = part(move || {
        (group.smoothable.get() > 0)
            .then(|| view! { <Smoothing of="all charts" weight=group.weight on_change=smooth/> }.into_any())
    });
    let log = part(move || {
        (group.loggable.get() > 0).then(|| {
            let press = move || group.log.update(|log| *log = !*log);
            toggle("Log scale", "Logarithmic y axis", move || group.log.get(), press)
        })
    });
    view! {
        <div class="chart-tools" role="group" aria-label="Chart settings">
            {before}
            {smoothing}
            {log}
            {after}
            <ZoomButtons group/>
        </div>
    }
    .into_any()
}
