//! Pool: slots, tries, responses.

use crate::counters::{CountOpened, Counting};
use crate::error::{TimeLimits, broke_unanswered};
use crate::http_client::{bad_url, builder, checked_base};
use crate::request_metrics::{Measured, Measuring};
use crate::stream::SseStream;
use crate::{Counters, Outcome, PoolConfig, PoolError, Requests, RouteMetrics, body, retry};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, ClientBuilder, RequestBuilder};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Longest part of a response that an error quotes.
const BEGINNING_CHARS: usize = 80;

/// Pooled client of one service. Clones are cheap and share everything.
#[derive(Clone)]
pub struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    /// Without a trailing slash.
    base_url: String,
    config: PoolConfig,
    client: Client,
    /// For streams; keeps no idle connections.
    stream_client: Client,
    /// Opens a new connection for each request, after an idle connection turned out to be closed.
    fresh_client: Client,
    permits: Semaphore,
    counting: Arc<Counting>,
    measured: Arc<Measured>,
}

/// Whether a POST may be repeated if the outcome of the first is unknown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Repeat {
    /// The service recognizes a repetition by its IDs and acts once.
    Safe,
    /// Also safe, but the caller repeats it at its own pace. It is only repeated at once on a new connection, if the
    /// connection broke without a response.
    AtOnce,
    /// Sent once in any case.
    Never,
}

impl Pool {
    /// Pool for the service at `base_url`, such as `http://127.0.0.1:7301`, to which paths are appended. Connects with
    /// the first request. Follows no redirects.
    ///
    /// # Errors
    /// [`PoolError::BadUrl`] if the URL is neither `http://` nor `https://`, or the token has characters that a header
    /// can't contain.
    pub fn new(base_url: &str, config: PoolConfig) -> Result<Pool, PoolError> {
        let base_url = checked_base(base_url)?;
        let counting = Arc::new(Counting::default());
        let for_requests = || {
            let counted = CountOpened(Arc::clone(&counting));
            Ok::<_, PoolError>(
                builder(&base_url, &config)?.timeout(config.request_timeout).connector_layer(counted),
            )
        };
        let client = for_requests()?
            .pool_idle_timeout(config.keep_alive)
            .pool_max_idle_per_host(config.max_connections.max(1));
        let fresh_client = for_requests()?.pool_max_idle_per_host(0);
        let stream_client = builder(&base_url, &config)?.pool_max_idle_per_host(0);
        let build = |b: ClientBuilder| b.build().map_err(|e| bad_url(&base_url, &e));
        let (client, stream_client, fresh_client) =
            (build(client)?, build(stream_client)?, build(fresh_client)?);
        let permits = Semaphore::new(config.max_connections.clamp(1, Semaphore::MAX_PERMITS));
        let measured = Arc::new(Measured::new(config.routes));
        let shared =
            Shared { base_url, config, client, stream_client, fresh_client, permits, counting, measured };
        Ok(Pool { shared: Arc::new(shared) })
    }

    /// URL of the service, without a trailing slash.
    pub fn base_url(&self) -> &str {
        &self.shared.base_url
    }

    /// Counters since the pool was created.
    pub fn counters(&self) -> Counters {
        self.shared.counting.read()
    }

    /// Requests by route since the pool was created, without forwarded files. Of a stream, the request that opens it
    /// counts, until its response begins.
    pub fn requests(&self) -> Vec<RouteMetrics> {
        self.shared.measured.read()
    }

    /// Those requests of all routes that ended since the last call, for one caller that records them.
    pub fn take_requests(&self) -> Requests {
        self.shared.measured.take()
    }

    /// GET with a JSON response; retried if useful.
    ///
    /// # Errors
    /// [`PoolError`], after the last try.
    pub async fn get<T: DeserializeOwned>(&self, path_and_query: &str) -> Result<T, PoolError> {
        let what = Request { method: "GET", path_and_query, body_bytes: 0, repeat: Repeat::Safe };
        let answer =
            self.call(what, |client, url| client.get(url).header(ACCEPT, "application/json")).await?;
        self.decode(path_and_query, answer)
    }

