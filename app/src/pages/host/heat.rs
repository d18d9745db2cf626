//! Heat map of the latency of the server's requests to a host: time from left to right, latency from bottom to top, and
//! the number of requests as colour.

use super::history::Charted;
use app_state::Zones;
use components::reactive::{part, text};
use display::format;
use display::zone::Zone;
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::api;
use protocol::latency::LatencyHistory;
use protocol::{HostName, Time};
use std::sync::Arc;
use wasm_bindgen::JsCast;
use web_sys::{Element, PointerEvent};

/// Largest number of columns.
const WIDTH: u32 = 180;
/// Number of tints, as in the tokens `--heat-1` to `--heat-7`.
const TINTS: usize = 7;
/// Width of the drawing, and height of a row in it.
const DRAWN_WIDTH: f64 = 1_000.0;
const ROW_HEIGHT: f64 = 10.0;
/// Largest number of labelled rows.
const MAX_LABELS: usize = 5;
/// Requests are counted by minute, so more frequent questions have the same answer, in seconds.
const REFRESH_SECONDS: i64 = 60;

/// An answer with its drawing.
#[derive(Clone, PartialEq, Debug)]
struct Heat {
    history: LatencyHistory,
    /// Time of the drawing, in seconds since 1970.
    bounds: (i64, i64),
    /// Largest number of requests in a cell.
    most: u64,
}

/// Column and row of a cell.
type Cell = (usize, usize);

impl Heat {
    fn new(history: LatencyHistory, bounds: (i64, i64)) -> Self {
        let most = history.columns.iter().flatten().flatten().copied().max().unwrap_or(0);
        Self { history, bounds, most }
    }

    fn rows(&self) -> usize {
        self.history.bounds.len().saturating_sub(1)
    }

    /// Beginning and end of a column, in seconds since 1970.
    fn column(&self, column: usize) -> (f64, f64) {
        let length = f64::from(self.history.column_seconds);
        let from = self.history.from.micros() as f64 / 1e6 + column as f64 * length;
        (from, from + length)
    }

    /// Place of a time in the drawing.
    fn place(&self, second: f64) -> f64 {
        let (from, to) = (self.bounds.0 as f64, self.bounds.1 as f64);
        ((second - from) / (to - from).max(1.0) * DRAWN_WIDTH).clamp(0.0, DRAWN_WIDTH)
    }

    /// Tint of a number of requests, from 1 to [`TINTS`]: by its logarithm, because few slow requests matter.
    fn tint(&self, count: u64) -> usize {
        if self.most <= 1 {
            return TINTS;
        }
        let share = (count as f64).ln() / (self.most as f64).ln();
        1 + (share * (TINTS - 1) as f64).round() as usize
    }

    /// Outline of all cells of each tint: few shapes, however many cells.
    fn shapes(&self) -> [String; TINTS] {
        let mut shapes: [String; TINTS] = Default::default();
        for (n, column) in self.history.columns.iter().enumerate() {
            let Some(counts) = column else { continue };
            let (from, to) = self.column(n);
            let (left, width) = (self.place(from), self.place(to) - self.place(from));
            if width <= 0.0 {
                continue;
            }
            for (row, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                let top = (self.rows() - 1 - row) as f64 * ROW_HEIGHT;
                let shape = &mut shapes[self.tint(*count).clamp(1, TINTS) - 1];
                shape.push_str(&format!("M{left:.1} {top}h{width:.1}v{ROW_HEIGHT}h-{width:.1}z"));
            }
        }
        shapes
    }

    /// Cell at a place: shares of the width from the left, and of the height from the top. `None` beside the columns.
    fn cell_at(&self, across: f64, down: f64) -> Option<Cell> {
        let (from, to) = (self.bounds.0 as f64, self.bounds.1 as f64);
        let since = from + across * (to - from) - self.history.from.micros() as f64 / 1e6;
        let column = (since / f64::from(self.history.column_seconds)).floor();
        let is_there = column >= 0.0 && column < self.history.columns.len() as f64 && self.rows() > 0;
        let from_top =
            ((down * self.rows() as f64).floor().max(0.0) as usize).min(self.rows().checked_sub(1)?);
        is_there.then_some((column as usize, self.rows() - 1 - from_top))
    }

