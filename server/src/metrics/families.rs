//! Metrics of the server, its operations, alerts and hosts.

use super::Figures;
use super::histograms::{Bounds, Durations};
use crate::alerts::{AlertFigures, MessageFigures};
use crate::served::{OUTCOMES, ServedRoute};
use otlp::Signal;
use pool::{Outcome, Requests, RouteMetrics};
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Unit;
use protocol::api::{HostLink, HostStatus};
use protocol::{HostName, KindName, State};
use std::collections::BTreeMap;
use std::fmt;

/// Encoder of all families.
type Out<'a> = DescriptorEncoder<'a>;
/// Labels of a sample.
type Labels<'a> = Vec<(&'static str, &'a str)>;

/// The server itself.
pub(super) fn server(out: &mut Out<'_>, figures: &Figures) -> fmt::Result {
    let version = Info::new([("version", figures.snapshot.version.clone())]);
    one(out, "signalbox_build", "Version of the server", &version)?;
    one(out, "signalbox_events", "Recorded events", &ConstCounter::new(figures.snapshot.seq))?;
    one(out, "signalbox_streams", "Open event streams", &ConstGauge::new(figures.streams))?;
    let connections = ConstGauge::new(figures.connections);
    one(out, "signalbox_connections", "Open connections of clients", &connections)?;
    let reached = figures.limits_reached.iter();
    let reached = reached.map(|(limit, count)| (vec![("limit", limit.name())], ConstCounter::new(*count)));
    let help = "Requests and connections that a request limit rejected or ended";
    family(out, "signalbox_limits_reached", help, None, reached)?;
    if let Some(waiting) = figures.audit_entries_waiting {
        let help = "Audit entries that the webhook has not accepted yet";
        one(out, "signalbox_audit_entries_waiting", help, &ConstGauge::new(waiting))?;
    }
    let trouble = ConstGauge::new(u64::from(figures.store_trouble));
    one(out, "signalbox_store_trouble", "1 while the database can't be written", &trouble)
}

/// Operations by state and by kind.
pub(super) fn operations(out: &mut Out<'_>, figures: &Figures) -> fmt::Result {
    let by_state = figures.snapshot.counts.iter().map(|of| (vec![("state", of.state.as_str())], of.count));
    gauges(out, "signalbox_operations", "Stored operations by state", by_state)?;
    let waits = queue_waits(figures);
    let waits = waits.iter().map(|(kind, seconds)| (of_kind(kind), ConstGauge::new(*seconds)));
    let help = "Longest current wait of a queued operation of the kind, since the time at which it could have started";
    family(out, "signalbox_queue_longest_wait", help, Some(Unit::Seconds), waits)?;
    let tallies = &figures.tallies;
    let started = tallies.iter().map(|(kind, tally)| (of_kind(kind), ConstCounter::new(tally.started)));
    family(out, "signalbox_operations_started", "Attempts that a host started", None, started)?;
    let ended = tallies.iter().flat_map(|(kind, tally)| {
        let ended = State::ALL.into_iter().filter(|state| state.ended());
        ended.map(move |state| {
            let labels = vec![("kind", kind.as_str()), ("state", state.as_str())];
            (labels, ConstCounter::new(tally.ended.get(&state).copied().unwrap_or(0)))
        })
    });
    family(out, "signalbox_operations_ended", "Ended attempts by final state", None, ended)?;
    let durations = |histogram| Durations { histogram, bounds: Bounds::OPERATIONS };
    let waited = tallies.iter().map(|(kind, tally)| (of_kind(kind), durations(&tally.queue_wait)));
    let help = "Queue wait of an attempt, from the time at which it could have started to its start";
    family(out, "signalbox_operation_queue_wait", help, Some(Unit::Seconds), waited)?;
    let ran = tallies.iter().map(|(kind, tally)| (of_kind(kind), durations(&tally.duration)));
    let help = "Time from the start of an attempt to its end";
    family(out, "signalbox_operation_duration", help, Some(Unit::Seconds), ran)
}

