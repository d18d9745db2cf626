//! How far an attempt is: what its author says, turned into a [`Progress`].
//!
//! The fraction is the share of the whole attempt. Within one count it never falls. A larger total, a count that
//! begins anew, or another phase may lower it, or make it unknown: it never says more than is known.
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
    declared: u32,
    phase: Option<Phase>,
    /// How long the declared phases are, each relative to the others.
    weights: Vec<f64>,
    /// Which part of the whole the current phase is; `None` when that is not known.
    part: Option<(f64, f64)>,
    /// A phase came back: how often more is not known.
    phases_repeat: bool,
    count: Count,
    message: String,
    /// What the author says of the whole, instead of done by total.
    said: Option<f64>,
    /// The author says how far the whole is: then phases alone say nothing of it.
    says: bool,
    /// The highest fraction that was told within the current count.
    highest: f64,
    pace: Pace,
}

/// What is counted in the current phase.
#[derive(Debug, Default)]
struct Count {
    done: u64,
    total: Option<u64>,
    unit: String,
    /// The most that was done so far.
    peak: u64,
    /// `done` had reached the total.
    complete: bool,
    /// It began anew: how many more counts follow is not known.
    repeats: bool,
    /// Another count began here, and how much of it is done was not said: it may go on where the last one was.
    fresh: bool,
}

impl Count {
    fn set_done(&mut self, done: u64) {
        if done < self.peak && (self.complete || done <= self.peak / 2) {
            self.repeats = true;
            self.peak = done;
        }
        self.fresh = false;
        self.done = done;
        self.peak = self.peak.max(done);
        self.complete = self.total.is_some_and(|total| done >= total);
    }

    /// Done by total; `None` where the total is unknown, too small, or that of one count among several.
    fn share(&self) -> Option<f64> {
        let known = !self.repeats && !self.fresh;
        let total = self.total.filter(|total| known && *total > 0 && self.done <= *total);
        total.map(|total| self.done as f64 / total as f64)
    }
}

impl Meter {
    pub fn new(phases: u32, now: Instant) -> Self {
        Self {
            declared: phases,
            phase: None,
            weights: vec![1.0; phases as usize],
            part: None,
            phases_repeat: false,
            count: Count::default(),
            message: String::new(),
            said: None,
            says: false,
            highest: 0.0,
            pace: Pace::new(now),
        }
    }

    /// Enters a phase; what the one before counted is forgotten. Declared phases are parts of the whole, equal
    /// ones until [`Meter::phase_weights`] says otherwise.
    pub fn phase(&mut self, index: u32, name: &str, now: Instant) {
        let before = self.phase.as_ref().map(|phase| phase.index);
        if before.is_some_and(|before| before != index) {
            self.count = Count::default();
            self.highest = 0.0;
            self.pace = Pace::new(now);
        }
        if before != Some(index) {
            let until =
                |phases: usize| self.weights[..phases].iter().sum::<f64>() / self.weights.iter().sum::<f64>();
            let known = (1..=self.declared).contains(&index);
            self.part = known.then(|| (until(index as usize - 1), until(index as usize)));
        }
        self.phases_repeat |= before.is_some_and(|before| index < before);
        self.phase = Some(Phase { index, of: self.declared.max(index), name: name.to_owned() });
    }

    /// How long the declared phases are, each relative to the others. What can't be meant so changes nothing.
    pub fn phase_weights(&mut self, weights: &[f64]) {
        let good = weights.iter().all(|weight| weight.is_finite() && *weight >= 0.0);
        if good && weights.len() == self.weights.len() && weights.iter().sum::<f64>() > 0.0 {
            self.weights = weights.to_vec();
        }
    }

    /// Begins a count.
    pub fn items(&mut self, unit: &str, total: Option<u64>, now: Instant) {
        let count = &mut self.count;
        count.fresh = count.peak > 0;
        unit.clone_into(&mut count.unit);
        (count.done, count.total) = (0, total);
        self.highest = 0.0;
        self.pace = Pace::new(now);
    }

