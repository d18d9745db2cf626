//! A table of operations, one keyed row each, with a column to select by where that is of use.

use crate::components::picks::{PickAll, Picks, move_by_arrows};
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
    /// Rows can be selected.
    #[prop(optional)]
    picks: Option<Picks>,
    /// Who stands where in line.
    places: Memo<HashMap<OperationId, Place>>,
) -> impl IntoView {
    let pick = picks.map(|picks| {
        view! {
            <th scope="col" class="c-pick">
                <PickAll picks/>
            </th>
        }
        .into_any()
    });
    let marked = picks.is_some().then_some("");
    view! {
        <table class="ops" data-picks=marked on:keydown=move |event| move_by_arrows(&event)>
            <thead>
                <tr>
                    {pick}
                    <th scope="col" class="c-state">"State"</th>
                    <th scope="col" class="c-what">"Operation"</th>
                    <th scope="col" class="c-bar">"Progress"</th>
                    <th scope="col" class="c-doing">{doing}</th>
                    <th scope="col" class="c-left num">{left}</th>
                    <th scope="col" class="c-host">"Host"</th>
                    <th scope="col" class="c-took num">"Took"</th>
                    <th scope="col" class="c-do"><span class="unseen">"Action"</span></th>
                </tr>
            </thead>
            <tbody>
                <For each=move || ids.get() key=|id| *id children=move |id| view! { <Row id picks places/> }/>
            </tbody>
        </table>
    }
    .into_any()
}
