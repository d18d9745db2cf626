//! Forecasts: when a running operation will end, from its rate and from past runs, with a range based on the accuracy
//! of earlier forecasts of its kind.

use protocol::operation::AttemptOrigin;
use protocol::{Forecast, ForecastBasis, KindName, Operation, Phase, State, Time};
use std::collections::{HashMap, VecDeque};
use store::Run;

/// Number of judged forecasts remembered per kind.
const JUDGED: usize = 400;
/// Number of judged forecasts below which the range is a guess.
const ENOUGH: usize = 5;
/// Range of a guess: half to twice the remaining time.
const GUESS: (f64, f64) = (0.5, 2.0);
/// Fractions of a run at which its forecast is recorded, to be judged at its end.
const MARKS: [f64; 4] = [0.1, 0.25, 0.5, 0.75];
/// Fraction of a run from which its rate is known; alternatively after some seconds with progress.
const FAR: f64 = 0.02;
const LONG_SECONDS: f64 = 2.0;
/// Largest ratio between durations by rate and by past runs; beyond it, they contradict each other.
const MAX_DISAGREEMENT: f64 = 2.0;
/// Largest ratio between remaining times by the mean and by the recent rate; beyond it, the speed has changed.
const MAX_RATE_CHANGE: f64 = 1.5;
/// Largest ratio between the longest and the shortest tenth of past runs; beyond it, they predict nothing.
const MAX_SPREAD: f64 = 4.0;
/// Interval between forecasts in seconds.
const EVERY_SECONDS: f64 = 1.0;

/// Knowledge of past runs.
#[derive(Default)]
pub(crate) struct Forecasts {
    kinds: HashMap<KindName, KindHistory>,
}

#[derive(Default)]
struct KindHistory {
    runs: VecDeque<(String, f64)>,
    ratios: VecDeque<f64>,
}

/// What new progress says about the end.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Prediction {
    /// The previous forecast remains.
    Unchanged,
    New(Forecast),
    /// The previous forecast has lost its basis.
    Withdrawn,
}

/// Forecasts of one attempt so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Track {
    /// Time and fraction of its first progress; a resumed attempt begins further on.
    base: Option<(Time, f64)>,
    /// Fraction of its last progress.
    last_fraction: Option<f64>,
    made_at: Option<Time>,
    /// Number of passed marks, and the forecasts made there: time, and remaining seconds.
    marks: usize,
    predictions: Vec<(Time, f64)>,
    /// It resumes from an earlier attempt, so its duration can't be compared with complete runs.
    resumed: bool,
    /// The clock jumped, so its running time is unknown.
    adrift: bool,
}

impl Forecasts {
    /// Records a run of a kind.
    pub(crate) fn learn(&mut self, kind: &KindName, run: Run) {
        let past = self.kinds.entry(kind.clone()).or_default();
        push(&mut past.runs, (run.title, run.seconds), store::RUNS as usize);
        for ratio in run.ratios {
            push(&mut past.ratios, ratio, JUDGED);
        }
    }

    /// Forecast for an operation with new progress.
    pub(crate) fn predict(&self, operation: &Operation, track: &mut Track, now: Time) -> Prediction {
        // An operation that is cancelled does not end by its progress.
        if operation.state == State::Cancelling {
            return Prediction::Withdrawn;
        }
        let fraction = operation.progress.as_ref().and_then(|progress| progress.fraction);
        // The fraction became unknown, so a forecast by its rate is void, and the next one is due now.
        let void = fraction.is_none() && track.last_fraction.is_some();
        if void {
            (track.base, track.made_at) = (None, None);
        }
        match self.forecast(operation, track, now) {
            Some(forecast) => Prediction::New(forecast),
            None if void => Prediction::Withdrawn,
            None => Prediction::Unchanged,
        }
    }

