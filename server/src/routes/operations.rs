//! Operations: list, start, look at, cancel, retry, resume, delete; their curves, logs and artifacts.

use super::{LOG_LINES, Server, bad_query, id_of, log_text};
use crate::actor::By;
use crate::problem::Failed;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::Which;
use protocol::api::{
    CancelMany, CancelOperation, CancelledMany, DeleteMany, Deleted, FilterCounts, LogPage, OperationDetail,
    OperationPage, SeriesAnswer, StartWithRule,
};
use protocol::operation::AttemptOrigin;
use protocol::{Operation, OperationId, Problem, ProblemType};
use serde::Deserialize;
use store::Filter;

/// A page of operations. What is given several times takes any of the values; all that is given must be met.
#[utoipa::path(get, path = "/api/v1/operations", tag = "operations",
    params(
        ("state" = Option<String>, Query, description = "States, separated by commas"),
        ("kind" = Option<String>, Query, description = "Kinds, separated by commas"),
        ("host" = Option<String>, Query, description = "Hosts, separated by commas"),
        ("param.NAME" = Option<String>, Query,
            description = "Value that the param NAME has, whatever its case: `param.symbol=MSFT`"),
        ("parent" = Option<String>, Query, description = "Only what this operation started"),
        ("since" = Option<String>, Query,
            description = "Accepted from then on: `24h` ago, on a day (`2026-11-01`, UTC) or at a moment (RFC 3339)"),
        ("until" = Option<String>, Query, description = "Accepted before; a day is taken as a whole"),
        ("q" = Option<String>, Query,
            description = "Words that are all found in title, kind, host, id or tags, or name the state, whatever their case"),
        ("order" = Option<String>, Query, description = "`newest` first, or `oldest`"),
        ("after" = Option<String>, Query, description = "`next` of the page before"),
        ("limit" = Option<u32>, Query, description = "1 to 500, 50 when not given"),
    ),
    responses((status = 200, body = OperationPage),
        (status = 400, body = Problem, description = "The filter can't be read"),
        (status = 503, body = Problem, description = "The store can't be read")))]
pub async fn list(
    State(server): State<Server>,
    Query(words): Query<Vec<(String, String)>>,
) -> Result<Json<OperationPage>, Failed> {
    Ok(Json(server.engine.page(filter_of(&words)?).await?))
}

fn filter_of(words: &[(String, String)]) -> Result<Filter, Failed> {
    Filter::parse(words.iter().map(|(k, v)| (k.as_str(), v.as_str())))
        .map_err(|e| Failed::new(ProblemType::BadRequest, format!("The filter can't be read: {e}.")))
}

/// How many operations in each state a filter finds. It takes what the list takes; `order`, `after` and `limit` change
/// nothing.
#[utoipa::path(get, path = "/api/v1/operations/counts", tag = "operations",
    params(
        ("state" = Option<String>, Query, description = "States, separated by commas; others are counted as 0"),
        ("kind" = Option<String>, Query, description = "Kinds, separated by commas"),
        ("host" = Option<String>, Query, description = "Hosts, separated by commas"),
        ("param.NAME" = Option<String>, Query, description = "As in the list"),
        ("parent" = Option<String>, Query, description = "Only what this operation started"),
        ("since" = Option<String>, Query, description = "As in the list"),
        ("until" = Option<String>, Query, description = "As in the list"),
        ("q" = Option<String>, Query, description = "As in the list"),
    ),
    responses((status = 200, body = FilterCounts),
        (status = 400, body = Problem, description = "The filter can't be read"),
        (status = 503, body = Problem, description = "The store can't be read")))]
pub async fn counts(
    State(server): State<Server>,
    Query(words): Query<Vec<(String, String)>>,
) -> Result<Json<FilterCounts>, Failed> {
    Ok(Json(server.engine.counts_of(filter_of(&words)?).await?))
}

/// Starts an operation, with a rule where one is given. It is accepted once it is durable; with the same
/// `Idempotency-Key` it is started once.
#[utoipa::path(post, path = "/api/v1/operations", tag = "operations", request_body = StartWithRule,
    params(("Idempotency-Key" = Option<String>, Header, description = "At most 200 characters, yours to choose")),
    responses(
        (status = 201, body = Operation, description = "Accepted"),
        (status = 200, body = Operation, description = "Accepted before, under the same key"),
        (status = 400, body = Problem, description = "The body is no JSON of this form, or the key is not 1 to 200 plain characters"),
        (status = 409, body = Problem, description = "Accepted before, under the same key; its operation is to be looked for in the list"),
        (status = 410, body = Problem, description = "Accepted before, under the same key, and deleted"),
        (status = 413, body = Problem, description = "The body is larger than 1 MiB"),
        (status = 422, body = Problem,
            description = "Unknown kind; wrong params, priority or rule, with a message for each; or the key was used for another request"),
        (status = 503, body = Problem, description = "Nothing can be stored just now"),
    ))]
