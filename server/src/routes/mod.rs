//! API: one file per resource. All errors are problem documents.

mod activity;
mod audit;
mod bands;
mod events;
mod hosts;
mod log_search;
mod log_text;
mod metrics;
mod operations;
mod probes;

use crate::actor::UserHeader;
use crate::config::BasePath;
use crate::problem::Failed;
use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{DefaultBodyLimit, FromRef, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use engine::Engine;
use http_wire::{ApiError, PROBLEM};
use protocol::{OperationId, ProblemType};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tower_http::timeout::TimeoutLayer;
use utoipa::OpenApi;
use utoipa::openapi::RefOr;

/// Largest size of a request body.
const BODY: usize = 1 << 20;
/// Timeout of responses other than streams.
const ANSWER: Duration = Duration::from_secs(60);
/// Default number of log lines.
pub const LOG_LINES: u32 = 1_000;

/// State shared by handlers.
#[derive(Clone)]
pub struct Server {
    pub engine: Engine,
    /// Cancelled when the server stops: streams end first.
    pub stop: CancellationToken,
    /// Header in which a proxy passes the user's name.
    pub user_header: UserHeader,
    /// Path under which a proxy serves everything.
    pub base_path: BasePath,
    /// Number of open streams.
    pub streams: Arc<AtomicU64>,
}

impl FromRef<Server> for UserHeader {
    fn from_ref(server: &Server) -> Self {
        server.user_header.clone()
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Signalbox",
        description = "Start, follow, chart and cancel long-running operations on host services. \
                       Times are UTC in RFC 3339, ids are UUIDv7, errors are RFC 9457 problem documents. \
                       Every request may also get 403 (sent from another site's page, or to a host name that is not \
                       allowed), every request except /healthz and /readyz 401 (authentication required), and every \
                       request except the feed 504 (timeout after 60 s). Every response except the feed has the header \
                       Signalbox-Feed-Seq: the sequence number of the feed at which the response is valid. Later \
                       changes are in the events after that number."
    ),
    paths(
        operations::list,
        operations::counts,
        operations::start,
        operations::one,
        operations::cancel,
        operations::cancel_many,
        operations::delete,
        operations::delete_many,
        operations::abandon,
        operations::retry,
        operations::resume,
        operations::series,
        operations::logs,
        log_search::search,
        operations::artifact,
        bands::baseline,
        bands::rule,
        bands::set_rule,
        bands::drop_rule,
        activity::activity,
        audit::audit,
        hosts::kinds,
        hosts::preview,
        hosts::hosts,
        hosts::drain,
        hosts::undrain,
        hosts::snapshot,
        events::events,
        probes::healthz,
        probes::readyz,
        metrics::metrics,
        openapi,
    ),
    components(schemas(
        protocol::Event,
        protocol::event::Hello,
        protocol::event::Beat,
        protocol::event::Skipped,
        protocol::results::LoadResult,
        protocol::results::BacktestResult,
        protocol::results::InSample,
        protocol::results::OutOfSample,
        protocol::results::Trade,
        protocol::results::Columns,
        protocol::results::TrainingResult,
        protocol::results::ExecResult,
        protocol::sweep::SweepResult,
    ))
)]
struct Document;

/// OpenAPI document, as committed in docs/openapi.json.
pub fn openapi_document() -> String {
    document().to_pretty_json().unwrap_or_default()
}

fn document() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    for path in document.paths.paths.values_mut() {
        let operations = [&mut path.get, &mut path.post, &mut path.put, &mut path.delete];
        for operation in operations.into_iter().flatten() {
            for (status, response) in &mut operation.responses.responses {
                if let RefOr::T(response) = response {
                    as_sent(status, response);
                }
            }
        }
    }
    document
}

/// Sets the media type of error responses to a problem document.
fn as_sent(status: &str, response: &mut utoipa::openapi::Response) {
    if !status.starts_with('2')
        && let Some(problem) = response.content.shift_remove("application/json")
    {
        response.content.insert(PROBLEM.to_owned(), problem);
    }
}

