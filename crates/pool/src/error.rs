//! Errors between a pool and its service, as sentences that users can act on.

use https_client::{ProxyFailed, TlsProblem, connect_problem, find, problem_of, root_cause};
use serde_json::Value;
use std::fmt;
use std::io;
use std::time::Duration;
use thiserror::Error;

/// What is awaited while nothing is connected yet.
const CONNECT: &str = "accept the connection";

/// Error of a request.
///
/// URLs are without their query, which may be long and private.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum PoolError {
    /// There was no response, or it broke off.
    #[error("{url} {why}")]
    Unreachable { url: String, why: Unreached },
    /// There was no response in time.
    #[error("{url} did not {what} within {}. It may be busy or hung; check its log.", seconds(*.after))]
    Timeout {
        url: String,
        after: Duration,
        /// What was awaited: `answer`, `accept the connection`, `send any data`.
        what: &'static str,
    },
    /// The response is an error.
    #[error("{url} returned {}{}", phrase(*.status), sentence(.problem, .body))]
    Status {
        url: String,
        status: u16,
        /// When to try again, if it said so.
        retry_after: Option<Duration>,
        /// Problem document (RFC 9457), if it is one.
        problem: Option<Box<Value>>,
        /// Response as text, at most its first 4 KiB.
        body: String,
    },
    /// The response is not what was requested.
    #[error(
        "{url} returned an unexpected response: {cause}. Check that the right service runs there, in the same version."
    )]
    Decode { url: String, cause: String },
    /// A response, or an event of a stream, exceeds the limit.
    #[error("{url} sent a response or an event larger than the limit of {}.", size(*.limit))]
    TooLarge {
        url: String,
        /// Limit in bytes.
        limit: usize,
    },
    /// The URL is invalid.
    #[error("'{url}' is not a valid URL: {cause}. Example: http://127.0.0.1:7301.")]
    BadUrl { url: String, cause: String },
    /// The token can't be sent.
    #[error(
        "The token for {url} has characters that an HTTP header can't contain, such as a line break. Correct the token."
    )]
    BadToken { url: String },
    /// The body of the request can't be written as JSON.
    #[error("The request to {url} can't be written as JSON: {cause}.")]
    NotJson { url: String, cause: String },
}

/// How a service was unreachable. Its text continues the URL.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Unreached {
    /// Nothing listens there.
    Refused,
    /// The name can't be resolved.
    NoSuchName,
    /// There is no trusted connection.
    Tls(TlsProblem),
    /// The proxy failed.
    Proxy(String),
    /// The connection was closed or reset before the response was complete.
    Broken(String),
    /// Other errors, as described by the system.
    Other(String),
}

impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreached::Refused => f.write_str("refused the connection. Check that it is running."),
            Unreached::NoSuchName => {
                f.write_str("has an unknown host name. Check the spelling and the network.")
            }
            Unreached::Tls(problem) => problem.fmt(f),
            Unreached::Proxy(cause) => {
                write!(f, "can't be reached: {cause}. Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY.")
            }
            Unreached::Broken(cause) => {
                write!(
                    f,
                    "closed the connection before the response was complete ({cause}). It may have stopped or restarted."
                )
            }
            Unreached::Other(cause) => write!(f, "is unreachable ({cause}). Check the network."),
        }
    }
}

impl PoolError {
    /// HTTP status of an error response.
    pub fn status(&self) -> Option<u16> {
        match self {
            PoolError::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether there was no complete response: no connection, a timeout, or a broken connection. The service may or may
    /// not have acted on the request.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, PoolError::Unreachable { .. } | PoolError::Timeout { .. })
    }

    /// Whether the request was certainly not sent because nothing was connected, so that the service can't have acted
    /// on it.
    pub fn never_sent(&self) -> bool {
        match self {
            PoolError::Unreachable { why, .. } => !matches!(why, Unreached::Broken(_)),
            PoolError::Timeout { what, .. } => *what == CONNECT,
            PoolError::BadUrl { .. } | PoolError::BadToken { .. } | PoolError::NotJson { .. } => true,
            PoolError::Status { .. } | PoolError::Decode { .. } | PoolError::TooLarge { .. } => false,
        }
    }

    /// Translates an error of the HTTP client. `limits` are the time limits in force.
    pub(crate) fn from_client(url: &str, error: &reqwest::Error, limits: TimeLimits) -> Self {
        let url = url.to_owned();
        if error.is_builder() {
            return PoolError::BadUrl { url, cause: root_cause(error) };
        }
        if error.is_timeout() {
            let (what, after) = match error.is_connect() {
                true => (CONNECT, limits.connect),
                false => ("answer", limits.whole),
            };
            return PoolError::Timeout { url, after, what };
        }
        if let Some(problem) = tls_problem(error) {
            return PoolError::Unreachable { url, why: Unreached::Tls(problem) };
        }
        if let Some(proxy) = find::<ProxyFailed>(error) {
            let why = Unreached::Proxy(format!("{proxy}: {}", root_cause(error)));
            return PoolError::Unreachable { url, why };
        }
        if find::<hyper::Error>(error).is_some_and(hyper::Error::is_parse) {
            let hint = if url.starts_with("http:") {
                "; if the service uses TLS, use a URL that begins with https://"
            } else {
                ""
            };
            return PoolError::Decode { url, cause: format!("it is not HTTP ({}){hint}", root_cause(error)) };
        }
        let why = match find::<io::Error>(error).map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionRefused) => Unreached::Refused,
            _ if error.is_dns() => Unreached::NoSuchName,
            _ if error.is_connect() => Unreached::Other(root_cause(error)),
            _ => Unreached::Broken(root_cause(error)),
        };
        PoolError::Unreachable { url, why }
    }
}

