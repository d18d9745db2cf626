//! Retry policy of HTTP sources.

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use std::time::{Duration, SystemTime};

/// Number of tries and pauses between them.
#[derive(Clone, Copy)]
pub(super) struct RetryPolicy {
    pub(super) tries: u32,
    /// Pause before the second try. Doubles with each try, with 50 % jitter.
    pub(super) pause: Duration,
    /// Maximum honoured `Retry-After`.
    pub(super) max_retry_after: Duration,
}

pub(super) const RETRY_POLICY: RetryPolicy =
    RetryPolicy { tries: 3, pause: Duration::from_millis(500), max_retry_after: Duration::from_secs(20) };

/// Whether a retry may help.
pub(super) fn transient(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
}

/// Pause requested by the source, in seconds or as a date.
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_as_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let wait = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers, now)
        };
        assert_eq!(wait("7"), Some(Duration::from_secs(7)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:50 GMT"), Some(Duration::from_secs(13)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO), "a date that is past");
        assert_eq!(wait("soon"), None);
    }
}
