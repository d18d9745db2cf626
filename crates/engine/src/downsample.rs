//! Fewer points of a curve with the same look: the lowest and the highest of each stretch are kept.

use protocol::Point;

/// At most `wanted` points of a curve in rising x: first and last, and of each stretch between them the lowest
/// and the highest in their order. A peak of one point is never lost, as it is with every n-th point.
/// Says whether any point was left out.
pub(crate) fn downsample(points: &[Point], wanted: usize) -> (Vec<Point>, bool) {
    let wanted = wanted.max(4);
    if points.len() <= wanted {
        return (points.to_vec(), false);
    }
    let inner = &points[1..points.len() - 1];
    let stretches = (wanted - 2) / 2;
    let mut out = Vec::with_capacity(wanted);
    out.push(points[0]);
    for n in 0..stretches {
        let stretch = &inner[inner.len() * n / stretches..inner.len() * (n + 1) / stretches];
        let by_y = |(_, a): &(usize, &Point), (_, b): &(usize, &Point)| a.1.total_cmp(&b.1);
        let lowest = stretch.iter().enumerate().min_by(by_y);
        let highest = stretch.iter().enumerate().max_by(by_y);
        if let (Some((i, low)), Some((j, high))) = (lowest, highest) {
            match i.cmp(&j) {
                std::cmp::Ordering::Less => out.extend([*low, *high]),
                std::cmp::Ordering::Greater => out.extend([*high, *low]),
                std::cmp::Ordering::Equal => out.push(*low),
            }
        }
    }
    out.push(points[points.len() - 1]);
    (out, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_extremes_and_the_ends_are_kept(ys in proptest::collection::vec(-1e6f64..1e6, 1..3000), wanted in 4usize..200) {
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
