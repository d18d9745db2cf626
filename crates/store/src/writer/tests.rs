//! The writer keeps the order, keeps what was accepted, and reports when it can't write.

use super::*;
use crate::{EventRecord, Sqlite};
use parking_lot::Mutex;

fn event(seq: u64) -> Vec<Change> {
    let json = format!("{{\"seq\":{seq}}}").into();
    vec![Change::Event(EventRecord { seq, operation: None, progress: false, json })]
}

#[test]
fn published_changes_are_durable_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Sqlite::open(&folder.path().join("a.db")).unwrap());
    let published = Arc::new(Mutex::new(Vec::new()));
    let (reader, list) = (store.clone(), published.clone());
    let writer = Writer::start(store.clone(), move |batch: Vec<u64>| {
        assert!(reader.head().unwrap() >= *batch.last().unwrap());
        list.lock().extend(batch);
    })
    .unwrap();
    for seq in 1..=2_000 {
        writer.commit(Commit { changes: event(seq), then: seq }).unwrap();
    }
    drop(writer);
    assert_eq!(*published.lock(), (1..=2_000).collect::<Vec<_>>());
    assert_eq!(store.events(0, 5_000).unwrap().unwrap().len(), 2_000);
}

/// Store that fails the first few writes, and whose search index is some slices behind.
struct Full {
    tries: Mutex<u32>,
    fails: Mutex<u32>,
    slices: Mutex<u32>,
    /// Gets a message once the index is complete.
    complete: Mutex<Option<mpsc::Sender<()>>>,
    inner: Sqlite,
}

impl Full {
    fn of(folder: &std::path::Path, fails: u32) -> Arc<Self> {
        let inner = Sqlite::open(&folder.join("a.db")).unwrap();
        let (tries, fails) = (Mutex::new(0), Mutex::new(fails));
        Arc::new(Self { tries, fails, slices: Mutex::new(0), complete: Mutex::new(None), inner })
    }
}

impl Store for Full {
    fn apply(&self, changes: &[Change]) -> Result<(), StoreError> {
        let mut tries = self.tries.lock();
        *tries += 1;
        if *tries <= *self.fails.lock() { Err(StoreError::disk_full()) } else { self.inner.apply(changes) }
    }
    fn index_some(&self) -> Result<bool, StoreError> {
        let mut slices = self.slices.lock();
        *slices = slices.saturating_sub(1);
        if *slices == 0
            && let Some(complete) = self.complete.lock().take()
        {
            complete.send(()).unwrap();
        }
        Ok(*slices > 0)
    }
    fn head(&self) -> Result<u64, StoreError> {
        self.inner.head()
    }
    fn unended(&self) -> Result<Vec<crate::Stored>, StoreError> {
        self.inner.unended()
    }
    fn operation(&self, id: protocol::OperationId) -> Result<Option<crate::Stored>, StoreError> {
        self.inner.operation(id)
    }
    fn page(&self, filter: &crate::Filter) -> Result<crate::Page, StoreError> {
        self.inner.page(filter)
    }
    fn counts_of(&self, filter: &crate::Filter) -> Result<Vec<(protocol::State, u64)>, StoreError> {
        self.inner.counts_of(filter)
    }

