//! Short table of operations with one keyed row each, and the table head shared with the virtual table.

use crate::components::row::Row;
use crate::components::row_selection::{PickAll, Picks};
use display::QueuePosition;
use leptos::prelude::*;
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
) -> impl IntoView {
    view! {
        <table class="ops">
            <Head left doing picks=None/>
            <tbody>
                <For each=move || ids.get() key=|id| *id children=move |id| view! { <Row id picks=None places/> }/>
            </tbody>
        </table>
    }
    .into_any()
}

/// Table head, with a select-all checkbox where rows can be selected.
#[component]
pub fn Head(left: &'static str, doing: &'static str, picks: Option<Picks>) -> impl IntoView {
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
                <th scope="col" class="c-what">"Operation"</th>
                <th scope="col" class="c-bar">"Progress"</th>
                <th scope="col" class="c-doing">{doing}</th>
                <th scope="col" class="c-left num">{left}</th>
                <th scope="col" class="c-host">"Host"</th>
                <th scope="col" class="c-began num">"Started"</th>
                <th scope="col" class="c-took num">"Duration"</th>
                <th scope="col" class="c-do"><span class="unseen">"Action"</span></th>
            </tr>
        </thead>
    }
    .into_any()
}
