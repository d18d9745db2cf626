//! Feed: each event is serialized once into a shared event log; each reader is a cursor into it.
//!
//! A slow reader delays nobody: it gets only the latest progress of each operation, and is told which numbers were
//! skipped.

use bytes::Bytes;
use event_log::{EventLog, Missing, Record};
use protocol::event::Skipped;
use protocol::{Event, KindName, OperationId};
use std::collections::HashSet;
use std::sync::Arc;
use store::EventRecord;

pub use event_log::RingLimits;

/// Lag in events from which a reader gets only the latest progress of each operation.
const BEHIND: u64 = 256;
/// Largest number of events per read.
const READ: usize = 4_096;

/// Serialized event.
#[derive(Clone, Debug)]
pub struct Frame {
    pub seq: u64,
    pub operation: Option<OperationId>,
    /// Progress, which newer progress of the same operation replaces.
    pub progress: bool,
    /// Kind of a deleted operation, which is no longer known elsewhere.
    pub(crate) deleted: Option<KindName>,
    frame: event_log::Frame,
}

impl Record for Frame {
    fn frame(&self) -> &event_log::Frame {
        &self.frame
    }
}

impl Frame {
    /// Wraps a serialized event.
    pub fn new(record: &EventRecord) -> Self {
        Self {
            seq: record.seq,
            operation: record.operation,
            progress: record.progress,
            deleted: None,
            frame: event_log::Frame::new(record.seq, &record.json),
        }
    }

    /// The event as JSON.
    pub fn json(&self) -> &[u8] {
        self.frame.json()
    }

    /// The event as a message of a stream.
    pub fn sse(&self) -> &Bytes {
        self.frame.sse()
    }

    /// Deserializes the event.
    ///
    /// # Errors
    /// If a newer version wrote it with values that this version does not know.
    pub fn event(&self) -> Result<Event, serde_json::Error> {
        serde_json::from_slice(self.json())
    }
}

/// Event log of the newest events, shared by all readers.
pub struct Feed(EventLog<Frame>);

/// Result of a read.
#[derive(Debug)]
pub enum Read {
    /// Next events. Between the numbers in `skipped`, only replaced progress is missing.
    Frames { frames: Vec<Frame>, skipped: Option<Skipped>, next: u64 },
    /// There is nothing newer.
    Nothing,
    /// The ring no longer has this position; the store may.
    Older,
    /// This number was never used.
    Unknown,
}

impl Feed {
    /// Feed that continues after event `head`.
    pub fn new(head: u64, limits: RingLimits) -> Self {
        Self(EventLog::new(head, limits))
    }

    /// Number of the newest event.
    pub fn head(&self) -> u64 {
        self.0.head()
    }

    /// Adds events in order. Calls `with` while readers are locked out, so that a snapshot and its number match.
    pub fn publish(&self, frames: Vec<Frame>, with: impl FnOnce()) {
        self.0.append(|ring| {
            frames.into_iter().for_each(|frame| ring.push(frame));
            with();
        });
    }

    /// Calls `look` with the number of the newest event, while nothing can be added.
    pub fn at_head<T>(&self, read_at: impl FnOnce(u64) -> T) -> T {
        self.0.read(|ring| read_at(ring.head()))
    }

    /// Whether events after `after`, if any, are read from the ring and not from the store.
    pub fn holds(&self, after: u64) -> bool {
        self.0.read(|ring| ring.holds(after))
    }

    /// Events after `after`; with `only`, of that operation only.
    pub fn read(&self, after: u64, only: Option<OperationId>) -> Read {
        self.0.read(|ring| {
            let events = match ring.after(after) {
                Ok(events) if events.len() == 0 => return Read::Nothing,
                Ok(events) => events,
                Err(Missing::Unknown) => return Read::Unknown,
                Err(Missing::Dropped) => return Read::Older,
            };
            let next = after + events.len().min(READ) as u64;
            let wanted = |frame: &&Frame| only.is_none_or(|id| frame.operation == Some(id));
            let slice = events.take(READ).filter(wanted);
            if ring.head() - after <= BEHIND {
                return Read::Frames { frames: slice.cloned().collect(), skipped: None, next };
            }
            let mut seen = HashSet::new();
            let mut left_out = false;
            let mut frames: Vec<Frame> = slice
                .rev()
                .filter(|frame| {
                    let keep = !frame.progress || frame.operation.is_none_or(|id| seen.insert(id));
                    left_out |= !keep;
                    keep
                })
                .cloned()
                .collect();
            frames.reverse();
            let skipped = left_out.then_some(Skipped { from: after + 1, to: next });
            Read::Frames { frames, skipped, next }
        })
    }
}

