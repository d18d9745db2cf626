//! Cells of a row for columns that a list shows only when they are chosen: kind, attempt, ID, cost, parameters, key
//! figures.

use crate::reactive::text;
use app_state::address::columns::Column;
use leptos::prelude::*;
use live::OpView;
use protocol::ResourceUsage;

/// Part of the cost of an ended operation; empty before. Tracked.
fn cost(op: OpView, of: fn(&ResourceUsage) -> String) -> String {
    let unknown = || display::usage::UNKNOWN.to_owned();
    op.facts.with(|f| match (&f.usage, f.ended_at) {
        (Some(usage), _) => of(usage),
        (None, Some(_)) => unknown(),
        (None, None) => String::new(),
    })
}

/// Cell of a column that is shown only when it is chosen.
pub fn chosen_cell(op: OpView, column: &Column) -> AnyView {
    let fixed = op.fixed();
    let is_number = match column {
        Column::Param(name) => fixed.params.get(name).is_some_and(serde_json::Value::is_number),
        other => other.is_figure(),
    };
    let class = if is_number { "c-own num" } else { "c-own" };
    let own = match column {
        Column::Kind => text(move || fixed.kind.to_string()),
        Column::Id => text(move || op.id.short()),
        Column::Attempt => text(move || op.facts.with(|f| f.attempt.to_string())),
        Column::Cpu => text(move || cost(op, display::usage::cpu)),
        Column::Memory => text(move || cost(op, display::usage::memory)),
        Column::Param(name) => {
            let value = fixed.params.get(name).map(display::format::param).unwrap_or_default();
            text(move || value.clone())
        }
        Column::Figure(name) => {
            let name = name.clone();
            text(move || {
                op.facts.with(|f| {
                    let figure = f.figures.iter().find(|figure| figure.name == name);
                    figure.map(display::key_figure::value).unwrap_or_default()
                })
            })
        }
        _ => text(String::new),
    };
    view! { <td class=class>{own}</td> }.into_any()
}
