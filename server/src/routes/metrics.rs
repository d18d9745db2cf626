//! Server metrics in the OpenMetrics text format.

use super::Server;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use protocol::api::{HostLink, HostStatus, Snapshot};
use std::fmt;
use std::sync::atomic::Ordering;

/// Media type of the format.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Server metrics in the OpenMetrics text format, which Prometheus reads.
#[utoipa::path(get, path = "/metrics", tag = "probes",
    responses((status = 200, body = String, content_type = "application/openmetrics-text")))]
pub async fn metrics(State(server): State<Server>) -> impl IntoResponse {
    let now = Figures {
        snapshot: server.engine.snapshot(),
        streams: server.streams.load(Ordering::Relaxed),
        store_trouble: server.engine.store_fault().is_some(),
    };
    ([(header::CONTENT_TYPE, OPENMETRICS)], now.text())
}

/// Figures at the time of the request. Nothing is counted for metrics alone.
#[derive(Debug)]
struct Figures {
    snapshot: Snapshot,
    streams: u64,
    store_trouble: bool,
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
        )
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
