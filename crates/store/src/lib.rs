//! Durable state behind a trait: operations, attempts, results, curves, logs, the event log, host cursors.
//!
//! Knows: how to make a batch of changes durable as one, and how to find what was stored.
//! May not know: why anything changes, or who is told. The engine decides; this room remembers.

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
    Attempt, AuditEntry, Envelope, HostName, InstanceId, KindName, LogLine, Operation, OperationId, Point,
    Points, State, Time,
};
use std::time::Duration;
use thiserror::Error;

/// What went wrong with the store, for the log and for `/readyz`.
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

/// How far a host's feed was taken in: everything up to `seq` of this life of the host is in the store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HostCursor {
    pub instance: InstanceId,
    pub seq: u64,
}

/// A run that succeeded in one attempt, and how its forecasts came true.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    /// The operation's title: runs that share it had like params.
    pub title: String,
    pub seconds: f64,
    /// For each forecast that was written down: the time it really took from then on over the time foretold.
    pub ratios: Vec<f64>,
}

/// How many attempts of a kind ended in a state within an hour.
#[derive(Clone, PartialEq, Debug)]
pub struct Tally {
    /// Counted from 1970, UTC.
    pub hour: i64,
    pub kind: KindName,
    pub state: State,
    pub count: u64,
    /// From start to end, all of them together.
    pub seconds: f64,
}

/// So many hours of tallies are kept.
pub const TALLY_HOURS: i64 = 32 * 24;

/// So many entries of the audit are kept that are about no operation; those of operations go with them.
pub const AUDIT: u32 = 10_000;

/// Of so many operations that are no more it is known that something of them may still run.
pub const FORGOTTEN: u32 = 10_000;

/// So many keys of operations that are no more stay taken.
pub const SPENT: u32 = 10_000;

/// So many runs of a kind are kept.
pub const RUNS: u32 = 200;

/// Earlier runs are looked for among so many that succeeded, the newest.
pub const EARLIER: u32 = 500;

/// Which runs are wanted: earlier ones of a kind that succeeded and have a curve.
#[derive(Clone, Copy, Debug)]
pub struct Earlier<'a> {
    pub kind: &'a KindName,
    /// Only those of this title.
    pub title: Option<&'a str>,
    /// Accepted before this operation was.
    pub before: OperationId,
    pub series: &'a str,
    /// At most so many.
    pub limit: u32,
}

/// The band that an operation's rule goes by.
#[derive(Clone, PartialEq, Debug)]
pub struct RuleBand {
    /// The attempt that was current when the rule was set.
    pub attempt: u32,
    /// So many points of that attempt's curve were there before the rule.
    pub skip: u64,
    pub envelope: Envelope,
}

/// What is kept of operations that ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keep {
    /// Those accepted longer ago than this are forgotten.
    pub age: Option<Duration>,
    /// Of each state the newest so many are kept.
    pub most: Option<u64>,
}

/// An operation with its attempts, oldest first.
#[derive(Clone, PartialEq, Debug)]
pub struct Stored {
    pub operation: Operation,
    pub attempts: Vec<Attempt>,
}

/// What the engine asks of an engine of storage. Every call blocks: call from a blocking thread.
pub trait Store: Send + Sync + 'static {
    /// Makes the changes durable, all or none. With [`Weight::Heavy`] among them they survive a loss of power,
    /// else the end of this process.
    ///
    /// # Errors
    /// Nothing was changed.
    fn apply(&self, changes: &[Change]) -> Result<(), StoreError>;

    /// The newest event's number; 0 when there is none.
    fn head(&self) -> Result<u64, StoreError>;

    /// Every operation that has not ended, oldest first.
    fn unended(&self) -> Result<Vec<Stored>, StoreError>;

    /// One operation.
    fn operation(&self, id: OperationId) -> Result<Option<Stored>, StoreError>;

    /// A page of operations, in the order that the filter wants.
    fn page(&self, filter: &Filter) -> Result<Page, StoreError>;

    /// How many operations are in each state.
    fn counts(&self) -> Result<Vec<(State, u64)>, StoreError>;

    /// How many operations in each state a filter finds, on whatever page of it they are.
    fn counts_of(&self, filter: &Filter) -> Result<Vec<(State, u64)>, StoreError>;

    /// The newest result of an operation.
    fn result(&self, id: OperationId) -> Result<Option<ResultDoc>, StoreError>;

    /// All points of an attempt's curves, by name.
    fn points(&self, id: OperationId, attempt: u32) -> Result<Vec<Points>, StoreError>;

    /// The points of one curve of an attempt, in the order in which they came, a delivery at a time: however long it
    /// is, little of it is held.
    fn curve(
        &self,
        id: OperationId,
        attempt: u32,
        series: &str,
        take: &mut dyn FnMut(Point),
    ) -> Result<(), StoreError>;

    /// Earlier runs that succeeded, newest first, each with the attempt that did; of the newest [`EARLIER`].
    fn earlier(&self, wanted: Earlier<'_>) -> Result<Vec<(OperationId, u32)>, StoreError>;

    /// The band of an operation's rule, as it was set last.
    fn rule_band(&self, id: OperationId) -> Result<Option<RuleBand>, StoreError>;

    /// The last `limit` log lines of an attempt before line `before` (from the end when `None`), in order.
    fn logs(
        &self,
        id: OperationId,
        attempt: u32,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<LogLine>, StoreError>;

    /// Events after `seq`, at most `limit`, in order; `None` when some of them are no longer held.
    fn events(&self, after: u64, limit: u32) -> Result<Option<Vec<EventRecord>>, StoreError>;

    /// How far each host's feed was taken in.
    fn cursors(&self) -> Result<Vec<(HostName, HostCursor)>, StoreError>;

    /// The hosts that take no new work.
    fn drained(&self) -> Result<Vec<HostName>, StoreError>;

    /// Who did what, newest first, with the numbers of the entries: of one operation or of all, at most `limit`,
    /// before entry `before` (from the newest when `None`).
    fn audit(
        &self,
        operation: Option<OperationId>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<(u64, AuditEntry)>, StoreError>;

    /// The configuration that the server ran with last, a setting a line; empty when it never ran.
    fn configuration(&self) -> Result<Vec<String>, StoreError>;

    /// The runs of all kinds that are kept, oldest first.
    fn runs(&self) -> Result<Vec<(KindName, Run)>, StoreError>;

    /// What ended from an hour on, in the order of time.
    fn tallies(&self, since_hour: i64) -> Result<Vec<Tally>, StoreError>;

    /// Ended operations that are not to be kept as of `now`, at most `limit`, oldest first.
    fn too_old(&self, keep: Keep, now: Time, limit: u32) -> Result<Vec<(OperationId, State)>, StoreError>;

    /// Whether an operation that is no more had an attempt that was given up while its host was silent.
    fn given_up(&self, id: OperationId) -> Result<bool, StoreError>;

    /// The operation that was started with this idempotency key, and what was asked for then. The operation may be no
    /// more.
    fn key(&self, key: &str) -> Result<Option<(OperationId, String)>, StoreError>;
}
