//! Feed: a stream, or a long poll for clients that can't stream.

use super::Server;
use crate::problem::Failed;
use crate::stream;
use axum::Extension;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use protocol::api::EventsPage;
use protocol::{OperationId, Problem, ProblemType};
use serde::Deserialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Longest wait of a poll.
const WAIT: Duration = Duration::from_secs(30);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventsQuery {
    after: Option<u64>,
    wait: Option<String>,
    operation: Option<OperationId>,
}

/// Event feed.
///
/// With `Accept: text/event-stream`: first `event: hello`, then events with `id: SEQ`. `event: beat` is the heartbeat
/// after 2 s without other messages, `event: skipped` reports progress events that newer ones replaced, and
/// `event: reset` means that a new snapshot is required. `Last-Event-ID` resumes the stream. With
/// `Accept: application/json`: a long poll that returns the same events.
#[utoipa::path(get, path = "/api/v1/events", tag = "feed",
    params(
        ("after" = Option<u64>, Query, description = "Events after this sequence number; default: only new events"),
        ("wait" = Option<String>, Query, description = "Maximum wait of a poll for an event, such as `25s`"),
        ("operation" = Option<String>, Query, description = "Only events of this operation"),
        ("Last-Event-ID" = Option<u64>, Header,
            description = "Sequence number of the last event received; overrides `after`"),
    ),
    responses((status = 200, body = EventsPage, description = "As JSON, or as text/event-stream"),
        (status = 400, body = Problem)))]
pub async fn events(
    State(server): State<Server>,
    query: Result<Query<EventsQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Failed> {
    let Query(query) = query.map_err(|rejection| {
        let detail = format!("{}. Allowed parameters: after, wait, operation.", rejection.body_text());
        Failed::new(ProblemType::BadRequest, detail)
    })?;
    let text = |name: header::HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
    // Some clients send an empty header before they have read an event, which counts as none.
    let last = match text(header::HeaderName::from_static("last-event-id")).filter(|id| !id.trim().is_empty())
    {
        None => None,
        Some(id) => Some(id.trim().parse::<u64>().map_err(|_| {
            let detail = format!("Last-Event-ID '{id}' is not an event number.");
            Failed::new(ProblemType::BadRequest, detail)
        })?),
    };
    let after = last.or(query.after).unwrap_or_else(|| server.engine.feed().head());
    let json = text(header::ACCEPT)
        .is_some_and(|accept| accept.contains("application/json") && !accept.contains("text/event-stream"));
    if json || query.wait.is_some() {
        let wait = wait_of(query.wait.as_deref())?;
        let page = stream::poll(&server.engine, after, query.operation, wait, &server.stop).await;
        let headers =
            [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache, no-transform")];
        return Ok((headers, page).into_response());
    }
    let counted = Arc::new(Counted::new(server.streams.clone()));
    let feed = stream::Feed { after, only: query.operation, open: counted.clone() };
    let body = stream::stream(server.engine, after, query.operation, server.stop).map(move |chunk| {
        let _open = &counted;
        chunk
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        // No proxy may buffer or compress events.
        (header::CACHE_CONTROL, "no-cache, no-transform"),
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Extension(feed), Body::from_stream(body)).into_response())
}

fn wait_of(text: Option<&str>) -> Result<Duration, Failed> {
    let Some(text) = text else { return Ok(Duration::ZERO) };
    let seconds =
        text.strip_suffix('s').unwrap_or(text).parse::<f64>().ok().filter(|s| (0.0..=3600.0).contains(s));
    match seconds {
        Some(seconds) => Ok(Duration::from_secs_f64(seconds).min(WAIT)),
        None => {
            let text: String = text.chars().take(20).collect();
            let detail = format!("wait={text} is not a duration. Give seconds, such as 25s.");
            Err(Failed::new(ProblemType::BadRequest, detail))
        }
    }
}

/// Counts a stream while it is open.
struct Counted(Arc<AtomicU64>);

impl Counted {
    fn new(count: Arc<AtomicU64>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
