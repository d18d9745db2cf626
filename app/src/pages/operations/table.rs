//! Short table of operations with one keyed row each, and the table head shared with the virtual table.

use app_state::address::columns::Column;
use app_state::address::list::{Asked, Sort};
use components::reactive::{maybe, text, whole, word};
use components::row::Row;
use components::row_selection::{PickAll, Picks};
use display::QueuePosition;
use leptos::prelude::*;
use live::base;
use protocol::OperationId;
use std::collections::HashMap;

#[component]
pub fn Table(
    ids: Memo<Vec<OperationId>>,
    /// Heading of the time column.
    left: &'static str,
    /// Heading of the text column.
    doing: &'static str,
    /// Queue positions.
    places: Memo<HashMap<OperationId, QueuePosition>>,
    /// Which operations it has: `active`, `ended` or `attention`; those lead to their log and can be retried.
    #[prop(default = "active")]
    of: &'static str,
) -> impl IntoView {
    let attention = of == "attention";
    view! {
        <table class="ops" data-list=of>
            <Head left doing picks=None asked=None columns=None/>
            <tbody>
                <For each=move || ids.get() key=|id| *id children=move |id| view! { <Row id picks=None places attention/> }/>
            </tbody>
        </table>
    }
    .into_any()
}

/// Orders of a column: that of the first click and that of the second, with their directions for screen readers.
type Orders = [(Sort, &'static str); 2];

const BY_TITLE: Orders = [(Sort::Title, "ascending"), (Sort::TitleDown, "descending")];
const BY_START: Orders = [(Sort::Newest, "descending"), (Sort::Oldest, "ascending")];
const BY_DURATION: Orders = [(Sort::Longest, "descending"), (Sort::Shortest, "ascending")];
const BY_CPU: Orders = [(Sort::MostCpu, "descending"), (Sort::LeastCpu, "ascending")];
const BY_MEMORY: Orders = [(Sort::MostMemory, "descending"), (Sort::LeastMemory, "ascending")];
const BY_END: Orders = [(Sort::Soonest, "ascending"), (Sort::Latest, "descending")];

/// The order that a click on a column's heading leads to.
fn next(orders: &Orders, now: &Sort) -> Sort {
    let [(first, _), (second, _)] = orders;
    if now == first { second.clone() } else { first.clone() }
}

/// Orders of a column that is sorted by its values: figures with the largest first.
fn by_values(column: &Column) -> Orders {
    let up = (Sort::Up(column.clone()), "ascending");
    let down = (Sort::Down(column.clone()), "descending");
    if column.is_figure() { [down, up] } else { [up, down] }
}

/// Column heading; a link that sorts, where the list has an address.
#[component]
fn Heading(
    class: &'static str,
    #[prop(into)] title: String,
    orders: Orders,
    asked: Option<Memo<Asked>>,
    /// Shown for a title that may be cut off.
    #[prop(optional)]
    hint: Option<String>,
) -> impl IntoView {
    let Some(asked) = asked else {
        return view! { <th scope="col" class=class title=hint>{title}</th> }.into_any();
    };
    let orders = StoredValue::new(orders);
    let now = Memo::new(move |_| asked.with(|a| a.sort.clone()));
    let sorted = move || {
        let order = |orders: &Orders| {
            now.with(|now| orders.iter().find(|(sort, _)| sort == now).map(|(_, how)| *how))
        };
        orders.with_value(order)
    };
    let href = move || {
        let next = |a: &Asked| a.with_sort(orders.with_value(|orders| next(orders, &a.sort))).address();
        base::url(&asked.with(next))
    };
    view! {
        <th scope="col" class=class title=hint aria-sort=maybe(move || sorted().map(str::to_owned))>
            // Not the router's link: by path alone it would be the current page.
            <a
                class="sorts"
                data-noscroll=""
                href=text(href)
            >
                {title}
                <span class="sort-mark" aria-hidden="true" data-sort=word(move || sorted().unwrap_or("none"))></span>
            </a>
        </th>
    }
    .into_any()
}

/// Table head, with a select-all checkbox where rows can be selected.
#[component]
pub fn Head(
    left: &'static str,
    doing: &'static str,
    picks: Option<Picks>,
    /// The list's address, where headings sort.
    asked: Option<Memo<Asked>>,
    /// Chosen columns; empty or absent for the standard ones.
    columns: Option<Memo<Vec<Column>>>,
) -> impl IntoView {
    let cell = move |column: &Column| match column {
        Column::Result => view! { <th scope="col" class="c-result">{doing}</th> }.into_any(),
        Column::Progress => view! { <th scope="col" class="c-bar">"Progress"</th> }.into_any(),
        Column::End => view! { <Heading class="c-left num" title=left orders=BY_END asked/> }.into_any(),
        Column::Duration => {
            view! { <Heading class="c-took num" title="Duration" orders=BY_DURATION asked/> }.into_any()
        }
        Column::Started => {
            view! { <Heading class="c-began num" title="Started" orders=BY_START asked/> }.into_any()
        }
        Column::Host => {
            let orders = by_values(&Column::Host);
            view! { <Heading class="c-host" title="Host" orders asked/> }.into_any()
        }
        Column::Cpu => view! { <Heading class="c-own num" title="CPU time" orders=BY_CPU asked/> }.into_any(),
        Column::Memory => {
            view! { <Heading class="c-own num" title="Peak memory" orders=BY_MEMORY asked/> }.into_any()
        }
        other => {
            let (title, hint) = (other.title().to_owned(), other.title().to_owned());
            let class = if other.is_figure() { "c-own num" } else { "c-own" };
            let asked = asked.filter(|_| other.sorts());
            view! { <Heading class title hint orders=by_values(other) asked/> }.into_any()
        }
    };
    let cells = whole(move || {
        let chosen = columns.map(|columns| columns.get()).unwrap_or_default();
        let cells: Vec<_> = match chosen.is_empty() {
            true => Column::STANDARD.iter().map(cell).collect(),
            false => chosen.iter().map(cell).collect(),
        };
        cells.into_any()
    });
    let pick = picks.map(|picks| {
        view! {
            <th scope="col" class="c-pick">
                <PickAll picks/>
            </th>
        }
        .into_any()
    });
    let number = picks.map(|_| "1");
    view! {
        <thead>
            <tr aria-rowindex=number>
                {pick}
                <th scope="col" class="c-state">"State"</th>
                <Heading class="c-what" title="Operation" orders=BY_TITLE asked/>
                {cells}
                <th scope="col" class="c-do"><span class="unseen">"Action"</span></th>
            </tr>
        </thead>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_click_on_a_heading_reverses_the_order() {
        assert_eq!(next(&BY_TITLE, &Sort::Newest), Sort::Title);
        assert_eq!(next(&BY_TITLE, &Sort::Title), Sort::TitleDown);
        assert_eq!(next(&BY_TITLE, &Sort::TitleDown), Sort::Title);
        assert_eq!(next(&BY_START, &Sort::Newest), Sort::Oldest);
        let sharpe = Column::Figure("Sharpe".to_owned());
        assert_eq!(next(&by_values(&sharpe), &Sort::Newest), Sort::Down(sharpe.clone()));
        assert_eq!(next(&by_values(&Column::Kind), &Sort::Newest), Sort::Up(Column::Kind));
    }
}
