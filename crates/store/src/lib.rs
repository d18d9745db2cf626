//! Durable state behind a trait: operations, attempts, results, series, logs, event log, positions in hosts' feeds.
//!
//! Knows how to make a batch of changes durable as one, and how to find what was stored. Must not know why anything
//! changes, or what is published; the engine decides that.

mod access;
mod alert_rules;
mod audit;
mod change;
mod error;
mod records;
mod sqlite;
mod writer;

pub use access::{AccessStore, CredentialUse, StoredSession, StoredToken, StoredUser};
pub use alert_rules::{AlertRuleStore, StoredRule, UserRule};
pub use audit::{AuditBreak, AuditCheck, AuditFilter, AuditHead, AuditStore};
pub use change::{Change, EventRecord, Weight};
pub use error::{StoreError, StoreErrorKind};
pub use protocol::Filter;
pub use records::{
    AUDIT_CAPACITY, DELETED_KEYS_CAPACITY, DELETED_OPERATIONS_CAPACITY, EndedOperation, HostCursor, Keep,
    MAX_PAST_RUNS_SEARCHED, Page, PastRunsQuery, RUNS, RuleBand, Run, SecretParam, Stored, TALLY_HOURS,
    Tally,
};
pub use sqlite::Sqlite;
pub use writer::{Commit, Room, StoreFault, Writer, WriterClosed};

use protocol::host::ResultDoc;
use protocol::{AuditEntry, HostName, KindName, LogLine, OperationId, Point, State, Time};

/// Storage as the engine needs it. All calls block: use a blocking thread.
pub trait Store: Send + Sync + 'static {
    /// Makes the changes durable, all or none. If one has [`Weight::Heavy`], they survive a loss of power, otherwise
    /// the end of this process.
    ///
    /// # Errors
    /// Nothing was changed.
    fn apply(&self, changes: &[Change]) -> Result<(), StoreError>;

    /// Adds some of the stored operations to the search index, and returns whether more of them wait. The writer calls
    /// it between two batches. Searches find every operation at any time; the index makes them faster.
    ///
    /// # Errors
    /// Nothing was added.
    fn index_some(&self) -> Result<bool, StoreError> {
        Ok(false)
    }

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

    /// Number of operations by kind and state, where there is any.
    fn counts_by_kind(&self) -> Result<Vec<(KindName, State, u64)>, StoreError>;

    /// Kind of an operation.
    fn kind_of(&self, id: OperationId) -> Result<Option<KindName>, StoreError>;

    /// Number of operations by state that a filter matches, on all pages.
    fn counts_of(&self, filter: &Filter) -> Result<Vec<(State, u64)>, StoreError>;

    /// Latest result of an operation.
    fn result(&self, id: OperationId) -> Result<Option<ResultDoc>, StoreError>;

    /// Names of an attempt's series, in ascending order.
    fn series_names(&self, id: OperationId, attempt: u32) -> Result<Vec<String>, StoreError>;

    /// Points of one series of an attempt, in the order of arrival, one delivery at a time, so that even a long series
    /// needs little memory.
    fn curve(
        &self,
        id: OperationId,
        attempt: u32,
        series: &str,
        take: &mut dyn FnMut(Point),
    ) -> Result<(), StoreError>;

    /// Past runs that succeeded, newest first, each with its succeeded attempt; among the newest
    /// [`MAX_PAST_RUNS_SEARCHED`].
    fn earlier(&self, wanted: PastRunsQuery<'_>) -> Result<Vec<(OperationId, u32)>, StoreError>;

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

    /// Audit entries with their numbers and hashes, newest first, at most `limit`.
    fn audit(&self, filter: &AuditFilter, limit: u32) -> Result<Vec<(AuditHead, AuditEntry)>, StoreError>;

    /// Newest audit entry; `None` if there never was one.
    fn audit_head(&self) -> Result<Option<AuditHead>, StoreError>;

    /// Last configuration of the server, one setting per line; empty if it never ran.
    fn configuration(&self) -> Result<Vec<String>, StoreError>;

    /// Stored runs of all kinds, oldest first.
    fn runs(&self) -> Result<Vec<(KindName, Run)>, StoreError>;

    /// Tallies from an hour on, in order of time.
    fn tallies(&self, since_hour: i64) -> Result<Vec<Tally>, StoreError>;

    /// Ended operations that exceed retention at `now`, at most `limit`, oldest first.
    fn too_old(&self, keep: Keep, now: Time, limit: u32) -> Result<Vec<EndedOperation>, StoreError>;

    /// Whether a deleted operation had an attempt that was given up while its host was unreachable.
    fn given_up(&self, id: OperationId) -> Result<bool, StoreError>;

    /// Operation that was started with this idempotency key, and the request. It may be deleted.
    fn key(&self, key: &str) -> Result<Option<(OperationId, String)>, StoreError>;

    /// Encrypted values of an operation's secret parameters, ordered by name.
    fn secrets(&self, id: OperationId) -> Result<Vec<SecretParam>, StoreError>;

    /// IDs of the keys that encrypted stored secret parameters, each with its number of operations.
    fn secret_keys(&self) -> Result<Vec<(String, u64)>, StoreError>;
}
