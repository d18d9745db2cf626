//! How long this process was awake: time in which it could have heard something.
//!
//! A laptop that slept for an hour has heard nothing for an hour, and that says nothing about its hosts.

use std::time::{Duration, Instant};

/// Who looks every second and could not for longer than this was not awake.
const LONGEST: Duration = Duration::from_secs(2);

/// Looks at a clock that does not jump, about once a second.
pub(crate) struct Awake {
    looked: Instant,
}

/// The time since the last look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Since {
    /// So much of it counts as listened.
    pub(crate) listened: Duration,
    /// For so long the process was stopped, or its machine slept.
    pub(crate) slept: Option<Duration>,
}

impl Awake {
    pub(crate) fn new(now: Instant) -> Self {
        Self { looked: now }
    }

    pub(crate) fn look(&mut self, now: Instant) -> Since {
        let passed = now.saturating_duration_since(self.looked);
        self.looked = now;
        Since { listened: passed.min(LONGEST), slept: (passed > LONGEST).then_some(passed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_of_sleep_counts_as_two_seconds_of_listening() {
        let begun = Instant::now();
        let mut awake = Awake::new(begun);
        let second = Duration::from_secs(1);
        assert_eq!(awake.look(begun + second), Since { listened: second, slept: None });
        let hour = Duration::from_secs(3_600);
        let since = awake.look(begun + second + hour);
        assert_eq!(since, Since { listened: LONGEST, slept: Some(hour) });
        let since = awake.look(begun + second + hour + second);
        assert_eq!(since, Since { listened: second, slept: None });
    }
}
