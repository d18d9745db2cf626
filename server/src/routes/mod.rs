//! API: one file per resource. All errors are problem documents.

mod access;
mod activity;
mod alerts;
mod artifact;
pub mod audit;
mod bands;
mod events;
mod history;
mod host_requests;
mod host_trends;
mod hosts;
mod latency;
mod log_search;
mod log_text;
mod metrics;
mod operations;
mod probes;
mod time_breakdown;

use crate::access::{Identity, Routes, operations};
use crate::problem::RouteError;
use crate::state::Server;
use ::access::Reach;
use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use http_wire::{ApiError, PROBLEM};
use protocol::access::Permission;
use protocol::{OperationId, ProblemType};
use std::time::Duration;
use tower_http::timeout::TimeoutLayer;
use utoipa::OpenApi;
use utoipa::openapi::RefOr;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Largest size of a request body.
const MAX_BODY_BYTES: usize = 1 << 20;
/// Timeout of responses other than streams.
const ANSWER: Duration = Duration::from_secs(60);
/// Default number of log lines.
pub const LOG_LINES: u32 = 1_000;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Signalbox",
        description = "Start, follow, chart and cancel long-running operations on host services. Times are UTC in RFC \
                       3339, ids are UUIDv7, errors are RFC 9457 problem documents. Each route names the permission \
                       that it needs as x-permission; docs/security.md lists the permissions of each role. Every \
                       request may also get 403: a permission is missing, or the request was sent from another site's \
                       page or to a host name that is not allowed. Every request except /healthz and /readyz may get \
                       401 (authentication required). Every request except the feed may get 504 (timeout after 60 s). \
                       Every request may get 429 with Retry-After (too many requests), and a request with a body 408 \
                       (its body was too slow). \
                       Every response except the feed has the header Signalbox-Feed-Seq: the sequence number of the \
                       feed at which the response is valid. Later changes are in the events after that number. Every \
                       response has the header x-request-id: the ID that the request had in the same header (1 to 128 \
                       letters, digits and -_.:/+=@), or a new one. Problem documents and the server's log contain \
                       this ID, too."
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
    let mut document = api().into_openapi();
    for path in document.paths.paths.values_mut() {
        for operation in operations(path) {
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

/// All routes with their descriptions, declared once.
fn api() -> OpenApiRouter<Server> {
    OpenApiRouter::with_openapi(Document::openapi()).merge(responses()).merge(feed())
}

/// Routes that respond as a whole, by permission.
fn responses() -> OpenApiRouter<Server> {
    use Permission::{Control, Delete, ManageAccess, ManageHosts, Read, ReadAudit, Silence, Start};
    use Reach::{AllKinds, Scope};
    Routes::new()
        .needs(Read, Scope, routes!(operations::list))
        .needs(Start, Scope, routes!(operations::start))
        .needs(Read, Scope, routes!(operations::counts))
        .needs(Control, Scope, routes!(operations::cancel_many))
        .needs(Delete, Scope, routes!(operations::delete_many))
        .needs(Read, Scope, routes!(operations::one))
        .needs(Delete, Scope, routes!(operations::delete))
        .needs(Control, Scope, routes!(operations::cancel))
        .needs(Control, Scope, routes!(operations::abandon))
        .needs(Control, Scope, routes!(operations::retry))
        .needs(Control, Scope, routes!(operations::resume))
        .needs(Read, Scope, routes!(operations::series))
        .needs(Read, Scope, routes!(operations::logs))
        .needs(Read, Scope, routes!(time_breakdown::time_breakdown))
        .needs(Read, Scope, routes!(log_search::search))
        .needs(Read, Scope, routes!(bands::baseline))
        .needs(Read, Scope, routes!(bands::rule))
        .needs(Control, Scope, routes!(bands::set_rule, bands::drop_rule))
        .needs(Read, Scope, routes!(artifact::artifact))
        .needs(Read, Scope, routes!(activity::activity))
        .needs(ReadAudit, AllKinds, routes!(audit::audit))
        .needs(ReadAudit, AllKinds, routes!(audit::export))
        .needs(Read, Scope, routes!(hosts::kinds))
        .needs(Start, Scope, routes!(hosts::preview))
        .needs(Read, Scope, routes!(hosts::hosts))
        .needs(Read, AllKinds, routes!(host_requests::host_requests))
        .needs(Read, AllKinds, routes!(history::history))
        .needs(Read, AllKinds, routes!(latency::latency))
        .needs(Read, AllKinds, routes!(host_trends::trends))
        .needs(Read, AllKinds, routes!(alerts::list))
        .needs(Read, AllKinds, routes!(alerts::rules))
        .needs(Silence, AllKinds, routes!(alerts::add_rule))
        .needs(Silence, AllKinds, routes!(alerts::change_rule, alerts::remove_rule))
        .needs(Read, AllKinds, routes!(alerts::dry_run))
        .needs(Silence, AllKinds, routes!(alerts::silence))
        .needs(Silence, AllKinds, routes!(alerts::end_silence))
        .needs(ManageHosts, AllKinds, routes!(hosts::drain))
        .needs(ManageHosts, AllKinds, routes!(hosts::undrain))
        .needs(Read, Scope, routes!(hosts::snapshot))
        .needs(Read, Scope, routes!(access::me))
        .needs(ManageAccess, AllKinds, routes!(access::tokens, access::create_token))
        .needs(ManageAccess, AllKinds, routes!(access::revoke_token))
        .needs(ManageAccess, AllKinds, routes!(access::users, access::add_user))
        .needs(ManageAccess, AllKinds, routes!(access::change_user, access::remove_user))
        .needs(Read, Scope, routes!(openapi))
        .public(routes!(probes::healthz))
        .public(routes!(probes::readyz))
        .needs(Read, AllKinds, routes!(metrics::metrics))
        .into_router()
}

/// The feed: a stream has no timeout, and no position in a header.
fn feed() -> OpenApiRouter<Server> {
    Routes::new().needs(Permission::Read, Reach::Scope, routes!(events::events)).into_router()
}

/// Everything except the page.
pub fn router(server: Server) -> Router {
    let responses = Router::from(responses())
        .route("/api/{*rest}", axum::routing::any(no_such_route))
        .method_not_allowed_fallback(wrong_method)
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, ANSWER))
        .layer(map_response(as_problem))
        .layer(from_fn_with_state(server.clone(), at_its_place));
    Router::from(feed()).merge(responses).layer(DefaultBodyLimit::max(MAX_BODY_BYTES)).with_state(server)
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
    let of_api = request.uri().path().starts_with("/api/");
    let identity = request.extensions().get::<Identity>().filter(|_| of_api);
    let seq = identity.map(|identity| server.data.in_scope(identity).engine.head());
    let mut response = next.run(request).await;
    if let Some(seq) = seq {
        response.headers_mut().insert(protocol::api::FEED_SEQ, seq.into());
    }
    response
}

