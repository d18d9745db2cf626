//! Expected start of the operation: where and when, updated while the form is filled in.

use components::link::A;
use components::reactive::{part, word};
use display::start::{self, NewOperation, Start};
use leptos::prelude::*;
use live::{ConnectionStatus, OperationStore};
use protocol::api::KindOffer;

/// The line above the submit button.
#[component]
pub fn StartEstimate(offer: KindOffer, priority: RwSignal<i8>) -> impl IntoView {
    let live = OperationStore::here();
    let (hosts, clock, fresh) = (live.hosts(), live.clock(), ConnectionStatus::here().fresh());
    let (kind, limit) = (offer.spec.name, offer.limit);
    let start = Memo::new(move |_| {
        // Forecasts change without a change of state.
        clock.track();
        let work = live.at_work();
        let asked = NewOperation { kind: &kind, priority: priority.get(), limit };
        hosts.with(|hosts| start::start(hosts, &work, &asked))
    });
    let wording = Memo::new(move |_| start.with(|start| start::before_start(start, clock.get())));
    let waits_for_hosts = Memo::new(move |_| matches!(*start.read(), Start::Drained(_) | Start::Unheard));
    let line = part(move || {
        let more = waits_for_hosts.get().then(|| view! { " " <A href="/hosts">"Show hosts"</A> });
        let stale = (!fresh.get()).then_some(" This may be outdated: the page is not live right now.");
        Some(view! { {wording.get()} {stale} {more} }.into_any())
    });
    let class = move || if waits_for_hosts.get() { "note warn" } else { "note" };
    view! { <p class=word(class) role="status">{line}</p> }.into_any()
}
