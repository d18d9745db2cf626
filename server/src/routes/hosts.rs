//! Kinds, hosts, and the snapshot.

use crate::actor::By;
use crate::problem::RouteError;
use crate::state::{AllKinds, InScope};
use axum::Json;
use axum::extract::Path;
use axum::extract::rejection::JsonRejection;
use protocol::api::{HostList, HostStatus, KindList, Snapshot};
use protocol::{HostName, KindName, Preview, Problem, ProblemType};
use serde_json::Value;

/// Kinds of operations that can be started, and the hosts that support them.
#[utoipa::path(get, path = "/api/v1/kinds", tag = "hosts", responses((status = 200, body = KindList)))]
pub async fn kinds(InScope { engine, .. }: InScope) -> Json<KindList> {
    Json(engine.kinds())
}

/// Previews an operation with the parameters in the body, without starting it. Kinds that support previews have
/// `x-preview` at the root of their parameter schema.
#[utoipa::path(post, path = "/api/v1/kinds/{kind}/preview", tag = "hosts", params(("kind" = String, Path)),
    request_body = Object,
    responses((status = 200, body = Preview), (status = 400, body = Problem, description = "The body is not valid JSON"),
        (status = 403, body = Problem, description = "The sender's role is limited to other kinds"),
        (status = 404, body = Problem, description = "The kind does not support previews"),
        (status = 422, body = Problem, description = "Unknown kind, or invalid parameters; `fields` has a message for each of them"),
        (status = 502, body = Problem, description = "No host that supports the kind is connected")))]
pub async fn preview(
    InScope { engine, .. }: InScope,
    Path(kind): Path<String>,
    body: Result<Json<Value>, JsonRejection>,
) -> Result<Json<Preview>, RouteError> {
    let kind = KindName::new(kind).map_err(|e| RouteError::new(ProblemType::UnknownKind, format!("{e}.")))?;
    let Json(params) = body?;
    Ok(Json(engine.preview(kind, &params).await?))
}

/// Configured hosts with their status.
#[utoipa::path(get, path = "/api/v1/hosts", tag = "hosts", responses((status = 200, body = HostList)))]
pub async fn hosts(InScope { engine, .. }: InScope) -> Json<HostList> {
    Json(engine.hosts())
}

/// Snapshot of everything that the dashboard shows, with its sequence number. Follow the feed from that number.
#[utoipa::path(get, path = "/api/v1/snapshot", tag = "feed", responses((status = 200, body = Snapshot)))]
pub async fn snapshot(InScope { engine, .. }: InScope) -> Json<Snapshot> {
    Json(engine.snapshot())
}

/// Drains a host: it gets no new operations; running operations continue. The host stays drained, also after restarts,
/// until it is undrained.
#[utoipa::path(post, path = "/api/v1/hosts/{name}/drain", tag = "hosts", params(("name" = String, Path)),
    responses((status = 200, body = HostStatus), (status = 404, body = Problem),
        (status = 503, body = Problem, description = "The database can't be written")))]
pub async fn drain(
    AllKinds { engine, .. }: AllKinds,
    By(by): By,
    name: Path<String>,
) -> Result<Json<HostStatus>, RouteError> {
    Ok(Json(engine.by(by).drain(host_of(name)?, true).await?))
}

/// Undrains a host: it gets new operations again.
#[utoipa::path(post, path = "/api/v1/hosts/{name}/undrain", tag = "hosts", params(("name" = String, Path)),
    responses((status = 200, body = HostStatus), (status = 404, body = Problem),
        (status = 503, body = Problem, description = "The database can't be written")))]
pub async fn undrain(
    AllKinds { engine, .. }: AllKinds,
    By(by): By,
    name: Path<String>,
) -> Result<Json<HostStatus>, RouteError> {
    Ok(Json(engine.by(by).drain(host_of(name)?, false).await?))
}

/// Name of a host in a path.
pub(super) fn host_of(Path(name): Path<String>) -> Result<HostName, RouteError> {
    HostName::new(name)
        .map_err(|e| RouteError::new(ProblemType::NotFound, format!("{e}. See /hosts for all hosts.")))
}
