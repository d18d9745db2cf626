//! Values as integers, with a known error.
//!
//! The end of a metric's name is its unit, and the unit decides the scale. Small steps of a metric are small
//! differences of integers, which take a byte or less.

/// How a metric's values become integers. No metric is negative.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Scale {
    /// Multiples of a step: the error is at most half a step.
    Linear(f64),
    /// Powers of two, each divided into 2ⁿ steps: the error is at most 2⁻⁽ⁿ⁺¹⁾ of the value. 0 is exact.
    Logarithmic(u32),
}

/// Exponent of the smallest value above 0 on a logarithmic scale; smaller ones are 0.
const LOWEST_EXPONENT: u64 = 40;
/// Bits of the mantissa of a float.
const MANTISSA_BITS: u32 = 52;
/// Bias of the exponent of a float.
const BIAS: u64 = 1023;
/// Largest integer of a linear scale: floats represent all smaller ones.
const MAX_LINEAR: f64 = (1_u64 << 53) as f64;

impl Scale {
    /// Scale of the metric with this name.
    pub fn of(metric: &str) -> Self {
        let ends = |unit: &str| metric.ends_with(unit);
        if ends("_ratio") || ends("_cores") {
            Scale::Linear(0.001)
        } else if ends("_per_second") || ends("_seconds") {
            Scale::Logarithmic(7)
        } else if ends("_bytes") {
            Scale::Logarithmic(11)
        } else {
            Scale::Linear(0.01)
        }
    }

    /// Integer of a value. `None` if the value is negative, not a number or too large.
    pub fn encode(self, value: f64) -> Option<i64> {
        if !value.is_finite() || value < 0.0 {
            return None;
        }
        match self {
            Scale::Linear(step) => {
                let steps = (value / step).round();
                (steps < MAX_LINEAR).then_some(steps as i64)
            }
            Scale::Logarithmic(bits) => {
                let dropped = MANTISSA_BITS - bits;
                // The bits of positive floats are ordered like the floats, and rounding carries into the exponent.
                let rounded = (value.to_bits() + (1 << (dropped - 1))) >> dropped;
                Some(rounded.saturating_sub(Self::offset(bits)) as i64)
            }
        }
    }

    /// Value of an integer.
    pub fn decode(self, code: i64) -> f64 {
        match self {
            Scale::Linear(step) => code as f64 * step,
            Scale::Logarithmic(_) if code <= 0 => 0.0,
            Scale::Logarithmic(bits) => {
                let value = f64::from_bits(
                    (code as u64).saturating_add(Self::offset(bits)) << (MANTISSA_BITS - bits),
                );
                if value.is_finite() { value } else { f64::MAX }
            }
        }
    }

    fn offset(bits: u32) -> u64 {
        ((BIAS - LOWEST_EXPONENT) << bits) - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn zero_and_whole_steps_are_exact_and_impossible_values_are_refused() {
        for metric in ["cpu.busy_ratio", "memory.used_bytes", "disk.sda.reads_per_second", "host.running"] {
            let scale = Scale::of(metric);
            assert_eq!(scale.encode(0.0).map(|code| scale.decode(code)), Some(0.0), "{metric}");
            for impossible in [-1.0, f64::NAN, f64::INFINITY] {
                assert_eq!(scale.encode(impossible), None, "{metric}");
            }
        }
        assert_eq!(Scale::of("process.threads"), Scale::Linear(0.01));
    }

    proptest! {
        #[test]
        fn a_value_is_read_back_within_the_error_of_its_scale(value in prop_oneof![0.0f64..2.0, 0.0f64..1e14]) {
            for scale in [Scale::Linear(0.001), Scale::Linear(0.01)] {
                let Scale::Linear(step) = scale else { unreachable!() };
                if let Some(code) = scale.encode(value) {
                    // Half a step, and the resolution of floats.
                    prop_assert!((scale.decode(code) - value).abs() <= step * 0.5001 + value * 1e-15);
                }
            }
            for bits in [7, 11] {
                let scale = Scale::Logarithmic(bits);
                let read = scale.decode(scale.encode(value).unwrap());
                let limit = value / f64::from(1 << (bits + 1)) + 2.0_f64.powi(-40);
                prop_assert!((read - value).abs() <= limit, "{} as {}", value, read);
            }
        }

        #[test]
        fn larger_values_have_larger_integers(a in 0.0f64..1e15, b in 0.0f64..1e15) {
            for scale in [Scale::Linear(0.01), Scale::Logarithmic(7), Scale::Logarithmic(11)] {
                let (low, high) = (scale.encode(a.min(b)), scale.encode(a.max(b)));
                prop_assert!(high.is_none() || low <= high);
            }
        }
    }
}