/// Whether a request was lost with its connection without a response, as when the service closes an idle connection
/// while it is reused. The service may still have acted on it.
pub fn broke_unanswered(error: &reqwest::Error) -> bool {
    let never_sent = error.is_builder() || error.is_connect();
    let answered_nonsense = find::<hyper::Error>(error).is_some_and(hyper::Error::is_parse);
    !never_sent && !error.is_timeout() && !answered_nonsense && error.is_request()
}

/// Time limits of a request, for messages.
#[derive(Clone, Copy)]
pub(crate) struct TimeLimits {
    pub connect: Duration,
    pub whole: Duration,
}

/// TLS problem, also one that is only reported after the connection: with TLS 1.3, a service checks the client's
/// certificate after the client has begun to send.
fn tls_problem(error: &reqwest::Error) -> Option<TlsProblem> {
    let is_late = |problem: &TlsProblem| {
        use TlsProblem::{ClientCertificateMissing, ClientCertificateRejected};
        matches!(problem, ClientCertificateMissing | ClientCertificateRejected { .. })
    };
    connect_problem(error).or_else(|| problem_of(error).filter(is_late))
}

fn phrase(status: u16) -> String {
    match http::StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason()) {
        Some(reason) => format!("{status} {reason}"),
        None => status.to_string(),
    }
}

/// `: ` and the service's own message, if any.
fn sentence(problem: &Option<Box<Value>>, body: &str) -> String {
    let from_problem = problem.as_ref().and_then(|p| {
        let text = |name: &str| p.get(name).and_then(Value::as_str).filter(|t| !t.is_empty());
        text("detail").or_else(|| text("title"))
    });
    match from_problem.unwrap_or(body).trim() {
        "" => ".".to_owned(),
        text => {
            let first: String = text.chars().take(300).collect();
            let more = if first.len() < text.len() { " …" } else { "" };
            format!(": {first}{more}")
        }
    }
}

fn seconds(time: Duration) -> String {
    match time {
        t if t < Duration::from_secs(1) => format!("{} ms", t.as_millis()),
        t => format!("{} s", (t.as_secs_f64() * 10.0).round() / 10.0),
    }
}

fn size(bytes: usize) -> String {
    match bytes {
        b if b >= 1 << 20 => format!("{} MiB", b >> 20),
        b if b >= 1 << 10 => format!("{} KiB", b >> 10),
        b => format!("{b} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_sentences_with_the_address() {
        let url = "http://127.0.0.1:7301".to_owned();
        let refused = PoolError::Unreachable { url: url.clone(), why: Unreached::Refused };
        assert_eq!(
            refused.to_string(),
            "http://127.0.0.1:7301 refused the connection. Check that it is running."
        );
        assert!(refused.is_unreachable() && refused.never_sent());

        let slow =
            PoolError::Timeout { url: url.clone(), after: Duration::from_millis(2500), what: "answer" };
        assert!(slow.to_string().starts_with("http://127.0.0.1:7301 did not answer within 2.5 s."), "{slow}");
        assert!(slow.is_unreachable() && !slow.never_sent());
        let broken = PoolError::Unreachable { url: url.clone(), why: Unreached::Broken("reset".into()) };
        assert!(!broken.never_sent(), "it may have arrived");

        let no = PoolError::Status {
            url: url.clone(),
            status: 422,
            retry_after: None,
            problem: Some(Box::new(
                serde_json::json!({"title": "Wrong", "detail": "There is no symbol XYZ."}),
            )),
            body: "{}".into(),
        };
        assert_eq!(
            no.to_string(),
            "http://127.0.0.1:7301 returned 422 Unprocessable Entity: There is no symbol XYZ."
        );
        assert_eq!((no.status(), no.is_unreachable()), (Some(422), false));

        let large = PoolError::TooLarge { url, limit: 64 << 20 };
        assert!(large.to_string().contains("64 MiB"), "{large}");
    }

    #[test]
    fn a_long_response_is_shortened_in_an_error() {
        let no = PoolError::Status {
            url: "http://h".into(),
            status: 500,
            retry_after: None,
            problem: None,
            body: "é".repeat(4_000),
        };
        assert!(no.to_string().chars().count() < 400);
    }
}
