//! A short table of operations, one keyed row each; and the head that it has in common with long ones.

use crate::components::picks::{PickAll, Picks};
use crate::components::row::Row;
use crate::live::line::Place;
use leptos::prelude::*;
use protocol::OperationId;
use std::collections::HashMap;

/// The table.
#[component]
pub fn Table(
    ids: Memo<Vec<OperationId>>,
    /// What its column of times tells.
    left: &'static str,
    /// What its column of words tells.
    doing: &'static str,
    /// Who stands where in line.
    places: Memo<HashMap<OperationId, Place>>,
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

/// The names of the columns, and the box that selects all rows where they can be selected.
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
