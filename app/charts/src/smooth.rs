//! Smoothing of curves: exponential moving average with bias correction. Pure.

/// Exponential moving average with `weight` (0 to below 1). Bias-corrected as in TensorBoard, so that the first point
/// keeps its value. Values that are not finite stay unchanged and are skipped.
pub fn smoothed(column: &[f64], weight: f64) -> Vec<f64> {
    let weight = weight.clamp(0.0, 0.999);
    let (mut sum, mut weights) = (0.0, 0.0);
    let next = |y: &f64| {
        if !y.is_finite() {
            return *y;
        }
        sum = sum * weight + y * (1.0 - weight);
        weights = weights * weight + (1.0 - weight);
        sum / weights
    };
    column.iter().map(next).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_point_stays_and_a_flat_curve_stays_flat() {
        assert!(smoothed(&[3.0, 3.0, 3.0], 0.9).iter().all(|y| (y - 3.0).abs() < 1e-12));
        assert_eq!(smoothed(&[8.0], 0.99), [8.0]);
    }

    #[test]
    fn no_weight_changes_nothing_and_a_half_takes_the_mean() {
        assert_eq!(smoothed(&[1.0, 5.0], 0.0), [1.0, 5.0]);
        // (1 · ¼ + 5 · ½) over (¼ + ½)
        assert!((smoothed(&[1.0, 5.0], 0.5)[1] - 2.75 / 0.75).abs() < 1e-12);
    }

    #[test]
    fn a_gap_stays_a_gap_and_does_not_affect_neighbours() {
        let whole = smoothed(&[1.0, 5.0], 0.5);
        let gapped = smoothed(&[1.0, f64::NAN, 5.0], 0.5);
        assert!(gapped[1].is_nan());
        assert_eq!(gapped[2], whole[1]);
    }

    proptest! {
        #[test]
        fn smoothed_values_stay_between_minimum_and_maximum(
            column in proptest::collection::vec(-1e6f64..1e6, 1..60),
            weight in 0.0f64..1.0,
        ) {
            let (least, most) = column.iter().fold((f64::MAX, f64::MIN), |(a, b), y| (a.min(*y), b.max(*y)));
            for y in smoothed(&column, weight) {
                prop_assert!(y >= least - 1e-6 && y <= most + 1e-6, "{y} is not within {least} to {most}");
            }
        }
    }
}
