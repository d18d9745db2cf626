//! What stands in place of an empty list, and why.

use super::stored::Stored;
use app_state::address::list::Asked;
use components::link::A;
use components::placeholders::Empty;
use components::reactive::{text, whole};
use leptos::prelude::*;
use live::OperationStore;

/// Placeholder of an empty ended list: none exist, none match, or the search is still running.
#[component]
pub fn NoneEnded(
    asked: Memo<Asked>,
    stored: Stored,
    /// Number of ended operations, which are all below their parents.
    below: Memo<usize>,
) -> impl IntoView {
    let live = OperationStore::here();
    let wording = text(move || {
        if below.get() > 0 {
            "All ended operations are child runs, listed under the active operations that started them."
                .to_owned()
        } else if stored.more(&live, 0) {
            "Searching older operations…".to_owned()
        } else if asked.with(Asked::is_open) {
            "No ended operations yet".to_owned()
        } else {
            "No ended operations match".to_owned()
        }
    });
    view! { <p class="muted quiet-line" role="status">{wording}</p> }.into_any()
}

/// Placeholder of an empty page: no operations exist, or none match.
#[component]
pub fn Nothing(asked: Memo<Asked>, stored: Stored) -> impl IntoView {
    let live = OperationStore::here();
    let looking = Memo::new(move |_| stored.more(&live, 0));
    whole(move || {
        if asked.with(Asked::is_open) {
            view! {
                <Empty
                    title="No operations yet"
                    text="This page lists all active and ended operations, updated live. Start by loading market data; the synthetic source needs no files."
                >
                    <A href="/new?kind=data.load" attr:class="button primary">
                        "Load market data"
                    </A>
                </Empty>
            }
            .into_any()
        } else if looking.get() {
            view! {
                <p class="muted quiet-line only-script" role="status">
                    "No matches here. Searching older operations…"
                </p>
            }
            .into_any()
        } else {
            let wording = asked.with(|a| format!("No operations match {}", a.wording()));
            view! {
                <Empty title=wording text="All stored operations were searched.">
                    <A href="/operations" attr:class="button">
                        "Show all operations"
                    </A>
                </Empty>
            }
            .into_any()
        }
    })
}
