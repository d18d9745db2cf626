//! Operations: list, start, details, cancel, retry, resume, delete; their series and logs.

use super::{LOG_LINES, bad_query, id_of, log_text};
use crate::actor::By;
use crate::limits::{StartAllowed, counted};
use crate::problem::{RouteError, problem_of};
use crate::state::{InScope, Server};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequest, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::{Started, Which};
use protocol::api::{
    CancelMany, CancelOperation, CancelledMany, DeleteMany, Deleted, FilterCounts, LogPage, OperationDetail,
    OperationPage, Refused, SeriesAnswer, StartWithRule,
};
use protocol::operation::AttemptOrigin;
use protocol::{Operation, OperationId, Problem, ProblemType, paths};
use serde::Deserialize;
use serde_json::Value;
use store::Filter;

/// Lists operations, one page at a time. A filter with several values matches any of them; an operation must match all
/// filters.
#[utoipa::path(get, path = "/api/v1/operations", tag = "operations",
    params(
        ("state" = Option<String>, Query, description = "States, comma-separated"),
        ("kind" = Option<String>, Query, description = "Kinds, comma-separated"),
        ("host" = Option<String>, Query, description = "Hosts, comma-separated"),
        ("param.NAME" = Option<String>, Query,
            description = "Value of the parameter NAME, case-insensitive: `param.symbol=MSFT`"),
        ("parent" = Option<String>, Query, description = "Only child operations of the operation with this ID"),
        ("since" = Option<String>, Query,
            description = "Created at or after: `24h` (ago), a day (`today`, `yesterday`, `2026-11-01`; UTC) or a time (RFC 3339)"),
        ("until" = Option<String>, Query, description = "Created before; a day is included as a whole"),
        ("ended_since" = Option<String>, Query,
            description = "Ended at or after; takes the same times as `since`. Matches no active operation"),
        ("ended_until" = Option<String>, Query,
            description = "Ended before; a day is included as a whole. Matches no active operation"),
        ("q" = Option<String>, Query,
            description = "Words to find in title, kind, host, ID or tags, case-insensitive; all must match. A word of at least 4 letters that begins the name of a state, such as `fail`, also matches that state"),
        ("order" = Option<String>, Query, description = "`newest` (default) or `oldest` first"),
        ("after" = Option<String>, Query, description = "`next` of the previous page"),
        ("limit" = Option<u32>, Query, description = "1 to 500; default 50"),
    ),
    responses((status = 200, body = OperationPage),
        (status = 400, body = Problem, description = "Invalid filter"),
        (status = 503, body = Problem, description = "The database can't be read")))]
pub async fn list(
    InScope { engine, .. }: InScope,
    Query(words): Query<Vec<(String, String)>>,
) -> Result<Json<OperationPage>, RouteError> {
    Ok(Json(engine.page(filter_of(&words)?).await?))
}

fn filter_of(words: &[(String, String)]) -> Result<Filter, RouteError> {
    Filter::parse(words.iter().map(|(k, v)| (k.as_str(), v.as_str())))
        .map_err(|e| RouteError::new(ProblemType::BadRequest, format!("Invalid filter: {e}.")))
}

/// Counts the operations that match a filter, by state. Takes the same parameters as the list; `order`, `after` and
/// `limit` have no effect.
#[utoipa::path(get, path = "/api/v1/operations/counts", tag = "operations",
    params(
        ("state" = Option<String>, Query, description = "States, comma-separated; other states count as 0"),
        ("kind" = Option<String>, Query, description = "Kinds, comma-separated"),
        ("host" = Option<String>, Query, description = "Hosts, comma-separated"),
        ("param.NAME" = Option<String>, Query, description = "As in the list"),
        ("parent" = Option<String>, Query, description = "Only child operations of the operation with this ID"),
        ("since" = Option<String>, Query, description = "As in the list"),
        ("until" = Option<String>, Query, description = "As in the list"),
        ("ended_since" = Option<String>, Query, description = "As in the list"),
        ("ended_until" = Option<String>, Query, description = "As in the list"),
        ("q" = Option<String>, Query, description = "As in the list"),
    ),
    responses((status = 200, body = FilterCounts),
        (status = 400, body = Problem, description = "Invalid filter"),
        (status = 503, body = Problem, description = "The database can't be read")))]
