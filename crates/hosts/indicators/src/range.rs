//! Price ranges within a bar and between bars.

use crate::average::wilder;

/// Wilder's true range: the price range since the previous close.
///
/// `max(high − low, |high − close[i-1]|, |low − close[i-1]|)`. The first bar has no previous close and gives `NaN`, as
/// in TA-Lib `TRANGE`. Warm-up: 1. Source: Wilder, *New Concepts in Technical Trading Systems* (1978).
///
/// # Panics
/// If the three slices differ in length.
pub fn true_range(high: &[f64], low: &[f64], close: &[f64]) -> Vec<f64> {
    assert!(
        high.len() == low.len() && low.len() == close.len(),
        "high, low and close must have the same length: {}, {} and {} values",
        high.len(),
        low.len(),
        close.len()
    );
    let mut out = Vec::with_capacity(close.len());
    out.extend(close.first().map(|_| f64::NAN));
    let rest = high.iter().zip(low).skip(1).zip(close);
    out.extend(
        rest.map(|((high, low), before)| (high - low).max((high - before).abs()).max((low - before).abs())),
    );
    out
}

/// Average true range: [`true_range`] smoothed by Wilder's average.
///
/// `atr[i] = atr[i-1] + (tr[i] − atr[i-1]) / period`, seeded by the mean of the first `period` true ranges. Warm-up:
/// `period`. Source: Wilder (1978); TA-Lib `ATR`.
///
/// # Panics
/// If the three slices differ in length.
pub fn atr(high: &[f64], low: &[f64], close: &[f64], period: usize) -> Vec<f64> {
    wilder(&true_range(high, low, close), period)
}
