//! Requests to the server, one method each.

use crate::ClientError;
use pool::{Pool, PoolConfig, PoolError, Repeat, SseStream};
use protocol::api::{CancelOperation, KindList, LogPage, OperationDetail, OperationPage, StartOperation};
use protocol::event::Reset;
use protocol::{Operation, OperationId, paths};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::time::Duration;

/// Timeout for connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Time without even a heartbeat, which comes every 2 s, after which a stream is blocked.
const STREAM_SILENCE: Duration = Duration::from_secs(5);
/// Timeout of a poll beyond its wait.
const POLL_MARGIN: Duration = Duration::from_secs(5);

/// Server to call.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// URL of the server, with its base path if it has one.
    pub server: String,
    /// Token of the server, if it has one.
    pub token: Option<String>,
}

/// Filters of a list of operations. Absent ones don't filter; `state`, `kind` and `host` may be comma-separated.
#[derive(Clone, Debug, Default)]
pub struct OperationQuery {
    pub state: Option<String>,
    pub kind: Option<String>,
    pub host: Option<String>,
    /// Words that must all occur.
    pub words: Option<String>,
    /// Cursor of the next page.
    pub after: Option<String>,
    /// Maximum number of operations, 1 to 500.
    pub limit: u16,
}

impl OperationQuery {
    fn path(&self) -> String {
        let limit = self.limit.to_string();
        let pairs = [
            ("state", self.state.as_deref()),
            ("kind", self.kind.as_deref()),
            ("host", self.host.as_deref()),
            ("q", self.words.as_deref()),
            ("after", self.after.as_deref()),
            ("limit", Some(limit.as_str())),
        ];
        let given = pairs.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish();
        format!("{}?{query}", paths::OPERATIONS)
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

/// Client of one server. Clones are cheap and share the connections.
#[derive(Clone)]
pub struct Client {
    pool: Pool,
}

impl Client {
    /// Client of a server; connects with the first request.
    ///
    /// # Errors
    /// [`ClientError::BadUrl`].
    pub fn new(config: ClientConfig) -> Result<Self, ClientError> {
        let token = config.token.filter(|token| !token.is_empty());
        let limits =
            PoolConfig { token, connect_timeout: CONNECT_TIMEOUT, retries: 1, ..PoolConfig::default() };
        let pool =
            Pool::new(&config.server, limits).map_err(|e| ClientError::from_pool(&config.server, e))?;
        Ok(Self { pool })
    }

    /// URL of the server, without a trailing slash.
    pub fn server(&self) -> &str {
        self.pool.base_url()
    }

    /// URL of an operation's page.
    pub fn page_of(&self, id: OperationId) -> String {
        format!("{}/operations/{id}", self.server())
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
        let key = uuid::Uuid::now_v7().to_string();
        let answer = self.pool.post_keyed(paths::OPERATIONS, request, &key).await;
        self.answered(answer)
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
        let answer = self.pool.post(&path, request, Repeat::Never).await;
        let lost = answer.as_ref().is_err_and(|error| error.is_unreachable() && !error.never_sent());
        if !lost {
            return self.answered(answer);
        }
        let Ok(now) = self.operation(id).await else { return self.answered(answer) };
        if now.operation.receipt.as_ref().is_some_and(|receipt| receipt.attempt == now.operation.attempt) {
            return Ok(now.operation);
        }
        self.answered(self.pool.post(&path, request, Repeat::Never).await)
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
        self.pool.stream(&paths::events(id), Some(&after.to_string()), STREAM_SILENCE, STREAM_SILENCE).await
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

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.pool.get(path).await.map_err(|error| ClientError::from_pool(self.server(), error))
    }

    fn answered<T>(&self, answer: Result<(u16, T), PoolError>) -> Result<T, ClientError> {
        answer.map(|(_, answer)| answer).map_err(|error| ClientError::from_pool(self.server(), error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_safe_in_a_query() {
        let query = OperationQuery { words: Some("a b&c".into()), limit: 5, ..OperationQuery::default() };
        assert_eq!(query.path(), "/api/v1/operations?q=a+b%26c&limit=5");
    }
}
