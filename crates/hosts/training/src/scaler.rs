//! Standardizes every feature to mean 0 and deviation 1, fitted on the training set only.

use serde::{Deserialize, Serialize};

/// A deviation below this share of the feature's size (at least 1) is a rounding error: features are ratios and scores
/// of size 1, and real changes exceed a millionth.
const ROUNDING: f64 = 1e-9;

/// Mean and standard deviation of each feature.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Scaler {
    pub(crate) mean: Vec<f64>,
    /// Population deviation; 1 for a constant feature.
    pub(crate) std: Vec<f64>,
}

impl Scaler {
    /// Fits to rows of `width` numbers, one after the other.
    pub(crate) fn fit(rows: &[f64], width: usize) -> Self {
        let count = (rows.len() / width).max(1) as f64;
        let mut mean = vec![0.0; width];
        for row in rows.chunks_exact(width) {
            mean.iter_mut().zip(row).for_each(|(m, v)| *m += v);
        }
        mean.iter_mut().for_each(|m| *m /= count);
        let mut std = vec![0.0; width];
        for row in rows.chunks_exact(width) {
            std.iter_mut().zip(row).zip(&mean).for_each(|((s, v), m)| *s += (v - m) * (v - m));
        }
        for (s, m) in std.iter_mut().zip(&mean) {
            let deviation = (*s / count).sqrt();
            // A rounding error in the training set would become a huge number as soon as the feature changes.
            *s = if deviation > m.abs().max(1.0) * ROUNDING { deviation } else { 1.0 };
        }
        Self { mean, std }
    }

    /// Appends the scaled values of a row to `out`.
    pub(crate) fn scale(&self, row: impl Iterator<Item = f64>, out: &mut Vec<f32>) {
        out.extend(row.zip(&self.mean).zip(&self.std).map(|((v, mean), std)| ((v - mean) / std) as f32));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaled_rows_have_mean_0_and_deviation_1() {
        let rows = [1.0, 0.1, 3.0, 0.1, 5.0, 0.1, 7.0, 0.1];
        let scaler = Scaler::fit(&rows, 2);
        assert_eq!(scaler.mean[0], 4.0);
        assert_eq!(scaler.std, [5.0f64.sqrt(), 1.0], "what never changes is not blown up");
        let mut out = Vec::new();
        rows.chunks(2).for_each(|row| scaler.scale(row.iter().copied(), &mut out));
        let first: Vec<f32> = out.iter().step_by(2).copied().collect();
        assert!(first.iter().sum::<f32>().abs() < 1e-6);
        assert!((first.iter().map(|v| v * v).sum::<f32>() / 4.0 - 1.0).abs() < 1e-6);
        assert!(out.iter().skip(1).step_by(2).all(|v| v.abs() < 1e-6));
    }

    #[test]
    fn a_feature_of_rounding_noise_is_not_scaled_up() {
        // Around 0, around a mean, and around a large mean; the last one changes only slightly.
        let row = |i: usize| {
            let noise = (i % 7) as f64 - 3.0;
            [noise * 1e-17, 0.001 + noise * 1e-16, 1e6 + noise * 1e-10, noise * 1e-6]
        };
        let rows: Vec<f64> = (0..700).flat_map(row).collect();
        let std = Scaler::fit(&rows, 4).std;
        assert_eq!(std[..3], [1.0, 1.0, 1.0]);
        assert!((std[3] - 2e-6).abs() < 1e-12, "{}", std[3]);
    }
}
