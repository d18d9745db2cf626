//! Hosts in one line: connection state and slots in use.

use crate::pages::hosts::{link_words, slots};
use components::link::A;
use components::reactive::whole;
use components::slots::Slots;
use leptos::prelude::*;
use live::OperationStore;

/// One entry per host, each a link to the Hosts page.
#[component]
pub fn HostLine() -> impl IntoView {
    let live = OperationStore::here();
    let hosts = live.hosts();
    let busy = Memo::new(move |_| live.busy());
    whole(move || {
        let entries = hosts.with(|hosts| {
            hosts
                .iter()
                .map(|host| {
                    let (link, word) = link_words(host.link);
                    let has = busy.with(|busy| busy.get(&host.name).copied().unwrap_or(0));
                    let busy = match (link, host.draining) {
                        ("up", true) => format!("{has} running, {}, drained", slots(host.capacity)),
                        ("up", false) => format!("{has} running, {}", slots(host.capacity)),
                        _ => word.to_owned(),
                    };
                    let (name, trouble) = (host.name.to_string(), host.trouble.clone());
                    let blocks = (link == "up").then(|| {
                        view! { <Slots name=host.name.clone() capacity=Signal::stored(host.capacity)/> }
                            .into_any()
                    });
                    view! {
                        <li>
                            <A href="/hosts" attr:class="host-entry" attr:title=trouble>
                                <span class="link-word" data-link=link>{name}</span>
                                {blocks}
                                <span class="muted num">{busy}</span>
                            </A>
                        </li>
                    }
                    .into_any()
                })
                .collect::<Vec<_>>()
        });
        if entries.is_empty() {
            return view! {
                <p class="muted quiet-line">
                    "No hosts configured, so nothing can run. " <A href="/hosts">"How to add one"</A>
                </p>
            }
            .into_any();
        }
        view! { <ul class="host-line" aria-label="Hosts: slots in use">{entries}</ul> }.into_any()
    })
}
