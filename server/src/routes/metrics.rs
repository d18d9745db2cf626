//! Metrics of the server, its operations and hosts, for Prometheus.

use crate::metrics::{Figures, Format};
use crate::state::{AllKinds, Server};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;

/// Metrics of the server, its operations, alerts and hosts, for Prometheus.
///
/// The header `Accept` selects OpenMetrics text (default), or the text or protobuf format of Prometheus. Only protobuf
/// contains native histograms.
#[utoipa::path(get, path = "/metrics", tag = "probes",
    responses((status = 200, body = String, content_type = "application/openmetrics-text")))]
pub async fn metrics(State(server): State<Server>, all: AllKinds, headers: HeaderMap) -> impl IntoResponse {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let format = Format::preferred(&accepted.collect::<Vec<_>>().join(","));
    let exposition = Figures::now(&server.counts, &all).expose(format);
    // A cache must not give one scraper the format of another.
    ([(header::CONTENT_TYPE, exposition.content_type), (header::VARY, "accept")], exposition.body)
}
