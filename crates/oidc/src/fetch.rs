//! Requests to the provider: with a time limit, a size limit, and errors that say what is wrong.

use crate::failure::SignInFailed;
use https_client::{connect_problem, root_cause};
use reqwest::{RequestBuilder, StatusCode};
use std::time::Duration;

/// Timeout of a request.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);
/// Largest size of a response.
const MAX_BODY_BYTES: usize = 1 << 20;

/// Sends a request, and reads its response as a whole.
///
/// # Errors
/// [`SignInFailed::Unreachable`], also for an error of the provider's server.
pub(crate) async fn fetch(request: RequestBuilder) -> Result<(StatusCode, Vec<u8>), SignInFailed> {
    let unreachable = |reason: String| SignInFailed::Unreachable { reason };
    let failed = |error: reqwest::Error| {
        unreachable(match connect_problem(&error) {
            Some(problem) => {
                format!("{}. {}", problem.reason(), problem.advice().trim_end_matches('.'))
            }
            None if error.is_timeout() => format!("did not answer within {} s", TIMEOUT.as_secs()),
            None => format!("did not answer ({})", root_cause(&error)),
        })
    };
    let mut response = request.timeout(TIMEOUT).send().await.map_err(failed)?;
    let status = response.status();
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        return Err(unreachable(format!("answered with the status {}", status.as_u16())));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(SignInFailed::BadAnswer { reason: "it is larger than 1 MiB".to_owned() });
        }
        body.extend_from_slice(&chunk);
    }
    Ok((status, body))
}

/// Fetches a JSON document.
///
/// # Errors
/// If the provider is unreachable, or answers with anything else.
pub(crate) async fn fetch_json<T: serde::de::DeserializeOwned>(
    request: RequestBuilder,
    what: &str,
) -> Result<T, SignInFailed> {
    let bad = |reason: String| SignInFailed::BadAnswer { reason };
    let (status, body) = fetch(request).await?;
    if status != StatusCode::OK {
        return Err(bad(format!("{what} has the status {}", status.as_u16())));
    }
    serde_json::from_slice(&body).map_err(|error| bad(format!("{what} is invalid ({error})")))
}
