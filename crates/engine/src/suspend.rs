//! Time in which this process was awake, so that it could have heard from hosts.
//!
//! If a laptop slept for an hour, an hour without reports says nothing about its hosts.

use std::time::Duration;
use tokio::time::Instant;

/// Longest time between two ticks of a process that was awake; ticks come every second.
const MAX_TICK_GAP: Duration = Duration::from_secs(2);

/// Measures awake time with a monotonic clock, about once a second.
pub(crate) struct SuspendClock {
    looked: Instant,
}

/// Time since the last tick.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Since {
    /// Part of it that counts as awake.
    pub(crate) listened: Duration,
    /// Time for which the process was stopped or its machine slept.
    pub(crate) slept: Option<Duration>,
}

impl SuspendClock {
    pub(crate) fn new(now: Instant) -> Self {
        Self { looked: now }
    }

    pub(crate) fn look(&mut self, now: Instant) -> Since {
        let passed = now.saturating_duration_since(self.looked);
        self.looked = now;
        Since { listened: passed.min(MAX_TICK_GAP), slept: (passed > MAX_TICK_GAP).then_some(passed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_of_suspend_counts_as_two_seconds() {
        let begun = Instant::now();
        let mut suspend = SuspendClock::new(begun);
        let second = Duration::from_secs(1);
        assert_eq!(suspend.look(begun + second), Since { listened: second, slept: None });
        let hour = Duration::from_secs(3_600);
        let since = suspend.look(begun + second + hour);
        assert_eq!(since, Since { listened: MAX_TICK_GAP, slept: Some(hour) });
        let since = suspend.look(begun + second + hour + second);
        assert_eq!(since, Since { listened: second, slept: None });
    }
}
