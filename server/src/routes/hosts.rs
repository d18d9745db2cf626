//! Kinds, hosts, and the snapshot of everything.

use super::Server;
use crate::actor::By;
use crate::problem::Failed;
use axum::Json;
use axum::extract::{Path, State};
use protocol::api::{HostList, HostStatus, KindList, Snapshot};
use protocol::{HostName, Problem, ProblemType};

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

/// Lets a host take no new work; what it has goes on to its end. Holds until undone, over restarts too.
#[utoipa::path(post, path = "/api/v1/hosts/{name}/drain", tag = "hosts", params(("name" = String, Path)),
    responses((status = 200, body = HostStatus), (status = 404, body = Problem),
        (status = 503, body = Problem, description = "Nothing can be stored just now")))]
pub async fn drain(
    State(server): State<Server>,
    By(by): By,
    name: Path<String>,
) -> Result<Json<HostStatus>, Failed> {
    Ok(Json(server.engine.by(by).drain(host_of(name)?, true).await?))
}

/// Lets a drained host take work again.
#[utoipa::path(post, path = "/api/v1/hosts/{name}/undrain", tag = "hosts", params(("name" = String, Path)),
    responses((status = 200, body = HostStatus), (status = 404, body = Problem),
        (status = 503, body = Problem, description = "Nothing can be stored just now")))]
pub async fn undrain(
    State(server): State<Server>,
    By(by): By,
    name: Path<String>,
) -> Result<Json<HostStatus>, Failed> {
    Ok(Json(server.engine.by(by).drain(host_of(name)?, false).await?))
}

fn host_of(Path(name): Path<String>) -> Result<HostName, Failed> {
    HostName::new(name)
        .map_err(|e| Failed::new(ProblemType::NotFound, format!("{e}. Hosts are listed at /hosts.")))
}
