//! Whether a run that its service calls running really runs. A service that was restarted keeps its records, and calls
//! running what ended with its process.

use crate::look::{Look, Pulse};
use std::time::Duration;
use tokio::time::Instant;

/// A run of which something was seen is taken for lost after so many looks in a row that show nothing.
const LOST_LOOKS: u32 = 3;
/// A run that the list of sessions does not have is taken for lost after so many looks in a row.
const GONE_LOOKS: u32 = 2;

/// What the looks so far say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Runs,
    /// It may be lost: more looks tell.
    Doubtful,
    /// Nothing of it runs.
    Lost,
}

/// Judges looks at one run in their order.
#[derive(Debug)]
pub(super) struct Vitals {
    /// A run of which nothing was seen yet is taken for lost after so long.
    patience: Duration,
    /// Looks in a row that showed nothing, and since when.
    bare: u32,
    since: Instant,
}

impl Vitals {
    pub fn new(patience: Duration) -> Self {
        Self { patience, bare: 0, since: Instant::now() }
    }

    /// Takes in a look at a run that is not over. `moved`: something of it was seen before in this attempt.
    pub fn judge(&mut self, look: &Look, moved: bool) -> Verdict {
        if !matches!(look.pulse, Pulse::Bare | Pulse::Gone) {
            self.bare = 0;
            return Verdict::Runs;
        }
        if self.bare == 0 {
            self.since = Instant::now();
        }
        self.bare = self.bare.saturating_add(1);
        let lost = match look.pulse {
            Pulse::Gone => self.bare >= GONE_LOOKS,
            _ if moved => self.bare >= LOST_LOOKS,
            _ => self.since.elapsed() >= self.patience,
        };
        if lost { Verdict::Lost } else { Verdict::Doubtful }
    }
}
