//! Backoff: pauses before retries, exponential with full jitter.

use rand::Rng;
use std::time::Duration;

/// Pauses that grow from try to try up to a cap, each drawn at random between zero and its ceiling, so that many
/// clients of a restarted service do not all reconnect at the same time.
///
/// A [`crate::Pool`] uses one for retries; a client that reconnects a stream keeps one: [`Backoff::next`] after each
/// failure, [`Backoff::reset`] after a success.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Backoff {
    /// Ceiling of the first pause.
    base: Duration,
    /// Growth of the ceiling from pause to pause.
    factor: f64,
    /// Longest pause.
    cap: Duration,
    /// Failures since the last success.
    failures: u32,
}

impl Backoff {
    /// Pauses of up to `base`, then twice that, and so on up to `cap`.
    pub fn new(base: Duration, cap: Duration) -> Self {
        Self { base, factor: 2.0, cap, failures: 0 }
    }

    /// Sets another growth; values below 1 count as 1.
    pub fn with_factor(mut self, factor: f64) -> Self {
        self.factor = if factor.is_finite() { factor.max(1.0) } else { 1.0 };
        self
    }

    /// Pause after another failure.
    #[expect(
        clippy::should_implement_trait,
        reason = "the sequence never ends, so looping over it would be a mistake"
    )]
    pub fn next(&mut self) -> Duration {
        let ceiling = self.ceiling();
        self.failures = self.failures.saturating_add(1);
        ceiling.mul_f64(rand::rng().random_range(0.0..=1.0))
    }

    /// Longest pause that [`Backoff::next`] would return now.
    pub fn ceiling(&self) -> Duration {
        let growth = self.factor.powi(i32::try_from(self.failures).unwrap_or(i32::MAX));
        Duration::try_from_secs_f64(self.base.as_secs_f64() * growth).map_or(self.cap, |d| d.min(self.cap))
    }

    /// Resets to a short pause, after a success.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// Failures since the last success.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Longest pause.
    pub fn cap(&self) -> Duration {
        self.cap
    }
}

impl Default for Backoff {
    /// 50 ms, doubling, at most 5 s.
    fn default() -> Self {
        Self::new(Duration::from_millis(50), Duration::from_secs(5))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ceilings_double_up_to_the_cap_and_start_over_after_a_reset() {
        let mut backoff = Backoff::default();
        let ceilings: Vec<u128> = (0..9)
            .map(|_| {
                let ceiling = backoff.ceiling().as_millis();
                backoff.next();
                ceiling
            })
            .collect();
        assert_eq!(ceilings, [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        backoff.reset();
        assert_eq!(backoff.ceiling().as_millis(), 50);
        assert_eq!(backoff.failures(), 0);
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_its_ceiling_nor_than_the_cap(
            base in 0u64..100_000, cap in 0u64..100_000, factor in 0.0f64..20.0, failures in 0u32..5_000
        ) {
            let mut backoff = Backoff::new(Duration::from_millis(base), Duration::from_millis(cap)).with_factor(factor);
            backoff.failures = failures;
            let ceiling = backoff.ceiling();
            prop_assert!(ceiling <= Duration::from_millis(cap));
            prop_assert!(backoff.next() <= ceiling);
        }
    }

    #[test]
    fn waits_are_spread_over_the_whole_range() {
        let mut shortest = Duration::MAX;
        let mut longest = Duration::ZERO;
        for _ in 0..1_000 {
            let wait = Backoff::new(Duration::from_secs(1), Duration::from_secs(1)).next();
            shortest = shortest.min(wait);
            longest = longest.max(wait);
        }
        assert!(shortest < Duration::from_millis(100) && longest > Duration::from_millis(900));
    }
}
