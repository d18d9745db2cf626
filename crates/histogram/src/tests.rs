//! Properties of histograms, against the exact values.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

fn of(values: &[f64]) -> Histogram {
    let mut histogram = Histogram::default();
    for value in values {
        histogram.record(*value).unwrap();
    }
    histogram
}

/// The exact quantile, by nearest rank.
fn exact(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = ((q * sorted.len() as f64).ceil() as usize).clamp(1, sorted.len());
    sorted[rank - 1]
}

/// Latencies from 0.1 ms to 90 s, in seconds.
fn latency() -> impl Strategy<Value = f64> {
    (-4.0_f64..1.95).prop_map(|exponent| 10.0_f64.powf(exponent))
}

/// Any number that can be recorded.
fn recordable() -> impl Strategy<Value = f64> {
    prop_oneof![1 => Just(0.0), 9 => (1u64..0x7ff0_0000_0000_0000).prop_map(f64::from_bits)]
}

#[test]
fn an_empty_histogram_has_no_figures() {
    let empty = Histogram::default();
    assert!(empty.is_empty());
    assert_eq!((empty.quantile(0.5), empty.mean(), empty.range()), (None, None, None));
    assert_eq!(empty.buckets().count(), 0);
}

#[test]
fn negative_infinite_and_undefined_numbers_are_refused_and_change_nothing() {
    let mut histogram = of(&[0.25]);
    let before = histogram.clone();
    for value in [-1.0, -0.001, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
        assert!(histogram.record(value).is_err(), "{value}");
    }
    assert_eq!(histogram, before);
}

#[test]
fn zeros_are_counted_exactly() {
    let histogram = of(&[0.0, -0.0, 0.0, 8.0]);
    assert_eq!(
        (histogram.count(), histogram.quantile(0.5), histogram.quantile(1.0)),
        (4, Some(0.0), Some(8.0))
    );
    assert_eq!(histogram.count_up_to(0.0), 3);
}

#[test]
fn the_schema_falls_instead_of_the_buckets_growing() {
    let histogram = of(&[f64::from_bits(1), 1.0, f64::MAX]);
    assert!(histogram.schema() < DEFAULT_SCHEMA);
    assert!(histogram.buckets.len() <= MAX_BUCKETS);
    assert_eq!(histogram.count(), 3);
}

#[test]
fn a_quantile_outside_of_0_to_1_is_unknown() {
    let histogram = of(&[1.0]);
    assert_eq!(
        (histogram.quantile(1.01), histogram.quantile(-0.1), histogram.quantile(f64::NAN)),
        (None, None, None)
    );
}

#[test]
fn damaged_bytes_are_recognized() {
    let bytes = of(&[0.0, 0.25, 7.0]).encode();
    assert_eq!(Histogram::decode(&bytes[..bytes.len() - 1]), Err(DecodeError::Truncated));
    assert_eq!(Histogram::decode(&[2]), Err(DecodeError::Version(2)));
    assert_eq!(Histogram::decode(&[1, 9]), Err(DecodeError::Impossible("schema")));
    let more = [bytes.as_slice(), &[0]].concat();
    assert_eq!(Histogram::decode(&more), Err(DecodeError::Impossible("length")));
}

proptest! {
    #[test]
    fn latency_percentiles_are_within_1_1_percent(values in vec(latency(), 1..400)) {
        let histogram = of(&values);
        prop_assert_eq!(histogram.schema(), DEFAULT_SCHEMA);
        for q in [0.0, 0.01, 0.5, 0.9, 0.95, 0.99, 1.0] {
            let (shown, exact) = (histogram.quantile(q).unwrap(), exact(&values, q));
            prop_assert!((shown / exact - 1.0).abs() <= 0.011, "{q}: {shown} for {exact}");
        }
    }

    #[test]
    fn quantiles_of_any_numbers_are_within_the_error_of_the_schema(values in vec(recordable(), 1..60)) {
        let histogram = of(&values);
        for q in [0.0, 0.3, 0.5, 0.99, 1.0] {
            let (shown, exact) = (histogram.quantile(q).unwrap(), exact(&values, q));
            let bound = exact * (1.0 + histogram.error());
            prop_assert!(shown == exact || shown <= bound && exact <= shown * (1.0 + histogram.error()), "{q}: {shown} for {exact}");
        }
    }

    #[test]
    fn merging_equals_recording_everything_in_one(parts in vec(vec(recordable(), 0..60), 0..6)) {
        let mut merged = Histogram::default();
        for part in &parts {
            merged.merge(&of(part));
        }
        let whole = of(&parts.concat());
        prop_assert_eq!(merged.count(), whole.count());
        prop_assert_eq!(merged.range(), whole.range());
        // Which schema is reached may depend on the order; the buckets of the lower one are the same.
        let (mut a, mut b) = (merged, whole);
        a.downscale(b.schema());
        b.downscale(a.schema());
        prop_assert!(a.buckets().eq(b.buckets()));
    }

    #[test]
    fn downscaling_keeps_count_sum_and_range(values in vec(recordable(), 1..60), schema in LOWEST_SCHEMA..=DEFAULT_SCHEMA) {
        let before = of(&values);
        let mut after = before.clone();
        after.downscale(schema);
        prop_assert_eq!(after.schema(), schema.min(before.schema()));
        prop_assert_eq!((after.count(), after.sum(), after.range()), (before.count(), before.sum(), before.range()));
    }

    #[test]
    fn counts_up_to_a_power_of_two_are_exact(values in vec(latency(), 1..200), exponent in -12i32..7) {
        let bound = 2.0_f64.powi(exponent);
        let exact = values.iter().filter(|value| **value <= bound).count() as u64;
        prop_assert_eq!(of(&values).count_up_to(bound), exact);
    }

    #[test]
    fn encoded_histograms_are_read_back(values in vec(recordable(), 0..60)) {
        let histogram = of(&values);
        prop_assert_eq!(Histogram::decode(&histogram.encode()), Ok(histogram));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..80), rest in vec(any::<u8>(), 0..40)) {
        let forged = [&[1, 5], rest.as_slice()].concat();
        for bytes in [bytes, forged] {
            if let Ok(histogram) = Histogram::decode(&bytes) {
                let _ = (histogram.quantile(0.5), histogram.buckets().count());
                prop_assert_eq!(Histogram::decode(&histogram.encode()), Ok(histogram));
            }
        }
    }
}
