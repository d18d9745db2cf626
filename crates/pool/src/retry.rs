//! Retries: what may be retried, and when.

use crate::{Backoff, PoolError, Unreached};
use http::HeaderMap;
use http::header::RETRY_AFTER;
use std::time::{Duration, SystemTime};

/// Statuses that mean "not now" rather than "no".
const NOT_NOW: [u16; 4] = [429, 502, 503, 504];

/// Pause before a retry, or `None` if it is useless: the response would be the same, or the service asks for a longer
/// pause than the backoff's cap. Then the caller gets the error at once, with the requested time.
pub(crate) fn wait_before_retry(error: &PoolError, backoff: &mut Backoff) -> Option<Duration> {
    match error {
        // The same certificate is rejected again.
        PoolError::Unreachable { why: Unreached::Tls(_), .. } => None,
        PoolError::Unreachable { .. } | PoolError::Timeout { .. } => Some(backoff.next()),
        PoolError::Status { status, retry_after, .. } if NOT_NOW.contains(status) => {
            let wait = backoff.next();
            match retry_after {
                Some(requested_wait) if *requested_wait > backoff.cap() => None,
                // With jitter on top, so that clients that were told the same time do not all come at once.
                Some(requested_wait) => Some(*requested_wait + wait.min(*requested_wait / 4)),
                None => Some(wait),
            }
        }
        _ => None,
    }
}

/// `Retry-After`, as seconds or as a date.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status_error(status: u16, retry_after: Option<u64>) -> PoolError {
        PoolError::Status {
            url: "http://h".into(),
            status,
            retry_after: retry_after.map(Duration::from_secs),
            problem: None,
            body: String::new(),
        }
    }

    #[test]
    fn only_temporary_errors_are_retried() {
        let mut backoff = Backoff::default();
        for status in [429, 502, 503, 504] {
            assert!(wait_before_retry(&status_error(status, None), &mut backoff).is_some(), "{status}");
        }
        for status in [400, 401, 404, 409, 422, 500, 501] {
            assert_eq!(wait_before_retry(&status_error(status, None), &mut backoff), None, "{status}");
        }
        let refused = PoolError::Unreachable { url: "http://h".into(), why: Unreached::Refused };
        assert!(wait_before_retry(&refused, &mut backoff).is_some());
        let nonsense = PoolError::Decode { url: "http://h".into(), cause: "x".into() };
        assert_eq!(wait_before_retry(&nonsense, &mut backoff), None);
    }

    #[test]
    fn retry_after_delays_the_retry() {
        let mut backoff = Backoff::default();
        let wait = wait_before_retry(&status_error(503, Some(2)), &mut backoff).unwrap();
        assert!(wait >= Duration::from_secs(2) && wait <= Duration::from_millis(2_500), "{wait:?}");
    }

    #[test]
    fn a_retry_after_beyond_the_cap_is_left_to_the_caller() {
        assert_eq!(wait_before_retry(&status_error(503, Some(60)), &mut Backoff::default()), None);
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Sun, 22 Nov 2026 10:41:07 GMT").unwrap();
        let read = |text: &'static str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, http::HeaderValue::from_static(text))]);
            retry_after(&headers, now)
        };
        assert_eq!(read("7"), Some(Duration::from_secs(7)));
        assert_eq!(read("Sun, 22 Nov 2026 10:41:17 GMT"), Some(Duration::from_secs(10)));
        assert_eq!(read("Sun, 22 Nov 2026 10:40:00 GMT"), Some(Duration::ZERO));
        assert_eq!(read("soon"), None);
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
