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
    // The pressed button goes or moves; the focus stays with the column, or in the dialog.
    let keep_focus = move |next: [String; 2]| {
        if let Some(all) = all.get_untracked() {
            let within = all.clone();
            hand_over(Some(&all), move || {
                next.iter()
                    .find_map(|next| find(&within, next))
                    .or_else(|| find(&within, "button:not(:disabled)"))
            });
        }
    };
    let columns = Memo::new(move |_| chooser.current());
    let one = move |column: Column| {
        let (title, word) = (column.title().to_owned(), column.word());
        let [up, down, remove] = ["Move up", "Move down", "Remove"].map(|what| format!("{what}: {title}"));
        let place = {
            let column = column.clone();
            Memo::new(move |_| columns.with(|all| (all.iter().position(|known| *known == column), all.len())))
        };
        let step = |is_down: bool| {
            let column = column.clone();
            let ways = if is_down { ["down", "up"] } else { ["up", "down"] };
            let next = ways.map(|way| format!("[data-{way}='{}']:not(:disabled)", word.replace('\'', "\\'")));
            move |_| {
                keep_focus(next.clone());
                chooser.choose(moved(&columns.get_untracked(), &column, is_down));
            }
        };
        let gone = column.clone();
        let drop_it = move |_| {
            keep_focus([".columns-shown [data-remove]".to_owned(), String::from("button")]);
            chooser.choose(toggled(&columns.get_untracked(), &gone));
        };
        let (first, last) = (
            yes(move || place.get().0 == Some(0)),
            yes(move || {
                let (at, count) = place.get();
                at.is_some_and(|at| at + 1 == count)
            }),
        );
        let only = yes(move || place.get().1 == 1);
        view! {
            <li>
                <span class="column-name">{title}</span>
                <button type="button" class="quiet" data-up=word.clone() aria-label=up disabled=first on:click=step(false)>
                    <span aria-hidden="true">"↑"</span>
                </button>
                <button type="button" class="quiet" data-down=word.clone() aria-label=down disabled=last on:click=step(true)>
                    <span aria-hidden="true">"↓"</span>
                </button>
                <button type="button" class="quiet" data-remove="" aria-label=remove disabled=only on:click=drop_it>
                    <Icon name="cross"/>
                </button>
            </li>
        }
        .into_any()
    };
    let offered = part(move || {
        let groups = others(&live, &columns.read()).into_iter().filter(|(_, columns)| !columns.is_empty());
        let group = |(name, some): (&'static str, Vec<Column>)| {
            let one = |column: Column| {
                let title = column.title().to_owned();
                let label = format!("Add: {title}");
                let add = move |_| {
                    keep_focus([".columns-others button".to_owned(), String::from("button")]);
                    chooser.choose(toggled(&columns.get_untracked(), &column));
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
                <ul class="tokens">{some.into_iter().map(one).collect::<Vec<_>>()}</ul>
            }
            .into_any()
        };
        Some(groups.map(group).collect::<Vec<_>>().into_any())
    });
    let count = text(move || display::format::counted(columns.with(Vec::len) as u64, "column", "columns"));
    let standard = yes(move || chooser.shown().read().is_empty());
    view! {
        <h2 id="columns-title">"Columns"</h2>
        <p class="muted">
            "State and operation are always shown. Click a linked heading to sort. Columns of parameters and key figures can't be sorted."
        </p>
        <div class="columns-choice" node_ref=all>
            <section aria-labelledby="columns-shown-title">
                <h3 id="columns-shown-title">"Shown " <span class="muted">{count}</span></h3>
                <ol class="columns-shown">
                    <For each=move || columns.get() key=Column::clone children=one/>
                </ol>
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
