//! Feed of a host: one sequence of records, numbered from 1 without gaps, in a ring with a limited number and size.
//!
//! A record is serialized once, as a frame of the stream; the long poll takes the JSON out of it. A reader is a cursor
//! into the ring. Nothing is stored per reader, so a slow one costs nothing, and one that falls behind the ring gets a
//! reset.

use bytes::Bytes;
use parking_lot::Mutex;
use protocol::host::{HostBeat, HostEvent, HostEventBody};
use protocol::{InstanceId, OperationId, Time};
use std::collections::VecDeque;
use std::io::Write;
use tokio::sync::watch;

/// Memory of a record besides its bytes.
const OVERHEAD: usize = 64;

/// Limits of the ring.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Number of records.
    pub events: usize,
    /// Total size in bytes. The newest record is kept even if it is larger.
    pub bytes: usize,
}

/// Record: `id: SEQ`, `data: JSON` and an empty line.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    frame: Bytes,
    json_at: usize,
}

impl Record {
    fn new(event: &HostEvent) -> Self {
        let mut frame = Vec::with_capacity(256);
        write!(frame, "id: {}\ndata: ", event.seq).expect("writing to memory can't fail");
        let json_at = frame.len();
        // serde_json writes no line breaks, so one `data` line is enough.
        serde_json::to_writer(&mut frame, event).expect("event keys are strings");
        frame.extend_from_slice(b"\n\n");
        frame.shrink_to_fit();
        Self { frame: Bytes::from(frame), json_at }
    }

    /// Frame of the stream.
    pub fn frame(&self) -> &[u8] {
        &self.frame
    }

    /// JSON of the [`HostEvent`].
    pub fn json(&self) -> &[u8] {
        &self.frame[self.json_at..self.frame.len() - 2]
    }
}

/// Result of a read.
#[derive(Debug)]
pub(crate) enum Read {
    /// Records after the cursor, oldest first; empty at the head.
    Records(Vec<Record>),
    /// The records after the cursor are no longer in the ring, or the cursor is past the head.
    Reset,
}

/// Ring and sequence.
#[derive(Debug)]
pub(crate) struct Feed {
    instance: InstanceId,
    bounds: Bounds,
    ring: Mutex<Ring>,
    /// Wakes readers, which then read the ring.
    news: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Ring {
    head: u64,
    records: VecDeque<Record>,
    bytes: usize,
}

impl Feed {
    pub fn new(instance: InstanceId, bounds: Bounds) -> Self {
        Self { instance, bounds, ring: Mutex::default(), news: watch::channel(0).0 }
    }

    pub fn instance(&self) -> InstanceId {
        self.instance
    }

    /// Number of the newest record; 0 if there is none.
    pub fn head(&self) -> u64 {
        self.ring.lock().head
    }

    /// Receiver that changes whenever a record is added.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// Current heartbeat.
    pub fn beat(&self, beat_seconds: f64) -> HostBeat {
        HostBeat { instance: self.instance, head: self.head(), now: Time::now(), beat_seconds }
    }

    /// Adds a record, and drops the oldest ones beyond the limits.
    pub fn publish(&self, id: OperationId, attempt: u32, body: HostEventBody) {
        let head = {
            let mut ring = self.ring.lock();
            // The clock is read inside the lock, so that times increase with numbers.
            let event = HostEvent { seq: ring.head + 1, at: Time::now(), id, attempt, body };
            ring.push(Record::new(&event), self.bounds);
            ring.head
        };
        self.news.send_modify(|newest| *newest = head.max(*newest));
    }

