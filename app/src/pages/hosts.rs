//! Hosts: whether each is heard, what it can do, how busy and how healthy it is.

use crate::components::faces::{Empty, WithSnapshot};
use crate::components::ident::Ident;
use crate::format;
use crate::live::Live;
use crate::reactive::{part, text, whole};
use leptos::prelude::*;
use leptos_meta::Title;
use protocol::api::{HostLink, HostStatus};
use protocol::host::Health;

/// The page.
#[component]
pub fn HostsPage() -> impl IntoView {
    view! {
        <Title text="Hosts · Signalbox"/>
        <div class="page-head">
            <h1>"Hosts"</h1>
        </div>
        <WithSnapshot lines=6>
            <HostList/>
        </WithSnapshot>
    }
    .into_any()
}

#[component]
fn HostList() -> impl IntoView {
    let hosts = Live::here().hosts();
    let names =
        Memo::new(move |_| hosts.with(|hosts| hosts.iter().map(|h| h.name.clone()).collect::<Vec<_>>()));
    whole(move || {
        if names.read().is_empty() {
            return view! {
                <Empty
                    title="No hosts are configured."
                    text="A host is a service that does the work. Name one in the server's configuration, or start the server without any: it then brings its own."
                >
                    ()
                </Empty>
            }
            .into_any();
        }
        view! {
            <div class="hosts">
                <For
                    each=move || names.get()
                    key=|name| name.clone()
                    children=move |name| {
                        let host = Memo::new(move |_| hosts.with(|hosts| hosts.iter().find(|h| h.name == name).cloned()));
                        view! { <HostCard host/> }
                    }
                />
            </div>
        }
        .into_any()
    })
}

/// The link's word and the colour that goes with it.
pub fn link_words(link: HostLink) -> (&'static str, &'static str) {
    match link {
        HostLink::Up => ("up", "heard"),
        HostLink::Connecting => ("connecting", "not reached yet"),
        HostLink::Away => ("away", "no word"),
    }
}

#[component]
fn HostCard(host: Memo<Option<HostStatus>>) -> impl IntoView {
    let clock = Live::here().clock();
    // What a host is told by changes as a whole, every few seconds: the card is drawn anew.
    part(move || {
        let host = host.get()?;
        let (link, word) = link_words(host.link);
        let heard = host.heard_at.map(|at| {
            let words = move || match link {
                "up" => "last word just now".to_owned(),
                _ => format!("last word {}", format::ago(clock.get().seconds_since(at))),
            };
            view! { <time datetime=at.to_string() title=format::moment(at)>{text(words)}</time> }
        });
        let c = host.connections;
        let facts = [
            ("Running", format!("{} of {}", host.running, host.capacity)),
            ("Connections", format!("{} opened", format::count(c.opened))),
            ("Requests", format::count(c.requests)),
            ("Reused", format::count(c.reused)),
            ("Retries", format::count(c.retries)),
            ("Failures", format::count(c.failures)),
        ];
        let kinds = host.kinds.iter().map(|kind| view! { <span class="kind">{kind.to_string()}</span> });
        let instance = host.instance.map(|i| view! { <Ident short=i.short() whole=i.to_string()/> });
        Some(
            view! {
                <article class="card host" data-link=link>
                    <header>
                        <h2>{host.name.to_string()}</h2>
                        <span class="link-word" data-link=link>{word}</span>
                        <span class="muted">{heard}</span>
                    </header>
                    {(!host.trouble.is_empty()).then(|| view! { <p class="note bad">{host.trouble.clone()}</p> })}
                    <p class="host-kinds">{kinds.collect_view()}</p>
                    <dl class="facts">
                        {facts.map(|(name, value)| view! { <div><dt>{name}</dt><dd class="num">{value}</dd></div> }).collect_view()}
                        {host.health.as_ref().map(health_facts)}
                    </dl>
                    {host.health.as_ref().map(checks)}
                    <footer class="muted">
                        <code>{host.url.clone()}</code>
                        {(!host.version.is_empty()).then(|| format!("version {}", host.version))}
                        {instance}
                    </footer>
                </article>
            }
            .into_any(),
        )
    })
}

fn health_facts(health: &Health) -> impl IntoView + use<> {
    let facts = [
        ("Processor", format::percent(health.cpu)),
        ("Memory", format::bytes(health.memory_bytes)),
        ("Network in", format!("{}/s", format::bytes(health.network_in.max(0.0) as u64))),
        ("Network out", format!("{}/s", format::bytes(health.network_out.max(0.0) as u64))),
    ];
    facts.map(|(name, value)| view! { <div><dt>{name}</dt><dd class="num">{value}</dd></div> }).collect_view()
}

/// What the host depends on.
fn checks(health: &Health) -> impl IntoView + use<> {
    let lines = health.checks.iter().map(|check| {
        let (mark, said) = if check.ok {
            ("ok", "fine".to_owned())
        } else if check.message.is_empty() {
            ("bad", "not ready".to_owned())
        } else {
            ("bad", check.message.clone())
        };
        view! {
            <li data-check=mark>
                <span class="check-name">{check.name.clone()}</span>
                <span>{said}</span>
            </li>
        }
    });
    (!health.checks.is_empty()).then(|| view! { <ul class="checks">{lines.collect_view()}</ul> })
}
