//! Event log: a ring that many read and follow.

use crate::{Record, Ring, RingLimits};
use parking_lot::RwLock;
use tokio::sync::watch;

/// Ring shared by its readers. A reader is a [`Cursor`]: nothing is stored per reader, so a slow one costs nothing.
#[derive(Debug)]
pub struct EventLog<R> {
    ring: RwLock<Ring<R>>,
    /// Wakes cursors, which then read the ring.
    head: watch::Sender<u64>,
}

impl<R: Record> EventLog<R> {
    /// Log that continues after event `head`; 0 if there was none.
    pub fn new(head: u64, limits: RingLimits) -> Self {
        Self { ring: RwLock::new(Ring::new(head, limits)), head: watch::Sender::new(head) }
    }

    /// Number of the newest event.
    pub fn head(&self) -> u64 {
        self.ring.read().head()
    }

    /// Adds events while readers are locked out, then wakes them. `write` must not read the log.
    pub fn append<T>(&self, write: impl FnOnce(&mut Ring<R>) -> T) -> T {
        let mut ring = self.ring.write();
        let written = write(&mut ring);
        let head = ring.head();
        drop(ring);
        self.head.send_if_modified(|seen| {
            // Another thread may have announced more.
            let newer = head > *seen;
            *seen = head.max(*seen);
            newer
        });
        written
    }

    /// Reads while nothing can be added. `look` must not read the log by another call.
    pub fn read<T>(&self, look: impl FnOnce(&Ring<R>) -> T) -> T {
        look(&self.ring.read())
    }

    /// Cursor of a reader that has everything up to `after`.
    pub fn follow(&self, after: u64) -> Cursor {
        Cursor { after, head: self.head.subscribe() }
    }
}

/// Position of a reader, and how it wakes.
#[derive(Clone, Debug)]
pub struct Cursor {
    after: u64,
    head: watch::Receiver<u64>,
}

impl Cursor {
    /// Number up to which everything was read.
    pub fn after(&self) -> u64 {
        self.after
    }

    /// Sets the position.
    pub fn move_to(&mut self, after: u64) {
        self.after = after;
    }

    /// Waits until there is an event after the position; forever if the log no longer exists.
    pub async fn changed(&mut self) {
        let after = self.after;
        if self.head.wait_for(|head| *head > after).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Frame;
    use std::sync::Arc;

    #[tokio::test]
    async fn a_waiting_cursor_wakes_only_when_an_event_is_added() {
        let log = Arc::new(EventLog::new(5, RingLimits::default()));
        let mut cursor = log.follow(5);
        let waiting = changed_already(&mut cursor).await;
        assert!(!waiting, "nothing was added");
        log.append(|ring| ring.push(Frame::new(6, "{}")));
        cursor.changed().await;
        cursor.move_to(6);
        let waiting = changed_already(&mut cursor).await;
        assert!(!waiting, "it has everything");
        assert_eq!((log.head(), cursor.after()), (6, 6));
    }

    /// Whether a change is there at once.
    async fn changed_already(cursor: &mut Cursor) -> bool {
        tokio::select! {
            biased;
            () = cursor.changed() => true,
            () = std::future::ready(()) => false,
        }
    }

    #[tokio::test]
    async fn events_of_several_writers_are_all_announced() {
        let log = Arc::new(EventLog::new(0, RingLimits::default()));
        let mut cursor = log.follow(0);
        let writers: Vec<_> = (0..8)
            .map(|_| {
                let log = log.clone();
                tokio::task::spawn_blocking(move || {
                    (0..100).for_each(|_| {
                        log.append(|ring| ring.push(Frame::new(ring.head() + 1, "{}")));
                    });
                })
            })
            .collect();
        while cursor.after() < 800 {
            cursor.changed().await;
            let read = log.read(|ring| ring.after(cursor.after()).map(Iterator::count)).unwrap();
            assert!(read > 0, "a cursor wakes only for something to read");
            cursor.move_to(cursor.after() + read as u64);
        }
        for writer in writers {
            writer.await.unwrap();
        }
    }
}
