//! Downsampling of series: keeps the lowest and highest point of each section, and gaps.

use protocol::Point;

/// At most `wanted` points of a series with rising x: first and last, and of each section in between the lowest and the
/// highest, in their order. A peak of a single point is kept, unlike with every n-th point. Of several gaps in a
/// section, the first is kept. `wanted` is at least 5: the ends, and of one section the extremes and a gap. Also
/// returns whether any point was dropped.
pub(crate) fn downsample(points: &[Point], wanted: usize) -> (Vec<Point>, bool) {
    let wanted = wanted.max(5);
    if points.len() <= wanted {
        return (points.to_vec(), false);
    }
    let inner = &points[1..points.len() - 1];
    let gaps = inner.iter().any(|point| point.1.is_nan());
    let stretches = if gaps { ((wanted - 2) / 3).max(1) } else { (wanted - 2) / 2 };
    let mut out = Vec::with_capacity(wanted);
    out.push(points[0]);
    for n in 0..stretches {
        let stretch = &inner[inner.len() * n / stretches..inner.len() * (n + 1) / stretches];
        let by_y = |(_, a): &(usize, &Point), (_, b): &(usize, &Point)| a.1.total_cmp(&b.1);
        let numbers = || stretch.iter().enumerate().filter(|(_, point)| !point.1.is_nan());
        let places = [
            numbers().min_by(by_y).map(|(i, _)| i),
            numbers().max_by(by_y).map(|(i, _)| i),
            stretch.iter().position(|point| point.1.is_nan()),
        ];
        let mut places: Vec<usize> = places.into_iter().flatten().collect();
        places.sort_unstable();
        places.dedup();
        out.extend(places.into_iter().map(|i| stretch[i]));
    }
    out.push(points[points.len() - 1]);
    (out, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_gap_survives_downsampling() {
        let y = |x: i32| if (400..420).contains(&x) { f64::NAN } else { f64::from(x % 17) };
        let points: Vec<Point> = (0..1_000).map(|x| Point(f64::from(x), y(x))).collect();
        for wanted in [4, 5, 20, 100] {
            let (few, _) = downsample(&points, wanted);
            assert!(few.len() <= wanted.max(5) && few.iter().any(|point| point.1.is_nan()), "{few:?}");
            assert!(few.windows(2).all(|pair| pair[0].0 < pair[1].0));
            assert_eq!(few.iter().map(|point| point.1).fold(f64::MIN, f64::max), 16.0);
        }
    }

    proptest! {
        #[test]
        fn downsampling_keeps_extremes_and_both_ends(ys in proptest::collection::vec(-1e6f64..1e6, 1..3000), wanted in 5usize..200) {
            let points: Vec<Point> = ys.iter().enumerate().map(|(x, y)| Point(x as f64, *y)).collect();
            let (few, left_out) = downsample(&points, wanted);
            prop_assert!(few.len() <= wanted.max(points.len().min(wanted)));
            prop_assert_eq!(left_out, points.len() > wanted);
            prop_assert!(few.windows(2).all(|w| w[0].0 < w[1].0));
            let top = |p: &[Point]| p.iter().map(|p| p.1).fold(f64::MIN, f64::max);
            let bottom = |p: &[Point]| p.iter().map(|p| p.1).fold(f64::MAX, f64::min);
            prop_assert_eq!(top(&few), top(&points));
            prop_assert_eq!(bottom(&few), bottom(&points));
            prop_assert_eq!(few[0], points[0]);
            prop_assert_eq!(few[few.len() - 1], points[points.len() - 1]);
        }
    }
}
