//! Client of one server: requests are sent by a transport if there is one, else on connections of its own.

use crate::transport::{Answer, Call, Copied, Method, Transport};
use crate::{ClientError, OperationQuery};
use pool::{Download, Pool, PoolConfig, PoolError, Proxies, Repeat, SseStream, Tls};
use protocol::api::{
    CancelOperation, KindList, LogPage, OperationDetail, OperationPage, Snapshot, StartOperation,
};
use protocol::event::Reset;
use protocol::{Operation, OperationId, paths};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Timeout for connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Time without even a heartbeat, which comes every 2 s, after which a stream is blocked.
const STREAM_SILENCE: Duration = Duration::from_secs(5);
/// Timeout of a poll beyond its wait.
const POLL_MARGIN: Duration = Duration::from_secs(5);

/// Time without a byte after which a download counts as cut.
const DOWNLOAD_SILENCE: Duration = Duration::from_secs(30);

/// Server to call.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// URL of the server, with its base path if it has one.
    pub server: String,
    /// Token of the server, if it has one.
    pub token: Option<String>,
    /// Trusted certificates for `https://`.
    pub tls: Tls,
    /// Proxies on the way to the server.
    pub proxies: Proxies,
}

impl ClientConfig {
    /// Server that is reached directly, with the certificates of the system.
    pub fn new(server: impl Into<String>, token: Option<String>) -> Self {
        Self { server: server.into(), token, tls: Tls::default(), proxies: Proxies::default() }
    }
}

/// Events of a poll, as the server wrote them.
#[derive(Deserialize)]
pub struct EventPage {
    pub events: Vec<Box<RawValue>>,
    /// Position after them.
    pub next: u64,
    pub reset: Option<Reset>,
}

impl EventPage {
    /// Number of the newest event, if the question was for events after it.
    pub fn head(&self) -> u64 {
        self.reset.as_ref().map_or(self.next, |reset| reset.head)
    }
}

/// Idempotency key of a new request.
pub fn new_key() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// Client of one server. Clones are cheap and share the connections.
#[derive(Clone)]
pub struct Client {
    pool: Pool,
    transport: Option<Arc<dyn Transport>>,
    /// The oldest answer from a copy.
    copied: Arc<Mutex<Option<Copied>>>,
}

impl Client {
    /// Client of a server; connects with the first request.
    ///
    /// # Errors
    /// [`ClientError::BadUrl`].
    pub fn new(config: ClientConfig) -> Result<Self, ClientError> {
        let token = config.token.filter(|token| !token.is_empty());
        let limits = PoolConfig {
            token,
            tls: config.tls,
            proxies: config.proxies,
            connect_timeout: CONNECT_TIMEOUT,
            retries: 1,
            retry_timeouts: false,
            ..PoolConfig::default()
        };
        let pool =
            Pool::new(&config.server, limits).map_err(|e| ClientError::from_pool(&config.server, e))?;
        Ok(Self { pool, transport: None, copied: Arc::default() })
    }

    /// Sends requests by a transport as far as it takes them. Streams and downloads stay with the client.
    #[must_use]
    pub fn with_transport(self, transport: Arc<dyn Transport>) -> Self {
        Self { transport: Some(transport), ..self }
    }

    /// Age of the oldest answer that came from a copy of the server's data; `None` if all came from the server.
    pub fn copied(&self) -> Option<Copied> {
        *self.copied.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// URL of the server, without a trailing slash.
    pub fn server(&self) -> &str {
        self.pool.base_url()
    }

    /// URL of an operation's page.
    pub fn page_of(&self, id: OperationId) -> String {
        format!("{}/operations/{id}", self.server())
    }

    /// Current state: active and recent operations, and hosts. Events continue it.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn snapshot(&self) -> Result<Snapshot, ClientError> {
        self.get(paths::SNAPSHOT).await
    }