/// Position of a reader in the feed.
pub struct Cursor {
    feed: Arc<Feed>,
    cursor: event_log::Cursor,
    only: Option<OperationId>,
}

impl Cursor {
    /// Reader that has everything up to `after`.
    pub fn new(feed: Arc<Feed>, after: u64, only: Option<OperationId>) -> Self {
        let cursor = feed.0.follow(after);
        Self { feed, cursor, only }
    }

    /// Number up to which everything was read.
    pub fn after(&self) -> u64 {
        self.cursor.after()
    }

    /// Moves on, for a reader that got events from the store.
    pub fn moved_to(&mut self, after: u64) {
        self.cursor.move_to(after);
    }

    /// Available events, without waiting. Moves on past them.
    pub fn read(&mut self) -> Read {
        let read = self.feed.read(self.after(), self.only);
        if let Read::Frames { next, .. } = &read {
            self.cursor.move_to(*next);
        }
        read
    }

    /// Waits until there is something newer than the position.
    pub async fn changed(&mut self) {
        self.cursor.changed().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use protocol::event::Skipped;

    fn id(n: u8) -> OperationId {
        format!("00000000-0000-7000-8000-0000000000{n:02x}").parse().unwrap()
    }

    fn frame(seq: u64, operation: u8, progress: bool) -> Frame {
        let json = format!("{{\"seq\":{seq}}}").into();
        Frame::new(&EventRecord { seq, operation: Some(id(operation)), progress, json })
    }

    #[test]
    fn a_position_outside_the_ring_is_reported() {
        let feed = Feed::new(10, RingLimits { events: 3, bytes: 1 << 20 });
        feed.publish((11..=20).map(|seq| frame(seq, 1, false)).collect(), || {});
        assert!(matches!(feed.read(10, None), Read::Older));
        assert!(matches!(feed.read(20, None), Read::Nothing));
        assert!(matches!(feed.read(21, None), Read::Unknown));
        assert_eq!([10, 16, 17, 20, 21].map(|after| feed.holds(after)), [false, false, true, true, false]);
        let Read::Frames { frames, skipped: None, next: 20 } = feed.read(17, None) else { panic!() };
        assert_eq!(frames.iter().map(|f| f.seq).collect::<Vec<_>>(), [18, 19, 20]);
    }

    proptest! {
        /// At any pace of a reader, each event comes once and in order; a missing one is progress within a range
        /// reported as skipped, and newer progress of its operation follows.
        #[test]
        fn a_reader_gets_every_event_or_a_newer_progress(
            events in proptest::collection::vec((0u8..5, any::<bool>()), 1..1500),
            pace in 1usize..1200,
        ) {
            let feed = Arc::new(Feed::new(0, RingLimits::default()));
            let mut cursor = Cursor::new(feed.clone(), 0, None);
            let mut got: Vec<u64> = Vec::new();
            let mut skips: Vec<Skipped> = Vec::new();
            let mut take = |cursor: &mut Cursor| while let Read::Frames { frames, skipped, .. } = cursor.read() {
                got.extend(frames.iter().map(|f| f.seq));
                skips.extend(skipped);
            };
            for (i, (operation, progress)) in events.iter().enumerate() {
                feed.publish(vec![frame(i as u64 + 1, *operation, *progress)], || {});
                if i % pace == 0 { take(&mut cursor); }
            }
            take(&mut cursor);
            prop_assert!(got.windows(2).all(|w| w[0] < w[1]));
            let got: HashSet<u64> = got.into_iter().collect();
            for (i, (operation, progress)) in events.iter().enumerate() {
                let seq = i as u64 + 1;
                if !got.contains(&seq) {
                    prop_assert!(*progress);
                    let range = skips.iter().find(|s| (s.from..=s.to).contains(&seq));
                    prop_assert!(range.is_some());
                    let to = range.map_or(0, |r| r.to);
                    let newer = (seq + 1..=to).any(|s| got.contains(&s) && events[s as usize - 1] == (*operation, true));
                    prop_assert!(newer);
                }
            }
        }
    }

    #[tokio::test]
    async fn a_waiting_reader_wakes_when_an_event_is_added() {
        let feed = Arc::new(Feed::new(0, RingLimits::default()));
        let mut cursor = Cursor::new(feed.clone(), 0, Some(id(2)));
        let waiting = tokio::spawn(async move {
            cursor.changed().await;
            cursor.read()
        });
        feed.publish(vec![frame(1, 1, false), frame(2, 2, false)], || {});
        let Read::Frames { frames, next: 2, .. } = waiting.await.unwrap() else { panic!() };
        assert_eq!(frames.len(), 1, "only the requested operation");
    }
}
