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

/// Heading of the operations.
pub fn heading(theme: Theme, columns: usize) -> Line<'static> {
    let host = if columns >= WIDE { format!("{:<HOST$} ", "HOST") } else { String::new() };
    let text = format!(
        "{:<STATE$} {:<BAR$} {:>PERCENT$} {:>TIME$} {:<RATE$} {host}{}",
        "STATE", "PROGRESS", "", "TIME", "RATE", "OPERATION"
    );
    Line::from(cell(&text, columns, theme.heading()))
}

/// Row of an operation.
pub fn row(known: &Tracked, columns: usize, now: Time, theme: Theme) -> Line<'static> {
    let op = &known.op;
    let (bar, percent) = progress(op);
    let colour = theme.colour(colour_of(op.state));
    let plain = Style::new();
    let ended = op.state.ended();
    let rates = if ended { " ".repeat(RATE) } else { known.rates.sparkline(RATE, None) };
    let mut cells = vec![
        cell(op.state.as_str(), STATE, colour),
        gap(1),
        cell(&bar, BAR, if ended { theme.colour(Colour::Grey) } else { colour }),
        gap(1),
        right(&percent, PERCENT, plain),
        gap(1),
        right(&time(op, now), TIME, plain),
        gap(1),
        cell(&rates, RATE, plain),
        gap(1),
    ];
    let mut used = STATE + BAR + PERCENT + TIME + RATE + 5;
    if columns >= WIDE {
        let host = op.host.as_ref().map(ToString::to_string).unwrap_or_default();
        cells.extend([cell(&host, HOST, plain), gap(1)]);
        used += HOST + 1;
    }
    let title = format!("{} {}", op.kind, text::one_row(&op.title));
    cells.push(cell(&title, columns.saturating_sub(used), plain));
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
