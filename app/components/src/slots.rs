//! Slots of a host as blocks: used ones are links to the operations that use them.

use crate::reactive::part;
use app_state::address;
use leptos::prelude::*;
use live::{OperationStore, base};
use protocol::HostName;

/// Maximum number of blocks; a number stands for the rest.
const MAX_BLOCKS: usize = 32;

/// The blocks of a host with this many slots.
#[component]
pub fn Slots(
    name: HostName,
    #[prop(into)] capacity: Signal<u32>,
    /// Used blocks are links. They need space for a finger.
    #[prop(optional)]
    links: bool,
) -> impl IntoView {
    let live = OperationStore::here();
    let used = Memo::new({
        let live = live.clone();
        move |_| live.occupants(&name)
    });
    part(move || {
        let (used, capacity) = (used.get(), capacity.get() as usize);
        let all = capacity.max(used.len());
        let blocks = (0..all.min(MAX_BLOCKS)).map(|n| match used.get(n).filter(|_| links) {
            Some(id) => {
                let title = live.operation(*id).map(|op| op.fixed().title.clone()).unwrap_or_default();
                let hint = title.clone();
                view! {
                    <a class="slot" data-used="" href=base::url(&address::operation(*id)) title=hint>
                        <span class="unseen">{title}</span>
                    </a>
                }
                .into_any()
            }
            None => {
                let used = (n < used.len()).then_some("");
                view! { <span class="slot" data-used=used aria-hidden="true"></span> }.into_any()
            }
        });
        let rest = all.saturating_sub(MAX_BLOCKS);
        let rest =
            (rest > 0).then(|| view! { <span class="muted num">{format!("+{rest}")}</span> }.into_any());
        let blocks: Vec<_> = blocks.collect();
        Some(view! { <span class="slots" data-links=links.then_some("")>{blocks}{rest}</span> }.into_any())
    })
}
