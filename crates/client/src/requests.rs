//! Requests beyond those of a single operation's life: hosts, series, log search, artifacts, many operations at once.

use crate::query::encoded;
use crate::{Client, ClientError, OperationQuery};
use pool::{Download, PoolError, SseStream};
use protocol::api::{
    CancelMany, CancelledMany, DeleteMany, Deleted, FilterCounts, HostList, HostStatus, LogSearch,
    SeriesAnswer,
};
use protocol::{HostName, LogLevel, Operation, OperationId, paths};
use serde_json::json;

/// Lines that a log search finds.
#[derive(Clone, Debug, Default)]
pub struct LogFilter {
    /// Attempt; the current one if absent.
    pub attempt: Option<u32>,
    /// Minimum level.
    pub level: Option<LogLevel>,
    /// Text that a line has.
    pub text: String,
}

impl Client {
    /// Numbers of matching operations by state.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn counts(&self, query: &OperationQuery) -> Result<FilterCounts, ClientError> {
        self.get(&query.counts_path()).await
    }

    /// Hosts with their status.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn hosts(&self) -> Result<HostList, ClientError> {
        self.get(paths::HOSTS).await
    }

    /// Drains a host, or ends that.
    ///
    /// # Errors
    /// [`ClientError`], also if it does not exist.
    pub async fn drain(&self, host: &HostName, drained: bool) -> Result<HostStatus, ClientError> {
        self.post(&paths::drain(host, drained), &json!({}), true).await
    }

    /// Another attempt from the beginning.
    ///
    /// # Errors
    /// [`ClientError`]; after [`ClientError::outcome_unknown`], it may have been retried.
    pub async fn retry(&self, id: OperationId) -> Result<Operation, ClientError> {
        self.post(&paths::action(id, "retry"), &json!({}), false).await
    }

    /// Another attempt from the last checkpoint.
    ///
    /// # Errors
    /// Like [`Client::retry`].
    pub async fn resume(&self, id: OperationId) -> Result<Operation, ClientError> {
        self.post(&paths::action(id, "resume"), &json!({}), false).await
    }

    /// Gives up an operation whose host is unreachable.
    ///
    /// # Errors
    /// Like [`Client::retry`].
    pub async fn abandon(&self, id: OperationId, reason: &str) -> Result<Operation, ClientError> {
        self.post(&paths::action(id, "abandon"), &json!({"reason": reason}), false).await
    }

    /// Cancels many operations. Repeating it changes nothing.
    ///
    /// # Errors
    /// [`ClientError`]; after [`ClientError::outcome_unknown`], some may have been cancelled.
    pub async fn cancel_many(&self, request: &CancelMany) -> Result<CancelledMany, ClientError> {
        self.post(paths::CANCEL_MANY, request, true).await
    }

    /// Deletes ended operations. Repeating it changes nothing, but counts what is already deleted as refused.
    ///
    /// # Errors
    /// [`ClientError`]; after [`ClientError::outcome_unknown`], some may have been deleted.
    pub async fn delete_many(&self, request: &DeleteMany) -> Result<Deleted, ClientError> {
        self.post(paths::DELETE_MANY, request, request.dry_run).await
    }

    /// Series of the current attempt, with at most so many points each; of all names if none are given.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn series(
        &self,
        id: OperationId,
        names: &[String],
        points: u32,
    ) -> Result<SeriesAnswer, ClientError> {
        let points = points.to_string();
        let names = Some(names.join(",")).filter(|names| !names.is_empty());
        let pairs = [("name", names.as_deref()), ("points", Some(points.as_str()))];
        let query = encoded(pairs.into_iter().filter_map(|(name, value)| Some((name, value?))));
        self.get(&format!("{}/series?{query}", paths::operation(id))).await
    }

    /// The last matching log lines, at most `limit`, of those below `before` if given.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn search_log(
        &self,
        id: OperationId,
        filter: &LogFilter,
        before: Option<u64>,
        limit: u64,
    ) -> Result<LogSearch, ClientError> {
        let number = |n: u64| n.to_string();
        let pairs = [
            ("attempt", filter.attempt.map(u64::from).map(number)),
            ("level", filter.level.map(|level| level.as_str().to_owned())),
            ("q", Some(filter.text.clone()).filter(|text| !text.is_empty())),
            ("before", before.map(number)),
            ("limit", Some(number(limit))),
        ];
        let query = encoded(pairs.into_iter().filter_map(|(name, value)| Some((name, value?))));
        self.get(&format!("{}/logs/search?{query}", paths::operation(id))).await
    }

    /// An artifact from a byte on. With the `etag` of an earlier part, a changed artifact is read from its first byte.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn artifact(
        &self,
        id: OperationId,
        name: &str,
        from: u64,
        etag: Option<&str>,
    ) -> Result<Download, ClientError> {
        let name: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
        // A path has no plus sign for a space.
        let path = format!("{}/artifacts/{}", paths::operation(id), name.replace('+', "%20"));
        self.download(&path, from, etag).await
    }

    /// Number of the newest event.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn feed_head(&self) -> Result<u64, ClientError> {
        let page: crate::EventPage = self.get(&paths::feed_head()).await?;
        Ok(page.head())
    }

    /// Stream of all events after a number.
    ///
    /// # Errors
    /// [`PoolError`], like [`Client::events`].
    pub async fn all_events(&self, after: u64) -> Result<SseStream, PoolError> {
        self.stream(paths::EVENTS, after).await
    }
}
