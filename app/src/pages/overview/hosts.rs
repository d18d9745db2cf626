//! Hosts with their slots, each a link to its operations.

use crate::pages::hosts::slots;
use components::link::A;
use components::reactive::{part, whole};
use components::slots::Slots;
use display::format;
use display::hosts::{link_words, standing};
use leptos::prelude::*;
use live::{OperationStore, query};
use protocol::HostName;
use protocol::api::{HostLink, HostStatus};
use std::collections::HashMap;

/// States of operations that occupy a slot.
const RUNNING_STATES: &str = "starting,running,cancelling";

/// What a host does: `3 running` and `, 8 slots, drained`, or why it can't.
fn in_words(host: &HostStatus, running: u32) -> (String, String) {
    let drained = if host.draining { ", drained" } else { "" };
    match host.link {
        HostLink::Up => (format!("{running} running"), format!(", {}{drained}", slots(host.capacity))),
        _ => (link_words(host.link).1.to_owned(), String::new()),
    }
}

/// List of the running operations of a host.
fn running_on(host: &str) -> String {
    query::url("/operations", [("state", RUNNING_STATES), ("host", host)])
}

/// The section: one row per host.
#[component]
pub fn HostRows() -> impl IntoView {
    let live = OperationStore::here();
    let hosts = live.hosts();
    let busy = Memo::new(move |_| live.busy());
    let names = Memo::new(move |_| {
        hosts.with(|hosts| hosts.iter().map(|host| host.name.clone()).collect::<Vec<_>>())
    });
    let is_empty = Memo::new(move |_| names.with(Vec::is_empty));
    let rows = whole(move || {
        if is_empty.get() {
            return view! {
                <p class="muted quiet-line">
                    "No hosts configured, so nothing can run. " <A href="/hosts">"How to add a host"</A>
                </p>
            }
            .into_any();
        }
        // Each row stays when a figure of its host changes, with the focus on its links.
        view! {
            <ul class="card host-rows" aria-label="Hosts: slots in use">
                <For each=move || names.get() key=Clone::clone children=move |name| row(name, hosts, busy)/>
            </ul>
        }
        .into_any()
    });
    view! {
        <section class="list" aria-labelledby="hosts-title">
            <header class="list-head">
                <h2 id="hosts-title">"Hosts"</h2>
                <A href="/hosts">"Health and drain"</A>
            </header>
            {rows}
        </section>
    }
    .into_any()
}

/// Row of a host. Each part changes only when what it shows changes.
fn row(
    name: HostName,
    hosts: RwSignal<Vec<HostStatus>>,
    busy: Memo<HashMap<HostName, u32>>,
) -> impl IntoView {
    let host = Memo::new({
        let name = name.clone();
        move |_| hosts.with(|hosts| hosts.iter().find(|host| host.name == name).cloned())
    });
    let running = Memo::new({
        let name = name.clone();
        move |_| busy.with(|busy| busy.get(&name).copied().unwrap_or_default())
    });
    let stands = Memo::new(move |_| host.with(|host| host.as_ref().map(standing)));
    let words = Memo::new(move |_| host.with(|host| host.as_ref().map(|host| in_words(host, running.get()))));
    let is_up =
        Memo::new(move |_| host.with(|host| host.as_ref().is_some_and(|host| host.link == HostLink::Up)));
    let capacity = Memo::new(move |_| host.with(|host| host.as_ref().map_or(0, |host| host.capacity)));
    let cpu = Memo::new(move |_| host.with(|host| host.as_ref()?.health.as_ref()?.cpu.map(format::percent)));

    let link = part({
        let name = name.clone();
        move || {
            let (link, word) = stands.get()?;
            let href = query::url("/operations", [("host", name.as_str())]);
            let title = format!("{word}. Show operations of {name}");
            let name = name.to_string();
            Some(
                view! {
                    <A href attr:class="link-word" attr:data-link=link attr:title=title>
                        {name}
                    </A>
                }
                .into_any(),
            )
        }
    });
    let blocks = part({
        let name = name.clone();
        move || is_up.get().then(|| view! { <Slots name=name.clone() capacity links=true/> }.into_any())
    });
    let words = part(move || {
        let (first, rest) = words.get()?;
        let first = match is_up.get() && running.get() > 0 {
            true => {
                let title = format!("Show running operations of {name}");
                view! { <A href=running_on(name.as_str()) attr:title=title>{first}</A> }.into_any()
            }
            false => first.into_any(),
        };
        Some(view! { <span class="muted num">{first} {rest}</span> }.into_any())
    });
    let cpu = part(move || {
        let cpu = cpu.get()?;
        Some(view! { <span class="muted num host-cpu">{format!("CPU {cpu}")}</span> }.into_any())
    });
    view! { <li>{link} {blocks} {words} {cpu}</li> }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    #[test]
    fn a_host_says_what_it_does_or_why_it_cannot() {
        let mut host: HostStatus = from_value(json!({
            "name": "gpu-1", "url": "http://gpu-1:7310", "link": "up", "capacity": 1, "running": 0, "kinds": []
        }))
        .unwrap();
        let in_words = |host: &HostStatus, running| {
            let (first, rest) = in_words(host, running);
            first + &rest
        };
        assert_eq!(in_words(&host, 1), "1 running, 1 slot");
        host.draining = true;
        assert_eq!(in_words(&host, 0), "0 running, 1 slot, drained");
        host.link = HostLink::Away;
        assert_eq!(in_words(&host, 0), "Unreachable");
    }

    #[test]
    fn a_connected_host_that_is_not_healthy_has_no_green_dot() {
        let mut host: HostStatus = from_value(json!({
            "name": "gpu-1", "url": "http://gpu-1:7310", "link": "up", "capacity": 1, "running": 0, "kinds": [],
            "health": {
                "ready": true, "checks": [{"name": "disk", "ok": true, "message": ""}], "cpu": 0.5,
                "memory_bytes": 1, "network_in": 0.0, "network_out": 0.0, "running": 0, "free": 1,
                "now": "2026-11-23T10:00:00Z"
            }
        }))
        .unwrap();
        assert_eq!(standing(&host), ("up", "Connected"));
        host.health.as_mut().unwrap().checks[0].ok = false;
        assert_eq!(standing(&host), ("unhealthy", "Not healthy"));
        host.link = HostLink::Away;
        assert_eq!(standing(&host), ("away", "Unreachable"));
    }

    #[test]
    fn the_running_operations_of_a_host_are_those_that_the_overview_counts() {
        assert_eq!(running_on("gpu-1"), "/operations?state=starting,running,cancelling&host=gpu-1");
    }
}