/// Longest wait in seconds of each known kind.
fn queue_waits(figures: &Figures) -> BTreeMap<&KindName, f64> {
    let mut waits: BTreeMap<&KindName, f64> = figures.tallies.keys().map(|kind| (kind, 0.0)).collect();
    for operation in figures.snapshot.operations.iter().filter(|op| op.state == State::Queued) {
        let wait = figures.snapshot.now.seconds_since(operation.ready_at());
        let longest = waits.entry(&operation.kind).or_default();
        *longest = longest.max(wait);
    }
    waits
}

/// Alerts, and the messages about them.
pub(super) fn alerts(out: &mut Out<'_>, figures: &AlertFigures) -> fmt::Result {
    let states = figures.states.iter().map(|(state, count)| (vec![("state", state.as_str())], *count));
    gauges(out, "signalbox_alerts", "Alerts by state", states)?;
    let firing = figures.rules.iter().map(|rule| {
        let labels = vec![("rule", rule.name.as_str()), ("severity", rule.severity.as_str())];
        (labels, u64::from(rule.firing))
    });
    gauges(out, "signalbox_alerts_firing", "Firing alerts of the rule", firing)?;
    let ended = figures.destinations.iter().flat_map(|(destination, messages)| {
        [("delivered", messages.delivered), ("given_up", messages.given_up)].map(|(outcome, count)| {
            let labels = vec![("destination", destination.as_str()), ("outcome", outcome)];
            (labels, ConstCounter::new(count))
        })
    });
    family(out, "signalbox_alert_notifications", "Notifications by outcome", None, ended)?;
    let waiting =
        |(destination, messages): (&'_ String, &MessageFigures)| (destination.clone(), messages.waiting);
    let waiting: Vec<(String, u64)> = figures.destinations.iter().map(waiting).collect();
    let waiting =
        waiting.iter().map(|(destination, count)| (vec![("destination", destination.as_str())], *count));
    gauges(out, "signalbox_alert_notifications_waiting", "Notifications waiting for delivery", waiting)
}

/// Requests to the server, by route.
pub(super) fn served(out: &mut Out<'_>, routes: &[ServedRoute]) -> fmt::Result {
    fn of(route: &ServedRoute) -> Labels<'_> {
        vec![("method", route.method), ("route", &*route.route)]
    }
    let outcomes = routes.iter().flat_map(|route| {
        OUTCOMES.map(|outcome| {
            let mut labels = of(route);
            labels.push(("outcome", outcome.name()));
            (labels, ConstCounter::new(route.requests.ended(outcome)))
        })
    });
    family(out, "signalbox_http_requests", "Requests to the server by outcome", None, outcomes)?;
    let durations = routes
        .iter()
        .map(|route| (of(route), Durations { histogram: &route.requests.latency, bounds: Bounds::REQUESTS }));
    let help = "Time from the arrival of a request at the server to the beginning of the response";
    family(out, "signalbox_http_request_duration", help, Some(Unit::Seconds), durations)
}

/// Export over OTLP.
pub(super) fn exported(out: &mut Out<'_>, counts: Option<&otlp::Counts>) -> fmt::Result {
    let entries = counts.into_iter().flat_map(|counts| {
        Signal::ALL.into_iter().flat_map(|signal| {
            let count = counts.of(signal);
            [("sent", count.sent()), ("dropped", count.dropped())].map(|(outcome, entries)| {
                (vec![("signal", signal.name()), ("outcome", outcome)], ConstCounter::new(entries))
            })
        })
    });
    family(
        out,
        "signalbox_otlp_entries",
        "Data points, spans and log records by outcome of their export",
        None,
        entries,
    )
}

