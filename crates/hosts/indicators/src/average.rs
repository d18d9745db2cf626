//! Moving averages: simple, exponential and Wilder's.

use crate::{begin, unknown};

/// Simple moving average: the mean of the last `period` values.
///
/// `sma[i] = (x[i-period+1] + … + x[i]) / period`. Warm-up: `period − 1`. Source: TA-Lib `SMA`.
pub fn sma(values: &[f64], period: usize) -> Vec<f64> {
    let mut out = unknown(values);
    let begin = begin(values);
    if period == 0 {
        return out;
    }
    // A window is the end of one block of `period` values and the start of the next. Each sum has values of the window
    // only, so that large values leave no rounding error behind.
    let mut ends = vec![0.0; period.min(values.len())];
    for (number, block) in values[begin..].chunks(period).enumerate() {
        let from = begin + number * period;
        let mut sum = 0.0;
        for (i, value) in block.iter().enumerate() {
            sum += value;
            let last = from + i;
            if last + 1 >= begin + period {
                let before = if i + 1 < period { ends[i + 1] } else { 0.0 };
                out[last] = (before + sum) / period as f64;
            }
        }
        if block.len() == period {
            let mut sum = 0.0;
            for (end, value) in ends.iter_mut().zip(block).rev() {
                sum += value;
                *end = sum;
            }
        }
    }
    out
}

/// Exponential moving average with `a = 2 / (period + 1)`.
///
/// `ema[i] = ema[i-1] + a · (x[i] − ema[i-1])`, seeded by the simple average of the first `period` values. Warm-up:
/// `period − 1`. Source: TA-Lib `EMA`, which has the same seed. pandas' `ewm(adjust=False)` starts with the first value
/// instead, and converges.
pub fn ema(values: &[f64], period: usize) -> Vec<f64> {
    ema_from(values, period, begin(values))
}

/// Exponential moving average, seeded by the `period` values from `begin` on.
pub(crate) fn ema_from(values: &[f64], period: usize, begin: usize) -> Vec<f64> {
    smooth(values, period, begin, 2.0 / (period as f64 + 1.0))
}

/// Wilder's average with `a = 1 / period`, seeded by the simple average of the first `period` values. Source: Wilder,
/// *New Concepts in Technical Trading Systems* (1978).
pub(crate) fn wilder(values: &[f64], period: usize) -> Vec<f64> {
    smooth(values, period, begin(values), 1.0 / period as f64)
}

fn smooth(values: &[f64], period: usize, begin: usize, share: f64) -> Vec<f64> {
    let mut out = unknown(values);
    if period == 0 || begin + period > values.len() {
        return out;
    }
    let seeded = begin + period - 1;
    let mut average = values[begin..=seeded].iter().sum::<f64>() / period as f64;
    out[seeded] = average;
    for i in seeded + 1..values.len() {
        average += share * (values[i] - average);
        out[i] = average;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_that_is_never_filled_gives_no_value() {
        for period in [0, 4, usize::MAX / 2] {
            for out in [sma(&[1.0, 2.0, 3.0], period), ema(&[1.0, 2.0, 3.0], period)] {
                assert!(out.len() == 3 && out.iter().all(|v| v.is_nan()), "{period}: {out:?}");
            }
        }
        assert!(sma(&[], 1).is_empty());
    }

    #[test]
    fn missing_leading_values_delay_the_average() {
        let late = [f64::NAN, f64::NAN, 2.0, 4.0, 6.0];
        for out in [sma(&late, 2), ema(&late, 2)] {
            assert!(out[..3].iter().all(|v| v.is_nan()));
            assert_eq!(out[3..], [3.0, 5.0]);
        }
    }

    #[test]
    fn a_huge_value_has_no_effect_after_leaving_the_window() {
        for huge in [1e17, 9_223_372_036_854_775_807.0, -1e300] {
            for at in 0..25 {
                let mut values: Vec<f64> = (0..60).map(|i| 0.1 + f64::from(i % 4)).collect();
                let plain = sma(&values, 10);
                values[at] = huge;
                let average = sma(&values, 10);
                for i in (9..60).filter(|i| *i < at || *i >= at + 10) {
                    assert!((average[i] - plain[i]).abs() < 1e-14, "{huge} at {at}: {} at {i}", average[i]);
                }
            }
        }
    }

    #[test]
    fn a_long_moving_average_stays_exact() {
        // A running sum would keep the rounding errors of large values forever.
        let mut values = vec![1e15 + 0.25; 1_000];
        values.extend(vec![0.1; 1_000]);
        let average = sma(&values, 10);
        assert!((average[1_999] - 0.1).abs() < 1e-15, "{}", average[1_999]);
    }
}