    /// Next forecast; `None` if it is not due yet or has no basis.
    fn forecast(&self, operation: &Operation, track: &mut Track, now: Time) -> Option<Forecast> {
        let started = operation.started_at?;
        let progress = operation.progress.as_ref()?;
        let fraction = progress.fraction;
        // A resumed attempt jumps to its starting fraction after a moment; that is no progress of its own.
        let resumes = track.resumed && fraction.is_some_and(|f| f > 0.0);
        track.base = track.base.filter(|(_, from)| !(resumes && *from <= 0.0));
        // The total grew or another count began, so earlier progress is no measure of what remains.
        if fraction < track.last_fraction && fraction.is_some() {
            track.base = None;
        }
        track.last_fraction = fraction;
        let (since, from) = *track.base.get_or_insert((now, fraction.unwrap_or(0.0)));
        if track.made_at.is_some_and(|at| now.seconds_since(at) < EVERY_SECONDS) {
            return None;
        }
        let elapsed = now.seconds_since(since);
        let way = fraction.map_or(0.0, |f| f - from);
        // The host's own estimate, from the rate of the last seconds; it covers the current phase only.
        let recent = progress.eta_seconds.filter(|_| progress.phase.as_ref().is_none_or(Phase::is_last));
        let by_rate = match fraction {
            Some(f) if elapsed > 0.0 && (way >= FAR || (way > 0.0 && elapsed >= LONG_SECONDS)) => {
                let mean = elapsed * (1.0 - f) / way;
                // The mean is steadier, but wrong for long after a change of speed.
                Some(recent.filter(|recent| !within(*recent, mean, MAX_RATE_CHANGE)).unwrap_or(mean))
            }
            _ => recent,
        };
        // Nothing ends before now.
        let by_rate = by_rate.filter(|seconds| *seconds >= 0.0);
        let usual = if track.resumed || from > FAR || track.adrift { None } else { self.usual(operation) };
        let took = now.seconds_since(started).max(0.0);
        // No past run was that slow or fast, so past durations say nothing about this run.
        let usual = usual.filter(|usual| match by_rate {
            Some(rate) => agree(took + rate, *usual),
            None => !slow_start(fraction, took, *usual),
        });
        let by_history =
            usual.map(|usual| ((usual - took).max(usual * 0.02), took / usual.max(f64::EPSILON)));
        let (seconds, basis) = match (by_rate, by_history) {
            // A run that is older than all past runs only has its rate.
            (Some(rate), Some((_, age))) if age >= 1.0 => (rate, ForecastBasis::Rate),
            (Some(rate), Some((history, age))) => {
                let weight = (1.0 - fraction.unwrap_or(0.5)) * (1.0 - age);
                (rate * (1.0 - weight) + history * weight, ForecastBasis::Both)
            }
            (Some(rate), None) => (rate, ForecastBasis::Rate),
            (None, Some((history, _))) => (history, ForecastBasis::History),
            (None, None) => return None,
        };
        if !seconds.is_finite() || seconds > 1e9 {
            return None;
        }
        track.made_at = Some(now);
        while track.marks < MARKS.len() && fraction.is_some_and(|f| f >= MARKS[track.marks]) {
            track.marks += 1;
            if seconds > 0.5 {
                track.predictions.push((now, seconds));
            }
        }
        // No past forecast was judged after so short a part.
        let hasty = basis == ForecastBasis::Rate && way < FAR;
        let (judged, (low, high)) = if hasty { (0, GUESS) } else { self.band(&operation.kind) };
        let after = |s: f64| now.plus_micros((s * 1e6) as i64);
        Some(Forecast {
            made_at: now,
            ends_at: after(seconds),
            earliest: after(seconds * low.min(1.0)),
            latest: after(seconds * high.max(1.0)),
            basis,
            judged,
        })
    }

    /// Median duration of runs of the kind, preferably with the same title. `None` if they vary too much, as with
    /// different parameters, or if there is only one with another title.
    fn usual(&self, operation: &Operation) -> Option<f64> {
        let past = self.kinds.get(&operation.kind)?;
        let like: Vec<f64> =
            past.runs.iter().filter(|(title, _)| *title == operation.title).map(|(_, s)| *s).collect();
        let same_title = !like.is_empty();
        let taken: Vec<f64> = if same_title { like } else { past.runs.iter().map(|(_, s)| *s).collect() };
        if taken.len() == 1 && !same_title {
            return None;
        }
        let (short, long) = (quantile(taken.clone(), 0.1)?, quantile(taken.clone(), 0.9)?);
        (long <= short * MAX_SPREAD).then(|| quantile(taken, 0.5)).flatten()
    }

    /// Range of ratios within which four of five past forecasts came true, with their number.
    fn band(&self, kind: &KindName) -> (u32, (f64, f64)) {
        let ratios: Vec<f64> =
            self.kinds.get(kind).map(|p| p.ratios.iter().copied().collect()).unwrap_or_default();
        if ratios.len() < ENOUGH {
            return (0, GUESS);
        }
        let judged = ratios.len() as u32;
        match (quantile(ratios.clone(), 0.1), quantile(ratios, 0.9)) {
            (Some(low), Some(high)) => (judged, (low, high)),
            _ => (0, GUESS),
        }
    }
}

impl Track {
    /// Track of an attempt that begins now.
    pub(crate) fn of(origin: AttemptOrigin) -> Self {
        Self { resumed: origin == AttemptOrigin::Resume, ..Self::default() }
    }

    /// Restarts the measurement, because the clock jumped.
    pub(crate) fn clock_jumped(&mut self) {
        *self = Self { adrift: true, resumed: self.resumed, ..Self::default() };
    }

    /// Run to remember, once it has succeeded.
    pub(crate) fn judge(&self, operation: &Operation) -> Option<Run> {
        let (started, ended) = (operation.started_at?, operation.ended_at?);
        // The duration is also unknown if a clock jumped, here or on its host.
        if self.resumed || self.base.is_some_and(|(_, from)| from > FAR) || self.adrift || ended < started {
            return None;
        }
        let ratios = self
            .predictions
            .iter()
            .map(|(at, seconds)| (ended.seconds_since(*at).max(0.0) / seconds).clamp(0.001, 1_000.0))
            .collect();
        Some(Run { title: operation.title.clone(), seconds: ended.seconds_since(started), ratios })
    }
}

/// Whether a total duration is similar to past runs.
fn agree(whole: f64, usual: f64) -> bool {
    within(whole, usual, MAX_DISAGREEMENT)
}

/// Whether neither of two durations is more than `ratio` times the other.
fn within(one: f64, other: f64, ratio: f64) -> bool {
    one <= other * ratio && other <= one * ratio
}

/// Whether a run with too little progress for a rate is already much slower than past runs. A run that does not count
/// yet may be preparing, and one that is fast at first may not stay so.
fn slow_start(fraction: Option<f64>, took: f64, usual: f64) -> bool {
    fraction.is_some_and(|fraction| fraction > 0.0 && took > fraction * usual * MAX_DISAGREEMENT)
}

fn push<T>(list: &mut VecDeque<T>, one: T, most: usize) {
    list.push_back(one);
    while list.len() > most {
        list.pop_front();
    }
}

/// Quantile of values, by the nearest rank.
fn quantile(mut values: Vec<f64>, share: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let at = ((values.len() as f64 - 1.0) * share).round().max(0.0) as usize;
    values.get(at).copied()
}

#[cfg(test)]
mod tests;