    /// POST of JSON with a JSON response; returns it with the status (2xx). An empty response is read as `null`, so
    /// `()` and `Option` accept it.
    ///
    /// # Errors
    /// [`PoolError`]; with [`Repeat::Safe`] after the last try.
    pub async fn post<B: Serialize + ?Sized, T: DeserializeOwned>(
        &self,
        path_and_query: &str,
        body: &B,
        repeat: Repeat,
    ) -> Result<(u16, T), PoolError> {
        let (body_bytes, request) = self.json_post(path_and_query, body)?;
        let what = Request { method: "POST", path_and_query, body_bytes, repeat };
        let answer = self.call(what, request).await?;
        Ok((answer.status, self.decode(path_and_query, answer)?))
    }

    /// Same, with an `Idempotency-Key` by which the service recognizes a repetition; retried if useful.
    ///
    /// # Errors
    /// [`PoolError`], after the last try.
    pub async fn post_keyed<B: Serialize + ?Sized, T: DeserializeOwned>(
        &self,
        path_and_query: &str,
        body: &B,
        key: &str,
    ) -> Result<(u16, T), PoolError> {
        let (body_bytes, request) = self.json_post(path_and_query, body)?;
        let keyed = |client: &Client, url: &str| request(client, url).header("idempotency-key", key);
        let what = Request { method: "POST", path_and_query, body_bytes, repeat: Repeat::Safe };
        let answer = self.call(what, keyed).await?;
        Ok((answer.status, self.decode(path_and_query, answer)?))
    }

    /// Size of the JSON, and the request that sends it.
    fn json_post<B: Serialize + ?Sized>(
        &self,
        path_and_query: &str,
        body: &B,
    ) -> Result<(usize, impl Fn(&Client, &str) -> RequestBuilder + use<B>), PoolError> {
        let json = serde_json::to_vec(body)
            .map(Bytes::from)
            .map_err(|e| PoolError::NotJson { url: self.address(path_and_query), cause: e.to_string() })?;
        let body_bytes = json.len();
        let request = move |client: &Client, url: &str| {
            client
                .post(url)
                .header(ACCEPT, "application/json")
                .header(CONTENT_TYPE, "application/json")
                .body(json.clone())
        };
        Ok((body_bytes, request))
    }

    /// GET of up to 64 MiB of anything: media type and bytes. Retried if useful.
    ///
    /// # Errors
    /// [`PoolError`], after the last try.
    pub async fn get_bytes(&self, path_and_query: &str) -> Result<(String, Bytes), PoolError> {
        let what = Request { method: "GET", path_and_query, body_bytes: 0, repeat: Repeat::Safe };
        let answer = self.call(what, |client, url| client.get(url)).await?;
        answer.measuring.end_after(answer.latency, Outcome::Success, answer.bytes.len());
        Ok((answer.media_type, answer.bytes))
    }

    /// DELETE; retried if useful.
    ///
    /// # Errors
    /// [`PoolError`], after the last try.
    pub async fn delete(&self, path_and_query: &str) -> Result<(), PoolError> {
        let what = Request { method: "DELETE", path_and_query, body_bytes: 0, repeat: Repeat::Safe };
        let answer = self.call(what, |client, url| client.delete(url)).await?;
        answer.measuring.end_after(answer.latency, Outcome::Success, answer.bytes.len());
        Ok(())
    }

    /// Opens a stream of events on its own connection; one try, the caller reconnects.
    ///
    /// - `last_event_id` is the position from which to resume, sent as `Last-Event-ID`.
    /// - `connect_timeout` is the time until the response begins.
    /// - `silence` is the time without any data, comments included, after which the stream counts as dead.
    ///
    /// # Errors
    /// [`PoolError`]; a response other than `text/event-stream` is [`PoolError::Decode`].
    pub async fn stream(
        &self,
        path_and_query: &str,
        last_event_id: Option<&str>,
        connect_timeout: Duration,
        silence: Duration,
    ) -> Result<SseStream, PoolError> {
        let shared = &self.shared;
        let url = self.address(path_and_query);
        let limits = TimeLimits { connect: connect_timeout, whole: connect_timeout };
        let mut request =
            shared.stream_client.get(self.full(path_and_query)?).header(ACCEPT, "text/event-stream");
        if let Some(id) = last_event_id {
            let id = HeaderValue::from_str(id).map_err(|_| PoolError::Decode {
                url: url.clone(),
                cause: format!("the event ID {id:?} has characters that are not allowed in a header"),
            })?;
            request = request.header("last-event-id", id);
        }
        let measuring = shared.measured.begin("GET", path_and_query, 0);
        let opened = match tokio::time::timeout(connect_timeout, request.send()).await {
            Err(_) => Err(PoolError::Timeout { url, after: connect_timeout, what: "start the stream" }),
            Ok(Err(e)) => Err(PoolError::from_client(&url, &e, limits)),
            Ok(Ok(response)) if !response.status().is_success() => {
                let refusal = body::refusal(response, &url);
                match tokio::time::timeout(connect_timeout, refusal).await {
                    Ok(refusal) => Err(refusal),
                    Err(_) => {
                        Err(PoolError::Timeout { url, after: connect_timeout, what: "finish its response" })
                    }
                }
            }
            Ok(Ok(response)) => SseStream::new(response, url, silence),
        };
        measuring.end(opened.as_ref().err().map_or(Outcome::Success, Outcome::from), 0);
        opened
    }

