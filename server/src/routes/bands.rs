//! Baseline of past runs, and the rule that cancels an operation whose series leaves it.

use super::{bad_query, id_of};
use crate::actor::By;
use crate::problem::RouteError;
use crate::state::InScope;
use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query};
use protocol::{BandRule, Baseline, Operation, Problem, SetRule};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaselineQuery {
    name: String,
    points: Option<usize>,
    #[serde(default)]
    refresh: bool,
}

/// Baseline of a series: the 10th, 50th and 90th percentiles of past successful runs, at each x that at least five of
/// them reach. If there is no baseline, the response states the reason.
#[utoipa::path(get, path = "/api/v1/operations/{id}/baseline", tag = "operations",
    params(
        ("id" = String, Path),
        ("name" = String, Query, description = "Name of the series, such as `train_loss`"),
        ("points" = Option<u32>, Query, description = "Maximum number of points, 2 to 500; default 500, which is all of them"),
        ("refresh" = Option<bool>, Query, description = "`true` computes the baseline again. By default, it can come from a cache, which keeps the latest 64 baselines of started attempts"),
    ),
    responses((status = 200, body = Baseline),
        (status = 400, body = Problem, description = "Invalid query"), (status = 404, body = Problem),
        (status = 503, body = Problem, description = "The database can't be read")))]
pub async fn baseline(
    InScope { engine, .. }: InScope,
    id: Path<String>,
    query: Result<Query<BaselineQuery>, QueryRejection>,
) -> Result<Json<Baseline>, RouteError> {
    let Query(BaselineQuery { name, points, refresh }) = query.map_err(bad_query)?;
    let points = points.unwrap_or(usize::MAX).max(2);
    Ok(Json(engine.baseline(id_of(id)?, name, points, refresh).await?))
}

/// Auto-cancel rule of an operation, with the current number of consecutive points outside the baseline.
#[utoipa::path(get, path = "/api/v1/operations/{id}/rule", tag = "operations", params(("id" = String, Path)),
    responses((status = 200, body = BandRule),
        (status = 404, body = Problem, description = "No such operation, or it has no rule"),
        (status = 503, body = Problem, description = "The database can't be read")))]
pub async fn rule(InScope { engine, .. }: InScope, id: Path<String>) -> Result<Json<BandRule>, RouteError> {
    Ok(Json(engine.rule(id_of(id)?).await?))
}

/// Sets the auto-cancel rule of an operation, and replaces an existing rule. The operation is cancelled once a series
/// is outside the baseline for the given number of consecutive points. The rule uses the current baseline, and checks
/// points that arrive from now on.
#[utoipa::path(put, path = "/api/v1/operations/{id}/rule", tag = "operations", params(("id" = String, Path)),
    request_body = SetRule,
    responses((status = 200, body = Operation),
        (status = 400, body = Problem, description = "The body does not match the schema"), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "The operation has ended, or is being cancelled"),
        (status = 413, body = Problem, description = "The body is larger than 1 MiB"),
        (status = 422, body = Problem, description = "Invalid fields; `fields` has a message for each of them"),
        (status = 503, body = Problem, description = "The database can't be written")))]
pub async fn set_rule(
    InScope { engine, .. }: InScope,
    By(by): By,
    id: Path<String>,
    body: Result<Json<SetRule>, JsonRejection>,
) -> Result<Json<Operation>, RouteError> {
    let id = id_of(id)?;
    let Json(wanted) = body?;
    Ok(Json(engine.by(by).set_rule(id, wanted).await?))
}

/// Removes the auto-cancel rule of an operation.
#[utoipa::path(delete, path = "/api/v1/operations/{id}/rule", tag = "operations", params(("id" = String, Path)),
    responses((status = 200, body = Operation), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "The operation has ended"),
        (status = 503, body = Problem, description = "The database can't be written")))]
pub async fn drop_rule(
    InScope { engine, .. }: InScope,
    By(by): By,
    id: Path<String>,
) -> Result<Json<Operation>, RouteError> {
    Ok(Json(engine.by(by).drop_rule(id_of(id)?).await?))
}