/// Turns errors from below the handlers into problem documents.
async fn as_problem(response: Response) -> Response {
    let described = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == PROBLEM);
    let (kind, detail) = match response.status() {
        StatusCode::PAYLOAD_TOO_LARGE if !described => {
            return RouteError::too_large().into_response();
        }
        StatusCode::GATEWAY_TIMEOUT if !described => {
            let waited = ANSWER.as_secs();
            let detail = format!(
                "The request timed out after {waited} s. It may still complete; check before you retry."
            );
            (ProblemType::Timeout, detail)
        }
        _ => return response,
    };
    RouteError::new(kind, detail).into_response()
}

async fn no_such_route(uri: axum::http::Uri) -> impl IntoResponse {
    let detail = format!("There is no route {}. See /openapi.json.", uri.path());
    RouteError::new(ProblemType::NotFound, detail)
}

async fn wrong_method(method: axum::http::Method, uri: axum::http::Uri) -> ApiError {
    ApiError::wrong_method(format!("{} does not allow {method}. See /openapi.json.", uri.path()))
}

/// Error of an invalid query.
fn bad_query(rejection: QueryRejection) -> ApiError {
    http_wire::bad_query(&rejection, "See /openapi.json.")
}

/// Parses the ID in a path, and notes it in the span of the request.
fn id_of(Path(text): Path<String>) -> Result<OperationId, RouteError> {
    let id = text.parse().map_err(|e| {
        RouteError::new(ProblemType::NotFound, format!("{e}. See /operations for all operations."))
    })?;
    http_wire::about_operation(id);
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::X_PERMISSION;
    use crate::guard::PUBLIC;

    #[test]
    fn only_probes_need_no_permission() {
        let mut document = document();
        let mut without = Vec::new();
        for (path, item) in &mut document.paths.paths {
            for operation in operations(item) {
                let extensions = operation.extensions.clone().unwrap_or_default();
                if !extensions.contains_key(X_PERMISSION) {
                    without.push(path.clone());
                }
            }
        }
        without.sort();
        assert_eq!(without, PUBLIC);
    }

    #[tokio::test]
    async fn a_timeout_is_a_problem_document() {
        let late = StatusCode::GATEWAY_TIMEOUT.into_response();
        let described = as_problem(late).await;
        assert_eq!(described.status(), StatusCode::GATEWAY_TIMEOUT);
        assert_eq!(described.headers()[header::CONTENT_TYPE], PROBLEM);
        let own = RouteError::new(ProblemType::Timeout, "The host's own message.").into_response();
        let body = axum::body::to_bytes(as_problem(own).await.into_body(), 10_000).await.unwrap();
        assert!(String::from_utf8_lossy(&body).contains("own message"), "an existing problem document stays");
    }

    #[test]
    fn the_committed_description_of_the_api_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed.trim_end() == openapi_document().trim_end(),
            "docs/openapi.json is out of date. Regenerate it: cargo run -p signalbox -- openapi > docs/openapi.json"
        );
    }
}