pub async fn counts(
    InScope { engine, .. }: InScope,
    Query(words): Query<Vec<(String, String)>>,
) -> Result<Json<FilterCounts>, RouteError> {
    Ok(Json(engine.counts_of(filter_of(&words)?).await?))
}

/// Starts an operation, with an optional auto-cancel rule. The response is sent once the operation is stored durably.
/// Requests with the same `Idempotency-Key` start it only once.
#[utoipa::path(post, path = "/api/v1/operations", tag = "operations", request_body = StartWithRule,
    params(("Idempotency-Key" = Option<String>, Header, description = "Any string of 1 to 200 printable ASCII characters")),
    responses(
        (status = 201, body = Operation, description = "Accepted"),
        (status = 200, body = Operation, description = "Accepted earlier with the same key"),
        (status = 400, body = Problem, description = "The body does not match the schema, or the key is invalid"),
        (status = 409, body = Problem,
            description = "Accepted earlier with the same key; find its operation in the list. Or a parameter is secret, and the server has no key to encrypt it"),
        (status = 410, body = Problem, description = "Accepted earlier with the same key, and deleted since"),
        (status = 413, body = Problem, description = "The body is larger than 1 MiB"),
        (status = 429, body = Problem, description = "Too many starts, or too many active operations for the role"),
        (status = 422, body = Problem,
            description = "Unknown kind, key used for another request, or invalid parameters, priority or rule; `fields` has a message for each invalid field"),
        (status = 503, body = Problem,
            description = "The database can't be written, or the kind is unknown and not all hosts have connected since the server started"),
    ))]
pub async fn start(
    State(server): State<Server>,
    InScope { engine, .. }: InScope,
    start: StartAllowed,
    By(by): By,
    headers: HeaderMap,
    body: Result<Json<Value>, JsonRejection>,
) -> Result<Response, RouteError> {
    let Json(body) = body?;
    let request = start_of(body)?;
    let key = match headers.get("idempotency-key") {
        None => None,
        Some(value) => match value.to_str() {
            Ok(key) if (1..=200).contains(&key.len()) => Some(key.to_owned()),
            _ => {
                let detail = "An Idempotency-Key must have 1 to 200 printable ASCII characters.";
                return Err(RouteError::new(ProblemType::BadRequest, detail));
            }
        },
    };
    let quota = match (start.within_quota(|id| engine.is_active(id)), key.clone()) {
        (Ok(quota), _) => quota,
        (Err(full), None) => return Err(full.into()),
        // A repeated request starts nothing.
        (Err(full), Some(key)) => match engine.earlier_start(&request, key).await? {
            Some(started) => return Ok(started_response(&server, started)),
            None => return Err(full.into()),
        },
    };
    let engine = engine.by(by);
    let started = counted(quota, async move { engine.start_with_rule(request, key).await }, |started| {
        started.new.then_some(started.operation.id)
    });
    Ok(started_response(&server, started.await?))
}

fn started_response(server: &Server, started: Started) -> Response {
    http_wire::about_operation(started.operation.id);
    let status = if started.new { StatusCode::CREATED } else { StatusCode::OK };
    let location = format!("{}{}", server.base_path, paths::operation(started.operation.id));
    (status, [(header::LOCATION, location)], Json(started.operation)).into_response()
}

/// Reads a start. A misspelled field is an error: the operation would start with other parameters than meant.
fn start_of(body: Value) -> Result<StartWithRule, RouteError> {
    const FIELDS: [&str; 4] = ["kind", "params", "priority", "rule"];
    let bad = |detail: String| RouteError::new(ProblemType::BadRequest, detail);
    if let Some(unknown) =
        body.as_object().and_then(|body| body.keys().find(|key| !FIELDS.contains(&key.as_str())))
    {
        let unknown: String = unknown.chars().take(40).collect();
        return Err(bad(format!(
            "Unknown field '{unknown}'. The fields of a start request are {}.",
            FIELDS.join(", ")
        )));
    }
    serde_json::from_value(body).map_err(|e| bad(format!("The body does not match the schema: {e}.")))
}

