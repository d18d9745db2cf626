//! HTTP client of one external service: a timeout per call, a size limit per response, and errors that name the call.
//!
//! Does not use the pool: these services need a timeout per call (a stop takes 30 s, a poll must not), and no retries
//! of unsafe calls. Safe calls are retried once, as in the pool, if the service closed the idle connection.

use bytes::BytesMut;
use https_client::{Tls, connect_problem, root_cause};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Client, Method, Response};
use serde_json::Value;
use std::time::Duration;

/// Maximum size of a response: 64 MiB.
const ANSWER_LIMIT: usize = 64 << 20;
/// Maximum length of an error detail, in characters.
const DETAIL_CHARS: usize = 400;
/// Idle timeout of connections, shorter than that of these services (5 s).
const KEEP_ALIVE: Duration = Duration::from_secs(4);

/// Failed call. `call` is like `GET /training/status/x`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallError {
    /// Nothing was sent: no connection.
    #[error("{base} is unreachable: {why}")]
    Unreached { base: String, why: String },
    /// Nothing was sent: no trusted connection.
    #[error("{base} {why}")]
    Untrusted { base: String, why: String },
    /// Sent, but no complete response. The service may have acted on it.
    #[error("{call} {why}")]
    NoAnswer { call: String, why: String },
    /// Rejected: by its status, or by `success: false` with status 200.
    #[error("{call} returned {status}: {detail}")]
    Refused { call: String, status: u16, detail: String },
    /// Unreadable response.
    #[error("{call} returned an unexpected response: {what}")]
    Unreadable { call: String, what: String },
}

impl CallError {
    /// Status of a rejection.
    pub fn status(&self) -> Option<u16> {
        match self {
            CallError::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether a retry may help: no response, or a transient status.
    pub fn may_pass(&self) -> bool {
        match self {
            CallError::Unreached { .. } | CallError::NoAnswer { .. } => true,
            CallError::Refused { status, .. } => matches!(status, 408 | 429 | 500 | 502 | 503 | 504),
            CallError::Untrusted { .. } | CallError::Unreadable { .. } => false,
        }
    }
}

/// Client of the service at one URL.
#[derive(Debug, Clone)]
pub(crate) struct ServiceClient {
    base: String,
    client: Client,
    /// Client that opens a new connection for each call.
    fresh: Client,
}

/// Failure of one try.
enum TryError {
    /// The connection closed before any response.
    Unanswered(CallError),
    Failed(CallError),
}

impl ServiceClient {
    /// # Errors
    /// A message, if the URL or token is invalid.
    pub fn new(url: &str, token: Option<&str>, tls: &Tls, connect: Duration) -> Result<Self, String> {
        let parsed = reqwest::Url::parse(url.trim())
            .map_err(|e| format!("'{}' is not a URL ({e}). Example: http://127.0.0.1:5002.", url.trim()))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(format!("the URL starts with {}://. Use http:// or https://.", parsed.scheme()));
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err("the URL contains a user name or password. Use 'token' instead.".to_owned());
        }
        if parsed.query().is_some() || parsed.fragment().is_some() {
            return Err("the URL has a query or fragment. Remove it, because paths are appended to the URL."
                .to_owned());
        }
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            let mut bearer = HeaderValue::from_str(&format!("Bearer {token}"))
                .map_err(|_| "the token contains characters that are not allowed in a header.".to_owned())?;
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        let client = |idle: usize| {
            https_client::builder(tls)
                .default_headers(headers.clone())
                .connect_timeout(connect)
                .pool_idle_timeout(KEEP_ALIVE)
                .pool_max_idle_per_host(idle)
                .build()
                .map_err(|e| format!("cannot create an HTTP client: {e}."))
        };
        let base = parsed.as_str().trim_end_matches('/').to_owned();
        Ok(Self { base, client: client(usize::MAX)?, fresh: client(0)? })
    }

    /// Base URL, without a trailing slash.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// # Errors
    /// [`CallError`], after one try.
    pub async fn get(&self, path: &str, within: Duration) -> Result<Value, CallError> {
        self.call(Method::GET, path, None, within).await
    }

    /// # Errors
    /// [`CallError`], after one try.
    pub async fn post(&self, path: &str, body: &Value, within: Duration) -> Result<Value, CallError> {
        self.call(Method::POST, path, Some(body), within).await
    }

    /// # Errors
    /// [`CallError`], after one try.
    pub async fn delete(&self, path: &str, within: Duration) -> Result<Value, CallError> {
        self.call(Method::DELETE, path, None, within).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        within: Duration,
    ) -> Result<Value, CallError> {
        let call = format!("{method} {}", path.split('?').next().unwrap_or_default());
        let exchange = async {
            match self.try_once(&self.client, &method, path, body, &call).await {
                // GET and DELETE are idempotent here.
                Err(TryError::Unanswered(error)) if method != Method::POST => {
                    tracing::debug!(%error, "retrying on a new connection");
                    self.try_once(&self.fresh, &method, path, body, &call).await
                }
                tried => tried,
            }
        };
        match tokio::time::timeout(within, exchange).await {
            Ok(tried) => tried.map_err(|(TryError::Unanswered(error) | TryError::Failed(error))| error),
            Err(_) => Err(CallError::NoAnswer {
                call: call.clone(),
                why: format!("timed out after {} s", within.as_secs_f64()),
            }),
        }
    }

    async fn try_once(
        &self,
        client: &Client,
        method: &Method,
        path: &str,
        body: Option<&Value>,
        call: &str,
    ) -> Result<Value, TryError> {
        let mut request = client.request(method.clone(), format!("{}{path}", self.base));
        if let Some(body) = body {
            request = request.json(body);
        }
        let mut response = request.send().await.map_err(|e| {
            if let Some(problem) = connect_problem(&e) {
                // The caller ends the sentence.
                let why = problem.to_string().trim_end_matches('.').to_owned();
                return TryError::Failed(CallError::Untrusted { base: self.base.clone(), why });
            }
            let why = root_cause(&e);
            if e.is_connect() {
                return TryError::Failed(CallError::Unreached { base: self.base.clone(), why });
            }
            let error = CallError::NoAnswer {
                call: call.to_owned(),
                why: format!("failed: connection lost ({why})"),
            };
            if pool::broke_unanswered(&e) { TryError::Unanswered(error) } else { TryError::Failed(error) }
        })?;
        let status = response.status();
        let bytes = read(&mut response, call).await.map_err(TryError::Failed)?;
        if !status.is_success() {
            let detail = detail(&bytes);
            let refused = CallError::Refused { call: call.to_owned(), status: status.as_u16(), detail };
            return Err(TryError::Failed(refused));
        }
        serde_json::from_slice(&bytes).map_err(|e| {
            TryError::Failed(CallError::Unreadable {
                call: call.to_owned(),
                what: format!("not JSON ({e}); it starts with '{}'", excerpt(&bytes)),
            })
        })
    }
}

/// Reads the complete body.
async fn read(response: &mut Response, call: &str) -> Result<Vec<u8>, CallError> {
    let mut whole = BytesMut::new();
    loop {
        let chunk = response.chunk().await.map_err(|e| CallError::NoAnswer {
            call: call.to_owned(),
            why: format!("failed: connection lost during the response ({})", root_cause(&e)),
        })?;
        let Some(chunk) = chunk else { return Ok(whole.into()) };
        if whole.len() + chunk.len() > ANSWER_LIMIT {
            return Err(CallError::Unreadable {
                call: call.to_owned(),
                what: format!("larger than {} MiB", ANSWER_LIMIT >> 20),
            });
        }
        whole.extend_from_slice(&chunk);
    }
}

/// Error detail: `detail` as text or as a list of field errors, `error`, `message`, or the raw text.
fn detail(bytes: &[u8]) -> String {
    let message = serde_json::from_slice::<Value>(bytes).ok().and_then(|body| {
        let explanation = ["detail", "error", "message"].iter().find_map(|key| body.get(key))?.clone();
        Some(match explanation {
            Value::String(text) => text,
            Value::Array(faults) => faults.iter().map(fault).collect::<Vec<_>>().join("; "),
            other => other.to_string(),
        })
    });
    let message = message.unwrap_or_else(|| excerpt(bytes));
    if message.is_empty() { "no details".to_owned() } else { message.chars().take(DETAIL_CHARS).collect() }
}

/// Formats `{loc: ["body", "symbols"], msg: "field required"}` as `body.symbols: field required`.
fn fault(fault: &Value) -> String {
    let place = fault.get("loc").and_then(Value::as_array).map(|loc| {
        loc.iter()
            .map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned))
            .collect::<Vec<_>>()
    });
    match (place, fault.get("msg").and_then(Value::as_str)) {
        (Some(place), Some(msg)) => format!("{}: {msg}", place.join(".")),
        _ => fault.to_string(),
    }
}

