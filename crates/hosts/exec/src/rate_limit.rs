//! Token bucket: passes a burst, then a rate per second, and counts the rest.
//!
//! Has no clock: the caller passes the time.

use tokio::time::Instant;

/// Rate limiter with a burst.
#[derive(Debug)]
pub(crate) struct RateLimit {
    burst: f64,
    per_second: f64,
    free: f64,
    at: Instant,
    /// Empty bucket: reopens with the tokens of one second, so that output stays in contiguous runs.
    closed: bool,
}

impl RateLimit {
    pub fn new(burst: u32, per_second: u32, now: Instant) -> Self {
        let burst = f64::from(burst);
        Self { burst, per_second: f64::from(per_second), free: burst, at: now, closed: false }
    }

    /// Whether one more item can pass.
    pub fn pass(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        self.free = (self.free + passed * self.per_second).min(self.burst);
        let least = if self.closed { self.per_second.min(self.burst) } else { 1.0 };
        self.closed = self.free < least;
        if self.closed {
            return false;
        }
        self.free -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_burst_passes_and_then_a_steady_rate() {
        let start = Instant::now();
        let mut rate_limit = RateLimit::new(100, 10, start);
        assert_eq!((0..1_000).filter(|_| rate_limit.pass(start)).count(), 100);
        let after = |millis: u32| start + Duration::from_millis(millis.into());
        assert!((1..100).all(|i| !rate_limit.pass(after(i * 10))), "until it opens nothing passes");
        assert_eq!((0..1_000).filter(|_| rate_limit.pass(after(1_010))).count(), 10, "then all of a second");
        let later = (102..=1_000).filter(|i| rate_limit.pass(after(i * 10))).count();
        assert!((70..=90).contains(&later), "in nine seconds {later}");
        assert!(
            (0..200).filter(|_| rate_limit.pass(start + Duration::from_secs(3600))).count() == 100,
            "no more than a burst"
        );
    }
}