/// Details of one operation: attempts, receipt, conditions, result and audit log.
#[utoipa::path(get, path = "/api/v1/operations/{id}", tag = "operations", params(("id" = String, Path)),
    responses((status = 200, body = OperationDetail), (status = 404, body = Problem),
        (status = 503, body = Problem, description = "The database can't be read")))]
pub async fn one(
    InScope { engine, .. }: InScope,
    id: Path<String>,
) -> Result<Json<OperationDetail>, RouteError> {
    Ok(Json(engine.operation(id_of(id)?).await?))
}

/// Requests the cancellation of an operation. The response confirms that the request is stored; the operation's receipt
/// shows each step of the cancellation.
#[utoipa::path(post, path = "/api/v1/operations/{id}/cancel", tag = "operations", params(("id" = String, Path)),
    request_body = Option<CancelOperation>,
    responses((status = 202, body = Operation),
        (status = 400, body = Problem, description = "Invalid body"), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "The operation has ended"),
        (status = 413, body = Problem, description = "The body is larger than 1 MiB"),
        (status = 503, body = Problem, description = "The database can't be written")))]
pub async fn cancel(
    InScope { engine, .. }: InScope,
    By(by): By,
    id: Path<String>,
    Reason(reason): Reason,
) -> Result<Accepted, RouteError> {
    Ok(accepted(engine.by(by).cancel(id_of(id)?, reason).await?))
}

/// Abandons an operation whose host is unreachable or can't stop it. The operation fails, later reports about it are
/// ignored, and the server asks the host to stop the work when it reconnects.
#[utoipa::path(post, path = "/api/v1/operations/{id}/abandon", tag = "operations", params(("id" = String, Path)),
    request_body = Option<CancelOperation>,
    responses((status = 202, body = Operation),
        (status = 400, body = Problem, description = "Invalid body"), (status = 404, body = Problem),
        (status = 409, body = Problem,
            description = "The operation has ended, is queued or only waits for its child operations, or its host is \
                connected and can stop it"),
        (status = 413, body = Problem, description = "The body is larger than 1 MiB"),
        (status = 503, body = Problem, description = "The database can't be written")))]
pub async fn abandon(
    InScope { engine, .. }: InScope,
    By(by): By,
    id: Path<String>,
    Reason(reason): Reason,
) -> Result<Accepted, RouteError> {
    Ok(accepted(engine.by(by).abandon(id_of(id)?, reason).await?))
}

/// Response to a stored request: the operation as it is now. What was requested follows.
type Accepted = (StatusCode, Json<Operation>);

fn accepted(operation: Operation) -> Accepted {
    (StatusCode::ACCEPTED, Json(operation))
}

/// Reason given by the user in the body, which may be empty.
pub struct Reason(String);

impl<S: Send + Sync> FromRequest<S> for Reason {
    type Rejection = RouteError;

    async fn from_request(request: Request, state: &S) -> Result<Self, RouteError> {
        Ok(Self(reason_of(&Bytes::from_request(request, state).await?)?))
    }
}

fn reason_of(body: &Bytes) -> Result<String, RouteError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(String::new());
    }
    let cancel: CancelOperation = serde_json::from_slice(body).map_err(|e| {
        let detail = format!("Invalid body: {e}. Send {{\"reason\": \"...\"}} or nothing.");
        RouteError::new(ProblemType::BadRequest, detail)
    })?;
    Ok(clipped(&cancel.reason))
}

fn clipped(reason: &str) -> String {
    reason.trim().chars().take(500).collect()
}

/// Cancels many operations, selected by ID or by a filter. The response is sent once all requests are stored.
#[utoipa::path(post, path = "/api/v1/operations/cancel", tag = "operations", request_body = CancelMany,
    responses((status = 202, body = CancelledMany),
        (status = 400, body = Problem,
            description = "Neither or both of `ids` and `filter`, more than 10,000 IDs, or an invalid body or filter"),
        (status = 413, body = Problem, description = "The body is larger than 1 MiB"),
        (status = 503, body = Problem, description = "The database can't be written")))]
