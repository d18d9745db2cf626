//! One writer: batches what arrives while the last batch was being written, and tells after it is durable.

use crate::{Change, Store, StoreError};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::watch;

/// Changes that belong together, and what to hand on once they are durable.
pub struct Commit<T> {
    pub changes: Vec<Change>,
    pub then: T,
}

/// Why nothing can be written just now; `None` while all is well.
pub type Trouble = Option<String>;

/// The writer's thread is gone: the process is ending.
#[derive(Debug, Error)]
#[error("the store is closed")]
pub struct WriterGone;

/// At most so many commits in one transaction, so that a flood can't hold back the first of them for long.
const BATCH: usize = 4_096;

/// A handle to the writer. The last one dropped ends it, after everything that was handed in is written.
pub struct Writer<T> {
    sender: Option<mpsc::Sender<Commit<T>>>,
    trouble: watch::Receiver<Trouble>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl<T: Send + 'static> Writer<T> {
    /// Starts the writer. `told` gets what was durable, in the order in which it was handed in.
    ///
    /// A batch that can't be written is tried again until it can: what was accepted is not dropped. Meanwhile
    /// [`Writer::trouble`] says why.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(
        store: Arc<dyn Store>,
        mut told: impl FnMut(Vec<T>) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::channel::<Commit<T>>();
        let (trouble_out, trouble) = watch::channel(None);
        let thread = std::thread::Builder::new().name("store-writer".into()).spawn(move || {
            while let Ok(first) = receiver.recv() {
                let mut changes = first.changes;
                let mut then = vec![first.then];
                while then.len() < BATCH {
                    let Ok(next) = receiver.try_recv() else { break };
                    changes.extend(next.changes);
                    then.push(next.then);
                }
                drop_overtaken_progress(&mut changes);
                write_until_done(&*store, &changes, &trouble_out);
                told(then);
            }
        })?;
        Ok(Self { sender: Some(sender), trouble, thread: Some(thread) })
    }

    /// Hands in changes; returns at once.
    ///
    /// # Errors
    /// When the writer ended.
    pub fn commit(&self, commit: Commit<T>) -> Result<(), WriterGone> {
        self.sender.as_ref().ok_or(WriterGone)?.send(commit).map_err(|_| WriterGone)
    }

    /// Why nothing can be written just now.
    pub fn trouble(&self) -> watch::Receiver<Trouble> {
        self.trouble.clone()
    }
}

impl<T> Drop for Writer<T> {
    fn drop(&mut self) {
        self.sender.take();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's writer ended in a panic");
        }
    }
}

/// Within one transaction only the last progress of an operation is worth a write.
fn drop_overtaken_progress(changes: &mut Vec<Change>) {
    let mut seen = std::collections::HashSet::new();
    let mut keep: Vec<bool> = changes
        .iter()
        .rev()
        .map(|change| match change {
            Change::Progress { id, .. } => seen.insert(*id),
            Change::Operation { operation, .. } => {
                // It carries the progress of its moment: one that comes before it is overtaken too.
                seen.insert(operation.id);
                true
            }
            _ => true,
        })
        .collect();
    keep.reverse();
    let mut keep = keep.into_iter();
    changes.retain(|_| keep.next().unwrap_or(true));
}

fn write_until_done(store: &dyn Store, changes: &[Change], trouble: &watch::Sender<Trouble>) {
    let mut wait = Duration::from_millis(50);
    loop {
        match store.apply(changes) {
            Ok(()) => {
                trouble.send_if_modified(|t| t.take().is_some());
                return;
            }
            Err(error) => {
                report(&error, changes.len());
                trouble.send_replace(Some(error.to_string()));
                std::thread::sleep(wait);
                wait = (wait * 2).min(Duration::from_secs(2));
            }
        }
    }
}

fn report(error: &StoreError, changes: usize) {
    tracing::error!(%error, changes, "a batch can't be written; it is tried again");
}

#[cfg(test)]
mod tests;