    /// Records after `after`: limited in number and size, but at least one.
    pub fn read(&self, after: u64, events: usize, bytes: usize) -> Read {
        let ring = self.ring.lock();
        let first = ring.head + 1 - ring.records.len() as u64;
        if after > ring.head || after + 1 < first {
            return Read::Reset;
        }
        let mut taken = Vec::new();
        let mut size = 0;
        for record in ring.records.range((after + 1 - first) as usize..).take(events) {
            size += record.frame.len();
            if size > bytes && !taken.is_empty() {
                break;
            }
            taken.push(record.clone());
        }
        Read::Records(taken)
    }
}

impl Ring {
    fn push(&mut self, record: Record, bounds: Bounds) {
        self.head += 1;
        self.bytes += record.frame.len() + OVERHEAD;
        self.records.push_back(record);
        while self.records.len() > 1 && (self.records.len() > bounds.events || self.bytes > bounds.bytes) {
            if let Some(oldest) = self.records.pop_front() {
                self.bytes -= oldest.frame.len() + OVERHEAD;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use protocol::{LogLevel, LogLine};

    fn feed(events: usize, bytes: usize) -> Feed {
        Feed::new(InstanceId::new(), Bounds { events, bytes })
    }

    fn line(text: String) -> HostEventBody {
        HostEventBody::Log { lines: vec![LogLine { n: 1, at: Time::now(), level: LogLevel::Info, text }] }
    }

    fn seqs(records: &[Record]) -> Vec<u64> {
        records.iter().map(|r| serde_json::from_slice::<HostEvent>(r.json()).unwrap().seq).collect()
    }

    #[test]
    fn a_record_reads_the_same_in_a_stream_and_in_a_poll() {
        let feed = feed(10, 1 << 20);
        feed.publish(OperationId::new(), 1, line("two\nlines\r\nand \u{2028} more".into()));
        let Read::Records(records) = feed.read(0, 10, 1 << 20) else { panic!("held") };
        let frame = std::str::from_utf8(records[0].frame()).unwrap();
        let data = frame.strip_prefix("id: 1\ndata: ").unwrap().strip_suffix("\n\n").unwrap();
        assert!(!data.contains('\n') && !data.contains('\r'));
        assert_eq!(data.as_bytes(), records[0].json());
    }

    #[test]
    fn a_record_larger_than_the_ring_is_still_delivered() {
        let feed = feed(10, 100);
        feed.publish(OperationId::new(), 1, line("x".repeat(500)));
        feed.publish(OperationId::new(), 1, line("y".repeat(500)));
        assert!(matches!(feed.read(0, 10, 1), Read::Reset));
        let Read::Records(records) = feed.read(1, 10, 1) else { panic!("held") };
        assert_eq!(seqs(&records), [2]);
    }

    proptest! {
        /// From any position, read in portions of any size while more is published: each later record exactly once and
        /// in order, or a reset; and the ring stays within its limits.
        #[test]
        fn a_resume_gets_each_later_record_once_or_is_told_to_reset(
            lengths in proptest::collection::vec(0usize..400, 0..120),
            later in proptest::collection::vec(0usize..400, 0..20),
            events in 1usize..50,
            bytes in 200usize..8_000,
            after in 0u64..160,
            bite in 1usize..20,
            bite_bytes in 1usize..3_000,
        ) {
            let feed = feed(events, bytes);
            let id = OperationId::new();
            for length in &lengths {
                feed.publish(id, 1, line("x".repeat(*length)));
            }
            {
                let ring = feed.ring.lock();
                prop_assert!(ring.records.len() <= events);
                prop_assert!(ring.bytes <= bytes || ring.records.len() == 1);
                let counted: usize = ring.records.iter().map(|r| r.frame.len() + OVERHEAD).sum();
                prop_assert_eq!(ring.bytes, counted);
            }
            let held = feed.ring.lock().records.len() as u64;
            let head = lengths.len() as u64;
            let mut later = later.into_iter();
            let mut cursor = after;
            let mut seen = Vec::new();
            loop {
                match feed.read(cursor, bite, bite_bytes) {
                    Read::Reset => {
                        // At the beginning only if the position is not in the ring; later only if publishing overtook
                        // it.
                        if seen.is_empty() && cursor == after {
                            let now = feed.head();
                            prop_assert!(after > now || after + held < head || now > head);
                        }
                        break;
                    }
                    Read::Records(records) => {
                        prop_assert!(records.len() <= bite);
                        if records.is_empty() {
                            prop_assert_eq!(cursor, feed.head());
                            break;
                        }
                        let size: usize = records.iter().map(|r| r.frame().len()).sum();
                        prop_assert!(size <= bite_bytes || records.len() == 1);
                        seen.extend(seqs(&records));
                        cursor += records.len() as u64;
                    }
                }
                if let Some(length) = later.next() {
                    feed.publish(id, 1, line("x".repeat(length)));
                }
            }
            let expected: Vec<u64> = (after + 1..=cursor).collect();
            prop_assert_eq!(seen, expected);
        }
    }
}
