//! Head of a host's page: its state and address, the figures of now, and the choice of the time.

use super::history::Charted;
use super::panels::now;
use super::span::{CHOICES, Span};
use crate::pages::hosts::{HIGH, HIGH_PRESSURE, Trends, used};
use app_state::Zones;
use components::headline::{HeadFigure, Headline, Tone};
use components::link::A;
use components::moment::Ago;
use components::reactive::{part, text};
use components::slots::Slots;
use display::format;
use display::hosts::standing;
use leptos::prelude::*;
use protocol::api::{HostLink, HostStatus};
use protocol::history::History;
use protocol::host_trends::HostTrend;
use protocol::{HostName, Time};

/// Name, connection, slots, address, and since when the process runs.
#[component]
pub fn Head(name: HostName, host: Memo<Option<HostStatus>>) -> impl IntoView {
    let capacity = Memo::new(move |_| host.with(|h| h.as_ref().map_or(0, |h| h.capacity)));
    let link = part(move || {
        let ((link, word), draining) = host.with(|h| h.as_ref().map(|h| (standing(h), h.draining)))?;
        let drained = draining.then(|| view! { <span class="drained-word">"Drained"</span> });
        Some(view! { <span class="link-word" data-link=link>{word}</span> {drained} }.into_any())
    });
    let used = text(move || host.with(|h| h.as_ref().map(used).unwrap_or_default()));
    let facts = Memo::new(move |_| {
        host.with(|h| {
            let h = h.as_ref()?;
            let started = h.instance.and_then(|instance| instance.created_at());
            Some((h.url.clone(), h.version.clone(), started, h.heard_at.filter(|_| h.link != HostLink::Up)))
        })
    });
    let facts = part(move || {
        let (url, version, started, seen) = facts.get()?;
        let version = (!version.is_empty()).then(|| view! { <span>"Version " {version}</span> });
        let started = started.map(|at| view! { <span>"Started " <Ago at/></span> });
        let seen = seen.map(|at| view! { <span>"Last seen " <Ago at/></span> });
        Some(
            view! { <p class="host-facts muted"><code>{url}</code> {version} {started} {seen}</p> }
                .into_any(),
        )
    });
    let trouble = part(move || {
        let trouble = host.with(|h| h.as_ref().map(|h| h.trouble.clone())).filter(|t| !t.is_empty())?;
        Some(view! { <p class="note bad">{trouble}</p> }.into_any())
    });
    view! {
        <div class="page-head host-head">
            <h1>{name.to_string()}</h1>
            {link}
            <span class="host-slots">
                <Slots name capacity links=true/>
                <span class="muted num">{used}</span>
            </span>
        </div>
        {facts}
        <div role="status">{trouble}</div>
    }
    .into_any()
}

/// Figures of now: CPU, memory, pressure of the newest sample; latency and errors of the last five minutes.
#[component]
pub fn Figures(name: HostName, charted: Charted, trends: Trends) -> impl IntoView {
    let figures = Signal::derive(move || {
        let trend = trends.of(&name);
        charted.answer.with(|answer| {
            let history = answer.as_ref().filter(|answer| answer.is_live()).map(|answer| &*answer.history);
            figures(history, trend.as_ref())
        })
    });
    view! { <Headline figures/> }.into_any()
}

fn figures(history: Option<&History>, trend: Option<&HostTrend>) -> Vec<HeadFigure> {
    let figure = |label: &str, means, value: Option<f64>, high: f64| HeadFigure {
        label: label.to_owned(),
        value: value.map_or_else(|| "Unknown".to_owned(), format::percent),
        means,
        tone: if value.is_some_and(|value| value >= high) { Tone::Warn } else { Tone::Plain },
        ..HeadFigure::default()
    };
    let of = |metric: &str| history.and_then(|history| now(history, metric));
    let mut figures = Vec::new();
    if history.is_some_and(|history| !history.metrics.is_empty()) {
        let memory = of("memory.used_bytes").zip(of("memory.total_bytes")).map(|(used, total)| used / total);
        let pressure = ["cpu", "memory", "io"]
            .into_iter()
            .filter_map(|what| of(&format!("pressure.{what}.some_ratio")))
            .reduce(f64::max);
        let used = of("memory.used_bytes").map(format::bytes_of).unwrap_or_default();
        figures = vec![
            figure("CPU", "Used share of all CPU cores, newest sample", of("cpu.busy_ratio"), HIGH),
            HeadFigure {
                note: used,
                ..figure("Memory", "Used memory of the machine, newest sample", memory, HIGH)
            },
            figure(
                "Pressure",
                "Share of time in which a task waited for CPU, memory or disk: the largest of the three, newest sample",
                pressure,
                HIGH_PRESSURE,
            ),
        ];
    }
    if let Some(trend) = trend.filter(|trend| trend.requests > 0) {
        let requests = format::counted(trend.requests, "request", "requests");
        figures.push(HeadFigure {
            label: "p95 latency".to_owned(),
            value: trend
                .p95_seconds
                .map_or_else(|| "Unknown".to_owned(), |p95| display::hosts::latency(p95 * 1_000.0)),
            note: "last 5 min".to_owned(),
            means: "95 % of the server's requests to the host in the last five minutes were faster than this",
            tone: Tone::Plain,
        });
        figures.push(HeadFigure {
            label: "Errors".to_owned(),
            value: format::count(trend.errors),
            note: format!("of {requests}"),
            means: "Requests in the last five minutes without a usable response",
            tone: if trend.errors > 0 { Tone::Bad } else { Tone::Plain },
        });
    }
    figures
}