pub async fn start(
    State(server): State<Server>,
    By(by): By,
    headers: HeaderMap,
    body: Result<Json<StartWithRule>, JsonRejection>,
) -> Result<Response, Failed> {
    let Json(request) = body?;
    let key = match headers.get("idempotency-key") {
        None => None,
        Some(value) => match value.to_str() {
            Ok(key) if (1..=200).contains(&key.len()) => Some(key.to_owned()),
            _ => {
                let detail = "An Idempotency-Key has 1 to 200 plain characters.";
                return Err(Failed::new(ProblemType::BadRequest, detail));
            }
        },
    };
    let started = server.engine.by(by).start_with_rule(request, key).await?;
    let status = if started.new { StatusCode::CREATED } else { StatusCode::OK };
    let location = format!("/api/v1/operations/{}", started.operation.id);
    Ok((status, [(header::LOCATION, location)], Json(started.operation)).into_response())
}

/// One operation with its attempts, receipt, conditions and result.
#[utoipa::path(get, path = "/api/v1/operations/{id}", tag = "operations", params(("id" = String, Path)),
    responses((status = 200, body = OperationDetail), (status = 404, body = Problem),
        (status = 503, body = Problem, description = "The store can't be read")))]
pub async fn one(State(server): State<Server>, id: Path<String>) -> Result<Json<OperationDetail>, Failed> {
    Ok(Json(server.engine.operation(id_of(id)?).await?))
}

/// Asks for an operation's end. The answer says that the request is kept; the operation's receipt says how it
/// is fulfilled.
#[utoipa::path(post, path = "/api/v1/operations/{id}/cancel", tag = "operations", params(("id" = String, Path)),
    request_body = Option<CancelOperation>,
    responses((status = 202, body = Operation),
        (status = 400, body = Problem, description = "The body can't be read"), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "It has ended"),
        (status = 413, body = Problem, description = "The body is larger than 1 MiB"),
        (status = 503, body = Problem, description = "Nothing can be stored just now")))]
pub async fn cancel(
    State(server): State<Server>,
    By(by): By,
    id: Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<Operation>), Failed> {
    let id = id_of(id)?;
    Ok((StatusCode::ACCEPTED, Json(server.engine.by(by).cancel(id, reason_of(&body)?).await?)))
}

/// Gives up an operation whose host can't be heard: it fails, whatever comes of it later is ignored, and the host
/// is told to stop it when it is heard again.
#[utoipa::path(post, path = "/api/v1/operations/{id}/abandon", tag = "operations", params(("id" = String, Path)),
    request_body = Option<CancelOperation>,
    responses((status = 202, body = Operation),
        (status = 400, body = Problem, description = "The body can't be read"), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "It has ended, or its host can be heard"),
        (status = 413, body = Problem, description = "The body is larger than 1 MiB"),
        (status = 503, body = Problem, description = "Nothing can be stored just now")))]
pub async fn abandon(
    State(server): State<Server>,
    By(by): By,
    id: Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<Operation>), Failed> {
    let id = id_of(id)?;
    Ok((StatusCode::ACCEPTED, Json(server.engine.by(by).abandon(id, reason_of(&body)?).await?)))
}

/// Why a person wants it: the body may be empty.
fn reason_of(body: &Bytes) -> Result<String, Failed> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(String::new());
    }
    let cancel: CancelOperation = serde_json::from_slice(body).map_err(|e| {
        let detail = format!("The body can't be read: {e}. Send {{\"reason\": \"...\"}} or nothing.");
        Failed::new(ProblemType::BadRequest, detail)
    })?;
    Ok(clipped(&cancel.reason))
}

fn clipped(reason: &str) -> String {
    reason.trim().chars().take(500).collect()
}

