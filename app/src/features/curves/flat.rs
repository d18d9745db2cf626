//! Series that do not vary, or have a single point: a line of text says more than a straight line or a dot. Pure.

use display::format::{figure, is_same, share};
use protocol::{Point, SeriesInfo};

/// From this many equal points on, a series counts as constant.
const MIN_POINTS: usize = 8;

/// Value of a series whose points are all equal.
pub fn constant(points: &[Point]) -> Option<f64> {
    let first = points.first().filter(|_| points.len() >= MIN_POINTS)?.1;
    (first.is_finite() && points.iter().all(|point| is_same(point.1, first))).then_some(first)
}

/// Value of a series with a single point.
pub fn single(points: &[Point]) -> Option<f64> {
    match points {
        [only] if only.1.is_finite() => Some(only.1),
        _ => None,
    }
}

/// Text of a constant or single value: `Learning rate 0.001`.
pub fn wording(info: &SeriesInfo, value: f64) -> String {
    match info.unit.as_str() {
        "share" => format!("{} {}", info.title, share(value)),
        "" => format!("{} {}", info.title, figure(value)),
        unit => format!("{} {} {unit}", info.title, figure(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(y: impl Iterator<Item = f64>) -> Vec<Point> {
        y.enumerate().map(|(x, y)| Point(x as f64, y)).collect()
    }

    #[test]
    fn a_series_is_constant_only_once_it_has_enough_equal_points() {
        assert_eq!(constant(&points(std::iter::repeat_n(0.5, MIN_POINTS))), Some(0.5));
        assert_eq!(constant(&points(std::iter::repeat_n(0.5, MIN_POINTS - 1))), None);
        assert_eq!(constant(&points((0..20).map(|n| f64::from(n / 19)))), None);
        assert_eq!(constant(&points(std::iter::repeat_n(f64::NAN, 20))), None);
        assert_eq!(constant(&[]), None);
    }

    #[test]
    fn a_single_value_is_that_of_the_only_point() {
        assert_eq!(single(&points(std::iter::once(0.5))), Some(0.5));
        assert_eq!(single(&points([0.5, 0.5].into_iter())), None);
        assert_eq!(single(&points(std::iter::once(f64::NAN))), None);
        assert_eq!(single(&[]), None);
    }

    #[test]
    fn its_text_has_name_value_and_unit() {
        let info = |unit: &str| SeriesInfo {
            name: "rate".into(),
            title: "Learning rate".into(),
            unit: unit.into(),
            x: "epoch".into(),
        };
        assert_eq!(wording(&info(""), 0.001), "Learning rate 0.001");
        assert_eq!(wording(&info("share"), 0.25), "Learning rate 25 %");
        assert_eq!(wording(&info("rows/s"), 200.0), "Learning rate 200 rows/s");
    }
}
