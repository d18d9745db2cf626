//! No lookahead in samples. Also has the test bars of all other files.

use super::*;
use crate::dice;
use proptest::prelude::*;

/// Hourly bars of a random walk, by seed.
pub(crate) fn walk(count: usize, seed: u64) -> Vec<Bar> {
    let steps = dice::weights(seed as u32, 0, count * 2, 1.0);
    let mut close = 100.0;
    (0..count)
        .map(|i| {
            let open = close;
            close *= 1.0 + f64::from(steps[i]) * 0.01;
            Bar {
                time: Time::from_micros(1_600_000_000_000_000 + i as i64 * 3_600_000_000),
                open,
                high: f64::max(open, close) * 1.001,
                low: f64::min(open, close) * 0.999,
                close,
                volume: Some(1_000.0 * (2.0 + f64::from(steps[count + i]))),
            }
        })
        .collect()
}

/// Predictable bars: a wave of 16 bars with some noise.
pub(crate) fn wave(count: usize) -> Vec<Bar> {
    let mut bars = walk(count, 5);
    for (i, bar) in bars.iter_mut().enumerate() {
        let level = |i: usize| 100.0 + 4.0 * (i as f64 * std::f64::consts::TAU / 16.0).sin();
        let noise = (bar.close / bar.open - 1.0) * 10.0;
        bar.open = level(i);
        bar.close = level(i + 1) + noise;
        bar.high = bar.open.max(bar.close) + 0.1;
        bar.low = bar.open.min(bar.close) - 0.1;
    }
    bars
}

pub(crate) fn sample_config() -> SampleConfig {
    SampleConfig {
        features: ["return_1", "return_4", "rsi_6", "bollinger_b_8"]
            .map(|n| Feature::parse(n).unwrap())
            .to_vec(),
        horizon: 4,
        threshold: 0.004,
        validation_share: 0.2,
        test_share: 0.2,
    }
}

pub(crate) fn keep_going() -> Result<(), WorkError> {
    Ok(())
}

#[test]
fn samples_keep_the_order_of_time_and_the_gap_between_parts() {
    let bars = walk(400, 1);
    let of = samples(&[&bars], &sample_config(), &keep_going).unwrap();
    assert_eq!(
        of.train.len() + of.validation.len() + of.test.len(),
        400 - 4 - 7 - 2 * 4,
        "warm-up, future, gaps"
    );
    assert!(of.train.until < of.validation.from && of.validation.until < of.test.from);
    assert_eq!(of.train.inputs.len(), of.train.len() * 4);
    let mean: f32 = of.train.inputs.iter().step_by(4).sum::<f32>() / of.train.len() as f32;
    assert!(mean.abs() < 1e-4, "{mean}");
}

#[test]
fn symbols_with_different_times_are_split_at_the_same_times() {
    let early = walk(600, 1);
    let mut late = walk(600, 2);
    late.iter_mut().for_each(|bar| bar.time = bar.time.plus_micros(200 * 3_600_000_000));
    let of = samples(&[&early, &late], &sample_config(), &keep_going).unwrap();
    assert!(of.train.until < of.validation.from && of.validation.until < of.test.from);
}

#[test]
fn too_few_bars_or_one_class_are_rejected_with_advice() {
    let error = samples(&[&walk(60, 1)], &sample_config(), &keep_going).unwrap_err().to_string();
    assert!(error.contains("at least 20 are needed"), "{error}");
    assert!(samples(&[&[]], &sample_config(), &keep_going).is_err());
    let flat = SampleConfig { threshold: 5.0, ..sample_config() };
    let error = samples(&[&walk(400, 1)], &flat, &keep_going).unwrap_err().to_string();
    assert!(error.contains("'flat'"), "{error}");
}

#[test]
fn bars_beyond_the_memory_limit_are_rejected_before_any_computation() {
    let error = check_memory(12_500_001, &sample_config()).unwrap_err().to_string();
    assert!(
        error.starts_with("12,500,001 bars with 4 features") && error.contains("which is 12,500,000 bars"),
        "{error}"
    );
    assert_eq!(check_memory(12_500_000, &sample_config()), Ok(()));
}

#[test]
fn sampling_stops_on_request() {
    let stop = || Err(WorkError::Cancelled);
    assert_eq!(samples(&[&walk(400, 1)], &sample_config(), &stop), Err(WorkError::Cancelled));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn future_bars_never_change_the_training_part(seed in 2u64..500, scale in 0.2f64..5.0) {
        let bars = walk(400, 1);
        let of = samples(&[&bars], &sample_config(), &keep_going).unwrap();
        let mut other = bars.clone();
        let first = bars.iter().position(|b| b.time > of.train.until).unwrap();
        for (bar, new) in other.iter_mut().zip(walk(400, seed)).skip(first) {
            *bar = Bar { time: bar.time, close: new.close * scale, high: new.high * scale, low: new.low * scale, ..new };
        }
        let changed = samples(&[&other], &sample_config(), &keep_going).unwrap();
        prop_assert_eq!(&of.train, &changed.train);
        prop_assert_eq!(&of.scaler, &changed.scaler);
        prop_assert_ne!(of.digest, changed.digest);
    }

    #[test]
    fn the_order_of_the_test_part_changes_nothing_before_it(seed: u32) {
        let bars = walk(400, 1);
        let of = samples(&[&bars], &sample_config(), &keep_going).unwrap();
        let first = bars.iter().position(|b| b.time > of.validation.until).unwrap();
        let mut other = bars.clone();
        for (to, from) in dice::order(seed, 1, bars.len() - first).into_iter().enumerate() {
            other[first + to] = Bar { time: bars[first + to].time, ..bars[first + from] };
        }
        let changed = samples(&[&other], &sample_config(), &keep_going).unwrap();
        prop_assert_eq!(of.train, changed.train);
        prop_assert_eq!(of.validation, changed.validation);
        prop_assert_eq!(of.scaler, changed.scaler);
    }
}