/// Asks for the end of many: those named by id, or all that a filter finds. Answers when every request is kept.
#[utoipa::path(post, path = "/api/v1/operations/cancel", tag = "operations", request_body = CancelMany,
    responses((status = 202, body = CancelledMany),
        (status = 400, body = Problem,
            description = "Neither or both of ids and filter, more than 10,000 ids, or a body or filter that can't be read"),
        (status = 413, body = Problem, description = "The body is larger than 1 MiB"),
        (status = 503, body = Problem, description = "Nothing can be stored just now")))]
pub async fn cancel_many(
    State(server): State<Server>,
    By(by): By,
    body: Result<Json<CancelMany>, JsonRejection>,
) -> Result<(StatusCode, Json<CancelledMany>), Failed> {
    let Json(many) = body?;
    let which = which(many.ids, many.filter)?;
    let told = server.engine.by(by).cancel_many(which, clipped(&many.reason)).await?;
    Ok((StatusCode::ACCEPTED, Json(told)))
}

/// Which ones a wish for many is about: those named, or those that a filter finds.
fn which(ids: Option<Vec<OperationId>>, filter: Option<String>) -> Result<Which, Failed> {
    let bad = |detail: String| Failed::new(ProblemType::BadRequest, detail);
    match (ids, filter) {
        (Some(ids), None) if ids.len() > MANY => {
            Err(bad(format!("{} ids are more than the {MANY} that one request may name.", ids.len())))
        }
        (Some(ids), None) => Ok(Which::These(ids)),
        (None, Some(filter)) => {
            let words = url_words(&filter);
            let words = words.iter().map(|(k, v)| (k.as_str(), v.as_str()));
            let filter = Filter::parse(words).map_err(|e| bad(format!("The filter can't be read: {e}.")))?;
            Ok(Which::Found(filter))
        }
        _ => Err(bad(
            "Say which ones: give either \"ids\", a list, or \"filter\", words as in the list's query."
                .into(),
        )),
    }
}

/// Deletes an operation that has ended, with everything that is kept of it, and with it what it started. Answers when
/// they are gone; whoever follows the feed is told by `forgotten`.
#[utoipa::path(delete, path = "/api/v1/operations/{id}", tag = "operations", params(("id" = String, Path)),
    responses((status = 200, body = Deleted), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "It, or something that it started, has not ended"),
        (status = 503, body = Problem, description = "Nothing can be stored just now")))]
pub async fn delete(
    State(server): State<Server>,
    By(by): By,
    id: Path<String>,
) -> Result<Json<Deleted>, Failed> {
    Ok(Json(server.engine.by(by).delete(id_of(id)?).await?))
}

/// Deletes many that have ended, each with what it started: those named by id, or all that a filter finds. What has
/// not ended is left alone. Answers when they are gone; with `dry_run` it says what would be, and deletes nothing.
#[utoipa::path(post, path = "/api/v1/operations/delete", tag = "operations", request_body = DeleteMany,
    responses((status = 200, body = Deleted),
        (status = 400, body = Problem,
            description = "Neither or both of ids and filter, more than 10,000 ids, or a body or filter that can't be read"),
        (status = 413, body = Problem, description = "The body is larger than 1 MiB"),
        (status = 503, body = Problem, description = "Nothing can be stored just now")))]
pub async fn delete_many(
    State(server): State<Server>,
    By(by): By,
    body: Result<Json<DeleteMany>, JsonRejection>,
) -> Result<Json<Deleted>, Failed> {
    let Json(many) = body?;
    let which = which(many.ids, many.filter)?;
    Ok(Json(server.engine.by(by).delete_many(which, many.until, many.dry_run).await?))
}

/// The words of a query, as in a URL.
fn url_words(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.trim_start_matches('?').as_bytes()).into_owned().collect()
}

/// Makes another attempt from the beginning.
#[utoipa::path(post, path = "/api/v1/operations/{id}/retry", tag = "operations", params(("id" = String, Path)),
    responses((status = 202, body = Operation), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "It has not ended, or it succeeded"),
        (status = 503, body = Problem, description = "Nothing can be stored just now")))]
pub async fn retry(
    State(server): State<Server>,
    By(by): By,
    id: Path<String>,
) -> Result<(StatusCode, Json<Operation>), Failed> {
    let operation = server.engine.by(by).again(id_of(id)?, AttemptOrigin::Retry).await?;
    Ok((StatusCode::ACCEPTED, Json(operation)))
}

/// Makes another attempt from the newest checkpoint.
#[utoipa::path(post, path = "/api/v1/operations/{id}/resume", tag = "operations", params(("id" = String, Path)),
    responses((status = 202, body = Operation), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "It has not ended, it succeeded, or there is no checkpoint"),
        (status = 503, body = Problem, description = "Nothing can be stored just now")))]
