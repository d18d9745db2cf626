//! Reads responses up to a limit, and turns errors into [`PoolError::Status`].

use crate::error::TimeLimits;
use crate::{PoolError, retry};
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, LOCATION};
use reqwest::Response;
use std::time::SystemTime;

/// Largest size of a response: 64 MiB. Far above what any of our services sends, and low enough that a faulty one does
/// not exhaust the server's memory.
pub(crate) const ANSWER_LIMIT: usize = 64 << 20;
/// Largest part that is read of an error response: 64 KiB.
const PROBLEM_LIMIT: usize = 64 << 10;
/// Largest part of it that is kept as text: 4 KiB.
const PROBLEM_TEXT: usize = 4 << 10;

/// Reads a complete response.
///
/// # Errors
/// `TooLarge` beyond the limit; errors of the connection.
pub(crate) async fn read(response: &mut Response, url: &str, limits: TimeLimits) -> Result<Bytes, PoolError> {
    let too_large = || PoolError::TooLarge { url: url.to_owned(), limit: ANSWER_LIMIT };
    let broken = |e: reqwest::Error| PoolError::from_client(url, &e, limits);

    let announced = response.content_length().unwrap_or(0);
    if announced > ANSWER_LIMIT as u64 {
        return Err(too_large());
    }
    let Some(first) = response.chunk().await.map_err(broken)? else {
        return Ok(Bytes::new());
    };
    // Most responses are one chunk, which is returned without copying.
    let Some(second) = response.chunk().await.map_err(broken)? else {
        return if first.len() > ANSWER_LIMIT { Err(too_large()) } else { Ok(first) };
    };
    let mut whole = BytesMut::with_capacity((announced as usize).max(first.len() + second.len()));
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&second);
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if whole.len() + chunk.len() > ANSWER_LIMIT {
            return Err(too_large());
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.freeze())
}

/// Turns a response that is not a success into an error. Ignores that its body breaks off, because the status matters.
pub(crate) async fn refusal(mut response: Response, url: &str) -> PoolError {
    let status = response.status().as_u16();
    // Not followed: the token would go to another address.
    if let Some(to) = redirect(&response) {
        let body = format!("it redirects to {to}. Use that address instead");
        return PoolError::Status { url: url.to_owned(), status, retry_after: None, problem: None, body };
    }
    let retry_after = retry::retry_after(response.headers(), SystemTime::now());
    let mut text = BytesMut::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = PROBLEM_LIMIT - text.len();
        text.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if text.len() == PROBLEM_LIMIT {
            break;
        }
    }
    let problem = serde_json::from_slice(&text).ok().filter(serde_json::Value::is_object).map(Box::new);
    let body = String::from_utf8_lossy(&text[..text.len().min(PROBLEM_TEXT)]).into_owned();
    PoolError::Status { url: url.to_owned(), status, retry_after, problem, body }
}

/// Where a redirect leads, without its query.
fn redirect(response: &Response) -> Option<&str> {
    let location = response.headers().get(LOCATION).filter(|_| response.status().is_redirection())?;
    location.to_str().ok()?.split(['?', '#']).next()
}

/// Media type that a response states.
pub(crate) fn media_type(response: &Response) -> String {
    let stated = response.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    stated.unwrap_or("application/octet-stream").to_owned()
}
