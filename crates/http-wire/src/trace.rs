//! Tracing of requests: a span with an ID around each, and an access log.

use crate::request_id::{RequestId, identify};
use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::Response;
use axum::middleware::from_fn;
use std::net::SocketAddr;
use std::time::Duration;
use tower_http::trace::{MakeSpan, OnResponse, TraceLayer};
use tracing::field::{Empty, display};
use tracing::{Span, debug, info, info_span};

/// Whether each request is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum AccessLog {
    /// Each response is a line at level info.
    On,
    /// Each response is a line at level debug.
    #[default]
    Off,
}

/// Router whose requests have an ID ([`RequestId`]) and a span, and whose responses return the ID.
///
/// Queries, headers and bodies are never logged: they may contain tokens.
pub fn traced(router: Router, access_log: AccessLog) -> Router {
    with_spans(router, access_log, RequestSpan::OfClient)
}

/// As [`traced`], for a host. Its spans have a target of their own, since the server itself sends requests to a host
/// every few seconds.
pub fn traced_host(router: Router, access_log: AccessLog) -> Router {
    with_spans(router, access_log, RequestSpan::OfServer)
}

fn with_spans(router: Router, access_log: AccessLog, span: RequestSpan) -> Router {
    let trace = TraceLayer::new_for_http()
        .make_span_with(span)
        .on_request(())
        .on_response(access_log)
        .on_body_chunk(())
        .on_eos(())
        .on_failure(());
    router.layer(trace).layer(from_fn(identify))
}

/// Notes in the span of the current request which operation it is about.
pub fn about_operation(id: impl std::fmt::Display) {
    Span::current().record("operation", display(id));
}

/// Notes in the span of the current request which attempt it is about.
pub fn about_attempt(number: u32) {
    Span::current().record("attempt", number);
}

/// Target of the spans of requests to a host.
const HOST_REQUEST: &str = "host_request";

/// Whose requests the spans are for.
#[derive(Clone, Copy)]
enum RequestSpan {
    OfClient,
    OfServer,
}

impl<B> MakeSpan<B> for RequestSpan {
    fn make_span(&mut self, request: &Request<B>) -> Span {
        let id = request.extensions().get::<RequestId>().map_or("", RequestId::as_str);
        macro_rules! span {
            ($($target:tt)*) => {
                info_span!(
                    $($target)*
                    "request",
                    id,
                    method = %request.method(),
                    path = request.uri().path(),
                    client = Empty,
                    operation = Empty,
                    attempt = Empty,
                )
            };
        }
        let span = match self {
            Self::OfClient => span!(),
            Self::OfServer => span!(target: HOST_REQUEST,),
        };
        if let Some(ConnectInfo(client)) = request.extensions().get::<ConnectInfo<SocketAddr>>() {
            span.record("client", display(client.ip()));
        }
        span
    }
}

impl<B> OnResponse<B> for AccessLog {
    fn on_response(self, response: &Response<B>, latency: Duration, _: &Span) {
        let status = response.status().as_u16();
        let latency_ms = latency.as_secs_f64() * 1e3;
        match self {
            Self::On => info!(target: "access", status, latency_ms, "responded"),
            Self::Off => debug!(target: "access", status, latency_ms, "responded"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ApiError, X_REQUEST_ID};
    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use parking_lot::Mutex;
    use protocol::{Problem, ProblemType};
    use std::io;
    use std::sync::Arc;
    use tower::ServiceExt;
    use tracing::level_filters::LevelFilter;

    /// Log in memory.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Response to a request, and what was logged up to a level.
    async fn logged(request: Request, access_log: AccessLog, most: LevelFilter) -> (Response<Body>, String) {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(most)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        let handler = || async {
            about_operation("op-7");
            about_attempt(2);
            tracing::warn!("handled");
            ApiError::new(ProblemType::NotFound, "Nothing.")
        };
        let router = traced(Router::new().route("/operations", get(handler)), access_log);
        let guard = tracing::subscriber::set_default(subscriber);
        let response = router.oneshot(request).await.unwrap();
        drop(guard);
        let text = String::from_utf8(log.0.lock().clone()).unwrap();
        (response, text)
    }

    fn request(id: &str) -> Request {
        Request::get("/operations?token=s3cret")
            .header("authorization", "Bearer s3cret")
            .header("cookie", "signalbox_token=s3cret")
            .header(X_REQUEST_ID, id)
            .body(Body::empty())
            .unwrap()
    }

    #[tokio::test]
    async fn a_response_has_its_request_id_in_header_and_problem_document() {
        let (response, _) = logged(request("abc-1"), AccessLog::Off, LevelFilter::OFF).await;
        assert_eq!(response.headers()[X_REQUEST_ID], "abc-1");
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        let problem: Problem = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem.request_id.as_deref(), Some("abc-1"));
        let (response, _) = logged(request("a b"), AccessLog::Off, LevelFilter::OFF).await;
        assert_ne!(response.headers()[X_REQUEST_ID], "a b", "an ID that could not stand in a log line");
    }

    #[tokio::test]
    async fn log_lines_of_a_handler_name_request_operation_and_attempt() {
        let (_, log) = logged(request("abc-1"), AccessLog::Off, LevelFilter::INFO).await;
        let line = log.lines().find(|line| line.contains("handled")).expect(&log);
        for part in ["id=\"abc-1\"", "method=GET", "path=\"/operations\"", "operation=op-7", "attempt=2"] {
            assert!(line.contains(part), "{part} in {line}");
        }
    }

    #[tokio::test]
    async fn the_access_log_has_every_response_only_if_it_is_on() {
        let (_, off) = logged(request("abc-1"), AccessLog::Off, LevelFilter::INFO).await;
        assert!(!off.contains("responded"), "{off}");
        let (_, on) = logged(request("abc-1"), AccessLog::On, LevelFilter::INFO).await;
        let line = on.lines().find(|line| line.contains("responded")).expect(&on);
        assert!(line.contains("status=404") && line.contains("latency_ms="), "{line}");
    }

    #[tokio::test]
    async fn no_log_line_of_any_level_contains_tokens() {
        let (_, log) = logged(request("abc-1"), AccessLog::On, LevelFilter::TRACE).await;
        assert!(log.contains("responded") && !log.contains("s3cret"), "{log}");
    }
}