pub async fn resume(
    State(server): State<Server>,
    By(by): By,
    id: Path<String>,
) -> Result<(StatusCode, Json<Operation>), Failed> {
    let operation = server.engine.by(by).again(id_of(id)?, AttemptOrigin::Resume).await?;
    Ok((StatusCode::ACCEPTED, Json(operation)))
}

/// Ids that one wish for many may name.
const MANY: usize = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesQuery {
    name: Option<String>,
    from: Option<f64>,
    to: Option<f64>,
    points: Option<usize>,
}

/// Curves of the current attempt, with no more points than asked for; extremes are kept.
#[utoipa::path(get, path = "/api/v1/operations/{id}/series", tag = "operations",
    params(
        ("id" = String, Path),
        ("name" = Option<String>, Query, description = "Names, separated by commas; all when not given"),
        ("from" = Option<f64>, Query, description = "Least x"),
        ("to" = Option<f64>, Query, description = "Greatest x"),
        ("points" = Option<u32>, Query, description = "Points a curve at most, 4 to 20,000; 1,000 when not given"),
    ),
    responses((status = 200, body = SeriesAnswer),
        (status = 400, body = Problem, description = "The query can't be read"), (status = 404, body = Problem),
        (status = 503, body = Problem, description = "The store can't be read")))]
pub async fn series(
    State(server): State<Server>,
    id: Path<String>,
    query: Result<Query<SeriesQuery>, QueryRejection>,
) -> Result<Json<SeriesAnswer>, Failed> {
    let Query(query) = query.map_err(bad_query)?;
    let names = query.name.iter().flat_map(|n| n.split(',')).map(|n| n.trim().to_owned()).collect();
    let points = query.points.unwrap_or(1_000).clamp(4, 20_000);
    Ok(Json(server.engine.series(id_of(id)?, names, (query.from, query.to), points).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogQuery {
    attempt: Option<u32>,
    before: Option<u64>,
    limit: Option<u32>,
    format: Option<LogFormat>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum LogFormat {
    Json,
    Text,
}

/// The last log lines of an attempt, oldest first; or the whole log as a text to keep.
#[utoipa::path(get, path = "/api/v1/operations/{id}/logs", tag = "operations",
    params(
        ("id" = String, Path),
        ("attempt" = Option<u32>, Query, description = "The current one when not given"),
        ("before" = Option<u64>, Query, description = "Only lines before this number"),
        ("limit" = Option<u32>, Query, description = "1 to 10,000; 1,000 when not given"),
        ("format" = Option<String>, Query, description = "`json`; or `text` for all lines as text/plain, without colours, \
            a line each: when, level, text. `before` and `limit` don't count then"),
    ),
    responses((status = 200, body = LogPage),
        (status = 400, body = Problem, description = "The query can't be read"), (status = 404, body = Problem),
        (status = 503, body = Problem, description = "The store can't be read")))]
pub async fn logs(
    State(server): State<Server>,
    id: Path<String>,
    query: Result<Query<LogQuery>, QueryRejection>,
) -> Result<Response, Failed> {
    let Query(query) = query.map_err(bad_query)?;
    if query.format == Some(LogFormat::Text) {
        return Ok(log_text::whole(&server.engine, id_of(id)?, query.attempt).await?);
    }
    let limit = query.limit.unwrap_or(LOG_LINES).clamp(1, 10_000);
    Ok(Json(server.engine.logs(id_of(id)?, query.attempt, query.before, limit).await?).into_response())
}

/// An artifact of the newest result, as the host that made it gives it; the query goes along to the host.
#[utoipa::path(get, path = "/api/v1/operations/{id}/artifacts/{name}", tag = "operations",
    params(("id" = String, Path), ("name" = String, Path, description = "As the result names it: `bars`")),
    responses((status = 200, description = "What the artifact's media type says"), (status = 404, body = Problem),
        (status = 502, body = Problem, description = "The host can't be reached"),
        (status = 503, body = Problem, description = "The store can't be read")))]
pub async fn artifact(
    State(server): State<Server>,
    Path((id, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failed> {
    let id = id_of(Path(id))?;
    let (media_type, bytes) = server.engine.artifact(id, &name, &query.unwrap_or_default()).await?;
    // What a host sends is data, never a page of ours.
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}
