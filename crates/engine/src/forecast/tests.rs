//! Tests of forecasts, their ranges, and their calibration.

use super::*;
use protocol::{OperationId, Progress};

fn t(seconds: f64) -> Time {
    Time::from_micros(1_000_000_000 + (seconds * 1e6) as i64)
}

fn kind() -> KindName {
    KindName::new("data.load").unwrap()
}

fn at(fraction: f64) -> Operation {
    let queued = Operation::queued(OperationId::new(), kind(), "MSFT".into(), serde_json::json!({}), t(0.0));
    let progress = Progress { fraction: Some(fraction), ..Progress::start(t(0.0)) };
    Operation { state: State::Running, started_at: Some(t(0.0)), progress: Some(progress), ..queued }
}

/// New forecast of an operation.
fn next(forecasts: &Forecasts, operation: &Operation, track: &mut Track, now: Time) -> Option<Forecast> {
    match forecasts.predict(operation, track, now) {
        Prediction::New(forecast) => Some(forecast),
        Prediction::Unchanged | Prediction::Withdrawn => None,
    }
}

#[test]
fn a_forecast_is_withdrawn_with_the_fraction_and_by_a_cancel() {
    let (mut forecasts, mut track) = (Forecasts::default(), Track::default());
    let unknown = Operation { progress: Some(Progress::start(t(0.0))), ..at(0.0) };
    assert_eq!(unknown.progress.as_ref().unwrap().fraction, None);
    assert_eq!(forecasts.predict(&unknown, &mut track, t(0.0)), Prediction::Unchanged, "there was none");
    forecasts.predict(&at(0.0), &mut track, t(1.0));
    assert!(next(&forecasts, &at(0.5), &mut track, t(11.0)).is_some());
    let cancelling = Operation { state: State::Cancelling, ..at(0.6) };
    assert_eq!(forecasts.predict(&cancelling, &mut track.clone(), t(12.0)), Prediction::Withdrawn);
    // Less than a second after the last forecast.
    assert_eq!(forecasts.predict(&unknown, &mut track.clone(), t(11.1)), Prediction::Withdrawn);
    // Past runs are another basis.
    for seconds in [60.0, 61.0, 62.0] {
        forecasts.learn(&kind(), Run { title: "MSFT".into(), seconds, ratios: vec![] });
    }
    let by_history = next(&forecasts, &unknown, &mut track, t(11.1)).unwrap();
    assert_eq!(by_history.basis, ForecastBasis::History);
}

#[test]
fn without_past_runs_the_rate_is_used_and_the_range_is_called_a_guess() {
    let (forecasts, mut track) = (Forecasts::default(), Track::default());
    assert_eq!(next(&forecasts, &at(0.0), &mut track, t(0.0)), None);
    let forecast = next(&forecasts, &at(0.25), &mut track, t(10.0)).unwrap();
    assert_eq!((forecast.ends_at, forecast.basis, forecast.judged), (t(40.0), ForecastBasis::Rate, 0));
    assert_eq!((forecast.earliest, forecast.latest), (t(25.0), t(70.0)));
    assert_eq!(next(&forecasts, &at(0.26), &mut track, t(10.5)), None, "once a second is enough");
}

#[test]
fn an_impossible_remaining_time_gives_no_forecast() {
    let mut operation = at(0.0);
    let progress = Progress { fraction: None, eta_seconds: Some(-30.0), ..Progress::start(t(0.0)) };
    operation.progress = Some(progress);
    assert_eq!(next(&Forecasts::default(), &operation, &mut Track::default(), t(1.0)), None);
}

#[test]
fn similar_past_runs_count_from_the_start() {
    let mut forecasts = Forecasts::default();
    for (title, seconds) in [("MSFT", 60.0), ("NVDA", 900.0), ("MSFT", 62.0), ("MSFT", 61.0)] {
        forecasts.learn(&kind(), Run { title: title.into(), seconds, ratios: vec![] });
    }
    let forecast = next(&forecasts, &at(0.0), &mut Track::default(), t(1.0)).unwrap();
    assert_eq!((forecast.ends_at, forecast.basis), (t(61.0), ForecastBasis::History));
}

