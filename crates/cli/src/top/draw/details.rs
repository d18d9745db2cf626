//! Details of the selected operation, or its log.

use super::theme::{Theme, cell};
use crate::listing::Colour;
use crate::text;
use crate::top::log::Log;
use crate::top::model::Tracked;
use display::cancel_steps;
use display::zone::Zone;
use protocol::{LogLevel, Operation, State, Time, secret};
use ratatui::style::Style;
use ratatui::text::Line;

/// Rows of the details.
pub const ROWS: u16 = 4;

/// Title, status, and the receipt of its cancel, its failure or its parameters.
pub fn lines(known: Option<&Tracked>, columns: usize, now: Time, theme: Theme) -> Vec<Line<'static>> {
    let Some(Tracked { op, .. }) = known else { return Vec::new() };
    let host = op.host.as_ref().map(|host| format!(" on {host}")).unwrap_or_default();
    let title = format!("{} {}{host}", op.kind, text::one_row(&op.title));
    let status = if op.state.ended() { ended(op) } else { text::standing(op, now) };
    let (what, style) = third(op, theme);
    vec![
        Line::from(cell(&title, columns, theme.bold())),
        Line::from(cell(&text::one_row(&status), columns, Style::new())),
        Line::from(cell(&text::one_row(&what), columns, style)),
        Line::from(cell(&op.id.to_string(), columns, theme.colour(Colour::Grey))),
    ]
}

fn ended(op: &Operation) -> String {
    match &op.receipt {
        Some(receipt) if op.state == State::Cancelled => {
            cancel_steps::summary(receipt, op.state, op.host.as_ref().map(protocol::HostName::as_str))
        }
        _ => text::ended(op),
    }
}

fn third(op: &Operation, theme: Theme) -> (String, Style) {
    if let Some(receipt) = op.receipt.as_ref().filter(|receipt| receipt.attempt == op.attempt) {
        let steps = cancel_steps::steps(receipt, Zone::Utc);
        // The first step has the time of day, which would make the line too long for 80 columns.
        let first = usize::from(steps.len() > 1);
        let steps: Vec<String> =
            steps[first..].iter().map(|(step, text, _)| format!("{step} {text}")).collect();
        return (format!("Receipt: {}", steps.join(" · ")), theme.colour(Colour::Yellow));
    }
    if let Some(failure) = &op.failure {
        return (failure.hint.clone(), theme.colour(Colour::Red));
    }
    let params = op.params.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let params = params.map(|(name, value)| match value.as_str() {
        Some(text) => format!("{name}={text}"),
        None if secret::is_marker(value) => format!("{name}={}", secret::HIDDEN),
        None => format!("{name}={value}"),
    });
    (params.collect::<Vec<_>>().join(" "), Style::new())
}

/// The newest lines of the log that fit.
pub fn log(log: &Log, columns: usize, rows: usize, theme: Theme) -> Vec<Line<'static>> {
    if log.lines.is_empty() {
        let text = if log.is_behind { "Loading the log…" } else { "The log is empty." };
        return vec![Line::from(cell(text, columns, theme.colour(Colour::Grey)))];
    }
    let newest = log.lines.iter().skip(log.lines.len().saturating_sub(rows));
    let line = |line: &protocol::LogLine| {
        let at = Zone::Utc.clock(line.at);
        let text = format!("{at} {:<5} {}", line.level.as_str(), text::one_row(&line.text));
        let style = match line.level {
            LogLevel::Error => theme.colour(Colour::Red),
            LogLevel::Warn => theme.colour(Colour::Yellow),
            LogLevel::Debug => theme.colour(Colour::Grey),
            LogLevel::Info => Style::new(),
        };
        Line::from(cell(&text, columns, style))
    };
    newest.map(line).collect()
}
