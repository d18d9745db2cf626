//! Time breakdown of an operation.

use super::{bad_query, id_of};
use crate::problem::RouteError;
use crate::state::InScope;
use crate::time_breakdown::{MAX_WIDTH, breakdown};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query};
use protocol::time_breakdown::TimeBreakdown;
use protocol::{Problem, ProblemType};
use serde::Deserialize;

/// Default number of buckets.
const WIDTH: usize = 300;

/// Width of the course.
#[derive(Deserialize)]
pub struct TimeQuery {
    width: Option<usize>,
}

/// Time breakdown: the wall time of the current attempt, divided into computing, waits for a CPU, a disk or memory,
/// throttling by a CPU quota, the queue, and the rest, such as waits for the network. The parts add up to the whole. A
/// sentence names the largest part. If this part is a wait for a CPU, a disk or memory, `consumers` lists the
/// operations that used the most of this resource on the same machine in the same period. The newest values of a
/// running operation are a few seconds old.
#[utoipa::path(get, path = "/api/v1/operations/{id}/time", tag = "operations",
    params(
        ("id" = String, Path),
        ("width" = Option<u32>, Query, description = "Maximum number of buckets in `course`, 1 to 2,000; default 300"),
    ),
    responses((status = 200, body = TimeBreakdown), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 503, body = Problem, description = "The database can't be read")))]
pub async fn time_breakdown(
    InScope { engine, monitor }: InScope,
    id: Path<String>,
    query: Result<Query<TimeQuery>, QueryRejection>,
) -> Result<Json<TimeBreakdown>, RouteError> {
    let id = id_of(id)?;
    let Query(TimeQuery { width }) = query.map_err(bad_query)?;
    let width = width.unwrap_or(WIDTH);
    if !(1..=MAX_WIDTH).contains(&width) {
        let detail = format!("`width` must be from 1 to {MAX_WIDTH}. See /openapi.json.");
        return Err(RouteError::new(ProblemType::BadRequest, detail));
    }
    Ok(Json(breakdown(&engine, &monitor, id, width).await?))
}
