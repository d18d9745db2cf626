//! Pauses before retries: they double from try to try, up to a cap.
//!
//! Knows only arithmetic and, with the feature `jitter`, random numbers. Must not wait, or know what is retried.
//! Compiles to native code and to WebAssembly.

use std::time::Duration;

/// Exponential backoff. A retrying client takes a pause after each failure, with [`Backoff::next`] or
/// [`Backoff::next_ceiling`], and calls [`Backoff::reset`] after a success.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Backoff {
    /// Ceiling of the first pause.
    base: Duration,
    /// Longest pause.
    cap: Duration,
    /// Failures since the last success.
    failures: u32,
}

impl Backoff {
    /// Pauses of up to `base`, then twice that, and so on up to `cap`.
    pub fn new(base: Duration, cap: Duration) -> Self {
        Self { base, cap, failures: 0 }
    }

    /// Pause after another failure, drawn at random between zero and the ceiling, so that many clients of a restarted
    /// service do not all reconnect at the same time ("full jitter").
    #[cfg(feature = "jitter")]
    #[expect(
        clippy::should_implement_trait,
        reason = "the sequence never ends, so looping over it would be a mistake"
    )]
    pub fn next(&mut self) -> Duration {
        let chance = rand::Rng::random_range(&mut rand::rng(), 0.0..=1.0);
        self.next_ceiling().mul_f64(chance)
    }

    /// Longest pause after another failure: for a single client, or one that adds its own jitter.
    pub fn next_ceiling(&mut self) -> Duration {
        let ceiling = self.ceiling();
        self.failures = self.failures.saturating_add(1);
        ceiling
    }

    /// Ceiling that the next call returns.
    pub fn ceiling(&self) -> Duration {
        self.ceiling_after(self.failures)
    }

    /// Ceiling of the pause after this number of earlier failures, whatever was counted.
    pub fn ceiling_after(&self, failures: u32) -> Duration {
        let growth = 1_u32.checked_shl(failures).unwrap_or(u32::MAX);
        self.base.saturating_mul(growth).min(self.cap)
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
    fn ceilings_double_up_to_the_cap_and_restart_after_a_reset() {
        let mut backoff = Backoff::default();
        let ceilings: Vec<u128> = (0..9).map(|_| backoff.next_ceiling().as_millis()).collect();
        assert_eq!(ceilings, [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(backoff.failures(), 9);
        backoff.reset();
        assert_eq!((backoff.ceiling().as_millis(), backoff.failures()), (50, 0));
        assert_eq!(
            [0, 3, 31, 32, u32::MAX].map(|n| backoff.ceiling_after(n).as_millis()),
            [50, 400, 5000, 5000, 5000]
        );
    }

    proptest! {
        #[test]
        fn ceilings_never_decrease_or_exceed_the_cap(
            base in 0u64..100_000, cap in 0u64..100_000, failures in 0u32..5_000
        ) {
            let backoff = Backoff::new(Duration::from_millis(base), Duration::from_millis(cap));
            let ceiling = backoff.ceiling_after(failures);
            prop_assert!(ceiling <= Duration::from_millis(cap));
            prop_assert!(ceiling <= backoff.ceiling_after(failures + 1));
        }
    }

    #[cfg(feature = "jitter")]
    #[test]
    fn pauses_are_spread_over_the_whole_range() {
        let second = Duration::from_secs(1);
        let (mut shortest, mut longest) = (Duration::MAX, Duration::ZERO);
        for _ in 0..1_000 {
            let pause = Backoff::new(second, second).next();
            shortest = shortest.min(pause);
            longest = longest.max(pause);
        }
        assert!(shortest < second / 10 && longest > second * 9 / 10 && longest <= second);
    }
}
