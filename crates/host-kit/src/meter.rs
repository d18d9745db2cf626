//! Progress of an attempt: turns the author's calls into a [`Progress`].
//!
//! The fraction is the share of the whole attempt. Within one count, it never decreases. A larger total, a restarted
//! count or another phase may lower it, or make it unknown.
//!
//! Reads no clock; times are passed in.

use protocol::{Phase, Progress, Time};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// Time that the rate averages, so that it follows a change within this time.
const WINDOW: Duration = Duration::from_secs(3);
/// Time within which counts are combined, and from which there is a rate.
const MIN_RATE_WINDOW: Duration = Duration::from_millis(100);
/// Time after the beginning of a count within which items count as done before, by a resumed attempt.
const BEFORE: Duration = Duration::from_millis(1);

/// Figures of one attempt.
#[derive(Debug)]
pub(crate) struct Meter {
    /// Number of phases that the kind declares.
    declared: u32,
    phase: Option<Phase>,
    /// Relative durations of the declared phases.
    weights: Vec<f64>,
    /// Range of the current phase within the whole; `None` if unknown.
    part: Option<(f64, f64)>,
    /// A phase was repeated, so more repetitions may follow.
    phases_repeat: bool,
    count: Count,
    message: String,
    /// Fraction set by the author, instead of done by total.
    reported: Option<f64>,
    /// The author sets fractions, so phases alone say nothing about the whole.
    says: bool,
    /// Highest fraction reported within the current count.
    highest: f64,
    pace: RateWindow,
}

/// Count of the current phase.
#[derive(Debug, Default)]
struct Count {
    done: u64,
    total: Option<u64>,
    unit: String,
    /// Largest number done so far.
    peak: u64,
    /// `done` has reached the total.
    complete: bool,
    /// It restarted, so more restarts may follow.
    repeats: bool,
    /// A new count whose number is not set yet; it may continue where the last one was.
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

    /// Done by total; `None` if the total is unknown, too small, or that of one count of several.
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
            reported: None,
            says: false,
            highest: 0.0,
            pace: RateWindow::new(now),
        }
    }

    /// Enters a phase and resets the count. Declared phases are parts of the whole, equal ones unless
    /// [`Meter::phase_weights`] was called.
    pub fn phase(&mut self, index: u32, name: &str, now: Instant) {
        let before = self.phase.as_ref().map(|phase| phase.index);
        if before.is_some_and(|before| before != index) {
            self.count = Count::default();
            self.highest = 0.0;
            self.pace = RateWindow::new(now);
        }
        if before != Some(index) {
            let until =
                |phases: usize| self.weights[..phases].iter().sum::<f64>() / self.weights.iter().sum::<f64>();
            let known = (1..=self.declared).contains(&index);
            self.part = known.then(|| (until(index as usize - 1), until(index as usize)));
        }
        self.phases_repeat |= before.is_some_and(|before| index < before);
        // After an undeclared phase, any number of others may follow.
        let of = Some(self.declared).filter(|declared| index <= *declared);
        self.phase = Some(Phase { index, of, name: name.to_owned() });
    }

    /// Sets the relative durations of the declared phases. Invalid weights are ignored.
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
        self.pace = RateWindow::new(now);
    }

    /// Corrects unit and total; the count continues.
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
        if self.count.repeats != repeated && self.reported.is_none() {
            self.highest = 0.0;
        }
        self.pace.count(done, now);
    }

    pub fn message(&mut self, text: String) {
        self.message = text;
    }

    /// Sets the fraction; NaN is ignored.
    pub fn fraction(&mut self, fraction: Option<f64>) {
        match fraction {
            Some(fraction) if fraction.is_finite() => (self.reported, self.says) = (Some(fraction), true),
            Some(_) => {}
            None => (self.reported, self.highest) = (None, 0.0),
        }
    }

    /// Items per second, once enough was counted.
    pub fn rate(&self) -> Option<f64> {
        self.pace.rate
    }

    /// Share of the whole by count.
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

    /// Whether the attempt ends with this count.
    fn counts_to_the_end(&self) -> bool {
        let last = self.phase.as_ref().is_none_or(|phase| phase.index == self.declared);
        last && !self.phases_repeat && !self.count.repeats
    }

    /// Current figures.
    pub fn progress(&mut self, at: Time) -> Progress {
        let fraction = self.reported.or_else(|| self.counted()).map(|f| f.clamp(0.0, 1.0).max(self.highest));
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

/// Rate: the average of the last seconds, or of the last item if that takes longer.
#[derive(Debug)]
struct RateWindow {
    /// Times and values at which the count advanced, from the beginning of the window.
    advances: VecDeque<(Instant, u64)>,
    rate: Option<f64>,
}

impl RateWindow {
    fn new(now: Instant) -> Self {
        Self { advances: VecDeque::from([(now, 0)]), rate: None }
    }

    fn count(&mut self, done: u64, now: Instant) {
        let Some(&(started_at, from)) = self.advances.front() else { return };
        let last = self.advances.back().map_or(from, |(_, done)| *done);
        let resumed = self.rate.is_none() && now.saturating_duration_since(started_at) < BEFORE;
        if resumed || done < last {
            // Items of an earlier attempt, or a restarted count: earlier values do not apply.
            let started_at = if resumed { started_at } else { now };
            *self = Self { advances: VecDeque::from([(started_at, done)]), rate: None };
            return;
        }
        if done == last {
            // The time until the next item is done belongs to that item.
            return;
        }
        while self.advances.get(1).is_some_and(|(at, _)| now.saturating_duration_since(*at) >= WINDOW) {
            self.advances.pop_front();
        }
        let Some(&(since, from)) = self.advances.front() else { return };
        let passed = now.saturating_duration_since(since);
        if passed >= MIN_RATE_WINDOW {
            self.rate = Some((done - from) as f64 / passed.as_secs_f64());
        }
        // The last advance is replaced while it is near the one before, which bounds their number.
        let near = self
            .advances
            .iter()
            .rev()
            .nth(1)
            .is_some_and(|(at, _)| now.saturating_duration_since(*at) < MIN_RATE_WINDOW);
        if near {
            self.advances.pop_back();
        }
        self.advances.push_back((now, done));
    }
}

#[cfg(test)]
mod tests;
