//! Counters as rates. Impossible values are refused and counted, not shown.

use crate::parse::CpuTicks;
use std::collections::HashMap;

/// Share above 1 that the resolution of the counters explains.
const SHARE_TOLERANCE: f64 = 0.05;
/// Largest plausible increase of a counter per second, such as 1 TB/s.
const MAX_PER_SECOND: f64 = 1e12;

/// Previous values of all counters.
#[derive(Default)]
pub(crate) struct Rates {
    before: HashMap<String, (u64, u32)>,
    processors: HashMap<Option<u32>, (CpuTicks, u32)>,
    round: u32,
    refused: u64,
}

/// Shares of the time of a processor, 0 to 1.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct CpuShares {
    pub user: Option<f64>,
    pub system: Option<f64>,
    pub iowait: Option<f64>,
    pub steal: Option<f64>,
    /// Everything but idle and iowait.
    pub busy: Option<f64>,
}

impl Rates {
    /// Begins a second. Counters that were not read in the previous one have no rate: their increase would belong to an
    /// unknown time.
    pub fn begin(&mut self) {
        let previous = self.round;
        self.before.retain(|_, (_, round)| *round == previous);
        self.processors.retain(|_, (_, round)| *round == previous);
        self.round = self.round.wrapping_add(1);
    }

    /// Number of refused values since the start.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Increase per second of a counter, times `unit`. `None` at its first value, and if it fell or leapt.
    pub fn per_second(&mut self, name: &str, now: u64, seconds: f64, unit: f64) -> Option<f64> {
        let round = self.round;
        let before = match self.before.get_mut(name) {
            Some(before) => std::mem::replace(before, (now, round)).0,
            None => {
                self.before.insert(name.to_owned(), (now, round));
                return None;
            }
        };
        let rate = now.checked_sub(before).map(|increase| increase as f64 * unit / seconds);
        self.accept(rate.filter(|rate| rate.is_finite() && *rate <= MAX_PER_SECOND))
    }

    /// Same for a counter of time: the share of the time that passed, 0 to 1.
    pub fn share(&mut self, name: &str, now: u64, seconds: f64, unit: f64) -> Option<f64> {
        let refused = self.refused;
        let share = self.per_second(name, now, seconds, unit);
        if self.refused > refused {
            return None;
        }
        share.and_then(|share| self.accept(plausible_share(share)))
    }

    /// Shares of the time of a core, or of all for `None`.
    pub fn processor(&mut self, core: Option<u32>, now: CpuTicks) -> CpuShares {
        let Some((before, _)) = self.processors.insert(core, (now, self.round)) else {
            return CpuShares::default();
        };
        let increase = |of: fn(&CpuTicks) -> u64| of(&now).checked_sub(of(&before));
        // The kernel may take back time that it had counted as idle or iowait; then only that share is unknown.
        let (idle, iowait) = (increase(|t| t.idle), increase(|t| t.iowait));
        let known = [increase(|t| t.user), increase(|t| t.system), increase(|t| t.steal)];
        let [Some(user), Some(system), Some(steal)] = known else {
            self.refused += 1;
            return CpuShares::default();
        };
        let Some(total) = [user, system, steal, idle.unwrap_or(0), iowait.unwrap_or(0)]
            .into_iter()
            .try_fold(0_u64, u64::checked_add)
            .filter(|total| *total > 0)
        else {
            return CpuShares::default();
        };
        let share = |ticks: u64| ticks as f64 / total as f64;
        CpuShares {
            user: Some(share(user)),
            system: Some(share(system)),
            steal: Some(share(steal)),
            iowait: self.accept(iowait.map(share)),
            busy: Some(share(user) + share(system) + share(steal)),
        }
    }

    /// Value that is known only if it is at most `limit`.
    pub fn at_most(&mut self, value: u64, limit: u64) -> Option<f64> {
        self.accept((value <= limit).then_some(value as f64))
    }

    fn accept(&mut self, value: Option<f64>) -> Option<f64> {
        self.refused += u64::from(value.is_none());
        value
    }
}

/// Share without the small excess that the resolution of counters causes.
fn plausible_share(share: f64) -> Option<f64> {
    (0.0..=1.0 + SHARE_TOLERANCE).contains(&share).then(|| share.min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_reset_counter_is_refused_and_counts_again_from_its_new_value() {
        let mut rates = Rates::default();
        let mut read = |value| {
            rates.begin();
            (rates.per_second("bytes", value, 2.0, 1.0), rates.refused())
        };
        assert_eq!(read(1_000), (None, 0), "the first value has no rate");
        assert_eq!(read(3_000), (Some(1_000.0), 0));
        assert_eq!(read(10), (None, 1));
        assert_eq!(read(30), (Some(10.0), 1));
        assert_eq!(read(u64::MAX), (None, 2), "no device is that fast");
    }

    #[test]
    fn a_counter_that_was_away_starts_anew() {
        let mut rates = Rates::default();
        rates.begin();
        rates.per_second("eth0", 5, 1.0, 1.0);
        rates.begin();
        rates.begin();
        assert_eq!(rates.per_second("eth0", 500, 1.0, 1.0), None);
        assert_eq!(rates.refused(), 0);
    }

    #[test]
    fn a_share_beyond_the_time_that_passed_is_refused() {
        let mut rates = Rates::default();
        let mut read = |ms| {
            rates.begin();
            rates.share("busy", ms, 1.0, 0.001)
        };
        assert_eq!(read(0), None);
        assert_eq!(read(500), Some(0.5));
        assert_eq!(read(1_520), Some(1.0), "the counter's resolution");
        assert_eq!(read(9_000), None);
    }

    #[test]
    fn time_that_the_kernel_takes_back_makes_only_its_share_unknown() {
        let mut rates = Rates::default();
        let at = |user, idle, iowait| CpuTicks { user, system: 0, idle, iowait, steal: 0 };
        rates.begin();
        rates.processor(None, at(0, 0, 50));
        rates.begin();
        let shares = rates.processor(None, at(25, 75, 40));
        assert_eq!((shares.user, shares.iowait, shares.busy), (Some(0.25), None, Some(0.25)));
        rates.begin();
        assert_eq!(rates.processor(None, at(0, 80, 40)), CpuShares::default());
        assert_eq!(rates.refused(), 2);
    }

    proptest! {
        #[test]
        fn whatever_counters_do_no_rate_is_negative_and_no_share_is_beyond_1(
            values in proptest::collection::vec((any::<u64>(), any::<u64>(), 0.0f64..5.0), 1..40)
        ) {
            let mut rates = Rates::default();
            for (counter, ticks, seconds) in values {
                rates.begin();
                for rate in [rates.per_second("a", counter, seconds, 1.0)].into_iter().flatten() {
                    prop_assert!(rate.is_finite() && rate >= 0.0);
                }
                let cpu = CpuTicks { user: ticks, system: counter, idle: ticks / 2, iowait: counter / 3, steal: 0 };
                let shares = rates.processor(None, cpu);
                let all = [shares.user, shares.system, shares.iowait, shares.steal, shares.busy];
                for share in all.into_iter().chain([rates.share("b", counter, seconds, 1e-6)]).flatten() {
                    prop_assert!((0.0..=1.0 + 1e-9).contains(&share), "{}", share);
                }
            }
        }
    }
}