fn excerpt(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(800)]);
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}

/// Percent-encodes a path segment or query value, except for the unreserved characters of RFC 3986.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_error_is_quoted_in_any_shape() {
        assert_eq!(detail(br#"{"detail": "Session nope not found"}"#), "Session nope not found");
        assert_eq!(
            detail(br#"{"detail": [{"loc": ["body", "symbols", 0], "msg": "field required"}]}"#),
            "body.symbols.0: field required"
        );
        assert_eq!(detail(b"Internal Server Error"), "Internal Server Error");
        assert_eq!(detail(b""), "no details");
    }

    #[test]
    fn unusable_addresses_are_rejected_with_a_reason() {
        for (url, reason) in [
            ("gpu-1:5002", "Use http:// or https://"),
            ("ftp://gpu-1:5002", "Use http:// or https://"),
            ("http://me:secret@gpu-1", "token"),
            ("http://gpu-1/?a=b", "query"),
        ] {
            let error = ServiceClient::new(url, None, &Tls::default(), Duration::from_secs(1)).unwrap_err();
            assert!(error.contains(reason) && !error.contains("secret"), "{url}: {error}");
        }
        for (url, base) in [("http://gpu-1:5002/", "http://gpu-1:5002"), ("https://gpu-1", "https://gpu-1")] {
            let client = ServiceClient::new(url, None, &Tls::default(), Duration::from_secs(1)).unwrap();
            assert_eq!(client.base(), base);
        }
    }

    #[test]
    fn an_id_cannot_leave_its_path_segment() {
        assert_eq!(escaped("a/../b?c=é"), "a%2F..%2Fb%3Fc%3D%C3%A9");
    }
}