    /// What a cell stands for: `10:41:00 to 10:42:00 UTC, 1.4 ms to 2.0 ms: 37 of 120 requests`.
    fn cell_text(&self, (column, row): Cell, zone: Zone) -> String {
        let time = self.column_text(column, zone);
        let Some(Some(counts)) = self.history.columns.get(column) else { return format!("{time}: unknown") };
        let all = format::counted(counts.iter().sum(), "request", "requests");
        let count = counts.get(row).copied().unwrap_or(0);
        format!("{time}, {}: {} of {all}", self.row_text(row), format::count(count))
    }

    fn column_text(&self, column: usize, zone: Zone) -> String {
        let (from, to) = self.column(column);
        let at = |second: f64| Time::from_micros((second * 1e6) as i64);
        format!("{} to {}", zone.moment(at(from)), zone.clock(at(to)))
    }

    fn row_text(&self, row: usize) -> String {
        let bound = |n: usize| self.history.bounds.get(n).copied().map(latency).unwrap_or_default();
        format!("{} to {}", bound(row), bound(row + 1))
    }
}

/// A latency in seconds, as text.
fn latency(seconds: f64) -> String {
    let ms = seconds * 1_000.0;
    if ms < 1.0 { format!("{ms:.2} ms") } else { display::hosts::latency(ms) }
}

/// The heat map; nothing while no request has a latency.
#[component]
pub fn LatencyHeat(name: HostName, charted: Charted) -> impl IntoView {
    let heat = RwSignal::new(None::<Arc<Heat>>);
    let due = Memo::new(move |_| {
        let bounds = charted.answer.with(|answer| answer.as_ref().map(|answer| answer.bounds))?;
        let minute = |second: i64| second.div_euclid(REFRESH_SECONDS);
        // The first requests of a new host are shown as soon as they are recorded.
        let is_empty = heat.with(|heat| heat.as_ref().is_none_or(|heat| heat.most == 0));
        Some((minute(bounds.0), minute(bounds.1), bounds.1 - bounds.0, is_empty.then_some(bounds.1)))
    });
    let newest = StoredValue::new(0_u32);
    Effect::new(move |_| {
        due.get()?;
        let bounds = charted.answer.with_untracked(|answer| answer.as_ref().map(|answer| answer.bounds))?;
        let number = newest.try_update_value(|newest| {
            *newest += 1;
            *newest
        })?;
        let host = name.clone();
        spawn_local(async move {
            // After a failure, the known one stays; the charts say what is wrong.
            if let Ok(history) = api::host_latency(&host, bounds, WIDTH).await
                && newest.try_get_value() == Some(number)
            {
                heat.try_set(Some(Arc::new(Heat::new(history, bounds))));
            }
        });
        Some(())
    });
    part(move || {
        let heat = heat.get().filter(|heat| heat.most > 0)?;
        Some(drawing(heat))
    })
}

fn drawing(heat: Arc<Heat>) -> AnyView {
    let zone = Zones::here();
    let at = RwSignal::new(None::<Cell>);
    let shapes = heat.shapes().into_iter().enumerate().filter(|(_, shape)| !shape.is_empty());
    let shapes = shapes.map(|(n, shape)| {
        view! { <path class="latency-cells" data-heat=(n + 1).to_string() d=shape></path> }
    });
    let moved = {
        let heat = heat.clone();
        move |event: PointerEvent| {
            let Some(plot) = event.current_target().and_then(|plot| plot.dyn_into::<Element>().ok()) else {
                return;
            };
            let place = plot.get_bounding_client_rect();
            let across = (f64::from(event.client_x()) - place.left()) / place.width().max(1.0);
            let down = (f64::from(event.client_y()) - place.top()) / place.height().max(1.0);
            at.set(heat.cell_at(across, down));
        }
    };
    let read = {
        let heat = heat.clone();
        text(move || at.get().map(|cell| heat.cell_text(cell, zone.get())).unwrap_or_default())
    };
    let every = heat.rows().div_ceil(MAX_LABELS).max(1);
    let labels = (0..heat.rows()).filter(|row| row % every == 0).map(|row| {
        let bottom = row as f64 / heat.rows() as f64 * 100.0;
        let label = heat.history.bounds.get(row).copied().map(latency).unwrap_or_default();
        view! { <span style=format!("bottom: {bottom:.1}%")>{label}</span> }
    });
    let labels = labels.collect_view();
    let tints = (1..=TINTS).map(|tint| view! { <i data-heat=tint.to_string()></i> });
    let view_box = format!("0 0 {DRAWN_WIDTH} {}", heat.rows() as f64 * ROW_HEIGHT);
    let most = format::count(heat.most);
    view! {
        <section class="latency-heat" aria-labelledby="latency-title">
            <div class="latency-head">
                <h2 id="latency-title" class="chart-title">"Distribution of response times"</h2>
                <p class="heat-scale num">
                    <span>"1 request"</span>
                    <span class="heat-tints" aria-hidden="true">{tints.collect_view()}</span>
                    <span>{most} " requests"</span>
                </p>
            </div>
            <div class="latency-plot">
                <div class="latency-labels num muted" aria-hidden="true">{labels}</div>
                <svg
                    viewBox=view_box
                    preserveAspectRatio="none"
                    aria-hidden="true"
                    on:pointermove=moved
                    on:pointerleave=move |_| at.set(None)
                >
                    {shapes.collect_view()}
                </svg>
            </div>
            <p class="latency-read num muted" aria-hidden="true">{read}</p>
            {table(heat)}
        </section>
    }
    .into_any()
}

