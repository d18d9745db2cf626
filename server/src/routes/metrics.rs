//! Metrics of the server, its operations and hosts, for Prometheus.

use crate::metrics::{Figures, Format, HostResources};
use crate::state::{AllKinds, Server};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use std::sync::atomic::Ordering;

/// Metrics of the server, its operations, alerts and hosts, for Prometheus.
///
/// The header `Accept` selects OpenMetrics text (default), or the text or protobuf format of Prometheus. Only protobuf
/// contains native histograms.
#[utoipa::path(get, path = "/metrics", tag = "probes",
    responses((status = 200, body = String, content_type = "application/openmetrics-text")))]
pub async fn metrics(State(server): State<Server>, all: AllKinds, headers: HeaderMap) -> impl IntoResponse {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let format = Format::preferred(&accepted.collect::<Vec<_>>().join(","));
    let exposition = figures(&server, &all).expose(format);
    // A cache must not give one scraper the format of another.
    ([(header::CONTENT_TYPE, exposition.content_type), (header::VARY, "accept")], exposition.body)
}

fn figures(server: &Server, AllKinds { engine, monitor, alerts }: &AllKinds) -> Figures {
    let snapshot = engine.snapshot();
    let mut tallies = engine.tallies();
    // A counter that begins with its first event hides this event from rates.
    for offer in engine.kinds().kinds {
        tallies.entry(offer.spec.name).or_default();
    }
    let resources = snapshot.hosts.iter().filter_map(|host| {
        let (figures, machine) = monitor.latest(&host.name)?;
        Some(HostResources { host: host.name.clone(), machine, figures })
    });
    Figures {
        streams: server.streams.load(Ordering::Relaxed),
        connections: server.limits.open_connections().into(),
        audit_entries_waiting: server.audit_sink.as_ref().map(|sink| sink.waiting()),
        limits_reached: server.limits.refused().collect(),
        store_trouble: engine.store_fault().is_some(),
        requests: engine.host_requests(),
        alerts: alerts.figures(),
        tallies,
        resources: resources.collect(),
        snapshot,
    }
}