    /// Corrects what is counted and how many there are; the count goes on.
    pub fn revise_items(&mut self, unit: &str, total: Option<u64>) {
        unit.clone_into(&mut self.count.unit);
        if total != self.count.total {
            self.count.total = total;
            self.count.complete = total.is_some_and(|total| self.count.done >= total);
            self.highest = 0.0;
        }
    }

    pub fn done(&mut self, done: u64, now: Instant) {
        let repeated = self.count.repeats;
        self.count.set_done(done);
        if self.count.repeats != repeated && self.said.is_none() {
            self.highest = 0.0;
        }
        self.pace.count(done, now);
    }

    pub fn message(&mut self, text: String) {
        self.message = text;
    }

    /// What is not a number says nothing.
    pub fn fraction(&mut self, fraction: Option<f64>) {
        match fraction {
            Some(fraction) if fraction.is_finite() => (self.said, self.says) = (Some(fraction), true),
            Some(_) => {}
            None => (self.said, self.highest) = (None, 0.0),
        }
    }

    /// Items per second, once enough was counted.
    pub fn rate(&self) -> Option<f64> {
        self.pace.rate
    }

    /// The share of the whole by what was counted.
    fn counted(&self) -> Option<f64> {
        let share = self.count.share();
        match (&self.phase, self.part) {
            (None, _) => share,
            (Some(_), Some((from, to))) if !self.phases_repeat => match share {
                Some(share) => Some(from + (to - from) * share),
                None => Some(from).filter(|from| *from > 0.0 && !self.says),
            },
            (Some(_), _) => None,
        }
    }

    /// Whether the attempt is over when this count is.
    fn counts_to_the_end(&self) -> bool {
        let last = self.phase.as_ref().is_none_or(|phase| phase.index == self.declared);
        last && !self.phases_repeat && !self.count.repeats
    }

    /// The figures as they stand.
    pub fn progress(&mut self, at: Time) -> Progress {
        let fraction = self.said.or_else(|| self.counted()).map(|f| f.clamp(0.0, 1.0).max(self.highest));
        self.highest = fraction.unwrap_or(self.highest);
        let rate = self.rate();
        let eta_seconds = match (self.count.total, rate) {
            (Some(total), Some(rate))
                if rate > 0.0 && total >= self.count.done && self.counts_to_the_end() =>
            {
                Some((total - self.count.done) as f64 / rate).filter(|s| s.is_finite())
            }
            _ => None,
        };
        Progress {
            at,
            fraction,
            phase: self.phase.clone(),
            done: self.count.done,
            total: self.count.total,
            unit: self.count.unit.clone(),
            rate,
            eta_seconds,
            message: self.message.clone(),
        }
    }
}

/// A rate: the average of the first seconds, then smoothed exponentially.
#[derive(Debug)]
struct Pace {
    began: Instant,
    since: Instant,
    from: u64,
    rate: Option<f64>,
}

impl Pace {
    fn new(now: Instant) -> Self {
        Self { began: now, since: now, from: 0, rate: None }
    }

    fn count(&mut self, done: u64, now: Instant) {
        if done < self.from {
            // Counted anew: what was is no measure of what is.
            *self = Self { from: done, ..Self::new(now) };
            return;
        }
        let passed = now.saturating_duration_since(self.since);
        if self.rate.is_none() && passed < BEFORE {
            self.from = done;
        }
        // The time until the first item is done belongs to that item.
        let nothing_yet = self.rate.is_none() && done == self.from;
        if passed < SHORTEST_LOOK || nothing_yet {
            return;
        }
        let latest = (done - self.from) as f64 / passed.as_secs_f64();
        let smoothed = 1.0 - (-passed.as_secs_f64() / SMOOTHING.as_secs_f64()).exp();
        let average = passed.as_secs_f64() / now.saturating_duration_since(self.began).as_secs_f64();
        let weight = smoothed.max(average.min(1.0));
        self.rate = Some(self.rate.map_or(latest, |rate| rate + weight * (latest - rate)));
        self.since = now;
        self.from = done;
    }
}

#[cfg(test)]
mod tests;
