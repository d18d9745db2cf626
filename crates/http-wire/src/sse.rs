//! Server-sent events as they are written, and what a client asks for.

use crate::ApiError;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use protocol::ProblemType;
use serde::Serialize;

/// Media type of a stream.
pub const EVENT_STREAM: &str = "text/event-stream";
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Message of a stream with an event name, and an ID if the reader continues from it.
///
/// # Panics
/// If the data has maps with keys other than strings.
pub fn named(event: &str, id: Option<u64>, data: &impl Serialize) -> Bytes {
    // serde_json writes no line breaks, so one `data` line is enough.
    let json = serde_json::to_string(data).expect("messages of a stream have string keys");
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    format!("event: {event}\n{id}data: {json}\n\n").into()
}

/// Response that streams events. No proxy may buffer or compress them.
pub fn response(messages: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, EVENT_STREAM),
        (header::CACHE_CONTROL, "no-cache, no-transform"),
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, messages).into_response()
}

/// Whether a client names a media type in `Accept`.
pub fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    let values = headers.get_all(header::ACCEPT).iter();
    values.filter_map(|accept| accept.to_str().ok()).any(|accept| accept.contains(media_type))
}

/// Number of the last event that a reconnecting client has. Some clients send an empty header before they have read
/// one, which counts as none.
///
/// # Errors
/// `BadRequest` if it is no number.
pub fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, ApiError> {
    let Some(id) = headers.get(LAST_EVENT_ID).map(HeaderValue::as_bytes).map(<[u8]>::trim_ascii) else {
        return Ok(None);
    };
    if id.is_empty() {
        return Ok(None);
    }
    match std::str::from_utf8(id).ok().and_then(|id| id.parse().ok()) {
        Some(id) => Ok(Some(id)),
        None => {
            let id: String = String::from_utf8_lossy(id).chars().take(60).collect();
            let detail = format!(
                "Last-Event-ID '{id}' is not an event number. Send the ID of the last event that you received."
            );
            Err(ApiError::new(ProblemType::BadRequest, detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn a_message_is_one_data_line_whatever_its_content() {
        let message = named("reset", Some(7), &"two\nlines\r\n");
        assert_eq!(&message[..], b"event: reset\nid: 7\ndata: \"two\\nlines\\r\\n\"\n\n");
        assert_eq!(&named("beat", None, &1)[..], b"event: beat\ndata: 1\n\n");
    }

    #[test]
    fn an_empty_last_event_id_is_none_and_an_invalid_one_an_error() {
        let last = |value| last_event_id(&headers(LAST_EVENT_ID, value)).ok();
        assert_eq!(last("42"), Some(Some(42)));
        assert_eq!(last(" 42 "), Some(Some(42)));
        assert_eq!(last(""), Some(None));
        assert_eq!(last("yesterday"), None);
        assert_eq!(last_event_id(&HeaderMap::new()).ok(), Some(None));
    }

    #[test]
    fn a_media_type_is_found_in_any_accept_header() {
        let mut accept = headers(header::ACCEPT, "text/html");
        assert!(!accepts(&accept, EVENT_STREAM));
        accept.append(header::ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        assert!(accepts(&accept, EVENT_STREAM));
    }
}
