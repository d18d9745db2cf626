//! Reads answers: never more than a limit, and what says no into a [`PoolError::Status`].

use crate::error::TimeLimits;
use crate::{PoolError, retry};
use bytes::{Bytes, BytesMut};
use reqwest::Response;
use std::time::SystemTime;

/// The most that is read of an answer: 64 MiB. Far above what any service of ours sends, and low enough that
/// one gone mad does not take the server's memory with it.
pub(crate) const ANSWER_LIMIT: usize = 64 << 20;
/// The most that is read of an answer that says no: 64 KiB.
const PROBLEM_LIMIT: usize = 64 << 10;
/// How much of it is kept as text: 4 KiB.
const PROBLEM_TEXT: usize = 4 << 10;

/// The whole answer.
///
/// # Errors
/// `TooLarge` past the limit; what the connection says when it breaks.
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
    // Most answers are one chunk: it is handed on as it is.
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

/// What an answer that is not a success says. What breaks off while it is read is left out: the status is what
/// counts.
pub(crate) async fn refusal(mut response: Response, url: &str) -> PoolError {
    let status = response.status().as_u16();
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
