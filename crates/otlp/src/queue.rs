//! Queue between the program and the exporter. It never waits: when it is full, its oldest entry is dropped.

use crate::Count;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::Notify;

/// Largest number of entries of a queue.
pub const CAPACITY: usize = 2_048;
/// Largest number of entries of a request.
pub const BATCH: usize = 512;

pub(crate) struct Queue<T> {
    entries: Mutex<VecDeque<T>>,
    has_batch: Notify,
    pub count: Arc<Count>,
}

impl<T> Queue<T> {
    pub fn new(count: Arc<Count>) -> Self {
        Self { entries: Mutex::default(), has_batch: Notify::new(), count }
    }

    pub fn push(&self, entry: T) {
        let mut entries = self.entries.lock();
        let dropped = if entries.len() == CAPACITY { entries.pop_front() } else { None };
        entries.push_back(entry);
        let has_batch = entries.len() >= BATCH;
        drop(entries);
        if dropped.is_some() {
            self.count.add_dropped(1);
        }
        if has_batch {
            self.has_batch.notify_one();
        }
    }

    /// Removes the oldest entries, at most [`BATCH`].
    pub fn take(&self) -> Vec<T> {
        let mut entries = self.entries.lock();
        let length = entries.len().min(BATCH);
        entries.drain(..length).collect()
    }

    pub fn len(&self) -> usize {
        self.entries.lock().len()
    }

    /// Returns once there may be enough entries for a request.
    pub async fn has_batch(&self) {
        self.has_batch.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_drops_its_oldest_entries_and_counts_them() {
        let queue = Queue::new(Arc::default());
        (0..CAPACITY + 3).for_each(|entry| queue.push(entry));
        assert_eq!((queue.len(), queue.count.dropped()), (CAPACITY, 3));
        let batch = queue.take();
        assert_eq!((batch.len(), batch[0]), (BATCH, 3));
    }
}
