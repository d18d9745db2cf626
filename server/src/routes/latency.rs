//! Latency of the server's requests to a host over time.

use super::bad_query;
use super::history::{is_known, time_range};
use super::hosts::host_of;
use crate::problem::RouteError;
use crate::state::AllKinds;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query};
use protocol::latency::LatencyHistory;
use protocol::{Problem, ProblemType, Time};
use serde::Deserialize;

/// Default number of columns.
const WIDTH: usize = 120;
/// Largest number of columns.
const MAX_WIDTH: usize = 600;

/// Time and width.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatencyQuery {
    from: Option<Time>,
    to: Option<Time>,
    width: Option<usize>,
}

/// Number of the server's requests to a host by time and latency, for a heat map. Counts per minute are kept for 7
/// days, counts per ten minutes for 90 days. The highest latency of a row is 1.41 times its lowest latency.
#[utoipa::path(get, path = "/api/v1/hosts/{name}/latency", tag = "hosts",
    params(
        ("name" = String, Path),
        ("from" = Option<Time>, Query, description = "Default: 15 minutes before `to`"),
        ("to" = Option<Time>, Query, description = "Default: now"),
        ("width" = Option<u32>, Query, description = "Largest number of columns, 2 to 600; default 120"),
    ),
    responses((status = 200, body = LatencyHistory), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 503, body = Problem, description = "The metrics history can't be read")))]
pub async fn latency(
    AllKinds { engine, monitor, .. }: AllKinds,
    name: Path<String>,
    query: Result<Query<LatencyQuery>, QueryRejection>,
) -> Result<Json<LatencyHistory>, RouteError> {
    let host = host_of(name)?;
    let Query(query) = query.map_err(bad_query)?;
    let bad = |why: String| RouteError::new(ProblemType::BadRequest, format!("{why} See /openapi.json."));
    let now = Time::now();
    let range = time_range(query.from, query.to, now).map_err(bad)?;
    let width = query.width.unwrap_or(WIDTH);
    if !(2..=MAX_WIDTH).contains(&width) {
        return Err(bad(format!("`width` must be from 2 to {MAX_WIDTH}.")));
    }
    if !is_known(&engine, &host) {
        let detail = format!("There is no host named {host}. See /hosts for all hosts.");
        return Err(RouteError::new(ProblemType::NotFound, detail));
    }
    let read = monitor.latencies(&host, range, now, width).await;
    Ok(Json(read.map_err(|error| RouteError::new(ProblemType::Unavailable, error.to_string()))?))
}
