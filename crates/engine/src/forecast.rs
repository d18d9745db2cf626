//! Forecasts: when a running operation will end, from its rate and from past runs, with a range based on the accuracy
//! of earlier forecasts of its kind.

use protocol::operation::AttemptOrigin;
use protocol::{Forecast, ForecastBasis, KindName, Operation, Phase, Time};
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
    kinds: HashMap<KindName, Past>,
}

#[derive(Default)]
struct Past {
    runs: VecDeque<(String, f64)>,
    ratios: VecDeque<f64>,
}

/// Forecasts of one attempt so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Track {
    /// Time and fraction of its first progress; a resumed attempt begins further on.
    base: Option<(Time, f64)>,
    /// Fraction of its last progress.
    stood: Option<f64>,
    made_at: Option<Time>,
    /// Number of passed marks, and the forecasts made there: time, and remaining seconds.
    marks: usize,
    foretold: Vec<(Time, f64)>,
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

    /// Forecast for an operation with new progress; `None` if the next one is not due yet.
    pub(crate) fn think(&self, operation: &Operation, track: &mut Track, now: Time) -> Option<Forecast> {
        let started = operation.started_at?;
        let progress = operation.progress.as_ref()?;
        let fraction = progress.fraction;
        // A resumed attempt jumps to its starting fraction after a moment; that is no progress of its own.
        let goes_on = track.resumed && fraction.is_some_and(|f| f > 0.0);
        track.base = track.base.filter(|(_, from)| !(goes_on && *from <= 0.0));
        // The total grew or another count began, so earlier progress is no measure of what remains.
        if fraction < track.stood && fraction.is_some() {
            track.base = None;
        }
        track.stood = fraction;
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
                track.foretold.push((now, seconds));
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
            .foretold
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
mod tests {
    use super::*;
    use protocol::{OperationId, Progress, State};

    fn t(seconds: f64) -> Time {
        Time::from_micros(1_000_000_000 + (seconds * 1e6) as i64)
    }

    fn kind() -> KindName {
        KindName::new("data.load").unwrap()
    }

    fn at(fraction: f64) -> Operation {
        let queued =
            Operation::queued(OperationId::new(), kind(), "MSFT".into(), serde_json::json!({}), t(0.0));
        let progress = Progress { fraction: Some(fraction), ..Progress::start(t(0.0)) };
        Operation { state: State::Running, started_at: Some(t(0.0)), progress: Some(progress), ..queued }
    }

    #[test]
    fn without_past_runs_the_rate_is_used_and_the_range_is_called_a_guess() {
        let (forecasts, mut track) = (Forecasts::default(), Track::default());
        assert_eq!(forecasts.think(&at(0.0), &mut track, t(0.0)), None);
        let forecast = forecasts.think(&at(0.25), &mut track, t(10.0)).unwrap();
        assert_eq!((forecast.ends_at, forecast.basis, forecast.judged), (t(40.0), ForecastBasis::Rate, 0));
        assert_eq!((forecast.earliest, forecast.latest), (t(25.0), t(70.0)));
        assert_eq!(forecasts.think(&at(0.26), &mut track, t(10.5)), None, "once a second is enough");
    }

    #[test]
    fn an_impossible_remaining_time_gives_no_forecast() {
        let mut operation = at(0.0);
        let progress = Progress { fraction: None, eta_seconds: Some(-30.0), ..Progress::start(t(0.0)) };
        operation.progress = Some(progress);
        assert_eq!(Forecasts::default().think(&operation, &mut Track::default(), t(1.0)), None);
    }

    #[test]
    fn similar_past_runs_count_from_the_start() {
        let mut forecasts = Forecasts::default();
        for (title, seconds) in [("MSFT", 60.0), ("NVDA", 900.0), ("MSFT", 62.0), ("MSFT", 61.0)] {
            forecasts.learn(&kind(), Run { title: title.into(), seconds, ratios: vec![] });
        }
        let forecast = forecasts.think(&at(0.0), &mut Track::default(), t(1.0)).unwrap();
        assert_eq!((forecast.ends_at, forecast.basis), (t(61.0), ForecastBasis::History));
    }

    #[test]
    fn a_run_older_than_all_past_runs_uses_only_its_rate() {
        let mut forecasts = Forecasts::default();
        forecasts.learn(&kind(), Run { title: "MSFT".into(), seconds: 10.0, ratios: vec![1.0; 9] });
        let mut track = Track::default();
        forecasts.think(&at(0.0), &mut track, t(0.0));
        // Half the age of the previous run, at two fifths: 7.5 s more by rate, 5 s by past runs.
        let young = forecasts.think(&at(0.4), &mut track.clone(), t(5.0)).unwrap();
        assert_eq!((young.basis, young.judged), (ForecastBasis::Both, 9));
        assert!(young.ends_at > t(10.0) && young.ends_at < t(12.5), "{young:?}");
        // Three times the age, at one percent: it is slow, but how slow is not well known.
        let old = forecasts.think(&at(0.01), &mut track, t(30.0)).unwrap();
        assert_eq!((old.ends_at, old.basis, old.judged), (t(3_000.0), ForecastBasis::Rate, 0));
        assert_eq!(old.latest, t(30.0 + 2_970.0 * 2.0));
    }

    #[test]
    fn a_contradicting_rate_outweighs_past_runs_at_once() {
        let mut forecasts = Forecasts::default();
        for seconds in [14.0, 16.0, 18.0] {
            forecasts.learn(&kind(), Run { title: "MSFT".into(), seconds, ratios: vec![] });
        }
        // This one takes 240 s.
        let mut track = Track::default();
        for tenths in 1..120 {
            let seconds = f64::from(tenths) / 10.0;
            if let Some(forecast) = forecasts.think(&at(seconds / 240.0), &mut track, t(seconds)) {
                assert_eq!(forecast.basis, ForecastBasis::Rate, "after {seconds} s");
                let whole = forecast.ends_at.seconds_since(t(0.0));
                assert!((200.0..280.0).contains(&whole), "after {seconds} s: {whole} s");
            }
        }
    }

    #[test]
    fn after_a_slowdown_the_recent_rate_counts() {
        let forecasts = Forecasts::default();
        let mut track = Track::default();
        // 800 items in 2 s, then 200 at 20 per second, as the host measures.
        let progress = |done: f64, eta: f64| {
            let mut operation = at(done / 1_000.0);
            operation.progress.as_mut().unwrap().eta_seconds = Some(eta);
            operation
        };
        forecasts.think(&progress(0.0, 2.5), &mut track, t(0.0));
        let steady = forecasts.think(&progress(400.0, 1.6), &mut track.clone(), t(1.0)).unwrap();
        let ends = |forecast: Forecast| (forecast.ends_at.seconds_since(t(0.0)) * 1_000.0).round();
        assert_eq!(ends(steady), 2_500.0, "as long as both agree the mean counts");
        let slow = forecasts.think(&progress(880.0, 6.0), &mut track, t(6.0)).unwrap();
        assert_eq!(ends(slow), 12_000.0);
    }

    #[test]
    fn very_different_runs_and_a_single_other_title_give_no_forecast() {
        let past = |runs: &[(&str, f64)]| {
            let mut forecasts = Forecasts::default();
            for (title, seconds) in runs {
                forecasts.learn(&kind(), Run { title: (*title).into(), seconds: *seconds, ratios: vec![] });
            }
            forecasts.think(&at(0.0), &mut Track::default(), t(1.0)).map(|forecast| forecast.ends_at)
        };
        assert_eq!(past(&[("NVDA", 60.0)]), None);
        assert_eq!(past(&[("NVDA", 60.0), ("AAPL", 62.0)]), Some(t(62.0)));
        assert_eq!(past(&[("NVDA", 9.0), ("AAPL", 62.0)]), None);
        assert_eq!(past(&[("MSFT", 60.0), ("AAPL", 9.0)]), Some(t(60.0)));
    }

    #[test]
    fn the_range_covers_four_of_five_past_forecasts() {
        let mut forecasts = Forecasts::default();
        let ratios: Vec<f64> = (0..=100).map(|n| 0.5 + f64::from(n) / 100.0).collect();
        forecasts.learn(&kind(), Run { title: "NVDA".into(), seconds: 100.0, ratios });
        let mut track = Track::default();
        forecasts.think(&at(0.0), &mut track, t(0.0));
        let forecast = forecasts.think(&at(0.5), &mut track, t(50.0)).unwrap();
        assert_eq!(forecast.judged, 101);
        assert_eq!(forecast.ends_at, t(100.0));
        assert_eq!((forecast.earliest, forecast.latest), (t(80.0), t(120.0)));
    }

    #[test]
    fn an_end_calibrates_the_forecasts_of_its_run() {
        let forecasts = Forecasts::default();
        let mut track = Track::default();
        forecasts.think(&at(0.0), &mut track, t(0.0));
        forecasts.think(&at(0.1), &mut track, t(10.0));
        forecasts.think(&at(0.5), &mut track, t(50.0));
        let ended = Operation { state: State::Succeeded, ended_at: Some(t(110.0)), ..at(1.0) };
        let run = track.judge(&ended).unwrap();
        assert_eq!(run.seconds, 110.0);
        // 90 s predicted at 10 s, took 100; 50 s predicted at 50 s (for two marks), took 60.
        assert_eq!(run.ratios, [100.0 / 90.0, 1.2, 1.2]);
    }

    #[test]
    fn a_clock_jump_restarts_the_rate_and_calibrates_nothing() {
        let mut forecasts = Forecasts::default();
        forecasts.learn(&kind(), Run { title: "MSFT".into(), seconds: 1_000.0, ratios: vec![] });
        let mut track = Track::default();
        forecasts.think(&at(0.0), &mut track, t(0.0));
        forecasts.think(&at(0.5), &mut track, t(50.0));
        // Back by an hour.
        track.clock_jumped();
        assert_eq!(forecasts.think(&at(0.5), &mut track, t(-3_549.0)), None);
        let forecast = forecasts.think(&at(0.75), &mut track, t(-3_524.0)).unwrap();
        assert_eq!((forecast.ends_at, forecast.basis), (t(-3_499.0), ForecastBasis::Rate));
        assert_eq!(track.judge(&Operation { ended_at: Some(t(60.0)), ..at(1.0) }), None);
    }

    #[test]
    fn the_rate_of_a_resumed_attempt_begins_at_its_checkpoint() {
        let mut forecasts = Forecasts::default();
        forecasts.learn(&kind(), Run { title: "MSFT".into(), seconds: 1_000.0, ratios: vec![] });
        let mut track = Track::default();
        assert_eq!(forecasts.think(&at(0.5), &mut track, t(0.0)), None);
        let forecast = forecasts.think(&at(0.75), &mut track, t(10.0)).unwrap();
        assert_eq!((forecast.ends_at, forecast.basis), (t(20.0), ForecastBasis::Rate));
        assert_eq!(track.judge(&Operation { ended_at: Some(t(20.0)), ..at(1.0) }), None);
    }

    #[test]
    fn a_resumed_attempt_neither_uses_nor_adds_past_runs() {
        let mut forecasts = Forecasts::default();
        forecasts.learn(&kind(), Run { title: "MSFT".into(), seconds: 10.0, ratios: vec![] });
        let mut track = Track::of(AttemptOrigin::Resume);
        assert_eq!(forecasts.think(&at(0.0), &mut track, t(1.0)), None);
        assert_eq!(forecasts.think(&at(0.2), &mut track, t(1.1)), None, "an earlier attempt came that far");
        let forecast = forecasts.think(&at(0.3), &mut track, t(11.1)).unwrap();
        assert_eq!((forecast.ends_at, forecast.basis), (t(81.1), ForecastBasis::Rate));
        track.clock_jumped();
        assert_eq!(forecasts.think(&at(0.5), &mut track, t(900.0)), None);
        assert_eq!(
            Track::of(AttemptOrigin::Resume).judge(&Operation { ended_at: Some(t(9.0)), ..at(1.0) }),
            None
        );
        assert!(
            Track::of(AttemptOrigin::Retry).judge(&Operation { ended_at: Some(t(9.0)), ..at(1.0) }).is_some()
        );
    }
}
