//! Hosts page: connection, kinds, load and health of each host, with drain and undrain.

use crate::actions::{Actions, Question};
use crate::components::ident::Ident;
use crate::components::placeholders::{Empty, WithSnapshot};
use crate::live::Live;
use crate::reactive::{mark, maybe, part, spoken, text, whole, word};
use crate::zone::Zones;
use display::format;
use leptos::prelude::*;
use leptos_meta::Title;
use protocol::HostName;
use protocol::api::{HostLink, HostStatus};
use protocol::host::Health;

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
                    title="No hosts configured"
                    text="A host is a service that runs operations. Add one to the server's configuration, or start the server without hosts: it then starts a built-in one."
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
                        let of = name.clone();
                        let host = Memo::new(move |_| hosts.with(|hosts| hosts.iter().find(|h| h.name == of).cloned()));
                        view! { <HostCard name host/> }
                    }
                />
            </div>
        }
        .into_any()
    })
}

/// Name of a connection state for CSS, and its label.
pub fn link_words(link: HostLink) -> (&'static str, &'static str) {
    match link {
        HostLink::Up => ("up", "Connected"),
        HostLink::Connecting => ("connecting", "Connecting"),
        HostLink::Away => ("away", "Unreachable"),
    }
}

/// `8 slots`
pub fn slots(count: u32) -> String {
    format!("{count} {}", if count == 1 { "slot" } else { "slots" })
}

#[component]
fn HostCard(name: HostName, host: Memo<Option<HostStatus>>) -> impl IntoView {
    let link = Memo::new(move |_| host.with(|h| h.as_ref().map_or(HostLink::Connecting, |h| h.link)));
    let drained = Memo::new(move |_| host.with(|h| h.as_ref().filter(|h| h.draining).map(|h| h.running)));
    let id = format!("host-{name}");
    let word = part(move || {
        let (link, word) = link_words(link.get());
        Some(view! { <span class="link-word" data-link=link>{word}</span> }.into_any())
    });
    let drained_word =
        part(move || drained.get().map(|_| view! { <span class="drained-word">"Drained"</span> }.into_any()));
    // Always rendered, so that screen readers announce changes.
    let drained_note = part(move || {
        drained
            .get()
            .map(|running| view! { <p class="note warn">{display::hosts::drained(running)}</p> }.into_any())
    });
    view! {
        <article
            class="card host"
            aria-labelledby=id.clone()
            data-link=maybe(move || Some(link_words(link.get()).0.to_owned()))
            data-drained=mark(move || drained.get().is_some())
        >
            <header>
                <h2 id=id.clone()>{name.to_string()}</h2>
                {word}
                {drained_word}
                <LastWord host/>
                <DrainButton name of=id.clone() drained/>
            </header>
            <div role="status">{drained_note}</div>
            <HostFacts host/>
        </article>
    }
    .into_any()
}

/// Time of the last contact.
#[component]
fn LastWord(host: Memo<Option<HostStatus>>) -> impl IntoView {
    let (clock, zone) = (Live::here().clock(), Zones::here());
    part(move || {
        let (up, at) = host.with(|h| h.as_ref().and_then(|h| Some((h.link == HostLink::Up, h.heard_at?))))?;
        let words = move || match up {
            true => "Last seen just now".to_owned(),
            false => format!("Last seen {}", format::ago(clock.get().seconds_since(at))),
        };
        Some(
            view! {
                <span class="muted">
                    <time datetime=at.to_string() title=text(move || zone.get().moment(at))>{text(words)}</time>
                </span>
            }
            .into_any(),
        )
    })
}

/// Drain or undrain button. One element for both, so that it keeps the focus; `of` is the id of the host's heading.
#[component]
fn DrainButton(name: HostName, of: String, drained: Memo<Option<u32>>) -> impl IntoView {
    let actions = Actions::here();
    let pending = {
        let name = name.clone();
        move || actions.host_pending(&name)
    };
    // Marked busy, not disabled: a disabled button loses the focus.
    let busy = spoken(pending);
    let press = move |_| match drained.get_untracked() {
        Some(_) => actions.drain_now(name.clone(), false),
        None => actions.question.set(Some(Question::Drain(name.clone()))),
    };
    view! {
        <button type="button" class="button host-do only-script" aria-describedby=of aria-busy=busy on:click=press>
            {word(move || if drained.get().is_some() { "Undrain" } else { "Drain…" })}
        </button>
    }
    .into_any()
}

/// All other facts. Rendered as a whole every few seconds.
#[component]
fn HostFacts(host: Memo<Option<HostStatus>>) -> impl IntoView {
    part(move || {
        let host = host.get()?;
        let c = host.connections;
        let latency = host.latency_ms.map_or_else(|| "Unknown".to_owned(), display::hosts::latency);
        let reused = c.reused as f64 / c.requests.max(1) as f64;
        let facts = [
            ("Running", format!("{} of {}", host.running, slots(host.capacity))),
            ("Latency", latency),
            (
                "Connections",
                format!("{} opened, {} reused", format::count(c.opened), format::percent(reused)),
            ),
            ("Requests", format::count(c.requests)),
            ("Retries", format::count(c.retries)),
            ("Failures", format::count(c.failures)),
        ];
        let kinds = host.kinds.iter().map(|kind| view! { <span class="kind">{kind.to_string()}</span> });
        let instance = host.instance.map(|i| view! { <Ident short=i.short() whole=i.to_string()/> });
        Some(
            view! {
                {(!host.trouble.is_empty()).then(|| view! { <p class="note bad">{host.trouble.clone()}</p> })}
                <p class="host-kinds">{kinds.collect_view()}</p>
                <dl class="facts">
                    {facts.map(|(name, value)| view! { <div><dt>{name}</dt><dd class="num">{value}</dd></div> }).collect_view()}
                    {host.health.as_ref().map(health_facts)}
                </dl>
                {host.health.as_ref().map(checks)}
                <footer class="muted">
                    <code>{host.url.clone()}</code>
                    {(!host.version.is_empty()).then(|| format!("Version {}", host.version))}
                    {instance}
                </footer>
            }
            .into_any(),
        )
    })
}

fn health_facts(health: &Health) -> impl IntoView + use<> {
    let facts = [
        ("CPU", format::percent(health.cpu)),
        ("Memory", format::bytes(health.memory_bytes)),
        ("Network in", format!("{}/s", format::bytes_of(health.network_in))),
        ("Network out", format!("{}/s", format::bytes_of(health.network_out))),
    ];
    facts.map(|(name, value)| view! { <div><dt>{name}</dt><dd class="num">{value}</dd></div> }).collect_view()
}

/// Health checks of the host.
fn checks(health: &Health) -> impl IntoView + use<> {
    let lines = health.checks.iter().map(|check| {
        let (mark, said) = if check.ok {
            ("ok", "OK".to_owned())
        } else if check.message.is_empty() {
            ("bad", "Not ready".to_owned())
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
