//! Time in which this process was awake, so that it could have heard from hosts.
//!
//! If a laptop slept for an hour, an hour without reports says nothing about its hosts.

use std::time::Duration;
use tokio::time::Instant;

/// Longest time between two ticks of a process that was awake; ticks come every second.
const MAX_TICK_GAP: Duration = Duration::from_secs(2);

/// Measures awake time with a monotonic clock, about once a second.
pub(crate) struct SuspendClock {
    last_tick: Instant,
}

/// Time since the last tick.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Elapsed {
    /// Part of it that counts as awake.
    pub(crate) listened: Duration,
    /// Time for which the process was stopped or its machine slept.
    pub(crate) slept: Option<Duration>,
}

impl SuspendClock {
    pub(crate) fn new(now: Instant) -> Self {
        Self { last_tick: now }
    }

    pub(crate) fn tick(&mut self, now: Instant) -> Elapsed {
        let passed = now.saturating_duration_since(self.last_tick);
        self.last_tick = now;
        Elapsed { listened: passed.min(MAX_TICK_GAP), slept: (passed > MAX_TICK_GAP).then_some(passed) }
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
        assert_eq!(suspend.tick(begun + second), Elapsed { listened: second, slept: None });
        let hour = Duration::from_secs(3_600);
        let since = suspend.tick(begun + second + hour);
        assert_eq!(since, Elapsed { listened: MAX_TICK_GAP, slept: Some(hour) });
        let since = suspend.tick(begun + second + hour + second);
        assert_eq!(since, Elapsed { listened: second, slept: None });
    }
}
