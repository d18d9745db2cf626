//! Feed: a stream, or a long poll for clients that can't stream.

use super::bad_query;
use crate::access::Identity;
use crate::limits::{Held, StreamSlot};
use crate::problem::RouteError;
use crate::served::Waited;
use crate::state::{InScope, Server};
use crate::stream;
use axum::Extension;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use http_wire::{Wait, sse};
use protocol::api::EventsPage;
use protocol::{OperationId, Problem};
use serde::Deserialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventsQuery {
    after: Option<u64>,
    wait: Option<Wait>,
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
        ("wait" = Option<String>, Query, description = "Maximum wait of a poll for an event, such as `25s` or `500ms`; at most 30 s"),
        ("operation" = Option<String>, Query, description = "Only events of this operation"),
        ("Last-Event-ID" = Option<u64>, Header,
            description = "Sequence number of the last event received; overrides `after`"),
    ),
    responses((status = 200, body = EventsPage, description = "As JSON, or as text/event-stream"),
        (status = 400, body = Problem),
        (status = 429, body = Problem, description = "Too many open streams and polls of this user, token or address")))]
pub async fn events(
    State(server): State<Server>,
    InScope { engine, .. }: InScope,
    Extension(identity): Extension<Identity>,
    StreamSlot(slot): StreamSlot,
    query: Result<Query<EventsQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, RouteError> {
    let Query(query) = query.map_err(bad_query)?;
    let last = sse::last_event_id(&headers)?;
    let after = last.or(query.after).unwrap_or_else(|| engine.head());
    let json = sse::accepts(&headers, "application/json") && !sse::accepts(&headers, sse::EVENT_STREAM);
    if json || query.wait.is_some() {
        let wait = query.wait.unwrap_or_default().duration();
        let page = stream::poll(&engine, after, query.operation, wait, identity.lease()).await;
        let headers =
            [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache, no-transform")];
        let mut response = (headers, page).into_response();
        if !wait.is_zero() {
            response.extensions_mut().insert(Waited);
        }
        return Ok(response);
    }
    let counted = Arc::new(Counted::new(server.counts.streams.clone(), slot));
    let lease = identity.lease().clone();
    // The broadcaster has readers of all events only: they pay nothing for scopes.
    let feed = engine.scope().is_none().then(|| stream::Feed {
        after,
        only: query.operation,
        lease: lease.clone(),
        open: counted.clone(),
    });
    let body = stream::stream(engine, after, query.operation, lease).map(move |chunk| {
        let _open = &counted;
        chunk
    });
    let mut response = sse::response(Body::from_stream(body));
    if let Some(feed) = feed {
        response.extensions_mut().insert(feed);
    }
    Ok(response)
}

/// Counts a stream while it is open.
struct Counted {
    count: Arc<AtomicU64>,
    _slot: Option<Held>,
}

impl Counted {
    fn new(count: Arc<AtomicU64>, slot: Option<Held>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self { count, _slot: slot }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}
