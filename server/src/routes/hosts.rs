//! Kinds, hosts, and the snapshot of everything.

use super::Server;
use axum::Json;
use axum::extract::State;
use protocol::api::{HostList, KindList, Snapshot};

/// What can be started, and where it could run now.
#[utoipa::path(get, path = "/api/v1/kinds", tag = "hosts", responses((status = 200, body = KindList)))]
pub async fn kinds(State(server): State<Server>) -> Json<KindList> {
    Json(server.engine.kinds())
}

/// Every configured host as the server sees it.
#[utoipa::path(get, path = "/api/v1/hosts", tag = "hosts", responses((status = 200, body = HostList)))]
pub async fn hosts(State(server): State<Server>) -> Json<HostList> {
    Json(server.engine.hosts())
}

/// Everything the page shows, and the seq it is true at: follow the feed from there.
#[utoipa::path(get, path = "/api/v1/snapshot", tag = "feed", responses((status = 200, body = Snapshot)))]
pub async fn snapshot(State(server): State<Server>) -> Json<Snapshot> {
    Json(server.engine.snapshot())
}
