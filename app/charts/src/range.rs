//! Axis ranges. Pure.

use display::format::is_same;

/// Margin beyond the outermost values, as a share of their range.
const MARGIN: f64 = 0.08;
/// Margin around equal values, as a share of their size.
const FLAT_MARGIN: f64 = 0.1;
/// Lowest and highest value.
pub type Range = (f64, f64);

/// Lowest and highest finite value.
pub fn ends(figures: impl Iterator<Item = f64>) -> Option<Range> {
    figures.filter(|n| n.is_finite()).fold(None, |ends: Option<Range>, n| {
        Some(ends.map_or((n, n), |(low, high)| (low.min(n), high.max(n))))
    })
}

/// Axis range for the lowest and highest value; with `zero` it includes zero.
pub fn fit(ends: Option<Range>, zero: bool) -> Range {
    let Some((low, high)) = ends else { return (0.0, 1.0) };
    let (low, high) = if zero { (low.min(0.0), high.max(0.0)) } else { (low, high) };
    if zero && low == high {
        return (0.0, 1.0);
    }
    if is_same(low, high) {
        return around(low);
    }
    let margin = (high / 2.0 - low / 2.0) * 2.0 * MARGIN;
    // Values of one sign stay on their side of zero.
    let from = if low >= 0.0 { (low - margin).max(0.0) } else { low - margin };
    let to = if high <= 0.0 { (high + margin).min(0.0) } else { high + margin };
    bounded((from, to))
}

/// Range of an x axis; a single x is centred.
pub fn fit_x((min, max): Range) -> Range {
    if !(min.is_finite() && max.is_finite()) {
        return (0.0, 1.0);
    }
    if max > min && !is_same(min, max) { (min, max) } else { bounded((min - beside(min), max + beside(max))) }
}

fn beside(x: f64) -> f64 {
    (x.abs() * 1e-9).max(0.5)
}

/// Range around equal values.
pub fn around(n: f64) -> Range {
    let margin = n.abs() * FLAT_MARGIN;
    if margin > 0.0 { bounded((n - margin, n + margin)) } else { (-1.0, 1.0) }
}

/// Limits a range to a finite width: across zero each side ends at half the largest float.
pub fn bounded((from, to): Range) -> Range {
    let furthest = if from < 0.0 && to > 0.0 { f64::MAX / 2.0 } else { f64::MAX };
    (from.clamp(-furthest, furthest), to.clamp(-furthest, furthest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn figures_of_one_sign_stay_on_their_side_of_zero() {
        assert_eq!(fit(Some((0.01, 2.0)), false).0, 0.0);
        assert_eq!(fit(Some((-2.0, -0.01)), false).1, 0.0);
        assert_eq!(fit(Some((5.0, 10.0)), true), (0.0, 10.8));
        assert_eq!(fit(None, true), (0.0, 1.0));
        assert_eq!(
            fit(Some((0.0, 0.0)), true),
            (0.0, 1.0),
            "an axis from zero has no negative side for zeros"
        );
    }

    proptest! {
        #[test]
        fn every_range_holds_its_figures(a in proptest::num::f64::NORMAL, b in proptest::num::f64::NORMAL, zero: bool) {
            let (low, high) = (a.min(b), a.max(b));
            prop_assume!(high.abs().max(low.abs()) < f64::MAX / 4.0);
            let (from, to) = fit(Some((low, high)), zero);
            prop_assert!(from <= low && high <= to && from < to && (to - from).is_finite());
        }

        #[test]
        fn no_range_panics(a: f64, b: f64, zero: bool) {
            let range = fit(ends([a, b].into_iter()), zero);
            prop_assert!(range.0 < range.1 && (range.1 - range.0).is_finite());
            let _ = fit_x((a, b));
        }
    }
}
