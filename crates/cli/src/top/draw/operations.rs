//! Operations, one row each.

use super::bars;
use super::theme::{Theme, cell, gap, right};
use crate::listing::Colour;
use crate::rows::colour_of;
use crate::text;
use crate::top::model::Tracked;
use display::forecast;
use protocol::{Operation, Time};
use ratatui::style::Style;
use ratatui::text::Line;

const STATE: usize = 10;
const BAR: usize = 10;
const PERCENT: usize = 5;
const TIME: usize = 9;
const RATE: usize = 8;
const HOST: usize = 12;
/// Width of a terminal from which on the host is shown.
const WIDE: usize = 110;
/// Columns of kind and title, before other columns are left out.
const MIN_OPERATION: usize = 18;

/// Columns that a terminal has room for, beside state and operation.
#[derive(Clone, Copy)]
struct Shown {
    bar: bool,
    percent: bool,
    time: bool,
    rate: bool,
    host: bool,
    /// Width of kind and title.
    operation: usize,
}

impl Shown {
    /// Columns for a terminal: rate, bar, percentage and time are left out in this order.
    fn of(columns: usize) -> Self {
        let left = columns.saturating_sub(STATE + 1);
        let mut all =
            Self { bar: true, percent: true, time: true, rate: true, host: columns >= WIDE, operation: 0 };
        let widths = |shown: &Self| {
            let width = |is_shown: bool, width: usize| if is_shown { width + 1 } else { 0 };
            width(shown.bar, BAR)
                + width(shown.percent, PERCENT)
                + width(shown.time, TIME)
                + width(shown.rate, RATE)
                + width(shown.host, HOST)
        };
        let leave_out: [fn(&mut Self); 4] = [
            |shown| shown.rate = false,
            |shown| shown.bar = false,
            |shown| shown.percent = false,
            |shown| shown.time = false,
        ];
        for leave_out in leave_out {
            if widths(&all) + MIN_OPERATION > left {
                leave_out(&mut all);
            }
        }
        all.operation = left.saturating_sub(widths(&all));
        all
    }
}

/// Heading of the operations.
pub fn heading(theme: Theme, columns: usize) -> Line<'static> {
    let shown = Shown::of(columns);
    let mut text = format!("{:<STATE$} ", "STATE");
    if shown.bar {
        text.push_str(&format!("{:<BAR$} ", "PROGRESS"));
    }
    if shown.percent {
        text.push_str(&format!("{:>PERCENT$} ", if shown.bar { "" } else { "DONE" }));
    }
    if shown.time {
        text.push_str(&format!("{:>TIME$} ", "TIME"));
    }
    if shown.rate {
        text.push_str(&format!("{:<RATE$} ", "RATE"));
    }
    if shown.host {
        text.push_str(&format!("{:<HOST$} ", "HOST"));
    }
    text.push_str("OPERATION");
    Line::from(cell(&text, columns, theme.heading()))
}

/// Row of an operation.
pub fn row(known: &Tracked, columns: usize, now: Time, theme: Theme) -> Line<'static> {
    let op = &known.op;
    let shown = Shown::of(columns);
    let (bar, percent) = progress(op);
    let colour = theme.colour(colour_of(op.state));
    let plain = Style::new();
    let ended = op.state.ended();
    let mut cells = vec![cell(op.state.as_str(), STATE, colour), gap(1)];
    if shown.bar {
        let colour = if ended { theme.colour(Colour::Grey) } else { colour };
        cells.extend([cell(&bar, BAR, colour), gap(1)]);
    }
    if shown.percent {
        cells.extend([right(&percent, PERCENT, plain), gap(1)]);
    }
    if shown.time {
        cells.extend([right(&time(op, now), TIME, plain), gap(1)]);
    }
    if shown.rate {
        let rates = if ended { " ".repeat(RATE) } else { known.rates.sparkline(RATE, None) };
        cells.extend([cell(&rates, RATE, plain), gap(1)]);
    }
    if shown.host {
        let host = op.host.as_ref().map(ToString::to_string).unwrap_or_default();
        cells.extend([cell(&host, HOST, plain), gap(1)]);
    }
    let title = format!("{} {}", op.kind, text::one_row(&op.title));
    cells.push(cell(&title, shown.operation, plain));
    Line::from(cells)
}

/// Bar and percentage.
fn progress(op: &Operation) -> (String, String) {
    let fraction = op.progress.as_ref().and_then(|progress| progress.fraction);
    match fraction {
        _ if op.state == protocol::State::Succeeded => (bars::progress(1.0, BAR), "100 %".to_owned()),
        Some(fraction) => (bars::progress(fraction, BAR), display::format::percent(fraction)),
        None => (String::new(), String::new()),
    }
}

/// Remaining time if it is known, else the duration so far.
fn time(op: &Operation, now: Time) -> String {
    let progress = op.progress.as_ref().filter(|_| !op.state.ended());
    let eta = progress.and_then(|progress| progress.eta_seconds);
    let left = progress.and_then(|_| forecast::left(op.forecast.as_ref(), eta, now));
    match left.as_deref().and_then(|left| left.strip_prefix("about ")) {
        Some(left) => format!("−{left}"),
        None => text::duration(op, now),
    }
}
