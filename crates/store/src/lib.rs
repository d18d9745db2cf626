//! Durable state behind a trait: operations, attempts, results, series, logs, event log, positions in hosts' feeds.
//!
//! Knows how to make a batch of changes durable as one, and how to find what was stored. Must not know why anything
//! changes, or what is published; the engine decides that.

mod change;
mod page;
mod query;
mod runs;
mod schema;
mod sqlite;
mod writer;

pub use change::{Change, EventRecord, Weight};
pub use page::Page;
pub use protocol::Filter;
pub use sqlite::Sqlite;
pub use writer::{Commit, Room, Trouble, Writer, WriterGone};

use protocol::host::ResultDoc;
use protocol::{
    Attempt, AuditEntry, Baseline, HostName, InstanceId, KindName, LogLine, Operation, OperationId, Point,
    Points, State, Time,
};
use std::time::Duration;
use thiserror::Error;

/// Error of the store, for the log and `/readyz`.
#[derive(Debug, Error)]
pub enum StoreError {
    #[error(
        "can't open the database {path}: {source}. Check that its folder exists and is writable, or choose another with --data"
    )]
    Open { path: String, source: rusqlite::Error },
    #[error(
        "the database has version {found}, newer than this signalbox supports ({known}). Use the newer version, or another --data folder"
    )]
    Newer { found: i64, known: i64 },
    #[error(
        "the database {path} is in use by another signalbox. Stop it, or choose another folder with --data"
    )]
    InUse { path: String },
    #[error("can't lock the database {path}: {source}. Check that its folder exists and is writable")]
    Lock { path: String, source: std::io::Error },
    #[error("the disk of the database is full. Free some space; accepted operations are not lost")]
    DiskFull,
    #[error("database error: {0}")]
    Sql(rusqlite::Error),
    #[error("a stored record is invalid: {0}")]
    Decode(#[from] serde_json::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(e: rusqlite::Error) -> Self {
        match e.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => StoreError::DiskFull,
            _ => StoreError::Sql(e),
        }
    }
}

/// Position in a host's feed: everything up to `seq` of this process of the host is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HostCursor {
    pub instance: InstanceId,
    pub seq: u64,
}

/// Run that succeeded in one attempt, with the accuracy of its forecasts.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    /// Title of the operation; runs with the same title had similar parameters.
    pub title: String,
    pub seconds: f64,
    /// For each recorded forecast: the actual remaining time divided by the predicted one.
    pub ratios: Vec<f64>,
}

/// Number of attempts of a kind that ended in a state within an hour.
#[derive(Clone, PartialEq, Debug)]
pub struct Tally {
    /// Hours since 1970, UTC.
    pub hour: i64,
    pub kind: KindName,
    pub state: State,
    pub count: u64,
    /// Total duration.
    pub seconds: f64,
}

/// Number of hours for which tallies are kept.
pub const TALLY_HOURS: i64 = 32 * 24;

/// Number of audit entries kept that are not about an operation; others are deleted with their operation.
pub const AUDIT_CAPACITY: u32 = 10_000;

/// Number of deleted operations remembered of which something may still run.
pub const DELETED_OPERATIONS_CAPACITY: u32 = 10_000;

/// Number of keys of deleted operations that stay taken.
pub const DELETED_KEYS_CAPACITY: u32 = 10_000;

/// Number of runs kept per kind.
pub const RUNS: u32 = 200;

/// Number of the newest succeeded runs among which past runs are searched.
pub const MAX_PAST_RUNS_SEARCHED: u32 = 500;

/// Query for past runs of a kind that succeeded and have a series.
#[derive(Clone, Copy, Debug)]
pub struct Earlier<'a> {
    pub kind: &'a KindName,
    /// Only with this title.
    pub title: Option<&'a str>,
    /// Only accepted before this operation.
    pub before: OperationId,
    pub series: &'a str,
    /// Largest number.
    pub limit: u32,
}

/// Baseline of an operation's rule.
#[derive(Clone, PartialEq, Debug)]
pub struct RuleBand {
    /// Current attempt when the rule was set.
    pub attempt: u32,
    /// Number of points in that attempt's series before the rule.
    pub skip: u64,
    pub baseline: Baseline,
}