/// Links to the other times; what a point stands for, and the zoomed time if there is one.
#[component]
pub fn SpanChoice(name: HostName, span: Memo<Span>, charted: Charted) -> impl IntoView {
    let zone = Zones::here();
    let choices = part(move || {
        let shown = span.get();
        let choices = CHOICES.iter().enumerate().map(|(n, (_, label, _))| {
            let to = format!("/hosts/{name}{}", Span::Live(n).query());
            let current = (shown == Span::Live(n)).then_some("page");
            view! {
                <li>
                    <A href=to attr:class="span-choice" attr:aria-current=current>
                        <span class="unseen">"Last "</span>
                        {*label}
                    </A>
                </li>
            }
            .into_any()
        });
        Some(
            view! {
                <nav class="span-choices" aria-label="Period of the charts">
                    <ul>{choices.collect_view()}</ul>
                </nav>
            }
            .into_any(),
        )
    });
    let state = text(move || match span.get() {
        Span::Fixed { from, to } => {
            let zone = zone.get();
            let at = |second: i64| Time::from_micros(second.saturating_mul(1_000_000));
            format!("{} to {}", zone.moment(at(from)), zone.moment(at(to)))
        }
        Span::Live(_) => "Live".to_owned(),
    });
    let step = Memo::new(move |_| {
        charted.answer.with(|answer| answer.as_ref().map(|answer| answer.history.bucket_seconds))
    });
    let step = text(move || {
        step.get().map(|step| format!("{} per point", format::duration(f64::from(step)))).unwrap_or_default()
    });
    view! {
        {choices}
        <span class="span-state num" data-live=components::reactive::mark(move || matches!(span.get(), Span::Live(_)))>{state}</span>
        <span class="muted num">{step}</span>
        <span class="muted span-hint only-script">"Drag over a chart to zoom"</span>
    }
    .into_any()
}

/// Other hosts on the same machine; absent if there are none.
#[component]
pub fn Machine(name: HostName, charted: Charted) -> impl IntoView {
    let others = Memo::new(move |_| {
        charted.answer.with(|answer| {
            let hosts = answer.as_ref().map(|answer| answer.history.machine_hosts.as_slice());
            hosts.unwrap_or_default().iter().filter(|other| **other != name).cloned().collect::<Vec<_>>()
        })
    });
    part(move || {
        let others: Vec<AnyView> = others
            .get()
            .into_iter()
            .enumerate()
            .map(|(n, other)| {
                let separator = if n == 0 { " " } else { ", " };
                let (to, other) = (format!("/hosts/{other}"), other.to_string());
                view! { {separator} <A href=to>{other}</A> }.into_any()
            })
            .collect();
        (!others.is_empty()).then(|| {
            view! { <p class="muted host-machine">"Same machine as" {others} ". Hosts of one machine have the same charts of the machine."</p> }
                .into_any()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::history::MetricHistory;

    #[test]
    fn an_unknown_figure_is_said_to_be_unknown_and_never_zero() {
        let values = |value| MetricHistory { mean: vec![value], ..MetricHistory::default() };
        let history = History {
            from: Time::from_micros(0),
            bucket_seconds: 1,
            buckets: 1,
            resolution_seconds: 1,
            machine_hosts: Vec::new(),
            metrics: [("cpu.busy_ratio".to_owned(), values(Some(0.95)))].into(),
        };
        let shown = figures(Some(&history), None);
        let values: Vec<&str> = shown.iter().map(|figure| figure.value.as_str()).collect();
        assert_eq!(values, ["95 %", "Unknown", "Unknown"]);
        assert_eq!((shown[0].tone, shown[1].tone), (Tone::Warn, Tone::Plain));
        assert_eq!(figures(None, None), []);
    }
}
