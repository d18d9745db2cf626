//! Keeps count of the feed: whether an event is the next one, an old one, or comes after something missing.
//!
//! Numbers rise by one. The server may leave out progress that newer progress has overtaken, and says so
//! ahead with `skipped`. Whatever else is missing was lost, and only a new snapshot mends that.

use protocol::event::Skipped;

/// What to do with an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is the next: apply it.
    Next,
    /// Known already.
    Old,
    /// Something before it is missing: take a new snapshot.
    Missing,
}

/// The place in the feed up to which everything is known.
#[derive(Clone, Debug, Default)]
pub struct Follower {
    seq: u64,
    /// The range in which the server may leave out progress.
    skipped: Option<Skipped>,
    /// Beats in a row that told of events not seen.
    behind: u8,
}

impl Follower {
    /// Starts from a snapshot that is true at `seq`.
    pub fn at(seq: u64) -> Self {
        Self { seq, skipped: None, behind: 0 }
    }

    /// The last event known; the feed goes on after it.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The last number that needs no event of its own: known, or announced as left out.
    pub(super) fn covered(&self) -> u64 {
        match self.skipped {
            Some(s) if s.from <= self.seq + 1 && s.to > self.seq => s.to,
            _ => self.seq,
        }
    }

    /// The server leaves out progress in this range.
    pub fn skipped(&mut self, range: Skipped) {
        self.skipped = Some(match self.skipped {
            // Two ranges that touch are one.
            Some(s) if s.to > self.seq && range.from <= s.to + 1 => {
                Skipped { from: s.from.min(range.from), to: s.to.max(range.to) }
            }
            _ => range,
        });
    }

    /// An event came.
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

    /// A beat said that `head` is the newest event. False when that was not seen for two beats:
    /// one alone may have crossed with the event it tells of.
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

    /// A page of the long poll was applied; what it leaves out was overtaken.
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
        let mut feed = Follower::at(10);
        assert_eq!(feed.event(11), Verdict::Next);
        assert_eq!(feed.event(11), Verdict::Old);
        assert_eq!(feed.event(13), Verdict::Missing);
    }

    #[test]
    fn what_was_announced_as_skipped_is_not_missing() {
        let mut feed = Follower::at(10);
        feed.skipped(Skipped { from: 11, to: 20 });
        assert_eq!(feed.event(14), Verdict::Next);
        assert_eq!(feed.event(19), Verdict::Next);
        // 20 was skipped, and the feed goes on behind the range.
        assert_eq!(feed.event(21), Verdict::Next);
        assert_eq!(feed.event(23), Verdict::Missing);
    }

    #[test]
    fn a_skipped_range_does_not_excuse_what_is_missing_around_it() {
        let mut feed = Follower::at(10);
        feed.skipped(Skipped { from: 13, to: 20 });
        assert_eq!(feed.event(15), Verdict::Missing);
        let mut feed = Follower::at(10);
        feed.skipped(Skipped { from: 11, to: 20 });
        assert_eq!(feed.event(22), Verdict::Missing);
    }

    #[test]
    fn beats_tell_of_a_loss_at_the_end_but_may_cross_with_an_event_once() {
        let mut feed = Follower::at(10);
        assert!(feed.beat(11));
        assert_eq!(feed.event(11), Verdict::Next);
        assert!(feed.beat(12));
        assert!(!feed.beat(12));
    }

    #[test]
    fn a_beat_moves_past_a_skipped_end() {
        let mut feed = Follower::at(10);
        feed.skipped(Skipped { from: 11, to: 14 });
        assert!(feed.beat(14));
        assert_eq!(feed.seq(), 14);
    }

    proptest! {
        /// Whatever progress the server leaves out, as long as it says so, nothing counts as missing;
        /// and an event dropped without a word always does.
        #[test]
        fn announced_is_never_missing_and_unannounced_always_is(
            keep in proptest::collection::vec(any::<bool>(), 1..60),
            lost in any::<proptest::sample::Index>(),
        ) {
            let end = keep.len() as u64;
            let mut feed = Follower::at(0);
            feed.skipped(Skipped { from: 1, to: end });
            for (i, _) in keep.iter().enumerate().filter(|(_, kept)| **kept) {
                prop_assert_eq!(feed.event(i as u64 + 1), Verdict::Next);
            }
            prop_assert_eq!(feed.event(end + 1), Verdict::Next);

            let lost = lost.index(keep.len()) as u64 + 1;
            let mut feed = Follower::at(0);
            for seq in (1..=end).filter(|seq| *seq != lost) {
                let verdict = feed.event(seq);
                prop_assert_eq!(verdict, if seq < lost { Verdict::Next } else { Verdict::Missing });
            }
        }
    }
}
