//! HTTP(S) client for one GET: follows redirects, and reports the framing of the body.

use crate::url_template::shown;
use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, HOST, LOCATION, TRANSFER_ENCODING, USER_AGENT,
};
use http::{HeaderMap, HeaderValue, Request, StatusCode, Version};
use http_body_util::{BodyExt, Empty};
use https_client::{Tls, TlsProblem, problem_of, root_cause};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use market_data::failures::failure;
use market_data::wording::excerpt;
use protocol::Failure;
use std::time::Duration;
use url::Url;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Timeout for the headers, and between two chunks of the body.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
const MAX_REDIRECTS: usize = 5;

/// Framing of a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Framing {
    /// Content-Length or chunked: truncation is an error.
    ContentLength,
    /// Until the connection closes: truncation is not detectable.
    UntilClose,
}

/// Response with an unread body.
pub(super) struct UnreadResponse {
    /// URL that responded, without secrets.
    pub(super) what: String,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) framing: Framing,
    body: Incoming,
}

/// Failed request.
#[derive(Debug)]
pub(super) enum RequestFailure {
    /// A retry may help: URL (possibly redirected), what happened, and the cause.
    Transient(String, &'static str, String),
    /// A retry does not help.
    Refused(Failure),
}

impl UnreadResponse {
    /// Next chunk of the body; `None` after the last.
    ///
    /// # Errors
    /// How the transfer failed.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, String> {
        loop {
            let frame = tokio::time::timeout(READ_TIMEOUT, self.body.frame()).await;
            let frame = frame.map_err(|_| format!("stalled: no data for {} s", READ_TIMEOUT.as_secs()))?;
            match frame {
                None => return Ok(None),
                Some(Err(e)) => {
                    return Err(format!(
                        "closed the connection before the response was complete: {}",
                        excerpt(&root_cause(&e), 160)
                    ));
                }
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data()
                        && !data.is_empty()
                    {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }
}

/// Sends the request and follows redirects.
pub(super) async fn get(url: &Url, tls: &Tls) -> Result<UnreadResponse, RequestFailure> {
    let mut at = url.clone();
    for _ in 0..=MAX_REDIRECTS {
        let response = tokio::time::timeout(READ_TIMEOUT, send(&at, tls)).await.map_err(|_| {
            let cause = format!("no response within {} s", READ_TIMEOUT.as_secs());
            RequestFailure::Transient(shown(&at), "timed out", cause)
        })??;
        let status = response.status();
        let redirects = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
        let Some(location) = response.headers().get(LOCATION).filter(|_| redirects) else {
            let (parts, body) = response.into_parts();
            let framing = framing(&parts.headers, parts.version, status);
            return Ok(UnreadResponse { what: shown(&at), status, headers: parts.headers, framing, body });
        };
        let next = location.to_str().ok().and_then(|location| at.join(location).ok());
        let Some(next) = next.filter(|next| matches!(next.scheme(), "http" | "https")) else {
            return Err(refused(&at, "redirects to an invalid address"));
        };
        if at.scheme() == "https" && next.scheme() == "http" {
            return Err(refused(&at, &format!("redirects from HTTPS to plain HTTP, to {}", shown(&next))));
        }
        at = next;
    }
    Err(refused(url, &format!("redirects more than {MAX_REDIRECTS} times")))
}

async fn send(url: &Url, tls: &Tls) -> Result<http::Response<Incoming>, RequestFailure> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_connect_timeout(Some(CONNECT_TIMEOUT));
    http.set_nodelay(true);
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls.client_config())
        .https_or_http()
        .enable_http1()
        .wrap_connector(http);
    let request = request(url).map_err(RequestFailure::Refused)?;
    let client = Client::builder(TokioExecutor::new()).build::<_, Empty<Bytes>>(connector);
    client.request(request).await.map_err(|e| {
        if let Some(problem) = problem_of(&e).filter(|_| e.is_connect()) {
            return RequestFailure::Refused(untrusted(url, &problem));
        }
        let how = if e.is_connect() { "is unreachable" } else { "failed to respond" };
        RequestFailure::Transient(shown(url), how, excerpt(&root_cause(&e), 160))
    })
}

fn untrusted(url: &Url, problem: &TlsProblem) -> Failure {
    let hint = match problem {
        TlsProblem::UnknownIssuer => {
            "Check the URL, or add the CA of the server's certificate to the trusted certificates of the host's machine."
        }
        other => other.advice(),
    };
    failure(format!("{} {}.", shown(url), problem.reason()), hint)
}

fn request(url: &Url) -> Result<Request<Empty<Bytes>>, Failure> {
    let bad =
        || failure(format!("{} is not a usable URL.", shown(url)), "Correct the URL in the configuration.");
    let mut plain = url.clone();
    let _ = plain.set_username("");
    let _ = plain.set_password(None);
    plain.set_fragment(None);
    let host = url.host_str().ok_or_else(bad)?;
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let mut request = Request::get(plain.as_str())
        .header(HOST, host)
        .header(USER_AGENT, concat!("signalbox/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "text/csv, text/plain;q=0.9, */*;q=0.1")
        .header(ACCEPT_ENCODING, "gzip");
    if !url.username().is_empty() {
        request = request.header(AUTHORIZATION, basic(url).ok_or_else(bad)?);
    }
    request.body(Empty::new()).map_err(|_| bad())
}

/// Basic authentication from the user and password of a URL.
fn basic(url: &Url) -> Option<HeaderValue> {
    use base64::Engine as _;
    let decode =
        |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().ok().map(|t| t.into_owned());
    let (user, password) = (decode(url.username())?, decode(url.password().unwrap_or_default())?);
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    let mut value = HeaderValue::from_str(&format!("Basic {encoded}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn framing(headers: &HeaderMap, version: Version, status: StatusCode) -> Framing {
    let has_length = headers.contains_key(CONTENT_LENGTH)
        || headers.contains_key(TRANSFER_ENCODING)
        || version == Version::HTTP_2
        || status == StatusCode::NO_CONTENT;
    if has_length { Framing::ContentLength } else { Framing::UntilClose }
}

fn refused(url: &Url, how: &str) -> RequestFailure {
    RequestFailure::Refused(failure(
        format!("{} {how}.", shown(url)),
        "Open the URL in a browser, and put the final URL into the configuration.",
    ))
}