    /// One call: a slot, a try, and retries while useful.
    ///
    /// A service closes idle connections after a while, possibly at the moment when a request is sent on one. That is
    /// no failure of the service: the request is repeated at once on a new connection, and counts as one request.
    async fn call(
        &self,
        what: Request<'_>,
        request: impl Fn(&Client, &str) -> RequestBuilder,
    ) -> Result<CompleteResponse, PoolError> {
        let Request { method, path_and_query, body_bytes, repeat } = what;
        let Shared { config, counting, client, fresh_client, permits, measured, .. } = &*self.shared;
        let full = self.full(path_and_query)?;
        let url = self.address(path_and_query);
        let mut backoff = config.backoff;
        let mut retries_left = if repeat == Repeat::Safe { config.retries } else { 0 };
        let mut at_once = repeat != Repeat::Never;
        loop {
            let permit = permits.acquire().await.expect("the semaphore is never closed");
            counting.request();
            let measuring = measured.begin(method, path_and_query, body_bytes);
            // Before the first connection was opened, there is none to reuse.
            let may_be_reused = counting.read().opened > 0;
            let mut tried = self.try_once(request(client, &full), &url).await;
            if let Err(TryError::Unanswered(error)) = &tried
                && may_be_reused
                && std::mem::take(&mut at_once)
            {
                tracing::debug!(url, %error, "retrying on a new connection");
                tried = self.try_once(request(fresh_client, &full), &url).await;
            }
            // Nothing waits for a call that waits for its next try.
            drop(permit);
            let error = match tried {
                Ok((status, media_type, bytes)) => {
                    let latency = measuring.elapsed();
                    return Ok(CompleteResponse { status, media_type, bytes, latency, measuring });
                }
                Err(TryError::Unanswered(error) | TryError::Failed(error)) => error,
            };
            measuring.end(Outcome::from(&error), 0);
            let is_useful = config.retry_timeouts || !matches!(error, PoolError::Timeout { .. });
            let wait = (retries_left > 0 && is_useful)
                .then(|| retry::wait_before_retry(&error, &mut backoff))
                .flatten();
            let Some(wait) = wait else {
                if error.status().is_none_or(|s| s == 429 || s >= 500) {
                    counting.failure();
                }
                return Err(error);
            };
            tracing::debug!(url, %error, wait_ms = wait.as_millis() as u64, "retrying");
            retries_left -= 1;
            counting.retry();
            tokio::time::sleep(wait).await;
        }
    }

    /// One try, to the last byte of its response: only then is the connection free for the next one.
    async fn try_once(&self, request: RequestBuilder, url: &str) -> Result<(u16, String, Bytes), TryError> {
        let config = &self.shared.config;
        let limits = TimeLimits { connect: config.connect_timeout, whole: config.request_timeout };
        let mut response = request.send().await.map_err(|e| {
            if e.is_connect() {
                self.shared.counting.unconnected();
            }
            let error = PoolError::from_client(url, &e, limits);
            if broke_unanswered(&e) { TryError::Unanswered(error) } else { TryError::Failed(error) }
        })?;
        if !response.status().is_success() {
            return Err(TryError::Failed(body::refusal(response, url).await));
        }
        let bytes = body::read(&mut response, url, limits).await.map_err(TryError::Failed)?;
        // The client's task that returns the connection to its pool runs now: before the next request, which would open
        // another connection.
        tokio::task::yield_now().await;
        Ok((response.status().as_u16(), body::media_type(&response), bytes))
    }

