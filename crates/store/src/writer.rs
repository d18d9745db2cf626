//! Writer: batches changes that arrive while the previous batch is written, and publishes after they are durable.

use crate::{Change, Store, StoreError};
use backoff::Backoff;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::Instant;

/// Changes that belong together, and what to pass on once they are durable.
pub struct Commit<T> {
    pub changes: Vec<Change>,
    pub then: T,
}

/// Commit on its way to the writer's thread, with its size.
struct Waiting<T> {
    changes: Vec<Change>,
    then: T,
    size: usize,
}

/// Reason why nothing can be written now; `None` if all is well.
pub type StoreFault = Option<String>;

/// The writer's thread has ended, because the process is ending.
#[derive(Debug, Error)]
#[error("the database is closed")]
pub struct WriterClosed;

/// Largest number of commits in one transaction, so that a flood does not delay the first of them for long.
const BATCH: usize = 4_096;

/// Size of waiting changes from which [`Room`] is denied to senders of many changes.
const WAITING: usize = 64 << 20;

/// Time for which the last changes are retried when the writer ends and can't write. Then they are dropped; they were
/// never published.
const LAST_TRIES: Duration = Duration::from_secs(3);

/// Whether there is room for more changes, for senders that can wait.
#[derive(Clone, Debug)]
pub struct Room(watch::Receiver<usize>);

impl Room {
    /// Whether there is room.
    pub fn is_there(&self) -> bool {
        *self.0.borrow() < WAITING
    }

    /// Waits until there is room, or until the writer has ended.
    pub async fn wait(&mut self) {
        let _ = self.0.wait_for(|waiting| *waiting < WAITING).await;
    }
}

/// Handle of the writer. Dropping it ends the writer, after all commits are written, or, if the store can't be written,
/// after a few last tries.
pub struct Writer<T> {
    sender: Option<mpsc::Sender<Waiting<T>>>,
    /// Size of changes that are not durable yet, in bytes.
    waiting: Arc<watch::Sender<usize>>,
    store_fault: watch::Receiver<StoreFault>,
    closing: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl<T: Send + 'static> Writer<T> {
    /// Starts the writer. `publish` gets what was made durable, in the order of commits.
    ///
    /// A batch that can't be written is retried until it can: accepted changes are not dropped. Meanwhile,
    /// [`Writer::store_fault`] has the reason.
    ///
    /// # Errors
    /// If the operating system provides no thread.
    pub fn start(
        store: Arc<dyn Store>,
        mut publish: impl FnMut(Vec<T>) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::channel::<Waiting<T>>();
        let (store_fault_out, store_fault) = watch::channel(None);
        let waiting = Arc::new(watch::Sender::new(0));
        let closing = Arc::new(AtomicBool::new(false));
        let (count, ends) = (waiting.clone(), closing.clone());
        let thread = std::thread::Builder::new().name("store-writer".into()).spawn(move || {
            // Of an earlier version, or from before a restart.
            let mut index_is_behind = true;
            while let Some(first) = next(&receiver, &*store, &mut index_is_behind) {
                let (mut changes, mut taken) = (first.changes, first.size);
                let mut then = vec![first.then];
                while then.len() < BATCH {
                    let Ok(next) = receiver.try_recv() else { break };
                    changes.extend(next.changes);
                    taken += next.size;
                    then.push(next.then);
                }
                drop_overtaken_progress(&mut changes);
                if !write_until_done(&*store, &changes, &store_fault_out, &ends) {
                    tracing::error!("discarding changes that could not be written; they were not published");
                    return;
                }
                count.send_modify(|waiting| *waiting -= taken);
                publish(then);
                index_is_behind = index_some(&*store);
            }
        })?;
        Ok(Self { sender: Some(sender), waiting, store_fault, closing, thread: Some(thread) })
    }

