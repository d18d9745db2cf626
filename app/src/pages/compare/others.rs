//! Recent operations of the same kinds, each a link that adds it to the comparison.

use app_state::address::comparison::Comparison;
use components::moment::Ago;
use components::reactive::{part, text};
use components::state_mark::StateMark;
use leptos::prelude::*;
use live::OperationStore;
use live::base;
use protocol::{KindName, OperationId};

/// Maximum number of operations offered.
const OFFERED: usize = 10;

/// List of operations; of all kinds if `kinds` is empty.
#[component]
pub fn Others(wanted: Memo<Comparison>, kinds: Vec<KindName>) -> impl IntoView {
    let live = OperationStore::here();
    let of = kinds.iter().map(KindName::as_str).collect::<Vec<_>>().join(" or ");
    let ids = Memo::new({
        let live = live.clone();
        move |_| {
            let (active, ended) = live.list(|_| true);
            let mut ids: Vec<OperationId> = active.into_iter().chain(ended).collect();
            // IDs sort by creation time.
            ids.sort_unstable_by(|a, b| b.cmp(a));
            let fits = |id: &OperationId| {
                live.operation(*id).is_some_and(|cell| kinds.is_empty() || kinds.contains(&cell.fixed().kind))
            };
            let there = wanted.with(|w| w.ids.clone());
            ids.into_iter().filter(|id| !there.contains(id)).filter(fits).take(OFFERED).collect::<Vec<_>>()
        }
    });
    let empty = Memo::new(move |_| ids.read().is_empty());
    let one = move |id: OperationId| {
        let op = live.operation(id)?.view();
        let fixed = op.fixed();
        let (kind, title, at) = (fixed.kind.to_string(), fixed.title.clone(), fixed.created_at);
        Some(view! {
            <li>
                // Not a router link: it compares paths only and would mark this as current.
                <a href=text(move || base::url(&wanted.with(|w| w.with(id).address()))) data-noscroll="">
                    <span class="kind">{kind}</span>
                    " "
                    {title}
                </a>
                <StateMark state=op.state/>
                <span class="muted"><Ago at/></span>
            </li>
        })
    };
    view! {
        {part(move || {
            let of = of.clone();
            empty.get().then(|| {
                let wording = text(move || match of.as_str() {
                    "" => "No operations yet.".to_owned(),
                    of => format!("No other {of} among the newest operations."),
                });
                view! { <p class="muted">{wording}</p> }.into_any()
            })
        })}
        <ul class="others">
            <For each=move || ids.get() key=|id| *id children=one/>
        </ul>
    }
    .into_any()
}
