//! The band of earlier runs, and the rule that cancels an operation whose curve leaves it.

use super::{Server, bad_query, id_of};
use crate::actor::By;
use crate::problem::Failed;
use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use protocol::{BandRule, Envelope, Operation, Problem, SetRule};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvelopeQuery {
    name: String,
    points: Option<usize>,
    #[serde(default)]
    anew: bool,
}

/// Between which values a curve ran in earlier runs: the tenth, fiftieth and ninetieth percentile of those that
/// succeeded, at each x that at least five of them reach. Without a band the answer says why.
#[utoipa::path(get, path = "/api/v1/operations/{id}/envelope", tag = "operations",
    params(
        ("id" = String, Path),
        ("name" = String, Query, description = "The curve: `train_loss`"),
        ("points" = Option<u32>, Query, description = "Places at most, 2 to 500; 500 when not given, which is all that there are"),
        ("anew" = Option<bool>, Query, description = "The band of an attempt that has begun is read once and kept in memory, the 64 read last; true reads it again"),
    ),
    responses((status = 200, body = Envelope),
        (status = 400, body = Problem, description = "The query can't be read"), (status = 404, body = Problem),
        (status = 503, body = Problem, description = "The store can't be read")))]
pub async fn envelope(
    State(server): State<Server>,
    id: Path<String>,
    query: Result<Query<EnvelopeQuery>, QueryRejection>,
) -> Result<Json<Envelope>, Failed> {
    let Query(EnvelopeQuery { name, points, anew }) = query.map_err(bad_query)?;
    let points = points.unwrap_or(usize::MAX).max(2);
    Ok(Json(server.engine.envelope(id_of(id)?, name, points, anew).await?))
}

/// The rule that an operation has, with how many points in a row are out of its band just now.
#[utoipa::path(get, path = "/api/v1/operations/{id}/rule", tag = "operations", params(("id" = String, Path)),
    responses((status = 200, body = BandRule),
        (status = 404, body = Problem, description = "There is no such operation, or it has no rule"),
        (status = 503, body = Problem, description = "The store can't be read")))]
pub async fn rule(State(server): State<Server>, id: Path<String>) -> Result<Json<BandRule>, Failed> {
    Ok(Json(server.engine.rule(id_of(id)?).await?))
}

/// Has an operation cancelled when a curve is out of the band of earlier runs for so many points in a row, in place of
/// the rule that it had. Points from now on are judged, by the band as it is now.
#[utoipa::path(put, path = "/api/v1/operations/{id}/rule", tag = "operations", params(("id" = String, Path)),
    request_body = SetRule,
    responses((status = 200, body = Operation),
        (status = 400, body = Problem, description = "The body is no JSON of this form"), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "It has ended, or is being cancelled"),
        (status = 413, body = Problem, description = "The body is larger than 1 MiB"),
        (status = 422, body = Problem, description = "Wrong fields, with a message for each"),
        (status = 503, body = Problem, description = "Nothing can be stored just now")))]
pub async fn set_rule(
    State(server): State<Server>,
    By(by): By,
    id: Path<String>,
    body: Result<Json<SetRule>, JsonRejection>,
) -> Result<Json<Operation>, Failed> {
    let id = id_of(id)?;
    let Json(wanted) = body?;
    Ok(Json(server.engine.by(by).set_rule(id, wanted).await?))
}

/// Takes the rule of an operation away.
#[utoipa::path(delete, path = "/api/v1/operations/{id}/rule", tag = "operations", params(("id" = String, Path)),
    responses((status = 200, body = Operation), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "It has ended"),
        (status = 503, body = Problem, description = "Nothing can be stored just now")))]
pub async fn drop_rule(
    State(server): State<Server>,
    By(by): By,
    id: Path<String>,
) -> Result<Json<Operation>, Failed> {
    Ok(Json(server.engine.by(by).drop_rule(id_of(id)?).await?))
}