/// The same as a table, built when it is opened.
fn table(heat: Arc<Heat>) -> AnyView {
    let (open, zone) = (RwSignal::new(false), Zones::here());
    let content = part(move || {
        open.get().then_some(())?;
        let zone = zone.get();
        let known = heat.history.columns.iter().enumerate().rev();
        let rows =
            known.filter_map(|(column, counts)| Some((column, counts.as_ref()?))).map(|(column, counts)| {
                let all: u64 = counts.iter().sum();
                let cells = counts.iter().enumerate().filter(|(_, count)| **count > 0);
                let cells: Vec<String> = cells
                    .map(|(row, count)| format!("{}: {}", heat.row_text(row), format::count(*count)))
                    .collect();
                view! {
                    <tr>
                        <th scope="row">{heat.column_text(column, zone)}</th>
                        <td class="num">{format::count(all)}</td>
                        <td>{cells.join("; ")}</td>
                    </tr>
                }
            });
        Some(
            view! {
                <div class="scroll" tabindex="0" role="region" aria-label="Distribution of response times">
                    <table class="plain">
                        <thead>
                            <tr>
                                <th scope="col">"Time"</th>
                                <th scope="col">"Requests"</th>
                                <th scope="col">"Requests by latency"</th>
                            </tr>
                        </thead>
                        <tbody>{rows.collect_view()}</tbody>
                    </table>
                </div>
            }
            .into_any(),
        )
    });
    view! {
        <details class="latency-table" on:toggle=move |_| open.set(true)>
            <summary>"Show as table"</summary>
            {content}
        </details>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heat() -> Heat {
        let history = LatencyHistory {
            from: Time::from_micros(600_000_000),
            column_seconds: 60,
            bounds: vec![0.001, 0.001_414, 0.002],
            columns: vec![Some(vec![100, 1]), None, Some(vec![0, 10])],
        };
        Heat::new(history, (600, 800))
    }

    #[test]
    fn a_cell_is_found_by_its_place_and_says_what_it_stands_for() {
        let heat = heat();
        assert_eq!(heat.cell_at(0.0, 0.9), Some((0, 0)));
        assert_eq!(heat.cell_at(0.1, 0.1), Some((0, 1)));
        assert_eq!(heat.cell_at(0.4, 0.5), Some((1, 0)));
        assert_eq!(heat.cell_at(0.95, 0.5), None, "after the newest column");
        assert_eq!(
            heat.cell_text((0, 0), Zone::Utc),
            "1970-01-01 00:10:00 UTC to 00:11:00 UTC, 1.0 ms to 1.4 ms: 100 of 101 requests"
        );
        assert!(heat.cell_text((1, 0), Zone::Utc).ends_with(": unknown"));
    }

    #[test]
    fn a_cell_has_the_tint_of_its_number_and_empty_and_unknown_ones_are_not_drawn() {
        let heat = heat();
        assert_eq!([1, 10, 100].map(|count| heat.tint(count)), [1, 4, 7]);
        let shapes = heat.shapes();
        let drawn: Vec<usize> = shapes.iter().map(|shape| shape.matches('M').count()).collect();
        assert_eq!(drawn, [1, 0, 0, 1, 0, 0, 1]);
        assert_eq!(shapes[6], "M0.0 10h300.0v10h-300.0z", "fast requests are at the bottom");
    }
}
