//! Adaptive poll interval: short while a run advances, longer and longer while it does not.

use crate::timing::{Timing, seconds};
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct Pace {
    fastest: Duration,
    slowest: Duration,
    wait: Duration,
}

impl Pace {
    pub fn new(timing: &Timing) -> Self {
        let fastest = seconds(timing.fastest);
        Self { fastest, slowest: seconds(timing.slowest), wait: fastest }
    }

    /// Interval after a poll with or without news.
    pub fn after(&mut self, moved: bool) -> Duration {
        self.wait = if moved { self.fastest } else { (self.wait * 3 / 2).min(self.slowest) };
        self.wait
    }

    /// Longest interval, after a failed poll.
    pub fn slowest(&mut self) -> Duration {
        self.wait = self.slowest;
        self.wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polls_are_frequent_during_changes_and_rare_otherwise() {
        let mut pace = Pace::new(&Timing::default());
        assert_eq!(pace.after(true), Duration::from_millis(200));
        let waits: Vec<_> = (0..12).map(|_| pace.after(false)).collect();
        assert!(waits.is_sorted() && waits[0] == Duration::from_millis(300), "{waits:?}");
        assert_eq!(waits.last(), Some(&Duration::from_secs(5)));
        assert_eq!(pace.after(true), Duration::from_millis(200));
    }
}
