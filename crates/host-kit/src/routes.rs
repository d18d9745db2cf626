//! Routes of the host contract: parse requests, call registry and feed, write responses.

use crate::ApiError;
use crate::access::guard;
use crate::checkpoints;
use crate::health::{Checked, checks};
use crate::parse::{HandlerResult, parse_id, wrong_query};
use crate::registry::Started;
use crate::sampling::Sampling;
use crate::shared::Shared;
use crate::stream::{CheckpointBuilder, poll, stream};
use axum::extract::rejection::QueryRejection;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http_wire::{Wait, sse};
use protocol::host::{
    About, CancelAttempt, Check, Health, HostOperation, HostOperations, Outcome, StartAttempt,
};
use protocol::samples::HostSamples;
use protocol::{InstanceId, Preview, ProblemType, Time};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;

/// Largest size of a request in bytes.
const BODY_BYTES: usize = 1024 * 1024;
/// Timeout of a request's body.
const BODY_DEADLINE: Duration = Duration::from_secs(15);

/// All of `/host/v1`, behind access control.
pub(crate) fn router(shared: &Arc<Shared>) -> Router {
    let artifacts =
        shared.works.iter().fold(Router::new(), |artifacts, work| artifacts.merge(work.artifacts()));
    Router::new()
        .route("/host/v1/about", get(about))
        .route("/host/v1/health", get(health))
        .route("/host/v1/samples", get(samples))
        .route("/host/v1/operations", get(list).post(start))
        .route("/host/v1/preview", post(preview))
        .route("/host/v1/operations/{id}", get(show))
        .route("/host/v1/operations/{id}/cancel", post(cancel))
        .route("/host/v1/operations/{id}/result", get(result))
        .merge(checkpoints::router())
        .route("/host/v1/events", get(events))
        .nest("/host/v1/artifacts", artifacts.with_state(()))
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(from_fn_with_state(Arc::clone(&shared.access), guard))
        .with_state(Arc::clone(shared))
}

async fn about(State(shared): State<Arc<Shared>>) -> HandlerResult<Json<About>> {
    let works = shared.works.clone();
    // A kind may look up what it can offer, which blocks.
    let kinds = tokio::task::spawn_blocking(move || works.iter().map(|work| work.kind()).collect()).await;
    let kinds = kinds.map_err(|_| {
        let why = "A kind panicked while describing itself. This is a bug in the host; see its log.";
        ApiError::new(ProblemType::Internal, why)
    })?;
    Ok(Json(About {
        name: shared.name.clone(),
        version: shared.version.clone(),
        instance: shared.feed.instance(),
        kinds,
        capacity: shared.capacity,
        max_parallel: shared.registry.max_parallel().clone(),
        now: Time::now(),
    }))
}

async fn health(State(shared): State<Arc<Shared>>) -> Json<Health> {
    let load = async {
        // Its work runs on another machine, or in a process that is measured anyway.
        let machine = shared.machine.as_ref()?;
        machine.load().await.transpose()
    };
    let (checked, load) = tokio::join!(checks(&shared.works), load);
    let Checked { mut checks, mut unready_kinds } = checked;
    let closing = shared.registry.closing();
    // A failed check that keeps no kind from running, such as one source of several, is only shown.
    let ready = unready_kinds.is_empty() && !closing;
    if closing {
        // If all kinds are unready, the host is.
        unready_kinds.clear();
        checks.push(Check { name: "host".into(), ok: false, message: "The host is shutting down.".into() });
    }
    let load = load.transpose().unwrap_or_else(|why| {
        // A host whose load is unknown can still work.
        checks.push(Check { name: "machine".into(), ok: false, message: why });
        None
    });
    let (running, free) = shared.registry.slots();
    Json(Health {
        ready,
        unready_kinds,
        checks,
        cpu: load.map(|load| load.cpu),
        memory_bytes: load.map(|load| load.memory_bytes),
        network_in: load.map(|load| load.network_in),
        network_out: load.map(|load| load.network_out),
        running,
        free,
        now: Time::now(),
    })
}

/// Position of a reader of samples.
#[derive(Deserialize)]
struct SamplesQuery {
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
}

async fn samples(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<SamplesQuery>, QueryRejection>,
) -> HandlerResult<Json<HostSamples>> {
    let Query(query) = query.map_err(wrong_query)?;
    let Sampling::On(samples) = &shared.sampling else {
        let why = "This host does not sample resources: its work runs on another machine, or in the server's process.";
        return Err(ApiError::new(ProblemType::NotFound, why));
    };
    Ok(Json(samples.after(shared.feed.instance(), query.after, query.limit)))
}