/// Retention of ended operations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keep {
    /// Age, by time of acceptance, from which they are deleted.
    pub age: Option<Duration>,
    /// Number of the newest operations kept per state.
    pub most: Option<u64>,
}

/// Operation with its attempts, oldest first.
#[derive(Clone, PartialEq, Debug)]
pub struct Stored {
    pub operation: Operation,
    pub attempts: Vec<Attempt>,
}

/// Storage as the engine needs it. All calls block: use a blocking thread.
pub trait Store: Send + Sync + 'static {
    /// Makes the changes durable, all or none. If one has [`Weight::Heavy`], they survive a loss of power, otherwise
    /// the end of this process.
    ///
    /// # Errors
    /// Nothing was changed.
    fn apply(&self, changes: &[Change]) -> Result<(), StoreError>;

    /// Number of the newest event; 0 if there is none.
    fn head(&self) -> Result<u64, StoreError>;

    /// All operations that have not ended, oldest first.
    fn unended(&self) -> Result<Vec<Stored>, StoreError>;

    /// An operation.
    fn operation(&self, id: OperationId) -> Result<Option<Stored>, StoreError>;

    /// Page of operations, in the order of the filter.
    fn page(&self, filter: &Filter) -> Result<Page, StoreError>;

    /// Number of operations by state.
    fn counts(&self) -> Result<Vec<(State, u64)>, StoreError>;

    /// Number of operations by state that a filter matches, on all pages.
    fn counts_of(&self, filter: &Filter) -> Result<Vec<(State, u64)>, StoreError>;

    /// Latest result of an operation.
    fn result(&self, id: OperationId) -> Result<Option<ResultDoc>, StoreError>;

    /// All points of an attempt's series, by name.
    fn points(&self, id: OperationId, attempt: u32) -> Result<Vec<Points>, StoreError>;

    /// Points of one series of an attempt, in the order of arrival, one delivery at a time, so that even a long series
    /// needs little memory.
    fn curve(
        &self,
        id: OperationId,
        attempt: u32,
        series: &str,
        take: &mut dyn FnMut(Point),
    ) -> Result<(), StoreError>;

    /// Past runs that succeeded, newest first, each with its succeeded attempt; among the newest [`MAX_PAST_RUNS_SEARCHED`].
    fn earlier(&self, wanted: Earlier<'_>) -> Result<Vec<(OperationId, u32)>, StoreError>;

    /// Baseline of an operation's rule, as last set.
    fn rule_band(&self, id: OperationId) -> Result<Option<RuleBand>, StoreError>;

    /// The last `limit` log lines of an attempt before line `before` (`None`: from the end), in order.
    fn logs(
        &self,
        id: OperationId,
        attempt: u32,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<LogLine>, StoreError>;

    /// Events after `seq`, at most `limit`, in order; `None` if some of them are no longer stored.
    fn events(&self, after: u64, limit: u32) -> Result<Option<Vec<EventRecord>>, StoreError>;

    /// Position in each host's feed.
    fn cursors(&self) -> Result<Vec<(HostName, HostCursor)>, StoreError>;

    /// Drained hosts.
    fn drained(&self) -> Result<Vec<HostName>, StoreError>;

    /// Audit entries with their numbers, newest first, of one operation or of all, at most `limit`, before entry
    /// `before` (`None`: from the newest).
    fn audit(
        &self,
        operation: Option<OperationId>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<(u64, AuditEntry)>, StoreError>;

    /// Last configuration of the server, one setting per line; empty if it never ran.
    fn configuration(&self) -> Result<Vec<String>, StoreError>;

    /// Stored runs of all kinds, oldest first.
    fn runs(&self) -> Result<Vec<(KindName, Run)>, StoreError>;

    /// Tallies from an hour on, in order of time.
    fn tallies(&self, since_hour: i64) -> Result<Vec<Tally>, StoreError>;

    /// Ended operations that exceed retention at `now`, at most `limit`, oldest first.
    fn too_old(&self, keep: Keep, now: Time, limit: u32) -> Result<Vec<(OperationId, State)>, StoreError>;

    /// Whether a deleted operation had an attempt that was given up while its host was unreachable.
    fn given_up(&self, id: OperationId) -> Result<bool, StoreError>;

    /// Operation that was started with this idempotency key, and the request. It may be deleted.
    fn key(&self, key: &str) -> Result<Option<(OperationId, String)>, StoreError>;
}
