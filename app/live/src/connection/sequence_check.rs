//! Sequence check of the feed: whether an event is the next one, an old one, or follows a gap.
//!
//! Numbers increase by one. The server may omit progress that newer progress supersedes, and announces the range with
//! `skipped`. Any other gap is a loss, and needs a new snapshot.

use protocol::event::Skipped;

/// Result of the check.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The next event: apply it.
    Next,
    /// Already applied.
    Old,
    /// Events before it are missing: take a new snapshot.
    Missing,
}

/// Feed position up to which everything is known.
#[derive(Clone, Debug, Default)]
pub struct SequenceCheck {
    seq: u64,
    /// Range in which the server may omit progress.
    skipped: Option<Skipped>,
    /// Consecutive heartbeats that announced unseen events.
    behind: u8,
}

impl SequenceCheck {
    /// Starts at the position of a snapshot.
    pub fn at(seq: u64) -> Self {
        Self { seq, skipped: None, behind: 0 }
    }

    /// The last known event; the feed continues after it.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The last number that is known or announced as omitted.
    pub(crate) fn covered(&self) -> u64 {
        match self.skipped {
            Some(s) if s.from <= self.seq + 1 && s.to > self.seq => s.to,
            _ => self.seq,
        }
    }

    /// Records a range in which the server omits progress.
    pub fn skipped(&mut self, range: Skipped) {
        self.skipped = Some(match self.skipped {
            // Adjacent ranges are merged.
            Some(s) if s.to > self.seq && range.from <= s.to + 1 => {
                Skipped { from: s.from.min(range.from), to: s.to.max(range.to) }
            }
            _ => range,
        });
    }

    /// Checks an event.
    pub fn event(&mut self, seq: u64) -> Verdict {
        if seq <= self.seq {
            return Verdict::Old;
        }
        if seq - 1 > self.covered() {
            return Verdict::Missing;
        }
        self.seq = seq;
        self.behind = 0;
        Verdict::Next
    }

    /// Checks a heartbeat with the server's newest event, `head`. False when it was unseen for two heartbeats: a single
    /// one may have overtaken the event.
    pub fn beat(&mut self, head: u64) -> bool {
        let covered = self.covered();
        if head <= covered {
            self.behind = 0;
            self.seq = self.seq.max(head);
        } else {
            self.behind = self.behind.saturating_add(1);
        }
        self.behind < 2
    }

    /// Records an applied page of the long poll; numbers it omits are superseded.
    pub fn page(&mut self, next: u64) {
        self.seq = self.seq.max(next);
        self.skipped = None;
        self.behind = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_missing_event_is_noticed() {
        let mut feed = SequenceCheck::at(10);
        assert_eq!(feed.event(11), Verdict::Next);
        assert_eq!(feed.event(11), Verdict::Old);
        assert_eq!(feed.event(13), Verdict::Missing);
    }

    #[test]
    fn announced_skips_are_not_missing() {
        let mut feed = SequenceCheck::at(10);
        feed.skipped(Skipped { from: 11, to: 20 });
        assert_eq!(feed.event(14), Verdict::Next);
        assert_eq!(feed.event(19), Verdict::Next);
        // 20 was omitted, and the feed continues after the range.
        assert_eq!(feed.event(21), Verdict::Next);
        assert_eq!(feed.event(23), Verdict::Missing);
    }

    #[test]
    fn a_skipped_range_does_not_hide_missing_events_around_it() {
        let mut feed = SequenceCheck::at(10);
        feed.skipped(Skipped { from: 13, to: 20 });
        assert_eq!(feed.event(15), Verdict::Missing);
        let mut feed = SequenceCheck::at(10);
        feed.skipped(Skipped { from: 11, to: 20 });
        assert_eq!(feed.event(22), Verdict::Missing);
    }

    #[test]
    fn heartbeats_reveal_a_loss_at_the_end_and_may_cross_one_event() {
        let mut feed = SequenceCheck::at(10);
        assert!(feed.beat(11));
        assert_eq!(feed.event(11), Verdict::Next);
        assert!(feed.beat(12));
        assert!(!feed.beat(12));
    }

    #[test]
    fn a_heartbeat_advances_past_skipped_events() {
        let mut feed = SequenceCheck::at(10);
        feed.skipped(Skipped { from: 11, to: 14 });
        assert!(feed.beat(14));
        assert_eq!(feed.seq(), 14);
    }

    proptest! {
        /// Announced omissions never count as a gap, and an unannounced one always does.
        #[test]
        fn exactly_the_unannounced_events_are_missing(
            keep in proptest::collection::vec(any::<bool>(), 1..60),
            lost in any::<proptest::sample::Index>(),
        ) {
            let end = keep.len() as u64;
            let mut feed = SequenceCheck::at(0);
            feed.skipped(Skipped { from: 1, to: end });
            for (i, _) in keep.iter().enumerate().filter(|(_, kept)| **kept) {
                prop_assert_eq!(feed.event(i as u64 + 1), Verdict::Next);
            }
            prop_assert_eq!(feed.event(end + 1), Verdict::Next);

            let lost = lost.index(keep.len()) as u64 + 1;
            let mut feed = SequenceCheck::at(0);
            for seq in (1..=end).filter(|seq| *seq != lost) {
                let verdict = feed.event(seq);
                prop_assert_eq!(verdict, if seq < lost { Verdict::Next } else { Verdict::Missing });
            }
        }
    }
}
