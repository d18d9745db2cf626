//! Dispersion: standard deviation, z-score and Bollinger bands.

use crate::{begin, sma, unknown};

/// Population standard deviation of the last `period` values.
///
/// `sqrt(Σ (x − mean)² / period)`. Warm-up: `period − 1`. Source: TA-Lib `STDDEV`; pandas
/// `rolling(period).std(ddof=0)`. For the sample estimate, multiply by `sqrt(period / (period − 1))`.
pub fn rolling_std(values: &[f64], period: usize) -> Vec<f64> {
    let mut out = unknown(values);
    if period == 0 {
        return out;
    }
    let begin = begin(values);
    // Mean first, then deviations: the difference of two large sums of squares would lose its digits.
    for (window, out) in values[begin..].windows(period).zip(out.iter_mut().skip(begin + period - 1)) {
        let mean = window.iter().sum::<f64>() / period as f64;
        let squares: f64 = window.iter().map(|v| (v - mean) * (v - mean)).sum();
        // The mean of equal values can have a rounding error, but their deviation is 0.
        let flat = window.iter().all(|v| *v == window[0]);
        *out = if flat { 0.0 } else { (squares / period as f64).sqrt() };
    }
    out
}

/// Z-score: distance of the value from the mean of the last `period` values (itself included), in standard deviations.
///
/// `(x[i] − sma[i]) / rolling_std[i]`; 0 if all values are equal. For volumes it shows unusual activity. Warm-up:
/// `period − 1`. Source: the standard score, with the deviation of [`rolling_std`].
pub fn z_score(values: &[f64], period: usize) -> Vec<f64> {
    let std = rolling_std(values, period);
    let mean = sma(values, period);
    let score =
        |((value, mean), std): ((&f64, f64), f64)| if std == 0.0 { 0.0 } else { (value - mean) / std };
    values.iter().zip(mean).zip(std).map(score).collect()
}

/// Series of [`bollinger`].
#[derive(Clone, PartialEq, Debug)]
pub struct Bollinger {
    /// Middle plus `k` standard deviations.
    pub upper: Vec<f64>,
    /// Simple moving average.
    pub middle: Vec<f64>,
    /// Middle minus `k` standard deviations.
    pub lower: Vec<f64>,
    /// Position of the value between the bands: 0 at the lower, 1 at the upper band.
    pub percent_b: Vec<f64>,
    /// Distance of the bands as a share of the middle.
    pub width: Vec<f64>,
}

/// Bollinger bands: an average, and a band `deviations` standard deviations above and below it.
///
/// `middle = sma(x, period)`, `upper = middle + deviations · rolling_std(x, period)`, `lower` likewise below;
/// `percent_b = (x − lower) / (upper − lower)`, 0.5 if both bands are equal; `width = (upper − lower) / middle`.
///
/// Warm-up: `period − 1`. Source: Bollinger, *Bollinger on Bollinger Bands* (2001); TA-Lib `BBANDS` with `SMA`.
pub fn bollinger(values: &[f64], period: usize, deviations: f64) -> Bollinger {
    let middle = sma(values, period);
    let off: Vec<f64> = rolling_std(values, period).iter().map(|s| s * deviations).collect();
    let both = || middle.iter().zip(&off);
    let place = |(value, (middle, off)): (&f64, (&f64, &f64))| {
        if *off == 0.0 { 0.5 } else { (value - (middle - off)) / (2.0 * off) }
    };
    Bollinger {
        upper: both().map(|(middle, off)| middle + off).collect(),
        lower: both().map(|(middle, off)| middle - off).collect(),
        percent_b: values.iter().zip(both()).map(place).collect(),
        width: both().map(|(middle, off)| 2.0 * off / middle).collect(),
        middle,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_no_deviation_and_are_in_the_middle() {
        let flat = [0.1; 40];
        assert!(rolling_std(&flat, 30)[29..].iter().all(|v| *v == 0.0));
        assert!(z_score(&flat, 30)[29..].iter().all(|v| *v == 0.0));
        let bands = bollinger(&flat, 30, 2.0);
        assert!(bands.percent_b[29..].iter().all(|v| *v == 0.5));
        assert!(bands.width[29..].iter().all(|v| *v == 0.0));
    }
}
