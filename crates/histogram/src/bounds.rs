//! Bounds of the buckets, and the bucket of a value. Exact on every platform: only products and square roots, which
//! IEEE 754 rounds in one way.

use crate::{HIGHEST_SCHEMA, LOWEST_SCHEMA};
use std::sync::LazyLock;

/// Buckets between two powers of two at the highest schema.
const FINEST: usize = 1 << HIGHEST_SCHEMA;

/// Bounds from 1 up to, but without, 2 at the highest schema: entry `k` is `2^(k / 256)`.
static FRACTIONS: LazyLock<[f64; FINEST]> = LazyLock::new(|| {
    // 2^(1/2), 2^(1/4), 2^(1/8), …
    let mut root = 2.0_f64;
    let roots: Vec<f64> = (0..HIGHEST_SCHEMA)
        .map(|_| {
            root = root.sqrt();
            root
        })
        .collect();
    std::array::from_fn(|k| {
        let bits = (0..roots.len()).filter(|bit| k >> (roots.len() - 1 - bit) & 1 == 1);
        bits.map(|bit| roots[bit]).product()
    })
});

/// Index of the bucket that holds `value`, which is finite and greater than 0. Bucket `i` holds the values from
/// `base^(i − 1)`, exclusive, to `base^i`, inclusive, where `base = 2^(2^−schema)`.
pub(crate) fn index_of(value: f64, schema: i8) -> i32 {
    let (fraction, exponent) = split(value);
    let fine = schema.max(0);
    // Number of bounds at the finest schema that are smaller, rounded up to this schema.
    let below = FRACTIONS.partition_point(|bound| *bound < fraction).div_ceil(FINEST >> fine);
    let index = exponent * (1 << fine) + below as i32;
    (schema..0).fold(index, |index, _| coarser(index))
}

/// Index of the bucket that holds bucket `index` at the next lower schema.
pub(crate) fn coarser(index: i32) -> i32 {
    ((index - 1) >> 1) + 1
}

/// Upper bound of a bucket; infinite if it exceeds the largest number.
pub(crate) fn upper_bound(index: i32, schema: i8) -> f64 {
    debug_assert!((LOWEST_SCHEMA..=HIGHEST_SCHEMA).contains(&schema), "callers validate the schema");
    if schema < 0 {
        return power_of_two(i64::from(index) << -schema);
    }
    let parts = 1 << schema;
    let part = index.rem_euclid(parts) as usize * (FINEST >> schema);
    let exponent = i64::from(index.div_euclid(parts));
    match exponent {
        // The product of the largest power and a fraction is still a number.
        -1_021..=1_023 => FRACTIONS[part] * power_of_two(exponent),
        // Of a subnormal number, only the last step may round.
        _ => FRACTIONS[part] * power_of_two(exponent / 2) * power_of_two(exponent - exponent / 2),
    }
}

/// A number as a fraction from 1 up to, but without, 2, and the exponent of a power of two.
fn split(value: f64) -> (f64, i32) {
    const MANTISSA: u64 = (1 << 52) - 1;
    const BIAS: i32 = 1_023;
    let (value, shift) = if value < f64::MIN_POSITIVE { (value * power_of_two(54), 54) } else { (value, 0) };
    let bits = value.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i32 - BIAS - shift;
    (f64::from_bits(bits & MANTISSA | (BIAS as u64) << 52), exponent)
}

fn power_of_two(exponent: i64) -> f64 {
    match exponent {
        ..-1_074 => 0.0,
        -1_074..-1_022 => f64::from_bits(1 << (exponent + 1_074)),
        -1_022..=1_023 => f64::from_bits(((exponent + 1_023) as u64) << 52),
        1_024.. => f64::INFINITY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn powers_of_two_end_their_buckets() {
        for exponent in [-1_074, -1_022, -3, 0, 1, 10, 1_023] {
            let value = power_of_two(exponent);
            for schema in 0..=HIGHEST_SCHEMA {
                assert_eq!(
                    i64::from(index_of(value, schema)),
                    exponent << schema,
                    "2^{exponent} at {schema}"
                );
            }
        }
    }

    #[test]
    fn fractions_differ_from_the_exact_powers_by_rounding_only() {
        for (k, fraction) in FRACTIONS.iter().enumerate() {
            let exact = (k as f64 / FINEST as f64).exp2();
            assert!((fraction / exact - 1.0).abs() < 1e-14, "{k}: {fraction} and {exact}");
        }
    }

    proptest! {
        #[test]
        fn a_value_lies_within_the_bounds_of_its_bucket(
            bits in 1u64..0x7ff0_0000_0000_0000,
            schema in LOWEST_SCHEMA..=HIGHEST_SCHEMA,
        ) {
            let value = f64::from_bits(bits);
            let index = index_of(value, schema);
            prop_assert!(value <= upper_bound(index, schema));
            prop_assert!(value > upper_bound(index - 1, schema) || upper_bound(index - 1, schema) == 0.0);
        }

        #[test]
        fn two_buckets_become_one_at_the_next_schema(bits in 1u64..0x7ff0_0000_0000_0000, schema in LOWEST_SCHEMA + 1..=HIGHEST_SCHEMA) {
            let value = f64::from_bits(bits);
            prop_assert_eq!(coarser(index_of(value, schema)), index_of(value, schema - 1));
        }
    }
}