pub async fn cancel_many(
    InScope { engine, .. }: InScope,
    By(by): By,
    body: Result<Json<CancelMany>, JsonRejection>,
) -> Result<(StatusCode, Json<CancelledMany>), RouteError> {
    let Json(many) = body?;
    let which = which(many.ids, many.filter)?;
    let cancelled = engine.by(by).cancel_many(which, clipped(&many.reason)).await?;
    let refused = |(id, error)| Refused { id, why: problem_of(error).detail };
    let outcome = CancelledMany {
        requested: cancelled.requested,
        refused: cancelled.refused.into_iter().map(refused).collect(),
        not_stored: cancelled.not_stored,
    };
    Ok((StatusCode::ACCEPTED, Json(outcome)))
}

/// Selection of a bulk request: listed IDs, or a filter.
fn which(ids: Option<Vec<OperationId>>, filter: Option<String>) -> Result<Which, RouteError> {
    let bad = |detail: String| RouteError::new(ProblemType::BadRequest, detail);
    match (ids, filter) {
        (Some(ids), None) if ids.len() > MANY => Err(bad(format!(
            "{} IDs exceed the limit of {MANY} per request. Send several requests.",
            ids.len()
        ))),
        (Some(ids), None) => Ok(Which::These(ids)),
        (None, Some(filter)) => {
            let words = url_words(&filter);
            // A script with an empty variable must not select everything.
            if let Some((name, _)) = words.iter().find(|(_, value)| value.is_empty()) {
                return Err(bad(format!(
                    "Invalid filter: {name} has no value. Add one, or leave {name} out to match all."
                )));
            }
            let words = words.iter().map(|(k, v)| (k.as_str(), v.as_str()));
            let filter = Filter::parse(words).map_err(|e| bad(format!("Invalid filter: {e}.")))?;
            Ok(Which::Found(Box::new(filter)))
        }
        _ => Err(bad(
            "Select operations with either \"ids\" (a list) or \"filter\" (a query string as for the list)."
                .into(),
        )),
    }
}

/// Deletes an ended operation with all of its data, and its child operations. The response is sent after the deletion;
/// the feed reports each deletion with a `deleted` event.
#[utoipa::path(delete, path = "/api/v1/operations/{id}", tag = "operations", params(("id" = String, Path)),
    responses((status = 200, body = Deleted), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "The operation or one of its children has not ended"),
        (status = 503, body = Problem, description = "The database can't be written")))]
pub async fn delete(
    InScope { engine, .. }: InScope,
    By(by): By,
    id: Path<String>,
) -> Result<Json<Deleted>, RouteError> {
    Ok(Json(engine.by(by).delete(id_of(id)?).await?))
}

/// Deletes many ended operations and their children, selected by ID or by a filter. Active operations are kept. The
/// response is sent after the deletion. With `dry_run`, the response only states what would be deleted.
#[utoipa::path(post, path = "/api/v1/operations/delete", tag = "operations", request_body = DeleteMany,
    responses((status = 200, body = Deleted),
        (status = 400, body = Problem,
            description = "Neither or both of `ids` and `filter`, more than 10,000 IDs, or an invalid body or filter"),
        (status = 413, body = Problem, description = "The body is larger than 1 MiB"),
        (status = 503, body = Problem, description = "The database can't be written")))]
pub async fn delete_many(
    InScope { engine, .. }: InScope,
    By(by): By,
    body: Result<Json<DeleteMany>, JsonRejection>,
) -> Result<Json<Deleted>, RouteError> {
    let Json(many) = body?;
    let which = which(many.ids, many.filter)?;
    Ok(Json(engine.by(by).delete_many(which, many.until, many.dry_run).await?))
}

/// Pairs of a URL's query string.
fn url_words(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.trim_start_matches('?').as_bytes()).into_owned().collect()
}

/// Retries an operation: starts another attempt from the beginning.
#[utoipa::path(post, path = "/api/v1/operations/{id}/retry", tag = "operations", params(("id" = String, Path)),
    responses((status = 202, body = Operation), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "The operation has not ended, it succeeded, or its secret parameters can't be decrypted"),
        (status = 503, body = Problem, description = "The database can't be written")))]
pub async fn retry(
    InScope { engine, .. }: InScope,
    start: StartAllowed,
    By(by): By,
    id: Path<String>,
) -> Result<Accepted, RouteError> {
    let quota = start.within_quota(|id| engine.is_active(id))?;
    let (engine, id) = (engine.by(by), id_of(id)?);
    let again = counted(quota, async move { engine.again(id, AttemptOrigin::Retry).await }, |operation| {
        Some(operation.id)
    });
    Ok(accepted(again.await?))
}

