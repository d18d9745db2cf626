//! Hosts, one row each.

use super::bars;
use super::theme::{Theme, cell, gap, right};
use crate::rows::link_of;
use crate::top::model::Host;
use ratatui::style::Style;
use ratatui::text::Line;

/// Columns of name, status, slots, usage and load.
const NAME: usize = 14;
const STATUS: usize = 11;
const SLOTS: usize = 8;
const LOAD: usize = 12;

/// Heading of the hosts.
pub fn heading(theme: Theme, columns: usize) -> Line<'static> {
    let text = format!(
        "{:<NAME$} {:<STATUS$} {:<SLOTS$}  {:>7} {:>5} {:<LOAD$} {:>8}",
        "HOST", "STATUS", "SLOTS", "IN USE", "CPU", "", "LATENCY"
    );
    Line::from(cell(&text, columns, theme.heading()))
}

/// Row of a host.
pub fn row(host: &Host, theme: Theme) -> Line<'static> {
    let status = &host.status;
    let (link, colour) = link_of(status);
    let cpu = status
        .health
        .as_ref()
        .and_then(|health| health.cpu)
        .map(display::format::percent)
        .unwrap_or_default();
    let latency = status.latency_ms.map(display::hosts::latency).unwrap_or_default();
    let plain = Style::new();
    Line::from(vec![
        cell(status.name.as_str(), NAME, plain),
        gap(1),
        cell(link, STATUS, theme.colour(colour)),
        gap(1),
        cell(&bars::slots(status.running, status.capacity, SLOTS), SLOTS, plain),
        gap(2),
        right(&format!("{} of {}", status.running, status.capacity), 7, plain),
        gap(1),
        right(&cpu, 5, plain),
        gap(1),
        cell(&host.loads.sparkline(LOAD, Some(1.0)), LOAD, plain),
        gap(1),
        right(&latency, 8, plain),
    ])
}