#[test]
fn a_run_older_than_all_past_runs_uses_only_its_rate() {
    let mut forecasts = Forecasts::default();
    forecasts.learn(&kind(), Run { title: "MSFT".into(), seconds: 10.0, ratios: vec![1.0; 9] });
    let mut track = Track::default();
    next(&forecasts, &at(0.0), &mut track, t(0.0));
    // Half the age of the previous run, at two fifths: 7.5 s more by rate, 5 s by past runs.
    let young = next(&forecasts, &at(0.4), &mut track.clone(), t(5.0)).unwrap();
    assert_eq!((young.basis, young.judged), (ForecastBasis::Both, 9));
    assert!(young.ends_at > t(10.0) && young.ends_at < t(12.5), "{young:?}");
    // Three times the age, at one percent: it is slow, but how slow is not well known.
    let old = next(&forecasts, &at(0.01), &mut track, t(30.0)).unwrap();
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
        if let Some(forecast) = next(&forecasts, &at(seconds / 240.0), &mut track, t(seconds)) {
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
    next(&forecasts, &progress(0.0, 2.5), &mut track, t(0.0));
    let steady = next(&forecasts, &progress(400.0, 1.6), &mut track.clone(), t(1.0)).unwrap();
    let ends = |forecast: Forecast| (forecast.ends_at.seconds_since(t(0.0)) * 1_000.0).round();
    assert_eq!(ends(steady), 2_500.0, "as long as both agree the mean counts");
    let slow = next(&forecasts, &progress(880.0, 6.0), &mut track, t(6.0)).unwrap();
    assert_eq!(ends(slow), 12_000.0);
}

#[test]
fn very_different_runs_and_a_single_other_title_give_no_forecast() {
    let past = |runs: &[(&str, f64)]| {
        let mut forecasts = Forecasts::default();
        for (title, seconds) in runs {
            forecasts.learn(&kind(), Run { title: (*title).into(), seconds: *seconds, ratios: vec![] });
        }
        next(&forecasts, &at(0.0), &mut Track::default(), t(1.0)).map(|forecast| forecast.ends_at)
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
    next(&forecasts, &at(0.0), &mut track, t(0.0));
    let forecast = next(&forecasts, &at(0.5), &mut track, t(50.0)).unwrap();
    assert_eq!(forecast.judged, 101);
    assert_eq!(forecast.ends_at, t(100.0));
    assert_eq!((forecast.earliest, forecast.latest), (t(80.0), t(120.0)));
}

#[test]
fn an_end_calibrates_the_forecasts_of_its_run() {
    let forecasts = Forecasts::default();
    let mut track = Track::default();
    next(&forecasts, &at(0.0), &mut track, t(0.0));
    next(&forecasts, &at(0.1), &mut track, t(10.0));
    next(&forecasts, &at(0.5), &mut track, t(50.0));
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
    next(&forecasts, &at(0.0), &mut track, t(0.0));
    next(&forecasts, &at(0.5), &mut track, t(50.0));
    // Back by an hour.
    track.clock_jumped();
    assert_eq!(next(&forecasts, &at(0.5), &mut track, t(-3_549.0)), None);
    let forecast = next(&forecasts, &at(0.75), &mut track, t(-3_524.0)).unwrap();
    assert_eq!((forecast.ends_at, forecast.basis), (t(-3_499.0), ForecastBasis::Rate));
    assert_eq!(track.judge(&Operation { ended_at: Some(t(60.0)), ..at(1.0) }), None);
}

#[test]
fn the_rate_of_a_resumed_attempt_begins_at_its_checkpoint() {
    let mut forecasts = Forecasts::default();
    forecasts.learn(&kind(), Run { title: "MSFT".into(), seconds: 1_000.0, ratios: vec![] });
    let mut track = Track::default();
    assert_eq!(next(&forecasts, &at(0.5), &mut track, t(0.0)), None);
    let forecast = next(&forecasts, &at(0.75), &mut track, t(10.0)).unwrap();
    assert_eq!((forecast.ends_at, forecast.basis), (t(20.0), ForecastBasis::Rate));
    assert_eq!(track.judge(&Operation { ended_at: Some(t(20.0)), ..at(1.0) }), None);
}

#[test]
fn a_resumed_attempt_neither_uses_nor_adds_past_runs() {
    let mut forecasts = Forecasts::default();
    forecasts.learn(&kind(), Run { title: "MSFT".into(), seconds: 10.0, ratios: vec![] });
    let mut track = Track::of(AttemptOrigin::Resume);
    assert_eq!(next(&forecasts, &at(0.0), &mut track, t(1.0)), None);
    assert_eq!(next(&forecasts, &at(0.2), &mut track, t(1.1)), None, "an earlier attempt came that far");
    let forecast = next(&forecasts, &at(0.3), &mut track, t(11.1)).unwrap();
    assert_eq!((forecast.ends_at, forecast.basis), (t(81.1), ForecastBasis::Rate));
    track.clock_jumped();
    assert_eq!(next(&forecasts, &at(0.5), &mut track, t(900.0)), None);
    assert_eq!(
        Track::of(AttemptOrigin::Resume).judge(&Operation { ended_at: Some(t(9.0)), ..at(1.0) }),
        None
    );
    assert!(
        Track::of(AttemptOrigin::Retry).judge(&Operation { ended_at: Some(t(9.0)), ..at(1.0) }).is_some()
    );
}
