//! Hosts page: a row for each host with its slots and load; kinds, connections and health below, folded unless bad.

mod trend;

use app_state::Zones;
use app_state::actions::{Actions, Question};
use components::hint::Hint;
use components::ident::Ident;
use components::link::A;
use components::permission::needs_and;
use components::placeholders::{Empty, WithSnapshot};
use components::reactive::{mark, maybe, part, spoken, text, whole, word, yes};
use components::slots::Slots;
use display::format;
use display::hosts::{is_healthy, link_words, standing, trouble_of};
use leptos::prelude::*;
use leptos_meta::Title;
use live::OperationStore;
use protocol::HostName;
use protocol::access::Permission;
use protocol::api::{HostLink, HostStatus};
use protocol::host::Health;
use trend::Trend;
pub use trend::{HIGH, HIGH_PRESSURE, Trends};

/// Number of hosts with a problem up to which their details are unfolded.
const MAX_UNFOLDED: usize = 3;

#[component]
pub fn HostsPage() -> impl IntoView {
    view! {
        <Title text="Hosts · Signalbox"/>
        <div class="page-head">
            <h1>"Hosts"</h1>
        </div>
        <Hint page="hosts" text="The services that run operations. Each block is a slot; a filled block links to its operation."/>
        <WithSnapshot lines=6>
            <HostList/>
        </WithSnapshot>
    }
    .into_any()
}

#[component]
fn HostList() -> impl IntoView {
    let hosts = OperationStore::here().hosts();
    let trends = Trends::new();
    let names = Memo::new(move |_| hosts.with(|hosts| by_trouble(hosts, |host| trends.rank(host))));
    let few_bad =
        Memo::new(move |_| hosts.with(|hosts| hosts.iter().filter(|h| is_bad(h)).count() <= MAX_UNFOLDED));
    whole(move || {
        if names.read().is_empty() {
            return view! {
                <Empty
                    title="No hosts configured"
                    text="A host is a service that runs operations. Add a host to the server's configuration, or set bundled = true there to start the bundled hosts."
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
                        view! { <HostCard name host trends few_bad/> }
                    }
                />
            </div>
        }
        .into_any()
    })
}

/// `8 slots`
pub fn slots(count: u32) -> String {
    format!("{count} {}", if count == 1 { "slot" } else { "slots" })
}

/// Names of hosts: first those with a problem, then by the rank of their load, otherwise in the order of the
/// configuration.
fn by_trouble(hosts: &[HostStatus], rank: impl Fn(&HostName) -> u8) -> Vec<HostName> {
    let mut sorted: Vec<&HostStatus> = hosts.iter().collect();
    sorted.sort_by_key(|host| (!is_bad(host), rank(&host.name)));
    sorted.into_iter().map(|host| host.name.clone()).collect()
}

