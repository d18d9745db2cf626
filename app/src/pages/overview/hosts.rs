//! Hosts with their slots, each a link to its operations.

use crate::pages::hosts::slots;
use components::link::A;
use components::reactive::whole;
use components::slots::Slots;
use display::format;
use display::hosts::{link_words, standing};
use leptos::prelude::*;
use live::{OperationStore, query};
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
    let rows = whole(move || {
        let rows: Vec<_> =
            busy.with(|busy| hosts.with(|hosts| hosts.iter().map(|host| row(host, busy)).collect()));
        if rows.is_empty() {
            return view! {
                <p class="muted quiet-line">
                    "No hosts configured, so nothing can run. " <A href="/hosts">"How to add a host"</A>
                </p>
            }
            .into_any();
        }
        view! { <ul class="card host-rows" aria-label="Hosts: slots in use">{rows}</ul> }.into_any()
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

fn row(host: &HostStatus, busy: &HashMap<protocol::HostName, u32>) -> AnyView {
    let (link, word) = standing(host);
    let running = busy.get(&host.name).copied().unwrap_or_default();
    let href = query::url("/operations", [("host", host.name.as_str())]);
    let title = format!("{word}. Show operations of {}", host.name);
    let (name, (first, rest)) = (host.name.to_string(), in_words(host, running));
    let first = match host.link == HostLink::Up && running > 0 {
        true => {
            let title = format!("Show running operations of {}", host.name);
            view! { <A href=running_on(host.name.as_str()) attr:title=title>{first}</A> }.into_any()
        }
        false => first.into_any(),
    };
    let blocks = (host.link == HostLink::Up).then(|| {
        let capacity = Signal::stored(host.capacity);
        view! { <Slots name=host.name.clone() capacity links=true/> }.into_any()
    });
    let cpu = host.health.as_ref().and_then(|health| health.cpu).map(|cpu| {
        view! { <span class="muted num host-cpu">{format!("CPU {}", format::percent(cpu))}</span> }
    });
    view! {
        <li>
            <A href attr:class="link-word" attr:data-link=link attr:title=title>
                {name}
            </A>
            {blocks}
            <span class="muted num">{first} {rest}</span>
            {cpu}
        </li>
    }
    .into_any()
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
