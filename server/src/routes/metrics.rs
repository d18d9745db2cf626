//! Server metrics in the OpenMetrics text format.

use crate::state::{AllKinds, Server};
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use histogram::Histogram;
use pool::{Outcome, RouteMetrics};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use protocol::HostName;
use protocol::api::{HostLink, HostStatus, Snapshot};
use std::fmt;
use std::sync::atomic::Ordering;

/// Media type of the format.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Server metrics in the OpenMetrics text format, which Prometheus reads.
#[utoipa::path(get, path = "/metrics", tag = "probes",
    responses((status = 200, body = String, content_type = "application/openmetrics-text")))]
pub async fn metrics(State(server): State<Server>, AllKinds { engine, .. }: AllKinds) -> impl IntoResponse {
    let now = Figures {
        snapshot: engine.snapshot(),
        streams: server.streams.load(Ordering::Relaxed),
        store_trouble: engine.store_fault().is_some(),
        requests: engine.host_requests(),
    };
    ([(header::CONTENT_TYPE, OPENMETRICS)], now.text())
}

/// Figures at the time of the request. Nothing is counted for metrics alone.
#[derive(Debug)]
struct Figures {
    snapshot: Snapshot,
    streams: u64,
    store_trouble: bool,
    /// Requests to each host, by route.
    requests: Vec<(HostName, Vec<RouteMetrics>)>,
}

impl Figures {
    fn text(self) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry)
            .expect("writing to a String can't fail");
        text
    }
}

impl Collector for Figures {
    fn encode(&self, mut out: DescriptorEncoder<'_>) -> fmt::Result {
        let mut family = out.encode_descriptor(
            "signalbox_operations",
            "Stored operations by state",
            None,
            MetricType::Gauge,
        )?;
        for count in &self.snapshot.counts {
            let labels = [("state", count.state.to_string())];
            ConstGauge::new(count.count).encode(family.encode_family(&labels)?)?;
        }
        one(&mut out, "signalbox_events", "Recorded events", &ConstCounter::new(self.snapshot.seq))?;
        one(&mut out, "signalbox_streams", "Open event streams", &ConstGauge::new(self.streams))?;
        let unwritable = ConstGauge::new(u64::from(self.store_trouble));
        one(&mut out, "signalbox_store_trouble", "1 while the database can't be written", &unwritable)?;
        let hosts = &self.snapshot.hosts;
        let up = |host: &HostStatus| ConstGauge::new(u64::from(host.link == HostLink::Up));
        per_host(&mut out, hosts, "signalbox_host_up", "1 while the host is connected", up)?;
        let running = |host: &HostStatus| ConstGauge::new(host.running);
        per_host(&mut out, hosts, "signalbox_host_running", "Operations assigned to the host", running)?;
        let opened = |host: &HostStatus| ConstCounter::new(host.connections.opened);
        per_host(
            &mut out,
            hosts,
            "signalbox_host_connections_opened",
            "Connections opened to the host",
            opened,
        )?;
        let reused = |host: &HostStatus| ConstCounter::new(host.connections.reused);
        per_host(
            &mut out,
            hosts,
            "signalbox_host_connections_reused",
            "Requests over a reused connection",
            reused,
        )?;
        host_requests(&mut out, &self.requests)
    }
}

/// Requests by host, route and outcome, and their durations.
fn host_requests(out: &mut DescriptorEncoder<'_>, hosts: &[(HostName, Vec<RouteMetrics>)]) -> fmt::Result {
    let routes =
        || hosts.iter().flat_map(|(host, routes)| routes.iter().map(move |route| (host.as_str(), route)));
    if routes().next().is_none() {
        return Ok(());
    }
    let mut family = out.encode_descriptor(
        "signalbox_host_requests",
        "Requests to the host by outcome; each try counts",
        None,
        MetricType::Counter,
    )?;
    for (host, route) in routes() {
        for outcome in Outcome::ALL {
            let labels = [
                ("host", host),
                ("method", route.method),
                ("route", route.route),
                ("outcome", outcome.name()),
            ];
            ConstCounter::new(route.total.ended(outcome)).encode(family.encode_family(&labels)?)?;
        }
    }
    let mut family = out.encode_descriptor(
        "signalbox_host_request_duration",
        "Time from a request to the last byte of its response",
        Some(&Unit::Seconds),
        MetricType::Histogram,
    )?;
    for (host, route) in routes() {
        let labels = [("host", host), ("method", route.method), ("route", route.route)];
        Durations(&route.total.latency).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

/// Exponents of two of the bounds: from 1 ms to 64 s, each twice the one before. They are bounds of the recorded
/// buckets, so the counts are exact.
const BOUNDS: std::ops::RangeInclusive<i32> = -10..=6;

/// Classic histogram of durations in seconds.
struct Durations<'a>(&'a Histogram);

impl EncodeMetric for Durations<'_> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let mut below = 0;
        let bounds = BOUNDS.map(|exponent| 2.0_f64.powi(exponent)).chain([f64::MAX]);
        let buckets: Vec<(f64, u64)> = bounds
            .map(|bound| {
                let up_to = if bound == f64::MAX { self.0.count() } else { self.0.count_up_to(bound) };
                (bound, up_to - std::mem::replace(&mut below, up_to))
            })
            .collect();
        encoder.encode_histogram::<NoLabelSet>(self.0.sum(), self.0.count(), &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

fn one(out: &mut DescriptorEncoder<'_>, name: &str, help: &str, metric: &impl EncodeMetric) -> fmt::Result {
    metric.encode(out.encode_descriptor(name, help, None, metric.metric_type())?)
}

/// Metric with one value per host. The name of a counter gets the suffix `_total`.
fn per_host<M: EncodeMetric>(
    out: &mut DescriptorEncoder<'_>,
    hosts: &[HostStatus],
    name: &str,
    help: &str,
    value: impl Fn(&HostStatus) -> M,
) -> fmt::Result {
    let Some(first) = hosts.first() else { return Ok(()) };
    let mut family = out.encode_descriptor(name, help, None, value(first).metric_type())?;
    for host in hosts {
        let labels = [("host", host.name.as_str())];
        value(host).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}
