//! Detects that the machine's wall clock was set, or that the machine slept.
//!
//! Operations and events have wall-clock times, for people. When that clock jumps, the coordinator moves what it waits
//! for, so that a pause of a minute stays a minute; see `Coordinator::clock_jumped`. Retention does not trust a clock
//! that has just jumped ahead; see [`Belief`].

use protocol::Time;
use std::time::Duration;
use tokio::time::Instant;

/// Smallest jump in microseconds; clocks are adjusted in smaller steps all the time.
const MIN_JUMP_MICROS: i64 = 500_000;
/// Time within which both clocks must be read; otherwise the gap would look like a jump.
const TOGETHER: Duration = Duration::from_millis(20);
/// Largest number of tries to read them.
const TRIES: usize = 5;

/// Compares the wall clock with a monotonic one.
pub(crate) struct ClockJumps {
    wall: Time,
    steady: Instant,
}

impl ClockJumps {
    pub(crate) fn new() -> Self {
        let (wall, steady) = read();
        Self { wall, steady }
    }

    /// Current time, and the jump of the wall clock since the last call in microseconds, if any.
    pub(crate) fn look(&mut self) -> (Time, Option<i64>) {
        let (wall, steady) = read();
        (wall, self.take(wall, steady))
    }

    fn take(&mut self, wall: Time, steady: Instant) -> Option<i64> {
        let passed = micros(steady.saturating_duration_since(self.steady));
        let by = wall.micros() - self.wall.micros() - passed;
        (self.wall, self.steady) = (wall, steady);
        (by.abs() >= MIN_JUMP_MICROS).then_some(by)
    }
}

fn read() -> (Time, Instant) {
    let mut tries = 1;
    loop {
        let (before, wall, after) = (Instant::now(), Time::now(), Instant::now());
        if after - before <= TOGETHER || tries == TRIES {
            return (wall, before);
        }
        tries += 1;
    }
}

fn micros(length: Duration) -> i64 {
    i64::try_from(length.as_micros()).unwrap_or(i64::MAX)
}

/// Time after which a jump ahead is trusted.
const BELIEVED_AFTER: Duration = Duration::from_secs(24 * 3_600);
/// Jump ahead that is always trusted, in microseconds.
const UNDOUBTED: i64 = 60_000_000;

/// Trusted time, for deletions, which can't be undone. If a clock is suddenly a year ahead, nothing becomes a year
/// older.
pub(crate) struct Belief {
    believed: Time,
    looked: Instant,
    doubted: Duration,
}

impl Belief {
    pub(crate) fn new(wall: Time, now: Instant) -> Self {
        Self { believed: wall, looked: now, doubted: Duration::ZERO }
    }

    /// Trusted time, given the current time of both clocks.
    pub(crate) fn look(&mut self, wall: Time, now: Instant) -> Time {
        let passed = now.saturating_duration_since(self.looked);
        self.looked = now;
        let due = self.believed.plus_micros(micros(passed));
        let ahead = wall.micros().saturating_sub(due.micros());
        self.doubted = if ahead > UNDOUBTED { self.doubted + passed } else { Duration::ZERO };
        let doubtful = ahead > UNDOUBTED && self.doubted < BELIEVED_AFTER;
        self.believed = if doubtful { due } else { wall };
        self.believed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000;
    const SECOND: Duration = Duration::from_secs(1);

    fn t(micros: i64) -> Time {
        Time::from_micros(1_000_000_000_000 + micros)
    }

    #[test]
    fn a_clock_change_is_detected_once_with_its_size() {
        let begun = Instant::now();
        let mut clock_jump = ClockJumps { wall: t(0), steady: begun };
        assert_eq!(clock_jump.take(t(1_000_000), begun + SECOND), None);
        assert_eq!(clock_jump.take(t(2_000_000 - HOUR), begun + 2 * SECOND), Some(-HOUR));
        assert_eq!(clock_jump.take(t(3_000_000 - HOUR), begun + 3 * SECOND), None);
        assert_eq!(clock_jump.take(t(4_000_000), begun + 4 * SECOND), Some(HOUR));
    }

    #[test]
    fn a_gradually_adjusted_clock_does_not_jump() {
        let begun = Instant::now();
        let mut clock_jump = ClockJumps { wall: t(0), steady: begun };
        for n in 1..100 {
            assert_eq!(clock_jump.take(t(i64::from(n) * 1_100_000), begun + n * SECOND), None);
        }
    }

    #[test]
    fn a_forward_jump_is_accepted_after_a_day_and_a_backward_one_at_once() {
        let begun = Instant::now();
        let hours = |n: u32| begun + n * 3_600 * SECOND;
        let mut belief = Belief::new(t(0), begun);
        assert_eq!(belief.look(t(HOUR), hours(1)), t(HOUR));
        let year = 8_766 * HOUR;
        for n in 2..25 {
            let due = i64::from(n) * HOUR;
            assert_eq!(belief.look(t(year + due), hours(n)), t(due), "after {n} hours");
        }
        assert_eq!(belief.look(t(year + 25 * HOUR), hours(25)), t(year + 25 * HOUR));
        assert_eq!(belief.look(t(26 * HOUR), hours(26)), t(26 * HOUR));
    }

    #[test]
    fn a_temporary_forward_jump_has_no_lasting_effect() {
        let begun = Instant::now();
        let minutes = |n: u32| begun + n * 60 * SECOND;
        let at = |n: i64| t(n * 60_000_000);
        let mut belief = Belief::new(at(0), begun);
        assert_eq!(belief.look(at(9_001), minutes(1)), at(1));
        assert_eq!(belief.look(at(2), minutes(2)), at(2));
        assert_eq!(belief.doubted, Duration::ZERO);
    }
}
