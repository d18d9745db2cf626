//! Content of the dialog that chooses columns: the shown ones in order, and the others.

use super::columns::Chooser;
use app_state::address::columns::{Column, moved, toggled};
use components::focus::{find, hand_over};
use components::icon::Icon;
use components::reactive::{part, text, yes};
use leptos::html::Div;
use leptos::prelude::*;
use live::OperationStore;
use std::collections::BTreeSet;

/// Maximum number of parameters and of key figures that are offered.
const MAX_OFFERED: usize = 60;

/// Columns that are not shown, in groups: those of every operation, parameters, key figures.
fn others(live: &OperationStore, shown: &[Column]) -> [(&'static str, Vec<Column>); 3] {
    let (mut params, mut figures) = (BTreeSet::new(), BTreeSet::new());
    for signals in live.all().into_iter().filter_map(|id| live.operation(id)) {
        let names = signals.fixed().params.as_object().into_iter().flatten();
        params.extend(names.map(|(name, _)| Column::Param(name.clone())));
        figures.extend(signals.figure_names().into_iter().map(Column::Figure));
    }
    let new = |column: &Column| column.is_nameable() && !shown.contains(column);
    let fixed = Column::STANDARD.into_iter().chain(Column::MORE).filter(new).collect();
    let few = |some: BTreeSet<Column>| some.into_iter().filter(new).take(MAX_OFFERED).collect();
    [("Operation", fixed), ("Key figures", few(figures)), ("Parameters", few(params))]
}

/// The content.
pub fn column_list(chooser: Chooser) -> AnyView {
    let live = OperationStore::here();
    let all = NodeRef::<Div>::new();
    // The button that was pressed may go; the focus stays in the dialog.
    let keep_focus = move |next: String| {
        if let Some(all) = all.get_untracked() {
            let within = all.clone();
            hand_over(Some(&all), move || {
                find(&within, &next).or_else(|| find(&within, "button:not(:disabled)"))
            });
        }
    };
    let shown = part(move || {
        let columns = chooser.current();
        let last = columns.len() - 1;
        let one = |(at, column): (usize, &Column)| {
            let title = column.title().to_owned();
            let [up, down, remove] =
                ["Move up", "Move down", "Remove"].map(|what| format!("{what}: {title}"));
            let step = |down: bool| {
                let column = column.clone();
                move |_| {
                    let word = if down { "down" } else { "up" };
                    keep_focus(format!("[data-{word}='{}']", column.word()));
                    chooser.choose(moved(&untrack(|| chooser.current()), &column, down));
                }
            };
            let gone = column.clone();
            let drop_it = move |_| {
                keep_focus(".columns-shown button:not(:disabled)".to_owned());
                chooser.choose(toggled(&untrack(|| chooser.current()), &gone));
            };
            view! {
                <li>
                    <span class="column-name">{title}</span>
                    <button type="button" class="quiet" data-up=column.word() aria-label=up disabled=at == 0 on:click=step(false)>
                        <span aria-hidden="true">"↑"</span>
                    </button>
                    <button type="button" class="quiet" data-down=column.word() aria-label=down disabled=at == last on:click=step(true)>
                        <span aria-hidden="true">"↓"</span>
                    </button>
                    <button type="button" class="quiet" aria-label=remove disabled=last == 0 on:click=drop_it>
                        <Icon name="cross"/>
                    </button>
                </li>
            }
            .into_any()
        };
        Some(columns.iter().enumerate().map(one).collect::<Vec<_>>().into_any())
    });
    let offered = part(move || {
        let groups = others(&live, &chooser.current()).into_iter().filter(|(_, columns)| !columns.is_empty());
        let group = |(name, columns): (&'static str, Vec<Column>)| {
            let one = |column: Column| {
                let title = column.title().to_owned();
                let label = format!("Add: {title}");
                let add = move |_| {
                    keep_focus(".columns-others button".to_owned());
                    chooser.choose(toggled(&untrack(|| chooser.current()), &column));
                };
                view! {
                    <li>
                        <button type="button" class="token" aria-label=label on:click=add>
                            <Icon name="plus"/>
                            {title}
                        </button>
                    </li>
                }
                .into_any()
            };
            view! {
                <h3>{name}</h3>
                <ul class="tokens">{columns.into_iter().map(one).collect::<Vec<_>>()}</ul>
            }
            .into_any()
        };
        Some(groups.map(group).collect::<Vec<_>>().into_any())
    });
    let count = text(move || display::format::counted(chooser.current().len() as u64, "column", "columns"));
    let standard = yes(move || chooser.shown().read().is_empty());
    view! {
        <h2 id="columns-title">"Columns"</h2>
        <p class="muted">
            "State and operation are always shown. Headings that sort are links; parameters and key figures do not sort."
        </p>
        <div class="columns-choice" node_ref=all>
            <section aria-labelledby="columns-shown-title">
                <h3 id="columns-shown-title">"Shown " <span class="muted">{count}</span></h3>
                <ol class="columns-shown">{shown}</ol>
            </section>
            <section class="columns-others" aria-label="Not shown">{offered}</section>
        </div>
        <form method="dialog" class="dialog-do">
            <button
                type="button"
                class="button"
                disabled=standard
                on:click=move |_| chooser.choose(Column::STANDARD.to_vec())
            >
                "Standard columns"
            </button>
            <button class="button primary" autofocus=true>"Done"</button>
        </form>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::operation;
    use protocol::{KeyFigure, Operation, State};

    #[test]
    fn params_and_figures_of_the_loaded_operations_are_offered_once() {
        let live = OperationStore::default();
        let op = operation(State::Succeeded, 1);
        let other = Operation {
            id: "0199c2d4-7f3a-7c11-9e1b-000000000002".parse().unwrap(),
            params: serde_json::json!({"symbol": "AAPL", "a,b": 1, "rows": 5}),
            figures: vec![KeyFigure::new("Sharpe", 0.8, "")],
            ..op.clone()
        };
        live.adopt_all([op, other].iter(), 1);
        let shown = [Column::Result, Column::Param("rows".to_owned())];
        let [fixed, figures, params] = others(&live, &shown).map(|(_, columns)| columns);
        assert_eq!(fixed.len(), Column::STANDARD.len() + Column::MORE.len() - 1);
        assert_eq!(figures, [Column::Figure("Sharpe".to_owned())]);
        assert_eq!(params, [Column::Param("symbol".to_owned())]);
    }
}