async fn list(State(shared): State<Arc<Shared>>) -> Json<HostOperations> {
    Json(shared.registry.list())
}

async fn start(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> HandlerResult<(StatusCode, Json<HostOperation>)> {
    let ask: StartAttempt = read(request).await?;
    http_wire::about_operation(ask.id);
    http_wire::about_attempt(ask.attempt);
    Ok(match shared.registry.start(ask).await? {
        Started::New(operation) => (StatusCode::ACCEPTED, Json(operation)),
        Started::Known(operation) => (StatusCode::OK, Json(operation)),
    })
}

async fn preview(State(shared): State<Arc<Shared>>, request: Request) -> HandlerResult<Json<Preview>> {
    Ok(Json(shared.registry.preview(read(request).await?).await?))
}

async fn show(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> HandlerResult<Json<HostOperation>> {
    Ok(Json(shared.registry.find(parse_id(&id)?)?.view()))
}

async fn cancel(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    request: Request,
) -> HandlerResult<Response> {
    let id = parse_id(&id)?;
    let ask: CancelAttempt = read(request).await?;
    http_wire::about_attempt(ask.attempt);
    let acknowledged = shared.registry.cancel(id, &ask)?;
    Ok((StatusCode::ACCEPTED, Json(acknowledged)).into_response())
}

async fn result(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> HandlerResult<Response> {
    let attempt = shared.registry.find(parse_id(&id)?)?;
    match attempt.result() {
        Some((_, Some(json))) => Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response()),
        Some((outcome, None)) => {
            let how = match outcome {
                Outcome::Cancelled => "was cancelled",
                Outcome::NotStarted => "was not started",
                Outcome::Succeeded | Outcome::Failed => "failed",
            };
            let why = format!("Operation {} {how} and has no result.", attempt.id);
            Err(ApiError::new(ProblemType::NotFound, why))
        }
        None => {
            let why = format!(
                "Operation {} has not ended, so there is no result yet. Try again when it has ended.",
                attempt.id
            );
            Err(ApiError::new(ProblemType::Conflict, why))
        }
    }
}

/// Position of a reader, and the longest wait of a poll.
#[derive(Deserialize)]
struct EventsQuery {
    after: Option<u64>,
    instance: Option<InstanceId>,
    wait: Option<Wait>,
}

async fn events(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<EventsQuery>, QueryRejection>,
    headers: HeaderMap,
) -> HandlerResult<Response> {
    let Query(query) = query.map_err(wrong_query)?;
    // The header of a reconnecting client is newer than its URL.
    let after = sse::last_event_id(&headers)?.or(query.after).unwrap_or(0);
    let foreign = query.instance.is_some_and(|instance| instance != shared.feed.instance());
    let place = CheckpointBuilder { after, foreign };
    let feed = Arc::clone(&shared.feed);
    let ending = shared.ending.clone();
    if sse::accepts(&headers, sse::EVENT_STREAM) {
        return Ok(stream(feed, place, shared.beat, ending));
    }
    Ok(poll(feed, place, query.wait.unwrap_or_default().duration(), ending).await)
}

async fn nothing_here(uri: Uri) -> ApiError {
    let why = format!(
        "There is no route {}. This is a Signalbox host; GET /host/v1/about lists its kinds.",
        uri.path()
    );
    ApiError::new(ProblemType::NotFound, why)
}

async fn wrong_method(method: Method, uri: Uri) -> ApiError {
    ApiError::wrong_method(format!("{} does not allow {method}.", uri.path()))
}

/// Parses a JSON body.
async fn read<T: DeserializeOwned>(request: Request) -> HandlerResult<T> {
    let reading = axum::body::to_bytes(request.into_body(), BODY_BYTES);
    let body = tokio::time::timeout(BODY_DEADLINE, reading).await.map_err(|_| {
        let why = format!("The request body did not arrive within {} s.", BODY_DEADLINE.as_secs());
        ApiError::new(ProblemType::BadRequest, why)
    })?;
    let body = body.map_err(|e| {
        if std::error::Error::source(&e).is_some_and(|source| source.is::<http_body_util::LengthLimitError>())
        {
            let why = format!(
                "The request body is larger than {BODY_BYTES} bytes. Pass large parameters as references, not as data."
            );
            ApiError::new(ProblemType::TooLarge, why)
        } else {
            ApiError::new(ProblemType::BadRequest, format!("The request body was interrupted: {e}."))
        }
    })?;
    serde_json::from_slice(&body)
        .map_err(|e| ApiError::new(ProblemType::BadRequest, format!("Invalid request body: {e}.")))
}
