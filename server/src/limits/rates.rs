//! Rates: at most so many events of a key per time, with a burst (generic cell rate algorithm).

use parking_lot::Mutex;
use std::collections::HashMap;

/// Parts with a lock of their own, so that requests seldom wait for each other.
const SHARDS: usize = 16;
/// Largest number of keys of a part. When it is full of active keys, further keys have no limit: a flood from that many
/// addresses is limited by the number of connections.
const MAX_SHARD_KEYS: usize = 4_096;
/// Interval of searches for idle keys in a full part, in microseconds.
const PURGE_MICROS: u64 = 1_000_000;

/// Rate and burst.
#[derive(Clone, Copy)]
pub(super) struct Rate {
    /// Time per event in microseconds.
    interval: u64,
    /// Events that may come at once.
    burst: u64,
}

impl Rate {
    /// `n` per second, which may all come at once, also those of the last `burst` seconds.
    pub(super) fn per_second(n: u32, burst: u32) -> Self {
        let n = u64::from(n.max(1));
        Self { interval: 1_000_000 / n, burst: n * u64::from(burst) }
    }

    /// `n` per minute, which may all come at once.
    pub(super) fn per_minute(n: u32) -> Self {
        let n = u64::from(n.max(1));
        Self { interval: 60_000_000 / n, burst: n }
    }
}

/// Events by key. A key without recent events needs no memory.
#[derive(Default)]
pub(super) struct Rates([Mutex<Shard>; SHARDS]);

#[derive(Default)]
struct Shard {
    /// Time in microseconds at which each key may have its whole burst again.
    full_at: HashMap<u64, u64>,
    purged_at: u64,
}

impl Rates {
    /// Counts an event of a key. `now` is in microseconds.
    ///
    /// # Errors
    /// Seconds after which the event may come, at least 1.
    pub(super) fn take(&self, rate: Rate, key: u64, now: u64) -> Result<(), u32> {
        let mut shard = self.0[(key >> 32) as usize % SHARDS].lock();
        if shard.full_at.len() >= MAX_SHARD_KEYS && !shard.full_at.contains_key(&key) && !shard.purge(now) {
            return Ok(());
        }
        let full_at = shard.full_at.entry(key).or_insert(now);
        let next = (*full_at).max(now) + rate.interval;
        let latest = now + rate.burst * rate.interval;
        if next > latest {
            return Err(u32::try_from((next - latest).div_ceil(1_000_000)).unwrap_or(u32::MAX));
        }
        *full_at = next;
        Ok(())
    }
}

impl Shard {
    /// Removes idle keys. Returns whether there is room.
    fn purge(&mut self, now: u64) -> bool {
        if now.saturating_sub(self.purged_at) >= PURGE_MICROS {
            self.purged_at = now;
            self.full_at.retain(|_, full_at| *full_at > now);
        }
        self.full_at.len() < MAX_SHARD_KEYS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_burst_is_followed_by_the_rate() {
        let (rates, rate) = (Rates::default(), Rate::per_minute(3));
        let take = |now| rates.take(rate, 7, now);
        assert_eq!([take(0), take(0), take(0)], [Ok(()); 3]);
        assert_eq!(take(0), Err(20));
        assert_eq!(take(19_500_000), Err(1));
        assert_eq!(take(20_000_000), Ok(()));
        assert_eq!(take(20_000_000), Err(20), "refused events do not count");
        assert_eq!([take(90_000_000), take(90_000_000), take(90_000_000)], [Ok(()); 3]);
        assert_eq!(rates.take(rate, 8, 0), Ok(()), "each key counts for itself");
    }

    #[test]
    fn idle_keys_make_room_and_active_ones_stay() {
        let (rates, rate) = (Rates::default(), Rate::per_minute(1));
        let n = MAX_SHARD_KEYS as u64;
        (0..n).for_each(|key| rates.take(rate, key, 0).unwrap());
        assert_eq!(rates.take(rate, 0, 2_000_000), Err(58), "no key is forgotten while it counts");
        assert_eq!(rates.take(rate, n, 2_000_000), Ok(()));
        assert_eq!(rates.take(rate, n, 2_000_000), Ok(()), "there is no room for another key");
        assert_eq!(rates.take(rate, n, 61_000_000), Ok(()));
        assert_eq!(rates.0[0].lock().full_at.len(), 1);
    }

    proptest! {
        #[test]
        fn no_minute_has_more_than_burst_and_rate(mut times in prop::collection::vec(0_u64..300_000_000, 1..400)) {
            let (rates, rate) = (Rates::default(), Rate::per_minute(20));
            times.sort_unstable();
            times.retain(|now| rates.take(rate, 1, *now).is_ok());
            for (at, first) in times.iter().enumerate() {
                let within = times[at..].iter().filter(|time| **time - first < 60_000_000).count();
                prop_assert!(within <= 40, "{within}");
            }
        }
    }
}
