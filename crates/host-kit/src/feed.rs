//! Feed of a host: one event log, whose records are numbered from 1.
//!
//! A record is serialized once, as a frame of the stream; the long poll takes the JSON out of it. A reader that falls
//! behind the ring gets a reset.

use event_log::{Cursor, EventLog, Frame, RingLimits};
use protocol::host::{HostBeat, HostEvent, HostEventBody};
use protocol::{InstanceId, OperationId, Time};

/// Result of a read.
#[derive(Debug)]
pub(crate) enum Read {
    /// Records after the cursor, oldest first; empty at the head.
    Records(Vec<Frame>),
    /// The records after the cursor are no longer in the ring, or the cursor is past the head.
    Reset,
}

/// Event log of one process of the host.
#[derive(Debug)]
pub(crate) struct Feed {
    instance: InstanceId,
    log: EventLog<Frame>,
}

impl Feed {
    pub fn new(instance: InstanceId, limits: RingLimits) -> Self {
        Self { instance, log: EventLog::new(0, limits) }
    }

    pub fn instance(&self) -> InstanceId {
        self.instance
    }

    /// Number of the newest record; 0 if there is none.
    pub fn head(&self) -> u64 {
        self.log.head()
    }

    /// Cursor of a reader that has everything up to `after`.
    pub fn follow(&self, after: u64) -> Cursor {
        self.log.follow(after)
    }

    /// Current heartbeat.
    pub fn beat(&self, beat_seconds: f64) -> HostBeat {
        HostBeat { instance: self.instance, head: self.head(), now: Time::now(), beat_seconds }
    }

    /// Adds a record, and drops the oldest ones beyond the limits.
    pub fn publish(&self, id: OperationId, attempt: u32, body: HostEventBody) {
        self.log.append(|ring| {
            // The clock is read inside the lock, so that times increase with numbers.
            let event = HostEvent { seq: ring.head() + 1, at: Time::now(), id, attempt, body };
            let json = serde_json::to_string(&event).expect("event keys are strings");
            ring.push(Frame::new(event.seq, &json));
        });
    }

    /// Records after `after`: limited in number and size, but at least one.
    pub fn read(&self, after: u64, events: usize, bytes: usize) -> Read {
        self.log.read(|ring| {
            let Ok(records) = ring.after(after) else { return Read::Reset };
            let mut taken: Vec<Frame> = Vec::new();
            let mut size = 0;
            for record in records.take(events) {
                size += record.sse().len();
                if size > bytes && !taken.is_empty() {
                    break;
                }
                taken.push(record.clone());
            }
            Read::Records(taken)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use protocol::{LogLevel, LogLine};

    fn feed(events: usize, bytes: usize) -> Feed {
        Feed::new(InstanceId::new(), RingLimits { events, bytes })
    }

    fn line(text: String) -> HostEventBody {
        HostEventBody::Log { lines: vec![LogLine { n: 1, at: Time::now(), level: LogLevel::Info, text }] }
    }

    fn seqs(records: &[Frame]) -> Vec<u64> {
        records.iter().map(|r| serde_json::from_slice::<HostEvent>(r.json()).unwrap().seq).collect()
    }

    #[test]
    fn a_record_is_the_same_in_stream_and_poll() {
        let feed = feed(10, 1 << 20);
        feed.publish(OperationId::new(), 1, line("two\nlines\r\nand \u{2028} more".into()));
        let Read::Records(records) = feed.read(0, 10, 1 << 20) else { panic!("held") };
        let frame = std::str::from_utf8(records[0].sse()).unwrap();
        let data = frame.strip_prefix("id: 1\ndata: ").unwrap().strip_suffix("\n\n").unwrap();
        assert!(!data.contains('\n') && !data.contains('\r'));
        assert_eq!(data.as_bytes(), records[0].json());
    }

    proptest! {
        /// From any position, read in portions of any size while more is published: each later record exactly once and
        /// in order, or a reset.
        #[test]
        fn a_resume_gets_each_later_record_once_or_a_reset(
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
            let held = feed.log.read(|ring| (0..=ring.head()).filter(|after| ring.holds(*after)).count() as u64 - 1);
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
                        let size: usize = records.iter().map(|r| r.sse().len()).sum();
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
