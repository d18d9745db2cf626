//! Sortable column headings.

use crate::reactive::{text, word};
use leptos::prelude::*;

/// Column and direction of a sort.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Order {
    pub column: usize,
    pub descending: bool,
}

/// Heading of a column: a press sorts by it, another press reverses the order.
#[component]
pub fn SortHead(name: &'static str, column: usize, numeric: bool, order: RwSignal<Order>) -> impl IntoView {
    let mine = move || Some(order.get()).filter(|o| o.column == column).map(|o| o.descending);
    let sort = word(move || match mine() {
        Some(false) => "ascending",
        Some(true) => "descending",
        None => "none",
    });
    let arrow = text(move || {
        match mine() {
            Some(false) => "▴",
            Some(true) => "▾",
            None => "",
        }
        .to_owned()
    });
    let press = move |_| {
        order.update(|o| {
            let descending = o.column == column && !o.descending;
            *o = Order { column, descending };
        });
    };
    view! {
        <th scope="col" class=if numeric { "num" } else { "" } aria-sort=sort>
            <button type="button" class="sort" on:click=press>
                <span class="sort-mark" aria-hidden="true">
                    {arrow}
                </span>
                {name}
            </button>
        </th>
    }
    .into_any()
}
