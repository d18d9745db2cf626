//! Server metrics in the text format of Prometheus.

use super::Server;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use protocol::api::HostLink;
use std::fmt::Write;
use std::sync::atomic::Ordering;

/// Server metrics in the Prometheus text format.
#[utoipa::path(get, path = "/metrics", tag = "probes", responses((status = 200, body = String)))]
pub async fn metrics(State(server): State<Server>) -> impl IntoResponse {
    let snapshot = server.engine.snapshot();
    let mut out = String::new();
    let mut family = |name: &str, kind: &str, help: &str, rows: &[(String, f64)]| {
        // Writing to a String can't fail.
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in rows {
            let _ = writeln!(out, "{name}{labels} {value}");
        }
    };
    let states: Vec<_> =
        snapshot.counts.iter().map(|c| (format!("{{state=\"{}\"}}", c.state), c.count as f64)).collect();
    family("signalbox_operations", "gauge", "Stored operations by state.", &states);
    let plain = |value: f64| [(String::new(), value)];
    family("signalbox_events_total", "counter", "Recorded events.", &plain(snapshot.seq as f64));
    let streams = server.streams.load(Ordering::Relaxed) as f64;
    family("signalbox_streams", "gauge", "Open event streams.", &plain(streams));
    let trouble = f64::from(u8::from(server.engine.trouble().is_some()));
    family("signalbox_store_trouble", "gauge", "1 while the database can't be written.", &plain(trouble));
    let per_host = |value: &dyn Fn(&protocol::api::HostStatus) -> f64| -> Vec<(String, f64)> {
        snapshot.hosts.iter().map(|h| (format!("{{host=\"{}\"}}", h.name), value(h))).collect()
    };
    let up = per_host(&|h| f64::from(u8::from(h.link == HostLink::Up)));
    family("signalbox_host_up", "gauge", "1 while the host is connected.", &up);
    let running = per_host(&|h| f64::from(h.running));
    family("signalbox_host_running", "gauge", "Operations assigned to the host.", &running);
    let opened = per_host(&|h| h.connections.opened as f64);
    family("signalbox_host_connections_opened_total", "counter", "Connections opened to the host.", &opened);
    let reused = per_host(&|h| h.connections.reused as f64);
    family(
        "signalbox_host_connections_reused_total",
        "counter",
        "Requests over a reused connection.",
        &reused,
    );
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], out)
}
