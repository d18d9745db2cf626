//! Ring: the newest events, limited in number and size.

use crate::Frame;
use std::collections::VecDeque;

/// Memory of an event besides its bytes.
const OVERHEAD: usize = 64;

/// What a ring holds.
pub trait Record {
    /// The serialized event.
    fn frame(&self) -> &Frame;
}

impl Record for Frame {
    fn frame(&self) -> &Frame {
        self
    }
}

/// Limits of a ring.
#[derive(Clone, Copy, Debug)]
pub struct RingLimits {
    /// Number of events.
    pub events: usize,
    /// Total size in bytes. The newest event is kept even if it is larger.
    pub bytes: usize,
}

impl Default for RingLimits {
    fn default() -> Self {
        Self { events: 65_536, bytes: 32 << 20 }
    }
}

/// Why events after a position can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The ring has dropped some of them.
    Dropped,
    /// The position is past the newest event.
    Unknown,
}

/// The newest events, numbered without gaps.
#[derive(Debug)]
pub struct Ring<R> {
    records: VecDeque<R>,
    bytes: usize,
    head: u64,
    limits: RingLimits,
}

impl<R: Record> Ring<R> {
    /// Empty ring that continues after event `head`; 0 if there was none.
    pub fn new(head: u64, limits: RingLimits) -> Self {
        Self { records: VecDeque::new(), bytes: 0, head, limits }
    }

    /// Number of the newest event.
    pub fn head(&self) -> u64 {
        self.head
    }

    /// Adds the next event, and drops the oldest ones beyond the limits.
    ///
    /// # Panics
    /// In debug builds, if the number of the event does not follow the newest one.
    pub fn push(&mut self, record: R) {
        debug_assert_eq!(record.frame().seq(), self.head + 1, "event numbers have no gaps");
        self.head = record.frame().seq();
        self.bytes += size(&record);
        self.records.push_back(record);
        let RingLimits { events, bytes } = self.limits;
        while self.records.len() > 1 && (self.records.len() > events || self.bytes > bytes) {
            if let Some(oldest) = self.records.pop_front() {
                self.bytes -= size(&oldest);
            }
        }
    }

    /// Whether events after `after`, if any, are all in the ring.
    pub fn holds(&self, after: u64) -> bool {
        self.start(after).is_ok()
    }

    /// Events after `after`, oldest first; none at the head.
    ///
    /// # Errors
    /// If the ring does not have all of them.
    pub fn after(
        &self,
        after: u64,
    ) -> Result<impl DoubleEndedIterator<Item = &R> + ExactSizeIterator, Missing> {
        Ok(self.records.range(self.start(after)?..))
    }

    /// Index of the first event after `after`.
    fn start(&self, after: u64) -> Result<usize, Missing> {
        let dropped = self.head - self.records.len() as u64;
        if after > self.head {
            return Err(Missing::Unknown);
        }
        after.checked_sub(dropped).map(|index| index as usize).ok_or(Missing::Dropped)
    }
}

fn size(record: &impl Record) -> usize {
    record.frame().sse().len() + OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(seq: u64, length: usize) -> Frame {
        Frame::new(seq, &"x".repeat(length))
    }

    fn seqs(ring: &Ring<Frame>, after: u64) -> Result<Vec<u64>, Missing> {
        Ok(ring.after(after)?.map(Frame::seq).collect())
    }

    #[test]
    fn a_position_outside_the_ring_is_reported() {
        let mut ring = Ring::new(10, RingLimits { events: 3, bytes: 1 << 20 });
        assert_eq!((seqs(&ring, 10), seqs(&ring, 9)), (Ok(vec![]), Err(Missing::Dropped)));
        (11..=20).for_each(|seq| ring.push(frame(seq, 1)));
        assert_eq!(seqs(&ring, 17), Ok(vec![18, 19, 20]));
        assert_eq!(seqs(&ring, 20), Ok(vec![]));
        assert_eq!(seqs(&ring, 16), Err(Missing::Dropped));
        assert_eq!(seqs(&ring, 21), Err(Missing::Unknown));
        assert_eq!([10, 16, 17, 20, 21].map(|after| ring.holds(after)), [false, false, true, true, false]);
    }

    #[test]
    fn an_event_larger_than_the_ring_is_still_delivered() {
        let mut ring = Ring::new(0, RingLimits { events: 10, bytes: 100 });
        ring.push(frame(1, 500));
        ring.push(frame(2, 500));
        assert_eq!((seqs(&ring, 0), seqs(&ring, 1)), (Err(Missing::Dropped), Ok(vec![2])));
    }

    proptest! {
        /// Whatever is added, the ring stays within its limits, and has the newest events without a gap.
        #[test]
        fn the_ring_has_the_newest_events_within_its_limits(
            head in 0u64..1_000,
            lengths in proptest::collection::vec(0usize..400, 0..200),
            events in 1usize..50,
            bytes in 200usize..8_000,
        ) {
            let mut ring = Ring::new(head, RingLimits { events, bytes });
            for (n, length) in lengths.iter().enumerate() {
                ring.push(frame(head + 1 + n as u64, *length));
                prop_assert!(ring.records.len() <= events);
                prop_assert!(ring.bytes <= bytes || ring.records.len() == 1);
                prop_assert_eq!(ring.bytes, ring.records.iter().map(size).sum::<usize>());
            }
            let newest = head + lengths.len() as u64;
            prop_assert_eq!(ring.head(), newest);
            let first = newest - ring.records.len() as u64;
            for after in first.saturating_sub(2)..=newest + 2 {
                let read = seqs(&ring, after);
                prop_assert_eq!(ring.holds(after), read.is_ok());
                match read {
                    Ok(read) => prop_assert_eq!(read, (after + 1..=newest).collect::<Vec<_>>()),
                    Err(Missing::Dropped) => prop_assert!(after < first),
                    Err(Missing::Unknown) => prop_assert!(after > newest),
                }
            }
        }
    }
}