/// Resumes an operation: starts another attempt from the latest checkpoint.
#[utoipa::path(post, path = "/api/v1/operations/{id}/resume", tag = "operations", params(("id" = String, Path)),
    responses((status = 202, body = Operation), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "The operation has not ended, it succeeded, it has no checkpoint, or its secret parameters can't be decrypted"),
        (status = 503, body = Problem, description = "The database can't be written")))]
pub async fn resume(
    InScope { engine, .. }: InScope,
    start: StartAllowed,
    By(by): By,
    id: Path<String>,
) -> Result<Accepted, RouteError> {
    let quota = start.within_quota(|id| engine.is_active(id))?;
    let (engine, id) = (engine.by(by), id_of(id)?);
    let again = counted(quota, async move { engine.again(id, AttemptOrigin::Resume).await }, |operation| {
        Some(operation.id)
    });
    Ok(accepted(again.await?))
}

/// Largest number of IDs in a bulk request.
const MANY: usize = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesQuery {
    name: Option<String>,
    from: Option<f64>,
    to: Option<f64>,
    points: Option<usize>,
}

/// Series of the current attempt, downsampled to the requested number of points with min and max kept.
#[utoipa::path(get, path = "/api/v1/operations/{id}/series", tag = "operations",
    params(
        ("id" = String, Path),
        ("name" = Option<String>, Query, description = "Names, comma-separated; default: all"),
        ("from" = Option<f64>, Query, description = "Minimum x"),
        ("to" = Option<f64>, Query, description = "Maximum x"),
        ("points" = Option<u32>, Query, description = "Maximum points per series, 5 to 20,000; default 1,000"),
    ),
    responses((status = 200, body = SeriesAnswer),
        (status = 400, body = Problem, description = "Invalid query"), (status = 404, body = Problem),
        (status = 503, body = Problem, description = "The database can't be read")))]
pub async fn series(
    InScope { engine, .. }: InScope,
    id: Path<String>,
    query: Result<Query<SeriesQuery>, QueryRejection>,
) -> Result<Json<SeriesAnswer>, RouteError> {
    let Query(query) = query.map_err(bad_query)?;
    // A name may itself contain a comma.
    let whole = query.name.iter().filter(|name| name.contains(',')).map(String::as_str);
    let names = query.name.iter().flat_map(|n| n.split(',')).map(str::trim).chain(whole);
    let names = names.map(str::to_owned).collect();
    let points = query.points.unwrap_or(1_000).clamp(5, 20_000);
    Ok(Json(engine.series(id_of(id)?, names, (query.from, query.to), points).await?))
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

/// The last log lines of an attempt, oldest first; or the full log as a text download.
#[utoipa::path(get, path = "/api/v1/operations/{id}/logs", tag = "operations",
    params(
        ("id" = String, Path),
        ("attempt" = Option<u32>, Query, description = "Attempt number; default: the current attempt"),
        ("before" = Option<u64>, Query, description = "Only lines before this line number"),
        ("limit" = Option<u32>, Query, description = "1 to 10,000; default 1,000"),
        ("format" = Option<String>, Query, description = "`json` (default); or `text` for the full log as text/plain, \
            without colours, each line with time, level and text. `before` and `limit` are ignored then"),
    ),
    responses((status = 200, body = LogPage),
        (status = 400, body = Problem, description = "Invalid query"), (status = 404, body = Problem),
        (status = 503, body = Problem, description = "The database can't be read")))]
pub async fn logs(
    InScope { engine, .. }: InScope,
    id: Path<String>,
    query: Result<Query<LogQuery>, QueryRejection>,
) -> Result<Response, RouteError> {
    let Query(query) = query.map_err(bad_query)?;
    query.attempt.into_iter().for_each(http_wire::about_attempt);
    if query.format == Some(LogFormat::Text) {
        return Ok(log_text::whole(&engine, id_of(id)?, query.attempt).await?);
    }
    let limit = query.limit.unwrap_or(LOG_LINES).clamp(1, 10_000);
    Ok(Json(engine.logs(id_of(id)?, query.attempt, query.before, limit).await?).into_response())
}