/// Everything except the page.
pub fn router(server: Server) -> Router {
    let answers = Router::new()
        .route("/api/v1/operations", get(operations::list).post(operations::start))
        .route("/api/v1/operations/counts", get(operations::counts))
        .route("/api/v1/operations/cancel", post(operations::cancel_many))
        .route("/api/v1/operations/delete", post(operations::delete_many))
        .route("/api/v1/operations/{id}", get(operations::one).delete(operations::delete))
        .route("/api/v1/operations/{id}/cancel", post(operations::cancel))
        .route("/api/v1/operations/{id}/abandon", post(operations::abandon))
        .route("/api/v1/operations/{id}/retry", post(operations::retry))
        .route("/api/v1/operations/{id}/resume", post(operations::resume))
        .route("/api/v1/operations/{id}/series", get(operations::series))
        .route("/api/v1/operations/{id}/logs", get(operations::logs))
        .route("/api/v1/operations/{id}/logs/search", get(log_search::search))
        .route("/api/v1/operations/{id}/baseline", get(bands::baseline))
        .route("/api/v1/operations/{id}/rule", get(bands::rule).put(bands::set_rule).delete(bands::drop_rule))
        .route("/api/v1/operations/{id}/artifacts/{name}", get(operations::artifact))
        .route("/api/v1/activity", get(activity::activity))
        .route("/api/v1/audit", get(audit::audit))
        .route("/api/v1/kinds", get(hosts::kinds))
        .route("/api/v1/kinds/{kind}/preview", post(hosts::preview))
        .route("/api/v1/hosts", get(hosts::hosts))
        .route("/api/v1/hosts/{name}/drain", post(hosts::drain))
        .route("/api/v1/hosts/{name}/undrain", post(hosts::undrain))
        .route("/api/v1/snapshot", get(hosts::snapshot))
        .route("/openapi.json", get(openapi))
        .route("/healthz", get(probes::healthz))
        .route("/readyz", get(probes::readyz))
        .route("/metrics", get(metrics::metrics))
        .route("/api/{*rest}", axum::routing::any(no_such_route))
        .method_not_allowed_fallback(wrong_method)
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, ANSWER))
        .layer(map_response(in_words))
        .layer(from_fn_with_state(server.clone(), at_its_place));
    Router::new()
        .route("/api/v1/events", get(events::events))
        .merge(answers)
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(server)
}

/// The OpenAPI document of this API.
#[utoipa::path(get, path = "/openapi.json", tag = "probes",
    responses((status = 200, body = Object, description = "OpenAPI 3.1")))]
async fn openapi(State(server): State<Server>) -> impl IntoResponse {
    let mut document = document();
    if !server.base_path.is_empty() {
        document.servers = Some(vec![utoipa::openapi::Server::new(server.base_path.as_str())]);
    }
    ([(header::CONTENT_TYPE, "application/json")], document.to_pretty_json().unwrap_or_default())
}

/// Adds the position in the feed that a response reflects. It is read before the data, so the data is at least as new.
async fn at_its_place(State(server): State<Server>, request: Request, next: Next) -> Response {
    let seq = server.engine.feed().head();
    let of_api = request.uri().path().starts_with("/api/");
    let mut response = next.run(request).await;
    if of_api {
        response.headers_mut().insert(protocol::api::FEED_SEQ, seq.into());
    }
    response
}

/// Turns errors from below the handlers into problem documents.
async fn in_words(response: Response) -> Response {
    let said = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == PROBLEM);
    let (kind, detail) = match response.status() {
        StatusCode::PAYLOAD_TOO_LARGE if !said => {
            (ProblemType::TooLarge, "The request body is larger than 1 MiB.".to_owned())
        }
        StatusCode::GATEWAY_TIMEOUT if !said => {
            let waited = ANSWER.as_secs();
            let detail = format!(
                "The request timed out after {waited} s. It may still complete; check before you retry."
            );
            (ProblemType::Timeout, detail)
        }
        _ => return response,
    };
    Failed::new(kind, detail).into_response()
}

async fn no_such_route(uri: axum::http::Uri) -> impl IntoResponse {
    let detail = format!("There is no route {}. See /openapi.json.", uri.path());
    Failed::new(ProblemType::NotFound, detail)
}

async fn wrong_method(method: axum::http::Method, uri: axum::http::Uri) -> ApiError {
    ApiError::wrong_method(format!("{} does not allow {method}. See /openapi.json.", uri.path()))
}

/// Error of an invalid query.
fn bad_query(rejection: QueryRejection) -> ApiError {
    http_wire::bad_query(&rejection, "See /openapi.json.")
}

/// Parses the ID in a path.
fn id_of(Path(text): Path<String>) -> Result<OperationId, Failed> {
    text.parse()
        .map_err(|e| Failed::new(ProblemType::NotFound, format!("{e}. See /operations for all operations.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_took_too_long_is_a_problem_document_too() {
        let late = StatusCode::GATEWAY_TIMEOUT.into_response();
        let said = in_words(late).await;
        assert_eq!(said.status(), StatusCode::GATEWAY_TIMEOUT);
        assert_eq!(said.headers()[header::CONTENT_TYPE], PROBLEM);
        let own = Failed::new(ProblemType::Timeout, "The host's own message.").into_response();
        let body = axum::body::to_bytes(in_words(own).await.into_body(), 10_000).await.unwrap();
        assert!(String::from_utf8_lossy(&body).contains("own message"), "an existing problem document stays");
    }

    #[test]
    fn the_committed_description_of_the_api_is_what_the_code_serves() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed.trim_end() == openapi_document().trim_end(),
            "docs/openapi.json is out of date. Regenerate it: cargo run -p signalbox -- openapi > docs/openapi.json"
        );
    }
}