/// Connections and slots of the hosts.
pub(super) fn hosts(out: &mut Out<'_>, hosts: &[HostStatus]) -> fmt::Result {
    let gauge =
        |value: fn(&HostStatus) -> u64| hosts.iter().map(move |host| (of_host(&host.name), value(host)));
    let counter = |value: fn(&HostStatus) -> u64| {
        hosts.iter().map(move |host| (of_host(&host.name), ConstCounter::new(value(host))))
    };
    let up = gauge(|host| u64::from(host.link == HostLink::Up));
    gauges(out, "signalbox_host_up", "1 while the host is connected", up)?;
    let draining = gauge(|host| u64::from(host.draining));
    gauges(
        out,
        "signalbox_host_draining",
        "1 while the host is drained, so that it gets no new operations",
        draining,
    )?;
    let running = gauge(|host| u64::from(host.running));
    gauges(out, "signalbox_host_running", "Operations assigned to the host", running)?;
    let slots = gauge(|host| u64::from(host.capacity));
    gauges(out, "signalbox_host_slots", "Operations that the host runs at once", slots)?;
    let opened = counter(|host| host.connections.opened);
    family(out, "signalbox_host_connections_opened", "Connections opened to the host", None, opened)?;
    let reused = counter(|host| host.connections.reused);
    family(out, "signalbox_host_connections_reused", "Requests over a reused connection", None, reused)
}

/// Requests by host and route.
pub(super) fn host_requests(out: &mut Out<'_>, hosts: &[(HostName, Vec<RouteMetrics>)]) -> fmt::Result {
    let routes = || {
        hosts.iter().flat_map(|(host, routes)| {
            routes.iter().map(move |route| {
                let labels = vec![("host", host.as_str()), ("method", route.method), ("route", route.route)];
                (labels, &route.total)
            })
        })
    };
    let outcomes = routes().flat_map(|(labels, requests)| {
        Outcome::ALL.map(|outcome| {
            let mut labels = labels.clone();
            labels.push(("outcome", outcome.name()));
            (labels, ConstCounter::new(requests.ended(outcome)))
        })
    });
    let help = "Requests to the host by outcome; retries count separately";
    family(out, "signalbox_host_requests", help, None, outcomes)?;
    let bytes = |of: fn(&Requests) -> u64| {
        routes().map(move |(labels, requests)| (labels, ConstCounter::new(of(requests))))
    };
    let sent = bytes(|requests| requests.sent_bytes);
    let help = "Bytes of request bodies to the host";
    family(out, "signalbox_host_request_sent", help, Some(Unit::Bytes), sent)?;
    let received = bytes(|requests| requests.received_bytes);
    let help = "Bytes of response bodies from the host";
    family(out, "signalbox_host_request_received", help, Some(Unit::Bytes), received)?;
    let durations = routes().map(|(labels, requests)| {
        (labels, Durations { histogram: &requests.latency, bounds: Bounds::REQUESTS })
    });
    let help = "Time from a request to the last byte of its response";
    family(out, "signalbox_host_request_duration", help, Some(Unit::Seconds), durations)
}

fn of_host(host: &HostName) -> Labels<'_> {
    vec![("host", host.as_str())]
}

fn of_kind(kind: &KindName) -> Labels<'_> {
    vec![("kind", kind.as_str())]
}

fn one(out: &mut Out<'_>, name: &str, help: &str, metric: &impl EncodeMetric) -> fmt::Result {
    metric.encode(out.encode_descriptor(name, help, None, metric.metric_type())?)
}

fn gauges<'a>(
    out: &mut Out<'_>,
    name: &str,
    help: &str,
    samples: impl Iterator<Item = (Labels<'a>, u64)>,
) -> fmt::Result {
    family(out, name, help, None, samples.map(|(labels, value)| (labels, ConstGauge::new(value))))
}

/// Family of samples; nothing if there are none. The encoder adds the unit to the name, and `_total` to that of a
/// counter.
pub(super) fn family<'a, M: EncodeMetric>(
    out: &mut Out<'_>,
    name: &str,
    help: &str,
    unit: Option<Unit>,
    samples: impl Iterator<Item = (Labels<'a>, M)>,
) -> fmt::Result {
    let mut samples = samples.peekable();
    let Some(kind) = samples.peek().map(|(_, metric)| metric.metric_type()) else { return Ok(()) };
    let mut family = out.encode_descriptor(name, help, unit.as_ref(), kind)?;
    for (labels, metric) in samples {
        metric.encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}