    fn counts_by_kind(&self) -> Result<Vec<(protocol::KindName, protocol::State, u64)>, StoreError> {
        self.inner.counts_by_kind()
    }
    fn kind_of(&self, id: protocol::OperationId) -> Result<Option<protocol::KindName>, StoreError> {
        self.inner.kind_of(id)
    }
    fn counts(&self) -> Result<Vec<(protocol::State, u64)>, StoreError> {
        self.inner.counts()
    }
    fn result(&self, id: protocol::OperationId) -> Result<Option<protocol::host::ResultDoc>, StoreError> {
        self.inner.result(id)
    }
    fn series_names(&self, id: protocol::OperationId, n: u32) -> Result<Vec<String>, StoreError> {
        self.inner.series_names(id, n)
    }
    fn curve(
        &self,
        id: protocol::OperationId,
        n: u32,
        series: &str,
        take: &mut dyn FnMut(protocol::Point),
    ) -> Result<(), StoreError> {
        self.inner.curve(id, n, series, take)
    }
    fn earlier(
        &self,
        wanted: crate::PastRunsQuery<'_>,
    ) -> Result<Vec<(protocol::OperationId, u32)>, StoreError> {
        self.inner.earlier(wanted)
    }
    fn rule_band(&self, id: protocol::OperationId) -> Result<Option<crate::RuleBand>, StoreError> {
        self.inner.rule_band(id)
    }
    fn logs(
        &self,
        id: protocol::OperationId,
        n: u32,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<protocol::LogLine>, StoreError> {
        self.inner.logs(id, n, before, limit)
    }
    fn drained(&self) -> Result<Vec<protocol::HostName>, StoreError> {
        self.inner.drained()
    }
    fn audit(
        &self,
        filter: &crate::AuditFilter,
        limit: u32,
    ) -> Result<Vec<(crate::AuditHead, protocol::AuditEntry)>, StoreError> {
        self.inner.audit(filter, limit)
    }

    fn audit_head(&self) -> Result<Option<crate::AuditHead>, StoreError> {
        self.inner.audit_head()
    }

    fn configuration(&self) -> Result<Vec<String>, StoreError> {
        self.inner.configuration()
    }

    fn runs(&self) -> Result<Vec<(protocol::KindName, crate::Run)>, StoreError> {
        self.inner.runs()
    }
    fn tallies(&self, since_hour: i64) -> Result<Vec<crate::Tally>, StoreError> {
        self.inner.tallies(since_hour)
    }
    fn too_old(
        &self,
        keep: crate::Keep,
        now: protocol::Time,
        limit: u32,
    ) -> Result<Vec<crate::EndedOperation>, StoreError> {
        self.inner.too_old(keep, now, limit)
    }
    fn events(&self, after: u64, limit: u32) -> Result<Option<Vec<EventRecord>>, StoreError> {
        self.inner.events(after, limit)
    }
    fn cursors(&self) -> Result<Vec<(protocol::HostName, crate::HostCursor)>, StoreError> {
        self.inner.cursors()
    }
    fn given_up(&self, id: protocol::OperationId) -> Result<bool, StoreError> {
        self.inner.given_up(id)
    }
    fn key(&self, key: &str) -> Result<Option<(protocol::OperationId, String)>, StoreError> {
        self.inner.key(key)
    }
    fn secrets(&self, id: protocol::OperationId) -> Result<Vec<crate::SecretParam>, StoreError> {
        self.inner.secrets(id)
    }
    fn secret_keys(&self) -> Result<Vec<(String, u64)>, StoreError> {
        self.inner.secret_keys()
    }
}

#[test]
fn a_full_disk_delays_accepted_changes_and_loses_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = Full::of(folder.path(), 2);
    let (out, published) = std::sync::mpsc::channel();
    let writer = Writer::start(store.clone(), move |batch: Vec<u64>| {
        for seq in batch {
            out.send(seq).unwrap();
        }
    })
    .unwrap();
    let store_fault = writer.store_fault();
    writer.commit(Commit { changes: event(1), then: 1 }).unwrap();
    assert_eq!(published.recv().unwrap(), 1);
    assert_eq!(*store.tries.lock(), 3);
    assert_eq!(*store_fault.borrow(), None, "the trouble is over once the batch is written");
    assert_eq!(store.head().unwrap(), 1);
}

#[test]
fn the_search_index_catches_up_while_no_commit_waits() {
    let folder = tempfile::tempdir().unwrap();
    let store = Full::of(folder.path(), 0);
    let (out, complete) = mpsc::channel();
    *store.slices.lock() = 100;
    *store.complete.lock() = Some(out);
    let writer = Writer::start(store.clone(), |_: Vec<()>| {}).unwrap();
    complete.recv_timeout(Duration::from_secs(60)).unwrap();
    // Each batch adds one slice, so that the index does not fall behind if commits always wait.
    *store.slices.lock() = 2;
    let (out, complete) = mpsc::channel();
    *store.complete.lock() = Some(out);
    writer.commit(Commit { changes: event(1), then: () }).unwrap();
    complete.recv_timeout(Duration::from_secs(60)).unwrap();
    assert_eq!(store.head().unwrap(), 1);
}

#[tokio::test]
async fn changes_are_accepted_until_the_limit_and_again_after_a_write() {
    let folder = tempfile::tempdir().unwrap();
    let store = Full::of(folder.path(), u32::MAX);
    let writer = Writer::start(store.clone(), |_: Vec<()>| {}).unwrap();
    let mut room = writer.room();
    room.wait().await;
    let mut most = 0;
    while room.is_there() {
        let changes: Vec<Change> = (1..=1_024).flat_map(|n| event(most + n)).collect();
        most += 1_024;
        writer.commit(Commit { changes, then: () }).unwrap();
    }
    assert!((10_000..100_000).contains(&most), "{most} small changes");
    *store.fails.lock() = 0;
    room.wait().await;
    drop(writer);
    assert_eq!(store.head().unwrap(), most, "all of it is written");
}

#[test]
fn a_writer_whose_store_always_fails_ends_without_publishing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Full::of(folder.path(), u32::MAX);
    let published = Arc::new(Mutex::new(Vec::new()));
    let list = published.clone();
    let writer = Writer::start(store.clone(), move |batch: Vec<u64>| list.lock().extend(batch)).unwrap();
    let mut room = writer.room();
    writer.commit(Commit { changes: event(1), then: 1 }).unwrap();
    drop(writer);
    assert_eq!(*published.lock(), [0; 0]);
    assert_eq!(store.head().unwrap(), 0);
    // Tasks that still wait for room continue.
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(room.wait());
}
