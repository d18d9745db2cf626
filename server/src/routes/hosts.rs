//! Kinds, hosts, and the snapshot of everything.

use super::Server;
use crate::actor::By;
use crate::problem::Failed;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use protocol::api::{HostList, HostStatus, KindList, Snapshot};
use protocol::{HostName, KindName, Preview, Problem, ProblemType};
use serde_json::Value;

/// What can be started, and where it could run now.
#[utoipa::path(get, path = "/api/v1/kinds", tag = "hosts", responses((status = 200, body = KindList)))]
pub async fn kinds(State(server): State<Server>) -> Json<KindList> {
    Json(server.engine.kinds())
}

/// What a kind would do with the params in the body: nothing is started. Kinds with previews have `x-preview` at the root of
/// the schema of their params.
#[utoipa::path(post, path = "/api/v1/kinds/{kind}/preview", tag = "hosts", params(("kind" = String, Path)),
    request_body = Object,
    responses((status = 200, body = Preview), (status = 400, body = Problem, description = "The body is no JSON"),
        (status = 404, body = Problem, description = "The kind has no previews"),
        (status = 422, body = Problem, description = "Unknown kind, or wrong params, with a message for each"),
        (status = 502, body = Problem, description = "No host that has the kind can be reached")))]
pub async fn preview(
    State(server): State<Server>,
    Path(kind): Path<String>,
    body: Result<Json<Value>, JsonRejection>,
) -> Result<Json<Preview>, Failed> {
    let kind = KindName::new(kind).map_err(|e| Failed::new(ProblemType::UnknownKind, format!("{e}.")))?;
    let Json(params) = body?;
    Ok(Json(server.engine.preview(kind, &params).await?))
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
