//! Percentiles of measured times.

use serde::Serialize;

/// Summary of latencies, in milliseconds.
#[derive(Serialize, Clone, Copy, Debug, PartialEq)]
pub struct Latencies {
    pub samples: usize,
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
}

impl Latencies {
    /// Summary of these values; `None` without any.
    pub fn of(mut millis: Vec<f64>) -> Option<Self> {
        millis.sort_by(f64::total_cmp);
        let max = *millis.last()?;
        let at = |share: f64| millis[((millis.len() - 1) as f64 * share) as usize];
        Some(Self { samples: millis.len(), p50: at(0.5), p99: at(0.99), max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let millis: Vec<f64> = (0..=200).rev().map(f64::from).collect();
        let expected = Latencies { samples: 201, p50: 100.0, p99: 198.0, max: 200.0 };
        assert_eq!(Latencies::of(millis), Some(expected));
        assert_eq!(Latencies::of(Vec::new()), None);
    }
}
