//! Expected start of the operation: where and when, updated while the form is filled in.

use components::form::typed::Typed;
use components::link::A;
use components::reactive::{part, word};
use display::format::listed;
use display::start::{self, InUse, NewOperation, Start};
use form::Form;
use leptos::prelude::*;
use live::{ConnectionStatus, OperationStore};
use protocol::KindName;
use protocol::api::KindOffer;

/// The line above the submit button.
#[component]
pub fn StartEstimate(offer: KindOffer, typed: Typed, priority: RwSignal<i8>) -> impl IntoView {
    let live = OperationStore::here();
    let (hosts, clock, fresh) = (live.hosts(), live.clock(), ConnectionStatus::here().fresh());
    let (kind, limit) = (offer.spec.name, offer.limit);
    // What the operation needs for itself.
    let form = Form::from_schema(&offer.spec.params).ok().filter(|form| !form.exclusive.is_empty());
    let in_use = move |live: &OperationStore, kind: &KindName| {
        let form = form.as_ref()?;
        let key = form.exclusive_key(&typed.checked()?)?;
        let (by, ends_at) =
            live.active_with(kind, &|params| form.exclusive_key(params).as_ref() == Some(&key))?;
        let titles: Vec<String> =
            form.exclusive.iter().map(|name| typed.title_of(name).to_lowercase()).collect();
        let what = listed(&titles.iter().map(String::as_str).collect::<Vec<_>>());
        Some(InUse { by, what, ends_at })
    };
    let start = Memo::new(move |_| {
        // Forecasts change without a change of state.
        clock.track();
        let work = live.at_work();
        let in_use = in_use(&live, &kind);
        let asked = NewOperation { kind: &kind, priority: priority.get(), limit, in_use };
        hosts.with(|hosts| start::start(hosts, &work, &asked))
    });
    let wording = Memo::new(move |_| start.with(|start| start::before_start(start, clock.get())));
    let waits_for_hosts = Memo::new(move |_| matches!(*start.read(), Start::Drained(_) | Start::Unheard));
    let line = part(move || {
        let more = waits_for_hosts.get().then(|| view! { " " <A href="/hosts">"Show hosts"</A> });
        let stale =
            (!fresh.get()).then_some(" This estimate may be outdated: the page is not live right now.");
        Some(view! { {wording.get()} {stale} {more} }.into_any())
    });
    let class = move || if waits_for_hosts.get() { "note warn" } else { "note" };
    view! { <p class=word(class) role="status">{line}</p> }.into_any()
}
