//! Log search of an attempt, by level and text, however long it is.

use super::{bad_query, id_of};
use crate::problem::RouteError;
use crate::state::InScope;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Response};
use engine::LogQuery;
use protocol::api::LogSearch;
use protocol::{LogLevel, Problem};
use serde::Deserialize;

/// Default and largest number of matching lines.
const LINES: u32 = 1_000;
const MAX_LINES: u32 = 10_000;
/// Longest text in characters; the rest is cut.
const MAX_WORDS: usize = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchQuery {
    attempt: Option<u32>,
    before: Option<u64>,
    limit: Option<u32>,
    level: Option<LogLevel>,
    #[serde(default)]
    q: String,
}

/// Searches the log of an attempt: the last matching lines, oldest first. One request searches at most 100,000 lines;
/// the response has the number of the first searched line.
#[utoipa::path(get, path = "/api/v1/operations/{id}/logs/search", tag = "operations",
    params(
        ("id" = String, Path),
        ("q" = Option<String>, Query, description = "Text to find in a line, case-insensitive; default: all lines"),
        ("level" = Option<String>, Query, description = "`debug`, `info`, `warn` or `error`: minimum level"),
        ("attempt" = Option<u32>, Query, description = "Attempt number; default: the current attempt"),
        ("before" = Option<u64>, Query, description = "Only lines before this line number: `searched_from` of the previous response"),
        ("limit" = Option<u32>, Query, description = "1 to 10,000; default 1,000"),
    ),
    responses((status = 200, body = LogSearch),
        (status = 400, body = Problem, description = "Invalid query"), (status = 404, body = Problem),
        (status = 503, body = Problem, description = "The database can't be read")))]
pub async fn search(
    InScope { engine, .. }: InScope,
    id: Path<String>,
    query: Result<Query<SearchQuery>, QueryRejection>,
) -> Result<Response, RouteError> {
    let Query(query) = query.map_err(bad_query)?;
    query.attempt.into_iter().for_each(http_wire::about_attempt);
    let wanted = LogQuery {
        attempt: query.attempt,
        before: query.before,
        limit: query.limit.unwrap_or(LINES).clamp(1, MAX_LINES) as usize,
        least: query.level.unwrap_or(LogLevel::Debug),
        words: query.q.chars().take(MAX_WORDS).collect(),
    };
    Ok(Json(engine.search_log(id_of(id)?, wanted).await?).into_response())
}
