//! Liveness check: whether a run with status running is really running. A restarted service keeps its records, and
//! still reports runs that ended with the process.

use crate::poll::{PollResult, RecordAccuracy};
use std::time::Duration;
use tokio::time::Instant;

/// Consecutive polls without activity after which an active run is considered lost.
const LOST_POLLS: u32 = 3;
/// Consecutive polls after which a run that is missing in the session list is considered lost.
const GONE_POLLS: u32 = 2;

/// Verdict of the polls so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Runs,
    /// Possibly lost; more polls are needed.
    Doubtful,
    /// Nothing of it runs.
    Lost,
}

/// Judges the polls of one run, in order.
#[derive(Debug)]
pub(super) struct RunMonitor {
    /// Time after which a run without any activity is considered lost.
    patience: Duration,
    /// Number and start of consecutive polls without activity.
    bare: u32,
    since: Instant,
}

impl RunMonitor {
    pub fn new(patience: Duration) -> Self {
        Self { patience, bare: 0, since: Instant::now() }
    }

    /// Judges a poll of an active run. `moved`: the run showed activity earlier in this attempt.
    pub fn judge(&mut self, poll: &PollResult, moved: bool) -> Verdict {
        if !matches!(poll.accuracy, RecordAccuracy::Bare | RecordAccuracy::Gone) {
            self.bare = 0;
            return Verdict::Runs;
        }
        if self.bare == 0 {
            self.since = Instant::now();
        }
        self.bare = self.bare.saturating_add(1);
        let lost = match poll.accuracy {
            RecordAccuracy::Gone => self.bare >= GONE_POLLS,
            _ if moved => self.bare >= LOST_POLLS,
            _ => self.since.elapsed() >= self.patience,
        };
        if lost { Verdict::Lost } else { Verdict::Doubtful }
    }
}
