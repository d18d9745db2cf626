//! Buttons for all operations that match the filter, shown or not.

use app_state::actions::{Actions, Question};
use app_state::address::list::Asked;
use components::permission::needs;
use components::reactive::{part, text};
use display::format;
use leptos::prelude::*;
use protocol::OperationId;
use protocol::access::Permission;

/// Cancels all active operations that match the filter. Hidden without a filter: the selection covers that.
#[component]
pub fn CancelMatching(asked: Memo<Asked>, matching: Signal<Vec<OperationId>>) -> impl IntoView {
    let actions = Actions::here();
    let there = Memo::new(move |_| asked.with(|a| !a.is_open()) && !matching.read().is_empty());
    let wording = move || match matching.with(Vec::len) {
        1 => "Cancel 1 matching…".to_owned(),
        n => format!("Cancel {} matching…", format::count(n as u64)),
    };
    part(move || {
        there.get().then(|| {
            view! {
                <button {..needs(Permission::Control)}
                    type="button"
                    class="link danger only-script"
                    on:click=move |_| {
                        let filter = asked.with_untracked(|a| a.filter.clone());
                        actions.question.set(Some(Question::Matching(filter)));
                    }
                >
                    {text(wording)}
                </button>
            }
            .into_any()
        })
    })
}

/// Deletes all ended operations that match the filter, shown or not, after a confirmation with their number.
#[component]
pub fn DeleteMatching(asked: Memo<Asked>, shown: Signal<usize>) -> impl IntoView {
    let actions = Actions::here();
    let there = Memo::new(move |_| asked.with(|a| !a.is_open()) && shown.get() > 0);
    part(move || {
        there.get().then(|| {
            let ask = move |_| {
                let filter = asked.with_untracked(|a| a.filter.clone());
                actions.question.set(Some(Question::DeleteMatching(filter)));
            };
            view! {
                <button {..needs(Permission::Delete)}
                    type="button"
                    class="link danger only-script"
                    on:click=ask
                >
                    "Delete matching…"
                </button>
            }
            .into_any()
        })
    })
}
