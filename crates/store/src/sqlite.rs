//! SQLite implementation of [`Store`]: one connection that writes, a few that read, write-ahead log.

mod access;
mod alert_rules;
mod audit;
mod connections;
mod error;
mod migrations;
mod packed;
mod query;
mod read;
mod rows;
mod search;
mod secrets;
mod users;
mod write;

use crate::{
    AuditCheck, AuditFilter, AuditHead, Change, EndedOperation, EventRecord, Filter, HostCursor, Keep, Page,
    PastRunsQuery, RuleBand, Run, SecretParam, Store, StoreError, Stored, Tally, Weight,
};
use connections::{Readers, Writing};
use parking_lot::Mutex;
use protocol::host::ResultDoc;
use protocol::{AuditEntry, HostName, KindName, LogLine, OperationId, Point, State, Time};
use rusqlite::{Transaction, TransactionBehavior};
use std::fs::File;
use std::path::Path;

/// Embedded database in one file.
pub struct Sqlite {
    _lock: File,
    writing: Mutex<Writing>,
    readers: Readers,
}

impl Sqlite {
    /// Opens or creates the database and migrates it to the newest version.
    ///
    /// # Errors
    /// If the file can't be opened, is in use by another Signalbox, or has a newer version. A database of a newer
    /// version is not changed.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let _lock = connections::lock(path)?;
        Ok(Self { _lock, writing: Mutex::new(Writing::open(path)?), readers: Readers::new(path) })
    }

    /// Checks the hash chain of a database's audit log, also while a server uses the database. `known`: a head that was
    /// noted earlier, which the chain must still contain.
    ///
    /// # Errors
    /// If the database can't be read, or does not have the newest version.
    pub fn check_audit(path: &Path, known: Option<&AuditHead>) -> Result<AuditCheck, StoreError> {
        let readers = Readers::new(path);
        readers.read(|connection| {
            migrations::refuse_other(connection)?;
            audit::check(connection, known)
        })
    }

    fn write(&self, changes: &[Change], weight: Weight) -> error::Result<()> {
        self.change(weight, |transaction| {
            changes.iter().try_for_each(|change| write::apply(transaction, change))
        })
    }

    /// Makes changes durable as one.
    fn change(
        &self,
        weight: Weight,
        change: impl FnOnce(&Transaction<'_>) -> error::Result<()>,
    ) -> error::Result<()> {
        let mut writing = self.writing.lock();
        let transaction = writing.with(weight)?.transaction_with_behavior(TransactionBehavior::Immediate)?;
        change(&transaction)?;
        Ok(transaction.commit()?)
    }
}

impl Store for Sqlite {
    fn apply(&self, changes: &[Change]) -> Result<(), StoreError> {
        let weight = changes.iter().map(Change::weight).max().unwrap_or(Weight::Light);
        Ok(self.write(changes, weight)?)
    }

    fn index_some(&self) -> Result<bool, StoreError> {
        let is_behind = || search::is_behind(self.writing.lock().connection(), search::SLICE);
        if !is_behind()? {
            return Ok(false);
        }
        // Slices that a loss of power undoes are added again.
        self.change(Weight::Light, |transaction| search::index(transaction, search::SLICE))?;
        Ok(is_behind()?)
    }

    fn head(&self) -> Result<u64, StoreError> {
        self.readers.read(read::feed::head)
    }

    fn unended(&self) -> Result<Vec<Stored>, StoreError> {
        self.readers.read(read::operations::unended)
    }

    fn operation(&self, id: OperationId) -> Result<Option<Stored>, StoreError> {
        self.readers.read(|c| read::operations::operation(c, id))
    }

    fn page(&self, filter: &Filter) -> Result<Page, StoreError> {
        self.readers.read(|c| read::operations::page(c, filter))
    }

    fn counts(&self) -> Result<Vec<(State, u64)>, StoreError> {
        self.readers.read(read::operations::counts)
    }

    fn counts_by_kind(&self) -> Result<Vec<(KindName, State, u64)>, StoreError> {
        self.readers.read(read::operations::counts_by_kind)
    }

    fn kind_of(&self, id: OperationId) -> Result<Option<KindName>, StoreError> {
        self.readers.read(|c| read::operations::kind_of(c, id))
    }

    fn counts_of(&self, filter: &Filter) -> Result<Vec<(State, u64)>, StoreError> {
        self.readers.read(|c| read::operations::counts_of(c, filter))
    }

    fn result(&self, id: OperationId) -> Result<Option<ResultDoc>, StoreError> {
        self.readers.read(|c| read::operations::result(c, id))
    }

    fn series_names(&self, id: OperationId, attempt: u32) -> Result<Vec<String>, StoreError> {
        self.readers.read(|c| read::series::names(c, id, attempt))
    }

    fn curve(
        &self,
        id: OperationId,
        attempt: u32,
        series: &str,
        take: &mut dyn FnMut(Point),
    ) -> Result<(), StoreError> {
        self.readers.read(|c| read::series::curve(c, id, attempt, series, take))
    }

    fn earlier(&self, wanted: PastRunsQuery<'_>) -> Result<Vec<(OperationId, u32)>, StoreError> {
        self.readers.read(|c| read::past_runs::earlier(c, wanted))
    }

    fn rule_band(&self, id: OperationId) -> Result<Option<RuleBand>, StoreError> {
        self.readers.read(|c| read::past_runs::rule_band(c, id))
    }

    fn logs(
        &self,
        id: OperationId,
        attempt: u32,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<LogLine>, StoreError> {
        self.readers.read(|c| read::logs::logs(c, id, attempt, before, limit))
    }

    fn events(&self, after: u64, limit: u32) -> Result<Option<Vec<EventRecord>>, StoreError> {
        self.readers.read(|c| read::feed::events(c, after, limit))
    }

    fn cursors(&self) -> Result<Vec<(HostName, HostCursor)>, StoreError> {
        self.readers.read(read::feed::cursors)
    }

    fn drained(&self) -> Result<Vec<HostName>, StoreError> {
        self.readers.read(read::server::drained)
    }

    fn audit(&self, filter: &AuditFilter, limit: u32) -> Result<Vec<(AuditHead, AuditEntry)>, StoreError> {
        self.readers.read(|c| audit::page(c, filter, limit))
    }

    fn audit_head(&self) -> Result<Option<AuditHead>, StoreError> {
        self.readers.read(audit::head)
    }

    fn configuration(&self) -> Result<Vec<String>, StoreError> {
        self.readers.read(read::server::configuration)
    }

    fn runs(&self) -> Result<Vec<(KindName, Run)>, StoreError> {
        self.readers.read(read::past_runs::runs)
    }

    fn tallies(&self, since_hour: i64) -> Result<Vec<Tally>, StoreError> {
        self.readers.read(|c| read::past_runs::tallies(c, since_hour))
    }

    fn too_old(&self, keep: Keep, now: Time, limit: u32) -> Result<Vec<EndedOperation>, StoreError> {
        self.readers.read(|c| read::operations::too_old(c, keep, now, limit))
    }

    fn given_up(&self, id: OperationId) -> Result<bool, StoreError> {
        self.readers.read(|c| read::server::given_up(c, id))
    }

    fn key(&self, key: &str) -> Result<Option<(OperationId, String)>, StoreError> {
        self.readers.read(|c| read::server::key(c, key))
    }

    fn secrets(&self, id: OperationId) -> Result<Vec<SecretParam>, StoreError> {
        self.readers.read(|c| secrets::of(c, id))
    }

    fn secret_keys(&self) -> Result<Vec<(String, u64)>, StoreError> {
        self.readers.read(secrets::keys)
    }
}
