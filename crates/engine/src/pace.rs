//! Pace of an attempt: usual interval between steps, to detect a stall.

use protocol::{Progress, Time};

/// Number of steps before anything counts as unusual.
const STEPS: u32 = 3;
/// Weight of a new interval in the usual one.
const WEIGHT: f64 = 0.2;

/// When an attempt counts as stalled.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct StallRule {
    /// Multiple of its usual interval without progress.
    pub factor: f64,
    /// Smallest time in seconds.
    pub least_seconds: f64,
}

impl Default for StallRule {
    fn default() -> Self {
        Self { factor: 10.0, least_seconds: 30.0 }
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Pace {
    /// Time and position of the last step.
    last: Option<(Time, Place)>,
    usual_seconds: f64,
    steps: u32,
}

/// Position whose change counts as a step; a message alone is no progress.
#[derive(Clone, PartialEq, Debug)]
struct Place {
    fraction: Option<f64>,
    done: u64,
    phase: u32,
}

impl Pace {
    /// Records progress reported at a time.
    pub(crate) fn step(&mut self, progress: &Progress, at: Time) {
        let place = Place {
            fraction: progress.fraction,
            done: progress.done,
            phase: progress.phase.as_ref().map_or(0, |p| p.index),
        };
        if let Some((before, stood)) = &self.last {
            if *stood == place {
                return;
            }
            let interval = at.seconds_since(*before).max(0.0);
            let weight = if self.steps == 0 { 1.0 } else { WEIGHT };
            self.usual_seconds += weight * (interval - self.usual_seconds);
            self.steps = self.steps.saturating_add(1);
        }
        self.last = Some((at, place));
    }

    /// Time since which it is stalled, and its usual interval in seconds, if it is unusual.
    pub(crate) fn stalled(&self, now: Time, rule: StallRule) -> Option<(Time, f64)> {
        let (last, _) = self.last.as_ref()?;
        let stood = now.seconds_since(*last);
        let long = (rule.factor * self.usual_seconds).max(rule.least_seconds);
        (self.steps >= STEPS && stood > long).then_some((*last, self.usual_seconds))
    }

    /// Restarts the wait, because its host was unreachable until now and its progress unknown.
    pub(crate) fn forgive(&mut self, now: Time) {
        if let Some((at, _)) = &mut self.last {
            *at = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(seconds: i64) -> Time {
        Time::from_micros(seconds * 1_000_000)
    }

    fn done(done: u64) -> Progress {
        Progress { done, ..Progress::start(t(0)) }
    }

    const RULE: StallRule = StallRule { factor: 10.0, least_seconds: 30.0 };

    #[test]
    fn a_step_much_longer_than_usual_is_a_stall() {
        let mut pace = Pace::default();
        for n in 0..10 {
            pace.step(&done(n as u64), t(n * 5));
        }
        assert_eq!(pace.stalled(t(45 + 50), RULE), None);
        assert_eq!(pace.stalled(t(45 + 51), RULE), Some((t(45), 5.0)));
        pace.step(&done(10), t(97));
        assert_eq!(pace.stalled(t(98), RULE), None);
    }

    #[test]
    fn fast_steps_get_the_minimum_time_and_new_ones_are_not_judged() {
        let mut pace = Pace::default();
        for n in 0..10 {
            pace.step(&done(n), t(n as i64 / 5));
        }
        assert_eq!(pace.stalled(t(31), RULE), None);
        assert!(pace.stalled(t(32), RULE).is_some());
        let mut fresh = Pace::default();
        fresh.step(&done(1), t(0));
        assert_eq!(fresh.stalled(t(9_999), RULE), None);
    }

    #[test]
    fn repeated_progress_is_no_step() {
        let mut pace = Pace::default();
        for n in 0..5 {
            pace.step(&done(n), t(n as i64));
        }
        for n in 5..100 {
            pace.step(&Progress { message: format!("still {n}"), ..done(4) }, t(n));
        }
        assert!(pace.stalled(t(100), RULE).is_some());
        pace.forgive(t(100));
        assert_eq!(pace.stalled(t(120), RULE), None);
    }
}
