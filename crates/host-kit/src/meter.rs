//! How far an attempt is: what its author says, turned into a [`Progress`] that never runs backwards.
//!
//! Knows no clock: every call that needs the time is given it.

use protocol::{Phase, Progress, Time};
use std::time::Duration;
use tokio::time::Instant;

/// Over how long the rate is smoothed: a change has made up two thirds of its way in this time.
const SMOOTHING: Duration = Duration::from_secs(3);
/// Counts that come closer together than this are taken as one.
const SHORTEST_LOOK: Duration = Duration::from_millis(100);
/// What is counted so soon after counting began was done before: a resumed attempt says where it goes on.
const BEFORE: Duration = Duration::from_millis(1);

/// The figures of one attempt.
#[derive(Debug)]
pub(crate) struct Meter {
    /// How many phases the kind declares.
    of: u32,
    phase: Option<Phase>,
    done: u64,
    total: Option<u64>,
    unit: String,
    message: String,
    /// What the author says of the whole, instead of done by total.
    said: Option<f64>,
    /// The highest fraction that was told.
    highest: f64,
    pace: Pace,
}

impl Meter {
    pub fn new(phases: u32, now: Instant) -> Self {
        Self {
            of: phases,
            phase: None,
            done: 0,
            total: None,
            unit: String::new(),
            message: String::new(),
            said: None,
            highest: 0.0,
            pace: Pace::new(now),
        }
    }

    /// Enters a phase; what the one before counted is forgotten.
    pub fn phase(&mut self, index: u32, name: &str, now: Instant) {
        if self.phase.as_ref().is_some_and(|phase| phase.index != index) {
            self.items("", None, now);
        }
        self.phase = Some(Phase { index, of: self.of.max(index), name: name.to_owned() });
    }

    pub fn items(&mut self, unit: &str, total: Option<u64>, now: Instant) {
        unit.clone_into(&mut self.unit);
        self.total = total;
        self.done = 0;
        self.pace = Pace::new(now);
    }

    pub fn done(&mut self, done: u64, now: Instant) {
        self.done = done;
        self.pace.count(done, now);
    }

    pub fn message(&mut self, text: String) {
        self.message = text;
    }

    /// What is not a number says nothing.
    pub fn fraction(&mut self, fraction: Option<f64>) {
        self.said = fraction.filter(|f| f.is_finite());
    }

    /// Items per second, once enough was counted.
    pub fn rate(&self) -> Option<f64> {
        self.pace.rate
    }

    /// The figures as they stand.
    pub fn progress(&mut self, at: Time) -> Progress {
        let counted = self.total.filter(|total| *total > 0).map(|total| self.done as f64 / total as f64);
        let fraction = self.said.or(counted).map(|f| f.clamp(0.0, 1.0).max(self.highest));
        self.highest = fraction.unwrap_or(self.highest);
        let rate = self.rate();
        let eta_seconds = match (self.total, rate) {
            (Some(total), Some(rate)) if rate > 0.0 => {
                Some(total.saturating_sub(self.done) as f64 / rate).filter(|s| s.is_finite())
            }
            _ => None,
        };
        Progress {
            at,
            fraction,
            phase: self.phase.clone(),
            done: self.done,
            total: self.total,
            unit: self.unit.clone(),
            rate,
            eta_seconds,
            message: self.message.clone(),
        }
    }
}

/// An exponentially smoothed rate.
#[derive(Debug)]
struct Pace {
    since: Instant,
    from: u64,
    rate: Option<f64>,
}

impl Pace {
    fn new(now: Instant) -> Self {
        Self { since: now, from: 0, rate: None }
    }

