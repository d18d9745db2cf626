//! Relative strength index (RSI).

use crate::average::wilder;

/// Wilder's relative strength index, from 0 (only losses) to 100 (only gains).
///
/// With `gain = max(x[i] − x[i-1], 0)` and `loss = max(x[i-1] − x[i], 0)`, both smoothed by Wilder's average (`avg[i] =
/// avg[i-1] + (v − avg[i-1]) / period`, seeded by the mean of the first `period` of them): `rsi = 100 · (gain / (gain +
/// loss))`. This equals the book's `100 − 100 / (1 + gain / loss)` without its division by 0. Without any movement it
/// is 50 (TA-Lib returns 0, which would read as a fall).
///
/// Warm-up: `period`. Source: Wilder, *New Concepts in Technical Trading Systems* (1978), section VI; TA-Lib `RSI`.
pub fn rsi(values: &[f64], period: usize) -> Vec<f64> {
    let change = |sign: f64| {
        let mut out = Vec::with_capacity(values.len());
        out.extend(values.first().map(|_| f64::NAN));
        // `max` alone would turn `NaN` into 0.
        out.extend(values.windows(2).map(|pair| {
            let by = sign * (pair[1] - pair[0]);
            if by.is_nan() { by } else { by.max(0.0) }
        }));
        wilder(&out, period)
    };
    let strength = |(gain, loss): (f64, f64)| match gain + loss {
        0.0 => 50.0,
        // The share first: 100 · gain can round to more than both.
        both => 100.0 * (gain / both),
    };
    change(1.0).into_iter().zip(change(-1.0)).map(strength).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rsi_reaches_0_and_100_and_is_50_without_movement() {
        let up: Vec<f64> = (0..30).map(f64::from).collect();
        let down: Vec<f64> = up.iter().map(|v| 100.0 - v).collect();
        for (values, expected) in [(up, 100.0), (down, 0.0), (vec![7.0; 30], 50.0)] {
            let out = rsi(&values, 14);
            assert!(out[..14].iter().all(|v| v.is_nan()));
            assert!(out[14..].iter().all(|v| *v == expected), "{expected}: {out:?}");
        }
    }
}