    /// All kinds with their parameters.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn kinds(&self) -> Result<KindList, ClientError> {
        self.get(paths::KINDS).await
    }

    /// Starts an operation once: if an answer is lost, the request is repeated with the same idempotency key.
    ///
    /// # Errors
    /// [`ClientError`]; after [`ClientError::outcome_unknown`], it may have been started.
    pub async fn start(&self, request: &StartOperation) -> Result<Operation, ClientError> {
        self.start_keyed(request, &new_key()).await
    }

    /// Same, with the caller's idempotency key: the request may be repeated with it and starts one operation.
    ///
    /// # Errors
    /// Like [`Client::start`].
    pub async fn start_keyed(&self, request: &StartOperation, key: &str) -> Result<Operation, ClientError> {
        let call = self.posted(paths::OPERATIONS, request, Some(key), true)?;
        // If the transport lost the answer, the server recognizes the key.
        match self.sent(call).await {
            Ok(Some(answer)) => self.read(answer),
            Err(error) if !error.outcome_unknown() => Err(error),
            Ok(None) | Err(_) => self.answered(self.pool.post_keyed(paths::OPERATIONS, request, key).await),
        }
    }

    /// A page of operations, newest first.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn operations(&self, query: &OperationQuery) -> Result<OperationPage, ClientError> {
        self.get(&query.path()).await
    }

    /// One operation with all details.
    ///
    /// # Errors
    /// [`ClientError`], also if it does not exist.
    pub async fn operation(&self, id: OperationId) -> Result<OperationDetail, ClientError> {
        self.get(&paths::operation(id)).await
    }

    /// Same; `None` if it does not exist.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn find(&self, id: OperationId) -> Result<Option<OperationDetail>, ClientError> {
        match self.pool.get(&paths::operation(id)).await {
            Ok(found) => Ok(Some(found)),
            Err(PoolError::Status { status: 404, .. }) => Ok(None),
            Err(error) => Err(ClientError::from_pool(self.server(), error)),
        }
    }

    /// Requests a cancel, and returns the operation with its receipt. If an answer is lost, the operation tells whether
    /// the request arrived, and it is sent again if not.
    ///
    /// # Errors
    /// [`ClientError`]; after [`ClientError::outcome_unknown`], it may have been cancelled.
    pub async fn cancel(&self, id: OperationId, request: &CancelOperation) -> Result<Operation, ClientError> {
        let path = paths::action(id, "cancel");
        let answer = self.post(&path, request, false).await;
        if !answer.as_ref().is_err_and(ClientError::outcome_unknown) {
            return answer;
        }
        let Ok(now) = self.find(id).await.map(|found| found.map(|detail| detail.operation)) else {
            return answer;
        };
        match now {
            Some(now) if now.receipt.as_ref().is_some_and(|receipt| receipt.attempt == now.attempt) => {
                Ok(now)
            }
            _ => self.answered(self.pool.post(&path, request, Repeat::Never).await),
        }
    }

    /// At most `limit` newest log lines of an attempt, of those below `before` if given.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn logs(
        &self,
        id: OperationId,
        attempt: u32,
        before: Option<u64>,
        limit: u64,
    ) -> Result<LogPage, ClientError> {
        self.get(&paths::logs(id, attempt, before, limit)).await
    }

    /// Stream of the events of one operation after a number.
    ///
    /// # Errors
    /// [`PoolError`]: a follower tells a blocked stream from an absent server by it.
    pub async fn events(&self, id: OperationId, after: u64) -> Result<SseStream, PoolError> {
        self.stream(&paths::events(id), after).await
    }

    pub(crate) async fn stream(&self, path: &str, after: u64) -> Result<SseStream, PoolError> {
        self.pool.stream(path, Some(&after.to_string()), STREAM_SILENCE, STREAM_SILENCE).await
    }

    pub(crate) async fn download(
        &self,
        path: &str,
        from: u64,
        etag: Option<&str>,
    ) -> Result<Download, ClientError> {
        let download = self.pool.download(path, from, etag, DOWNLOAD_SILENCE).await;
        download.map_err(|error| ClientError::from_pool(self.server(), error))
    }

    /// The same events as a document; waits for one up to `wait`.
    ///
    /// # Errors
    /// As [`Client::events`].
    pub async fn poll(&self, id: OperationId, after: u64, wait: Duration) -> Result<EventPage, PoolError> {
        let path = paths::events_after(id, after, wait.as_secs());
        let limit = wait + POLL_MARGIN;
        match tokio::time::timeout(limit, self.pool.get(&path)).await {
            Ok(answer) => answer,
            Err(_) => {
                let url = format!("{}{}", self.server(), paths::EVENTS);
                Err(PoolError::Timeout { url, after: limit, what: "answer" })
            }
        }
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let call =
            Call { method: Method::Get, path: path.to_owned(), body: None, key: None, repeatable: true };
        match self.sent(call).await {
            Ok(Some(answer)) => self.read(answer),
            Err(error) if !error.outcome_unknown() => Err(error),
            // The transport broke off; a read may be repeated.
            Ok(None) | Err(_) => {
                self.pool.get(path).await.map_err(|error| ClientError::from_pool(self.server(), error))
            }
        }
    }

    /// POST; sent again if its answer is lost and it is repeatable.
    pub(crate) async fn post<B: Serialize, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
        repeatable: bool,
    ) -> Result<T, ClientError> {
        let call = self.posted(path, body, None, repeatable)?;
        let repeat = if repeatable { Repeat::Safe } else { Repeat::Never };
        match self.sent(call).await {
            Ok(Some(answer)) => self.read(answer),
            Err(error) if !(repeatable && error.outcome_unknown()) => Err(error),
            Ok(None) | Err(_) => self.answered(self.pool.post(path, body, repeat).await),
        }
    }

    /// DELETE; sent again if its answer is lost.
    pub(crate) async fn delete(&self, path: &str) -> Result<(), ClientError> {
        self.pool.delete(path).await.map_err(|error| ClientError::from_pool(self.server(), error))
    }

    fn posted<B: Serialize>(
        &self,
        path: &str,
        body: &B,
        key: Option<&str>,
        repeatable: bool,
    ) -> Result<Call, ClientError> {
        let json = serde_json::to_vec(body).map_err(|error| ClientError::Decode {
            server: self.server().to_owned(),
            cause: format!("the request can't be written as JSON: {error}"),
        })?;
        let (path, key) = (path.to_owned(), key.map(str::to_owned));
        Ok(Call { method: Method::Post, path, body: Some(json), key, repeatable })
    }

    /// Sends a request by the transport; `None` if there is none, or it did not send it.
    async fn sent(&self, call: Call) -> Result<Option<Answer>, ClientError> {
        let Some(transport) = &self.transport else { return Ok(None) };
        let answer = transport.send(call).await?;
        if let Some(copy) = answer.as_ref().and_then(|answer| answer.copy) {
            let mut oldest = self.copied.lock().unwrap_or_else(PoisonError::into_inner);
            if oldest.is_none_or(|oldest| oldest.age <= copy.age) {
                *oldest = Some(copy);
            }
        }
        Ok(answer)
    }

    /// Content of an answer.
    fn read<T: DeserializeOwned>(&self, answer: Answer) -> Result<T, ClientError> {
        let server = self.server();
        if !(200..300).contains(&answer.status) {
            return Err(ClientError::of_status(server, answer.status, &answer.body));
        }
        let body: &[u8] = if answer.body.is_empty() { b"null" } else { &answer.body };
        serde_json::from_slice(body)
            .map_err(|error| ClientError::Decode { server: server.to_owned(), cause: error.to_string() })
    }

    fn answered<T>(&self, answer: Result<(u16, T), PoolError>) -> Result<T, ClientError> {
        answer.map(|(_, answer)| answer).map_err(|error| ClientError::from_pool(self.server(), error))
    }
}