#[component]
fn HostCard(
    name: HostName,
    host: Memo<Option<HostStatus>>,
    trends: Trends,
    few_bad: Memo<bool>,
) -> impl IntoView {
    let standing =
        Memo::new(move |_| host.with(|h| h.as_ref().map_or(link_words(HostLink::Connecting), standing)));
    let drained = Memo::new(move |_| host.with(|h| h.as_ref().filter(|h| h.draining).map(|h| h.running)));
    let capacity = Memo::new(move |_| host.with(|h| h.as_ref().map_or(0, |h| h.capacity)));
    let bad = Memo::new(move |_| host.with(|h| h.as_ref().is_some_and(is_bad)));
    let id = format!("host-{name}");
    let (page, shown) = (format!("/hosts/{name}"), name.to_string());
    let word = part(move || {
        let (link, word) = standing.get();
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
    let trouble = part(move || {
        let trouble = host.with(|h| h.as_ref().map(|h| h.trouble.clone())).filter(|t| !t.is_empty())?;
        Some(view! { <p class="note bad">{trouble}</p> }.into_any())
    });
    view! {
        <article
            class="host"
            aria-labelledby=id.clone()
            data-link=maybe(move || Some(standing.get().0.to_owned()))
            data-drained=mark(move || drained.get().is_some())
        >
            <div class="host-row">
                <header>
                    <h2 id=id.clone()>
                        <A href=page>{shown}</A>
                    </h2>
                    {word}
                    {drained_word}
                </header>
                <div class="host-slots">
                    <Slots name=name.clone() capacity links=true/>
                    <span class="num">{text(move || host.with(|h| h.as_ref().map(used).unwrap_or_default()))}</span>
                </div>
                <Trend host=name.clone() trends/>
                <LastWord host/>
                <DrainButton name=name.clone() of=id.clone() drained/>
            </div>
            <div role="status">{drained_note}</div>
            {trouble}
            <details class="host-more" open=yes(move || bad.get() && few_bad.get())>
                <summary>{text(move || host.with(|h| h.as_ref().map(in_short).unwrap_or_default()))}</summary>
                <HostFacts host/>
            </details>
        </article>
    }
    .into_any()
}

/// `3 running, 8 slots`
pub fn used(host: &HostStatus) -> String {
    format!("{} running, {}", host.running, slots(host.capacity))
}

/// Whether something needs a look: no connection, a problem, or a failed health check.
fn is_bad(host: &HostStatus) -> bool {
    trouble_of(host).is_some()
}

/// Closed details in a line: `Health OK · 12 kinds`.
fn in_short(host: &HostStatus) -> String {
    let health = match host.health.as_ref().map(is_healthy) {
        None => "No health report",
        Some(true) => "Health OK",
        Some(false) => "Not healthy",
    };
    format!("{health} · {}", format::counted(host.kinds.len() as u64, "kind", "kinds"))
}

/// Time of the last contact.
#[component]
fn LastWord(host: Memo<Option<HostStatus>>) -> impl IntoView {
    let (clock, zone) = (OperationStore::here().clock(), Zones::here());
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
        <button {..needs_and(Permission::ManageHosts, || false, Some(of))}
            type="button"
            class="button host-do only-script"
            aria-busy=busy
            on:click=press
        >
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
    let per_second = |bytes| format!("{}/s", format::bytes_of(bytes));
    let facts = [
        ("Reported CPU", health.cpu.map(format::percent)),
        ("Reported memory", health.memory_bytes.map(format::bytes)),
        ("Network in", health.network_in.map(per_second)),
        ("Network out", health.network_out.map(per_second)),
    ];
    let fact = |(name, value): (&'static str, Option<String>)| {
        let value = value.unwrap_or_else(|| "unknown".to_owned());
        view! { <div><dt>{name}</dt><dd class="num">{value}</dd></div> }
    };
    facts.map(fact).collect_view()
}

/// Health checks of the host.
fn checks(health: &Health) -> impl IntoView + use<> {
    let lines = health.checks.iter().map(|check| {
        let (mark, wording) = if check.ok {
            ("ok", "OK".to_owned())
        } else if check.message.is_empty() {
            ("bad", "Not ready".to_owned())
        } else {
            ("bad", check.message.clone())
        };
        view! {
            <li data-check=mark>
                <span class="check-name">{check.name.clone()}</span>
                <span class="check-message">{wording}</span>
            </li>
        }
    });
    (!health.checks.is_empty()).then(|| view! { <ul class="checks">{lines.collect_view()}</ul> })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    fn host() -> HostStatus {
        from_value(json!({
            "name": "gpu-1", "url": "http://gpu-1:7310", "link": "up", "capacity": 8, "running": 3,
            "kinds": ["data.load", "x.y"]
        }))
        .unwrap()
    }

    #[test]
    fn details_open_by_themselves_when_something_is_bad() {
        let mut host = host();
        assert!(!is_bad(&host));
        assert_eq!(
            (used(&host), in_short(&host)),
            ("3 running, 8 slots".into(), "No health report · 2 kinds".into())
        );
        host.trouble = "No answer.".into();
        assert!(is_bad(&host));
        host.trouble.clear();
        host.link = HostLink::Away;
        assert!(is_bad(&host));
    }

    #[test]
    fn hosts_in_trouble_come_first_and_the_others_keep_their_order() {
        let named = |name: &str, link| HostStatus { name: name.parse().unwrap(), link, ..host() };
        let hosts = [
            named("a", HostLink::Up),
            named("b", HostLink::Away),
            named("c", HostLink::Up),
            named("d", HostLink::Away),
            named("e", HostLink::Up),
        ];
        let rank = |host: &HostName| if host.as_str() == "e" { 0 } else { 2 };
        let names: Vec<String> = by_trouble(&hosts, rank).iter().map(ToString::to_string).collect();
        assert_eq!(names, ["b", "d", "e", "a", "c"]);
    }

    #[test]
    fn a_failed_check_is_bad() {
        let with = |ready: bool, ok: bool| {
            let health = from_value(json!({
                "ready": ready, "checks": [{"name": "disk", "ok": ok, "message": ""}], "cpu": 0.5,
                "memory_bytes": 1, "network_in": 0.0, "network_out": 0.0, "running": 0, "free": 8,
                "now": "2026-11-23T10:00:00Z"
            }));
            HostStatus { health: Some(health.unwrap()), ..host() }
        };
        assert_eq!(
            (is_bad(&with(true, true)), in_short(&with(true, true)).as_str()),
            (false, "Health OK · 2 kinds")
        );
        for bad in [with(true, false), with(false, true)] {
            assert_eq!((is_bad(&bad), in_short(&bad).as_str()), (true, "Not healthy · 2 kinds"));
        }
    }
}