    /// Adds a commit; returns at once.
    ///
    /// # Errors
    /// If the writer has ended.
    pub fn commit(&self, commit: Commit<T>) -> Result<(), WriterClosed> {
        let Commit { changes, then } = commit;
        let size: usize = changes.iter().map(Change::size).sum();
        self.waiting.send_modify(|waiting| *waiting += size);
        self.sender
            .as_ref()
            .ok_or(WriterClosed)?
            .send(Waiting { changes, then, size })
            .map_err(|_| WriterClosed)
    }

    /// Room for more changes.
    pub fn room(&self) -> Room {
        Room(self.waiting.subscribe())
    }

    /// Reason why nothing can be written now.
    pub fn store_fault(&self) -> watch::Receiver<StoreFault> {
        self.store_fault.clone()
    }
}

impl<T> Drop for Writer<T> {
    fn drop(&mut self) {
        self.sender.take();
        self.closing.store(true, Ordering::Relaxed);
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the database writer panicked");
        }
    }
}

/// Waits for the next commit; `None` if the writer is to end. While no commit waits, the search index catches up.
fn next<T>(
    receiver: &mpsc::Receiver<Waiting<T>>,
    store: &dyn Store,
    index_is_behind: &mut bool,
) -> Option<Waiting<T>> {
    while *index_is_behind {
        match receiver.try_recv() {
            Ok(first) => return Some(first),
            Err(mpsc::TryRecvError::Disconnected) => return None,
            Err(mpsc::TryRecvError::Empty) => *index_is_behind = index_some(store),
        }
    }
    receiver.recv().ok()
}

/// Adds some operations to the search index, and returns whether more wait.
fn index_some(store: &dyn Store) -> bool {
    store.index_some().unwrap_or_else(|error| {
        tracing::warn!(%error, "can't add operations to the search index; the next change tries again");
        false
    })
}

/// Drops all but the last progress of an operation within a transaction.
fn drop_overtaken_progress(changes: &mut Vec<Change>) {
    let mut seen = std::collections::HashSet::new();
    let mut keep: Vec<bool> = changes
        .iter()
        .rev()
        .map(|change| match change {
            Change::Progress { id, .. } => seen.insert(*id),
            Change::Operation { operation, .. } => {
                // The operation contains its current progress, so earlier progress is replaced, too.
                seen.insert(operation.id);
                true
            }
            Change::Points { .. }
            | Change::Log { .. }
            | Change::Result { .. }
            | Change::Event(_)
            | Change::Drain { .. }
            | Change::Run { .. }
            | Change::Forget { .. }
            | Change::Audit(_)
            | Change::Configuration { .. }
            | Change::Cursor { .. }
            | Change::RuleBand { .. }
            | Change::Secrets { .. }
            | Change::Key { .. } => true,
        })
        .collect();
    keep.reverse();
    let mut keep = keep.into_iter();
    changes.retain(|_| keep.next().unwrap_or(true));
}

/// Retries until it is written. If the writer is to end, there are only a few more tries; returns `false` if they fail.
fn write_until_done(
    store: &dyn Store,
    changes: &[Change],
    store_fault: &watch::Sender<StoreFault>,
    closing: &AtomicBool,
) -> bool {
    let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(2));
    let mut last_tries = None;
    while let Err(error) = store.apply(changes) {
        report(&error, changes.len());
        store_fault.send_replace(Some(error.to_string()));
        if closing.load(Ordering::Relaxed)
            && last_tries.get_or_insert_with(Instant::now).elapsed() >= LAST_TRIES
        {
            return false;
        }
        let pause = backoff.next_ceiling();
        std::thread::park_timeout(if last_tries.is_some() { pause.min(LAST_TRIES / 8) } else { pause });
    }
    store_fault.send_if_modified(|t| t.take().is_some());
    true
}

fn report(error: &StoreError, changes: usize) {
    tracing::error!(%error, changes, "can't write a batch of changes to the database; retrying");
}

#[cfg(test)]
mod tests;