    fn count(&mut self, done: u64, now: Instant) {
        if done < self.from {
            // Counted anew: what was is no measure of what is.
            *self = Self { since: now, from: done, rate: None };
            return;
        }
        let passed = now.saturating_duration_since(self.since);
        if self.rate.is_none() && passed < BEFORE {
            self.from = done;
        }
        if passed < SHORTEST_LOOK {
            return;
        }
        let latest = (done - self.from) as f64 / passed.as_secs_f64();
        let weight = 1.0 - (-passed.as_secs_f64() / SMOOTHING.as_secs_f64()).exp();
        self.rate = Some(self.rate.map_or(latest, |rate| rate + weight * (latest - rate)));
        self.since = now;
        self.from = done;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    #[test]
    fn a_steady_count_gives_its_rate_and_the_time_left() {
        let start = Instant::now();
        let mut meter = Meter::new(0, start);
        meter.items("rows", Some(10_000), start);
        for i in 1..=50 {
            meter.done(i * 100, at(start, i * 100));
        }
        let progress = meter.progress(Time::now());
        assert!((progress.rate.unwrap() - 1000.0).abs() < 1.0, "{progress:?}");
        assert!((progress.eta_seconds.unwrap() - 5.0).abs() < 0.1, "{progress:?}");
        assert_eq!(progress.fraction, Some(0.5));
        assert_eq!(progress.unit, "rows");
    }

    #[test]
    fn what_an_earlier_attempt_did_is_no_part_of_the_rate() {
        let start = Instant::now();
        let mut meter = Meter::new(0, start);
        meter.items("rows", Some(10_000), start);
        meter.done(6_000, start);
        meter.done(6_200, at(start, 500));
        let progress = meter.progress(Time::now());
        assert_eq!((progress.rate, progress.eta_seconds), (Some(400.0), Some(9.5)));
    }

    #[test]
    fn the_rate_follows_a_change_within_seconds() {
        let start = Instant::now();
        let mut meter = Meter::new(0, start);
        meter.items("rows", None, start);
        let mut done = 0;
        for i in 1..=100 {
            done += if i <= 50 { 100 } else { 10 };
            meter.done(done, at(start, i * 100));
        }
        let rate = meter.rate().unwrap();
        assert!((100.0..300.0).contains(&rate), "five seconds at 100/s after 1,000/s: {rate}");
        assert_eq!(meter.progress(Time::now()).eta_seconds, None, "nobody knows the total");
    }

    #[test]
    fn a_new_phase_counts_anew_and_the_first_keeps_what_was_said_before_it() {
        let start = Instant::now();
        let mut meter = Meter::new(3, start);
        meter.items("rows", Some(10), start);
        meter.phase(1, "Read", start);
        meter.done(10, start);
        let first = meter.progress(Time::now());
        assert_eq!((first.done, first.total), (10, Some(10)));
        meter.phase(2, "Write", start);
        let second = meter.progress(Time::now());
        assert_eq!((second.done, second.total, second.unit.as_str()), (0, None, ""));
        assert_eq!(second.phase, Some(Phase { index: 2, of: 3, name: "Write".into() }));
    }

    proptest! {
        #[test]
        fn the_fraction_keeps_within_0_and_1_and_never_falls(
            steps in proptest::collection::vec((0u8..4, 0u64..2_000, proptest::num::f64::ANY), 0..80)
        ) {
            let start = Instant::now();
            let mut meter = Meter::new(2, start);
            let mut highest = 0.0;
            for (i, (what, n, f)) in steps.into_iter().enumerate() {
                let now = at(start, i as u64 * 37);
                match what {
                    0 => meter.items("rows", (n > 500).then_some(n), now),
                    1 => meter.done(n, now),
                    2 => meter.fraction(Some(f)),
                    _ => meter.fraction(None),
                }
                let progress = meter.progress(Time::now());
                if let Some(fraction) = progress.fraction {
                    prop_assert!((0.0..=1.0).contains(&fraction) && fraction >= highest);
                    highest = fraction;
                }
                for figure in [progress.rate, progress.eta_seconds].into_iter().flatten() {
                    prop_assert!(figure.is_finite() && figure >= 0.0);
                }
            }
        }
    }
}
