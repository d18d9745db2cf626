//! Store whose disk can be full: reads work, writes fail.

use protocol::host::ResultDoc;
use protocol::{AuditEntry, HostName, KindName, LogLine, OperationId, Point, State, Time};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use store::{
    Change, EndedOperation, EventRecord, Filter, HostCursor, Keep, Page, PastRunsQuery, RuleBand, Run,
    SecretParam, Sqlite, Store, StoreError, Stored, Tally,
};

/// Store of a server, and whether its disk is full.
#[derive(Clone)]
pub struct FullStore {
    store: Arc<Sqlite>,
    full: Arc<AtomicBool>,
}

impl FullStore {
    pub fn new(store: Sqlite) -> Self {
        Self { store: Arc::new(store), full: Arc::default() }
    }

    pub fn fill(&self) {
        self.full.store(true, Ordering::SeqCst);
    }

    pub fn free(&self) {
        self.full.store(false, Ordering::SeqCst);
    }
}

impl Store for FullStore {
    fn apply(&self, changes: &[Change]) -> Result<(), StoreError> {
        if self.full.load(Ordering::SeqCst) {
            return Err(StoreError::disk_full());
        }
        self.store.apply(changes)
    }

    fn head(&self) -> Result<u64, StoreError> {
        self.store.head()
    }

    fn unended(&self) -> Result<Vec<Stored>, StoreError> {
        self.store.unended()
    }

    fn operation(&self, id: OperationId) -> Result<Option<Stored>, StoreError> {
        self.store.operation(id)
    }

    fn page(&self, filter: &Filter) -> Result<Page, StoreError> {
        self.store.page(filter)
    }

    fn counts(&self) -> Result<Vec<(State, u64)>, StoreError> {
        self.store.counts()
    }

    fn counts_by_kind(&self) -> Result<Vec<(KindName, State, u64)>, StoreError> {
        self.store.counts_by_kind()
    }

    fn kind_of(&self, id: OperationId) -> Result<Option<KindName>, StoreError> {
        self.store.kind_of(id)
    }

    fn counts_of(&self, filter: &Filter) -> Result<Vec<(State, u64)>, StoreError> {
        self.store.counts_of(filter)
    }

    fn result(&self, id: OperationId) -> Result<Option<ResultDoc>, StoreError> {
        self.store.result(id)
    }

    fn series_names(&self, id: OperationId, attempt: u32) -> Result<Vec<String>, StoreError> {
        self.store.series_names(id, attempt)
    }

    fn curve(
        &self,
        id: OperationId,
        attempt: u32,
        series: &str,
        take: &mut dyn FnMut(Point),
    ) -> Result<(), StoreError> {
        self.store.curve(id, attempt, series, take)
    }

    fn earlier(&self, wanted: PastRunsQuery<'_>) -> Result<Vec<(OperationId, u32)>, StoreError> {
        self.store.earlier(wanted)
    }

    fn rule_band(&self, id: OperationId) -> Result<Option<RuleBand>, StoreError> {
        self.store.rule_band(id)
    }

    fn logs(
        &self,
        id: OperationId,
        attempt: u32,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<LogLine>, StoreError> {
        self.store.logs(id, attempt, before, limit)
    }

    fn events(&self, after: u64, limit: u32) -> Result<Option<Vec<EventRecord>>, StoreError> {
        self.store.events(after, limit)
    }

    fn cursors(&self) -> Result<Vec<(HostName, HostCursor)>, StoreError> {
        self.store.cursors()
    }

    fn drained(&self) -> Result<Vec<HostName>, StoreError> {
        self.store.drained()
    }

    fn audit(
        &self,
        filter: &store::AuditFilter,
        limit: u32,
    ) -> Result<Vec<(store::AuditHead, AuditEntry)>, StoreError> {
        self.store.audit(filter, limit)
    }

    fn audit_head(&self) -> Result<Option<store::AuditHead>, StoreError> {
        self.store.audit_head()
    }

    fn configuration(&self) -> Result<Vec<String>, StoreError> {
        self.store.configuration()
    }

    fn runs(&self) -> Result<Vec<(KindName, Run)>, StoreError> {
        self.store.runs()
    }

    fn tallies(&self, since_hour: i64) -> Result<Vec<Tally>, StoreError> {
        self.store.tallies(since_hour)
    }

    fn too_old(&self, keep: Keep, now: Time, limit: u32) -> Result<Vec<EndedOperation>, StoreError> {
        self.store.too_old(keep, now, limit)
    }

    fn given_up(&self, id: OperationId) -> Result<bool, StoreError> {
        self.store.given_up(id)
    }

    fn key(&self, key: &str) -> Result<Option<(OperationId, String)>, StoreError> {
        self.store.key(key)
    }

    fn secrets(&self, id: OperationId) -> Result<Vec<SecretParam>, StoreError> {
        self.store.secrets(id)
    }

    fn secret_keys(&self) -> Result<Vec<(String, u64)>, StoreError> {
        self.store.secret_keys()
    }
}