    fn decode<T: DeserializeOwned>(
        &self,
        path_and_query: &str,
        answer: CompleteResponse,
    ) -> Result<T, PoolError> {
        let bytes: &[u8] = if answer.bytes.is_empty() { b"null" } else { &answer.bytes };
        let decoded = serde_json::from_slice(bytes);
        let outcome = if decoded.is_ok() { Outcome::Success } else { Outcome::Protocol };
        answer.measuring.end_after(answer.latency, outcome, answer.bytes.len());
        decoded.map_err(|e| {
            self.shared.counting.failure();
            let cause = match e.classify() {
                Category::Data => e.to_string(),
                // Not JSON at all, such as the login page of a network: its beginning tells what answered.
                _ => format!("{e}, in {} that begins with {:?}", answer.media_type, beginning(bytes)),
            };
            PoolError::Decode { url: self.address(path_and_query), cause }
        })
    }

    /// Client for streams, outside of the slots.
    pub(crate) fn stream_client(&self) -> &Client {
        &self.shared.stream_client
    }

    /// Complete URL of a path.
    pub(crate) fn full(&self, path_and_query: &str) -> Result<String, PoolError> {
        let url = format!("{}{path_and_query}", self.shared.base_url);
        match path_and_query.starts_with('/') {
            true => Ok(url),
            // Without the slash, it could become part of the host name.
            false => Err(PoolError::BadUrl { url, cause: "a path must start with a slash".into() }),
        }
    }

    /// URL of a path for errors: without the query.
    pub(crate) fn address(&self, path_and_query: &str) -> String {
        let path = path_and_query.split(['?', '#']).next().unwrap_or_default();
        format!("{}{path}", self.shared.base_url)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("base_url", &self.shared.base_url)
            .field("config", &self.shared.config)
            .field("counters", &self.counters())
            .finish()
    }
}

/// Failed try.
enum TryError {
    /// The connection broke without a response.
    Unanswered(PoolError),
    Failed(PoolError),
}

/// What is sent, apart from its content.
struct Request<'a> {
    method: &'static str,
    path_and_query: &'a str,
    body_bytes: usize,
    repeat: Repeat,
}

/// Complete successful response.
struct CompleteResponse {
    status: u16,
    media_type: String,
    bytes: Bytes,
    /// Until its last byte.
    latency: Duration,
    /// Ended by the reader of the response, who knows whether it is usable.
    measuring: Measuring,
}

/// First words of a response, in one line.
fn beginning(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(400)]);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let first: String = line.chars().take(BEGINNING_CHARS).collect();
    if first.len() < line.len() || bytes.len() > 400 { format!("{first} …") } else { first }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_or_without_a_slash_or_path_are_accepted() {
        for (given, kept) in [
            ("http://127.0.0.1:7301", "http://127.0.0.1:7301"),
            (" http://127.0.0.1:7301/ ", "http://127.0.0.1:7301"),
            ("http://gpu-1.example/hosts/a/", "http://gpu-1.example/hosts/a"),
            ("http://[::1]:7301", "http://[::1]:7301"),
            ("https://gpu-1.example/", "https://gpu-1.example"),
        ] {
            assert_eq!(Pool::new(given, PoolConfig::default()).unwrap().base_url(), kept);
        }
    }

    #[test]
    fn an_invalid_address_is_rejected_with_a_reason() {
        for (given, reason) in [
            ("", "relative URL"),
            ("127.0.0.1:7301", "relative URL"),
            ("ftp://127.0.0.1", "does not start with http://"),
            ("http://h?x=1", "query"),
        ] {
            let error = Pool::new(given, PoolConfig::default()).unwrap_err().to_string();
            assert!(error.contains(reason), "{given}: {error}");
        }
        let error = Pool::new("http://me:secret@h", PoolConfig::default()).unwrap_err().to_string();
        assert!(error.contains("use a token") && !error.contains("secret"), "{error}");
    }

    #[tokio::test]
    async fn a_path_without_a_leading_slash_is_rejected() {
        let pool = Pool::new("http://127.0.0.1:1", PoolConfig::default()).unwrap();
        let error = pool.get::<()>(".example.com/x").await.unwrap_err();
        assert!(matches!(error, PoolError::BadUrl { .. }), "{error}");
    }
}
