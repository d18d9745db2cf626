//! Downsampling of series: keeps the lowest and highest point of each section, and gaps.

use protocol::Point;

/// At most `wanted` points of a series with rising x: first and last, and of each section in between the lowest and the
/// highest, in their order. A peak of a single point is kept, unlike with every n-th point. Of several gaps in a
/// section, the first is kept. `wanted` is at least 5: the ends, and of one section the extremes and a gap. Also
/// returns whether any point was dropped.
///
/// `each` passes all points in order to its argument. It is called twice, so that only the kept points need memory,
/// however many there are.
///
/// # Errors
/// Those of `each`.
pub(crate) fn downsample<E>(
    each: impl Fn(&mut dyn FnMut(Point)) -> Result<(), E>,
    wanted: usize,
) -> Result<(Vec<Point>, bool), E> {
    let wanted = wanted.max(5);
    let (mut total, mut has_gap) = (0, false);
    let mut few = Vec::new();
    each(&mut |point| {
        total += 1;
        has_gap |= point.1.is_nan();
        if total <= wanted {
            few.push(point);
        }
    })?;
    if total <= wanted {
        return Ok((few, false));
    }
    let sections = if has_gap { (wanted - 2) / 3 } else { (wanted - 2) / 2 }.max(1);
    let mut kept = Sections::new(total, sections);
    each(&mut |point| kept.take(point))?;
    kept.end_section();
    Ok((kept.points, true))
}

/// Points that are kept, while all points pass.
struct Sections {
    total: usize,
    sections: usize,
    /// Number of points that have passed.
    passed: usize,
    /// Current section, from 0.
    current: usize,
    /// Lowest point, highest point and first gap of the current section, each with its position.
    lowest: Option<(usize, Point)>,
    highest: Option<(usize, Point)>,
    gap: Option<(usize, Point)>,
    points: Vec<Point>,
}

impl Sections {
    fn new(total: usize, sections: usize) -> Self {
        let points = Vec::with_capacity(3 * sections + 2);
        Self { total, sections, passed: 0, current: 0, lowest: None, highest: None, gap: None, points }
    }

    fn take(&mut self, point: Point) {
        let at = self.passed;
        self.passed += 1;
        // A running operation may have got more points since they were counted.
        if at >= self.total {
            return;
        }
        if at == 0 || at + 1 == self.total {
            self.end_section();
            self.points.push(point);
            return;
        }
        // The sections divide the points between the ends.
        while at > (self.total - 2) * (self.current + 1) / self.sections {
            self.end_section();
            self.current += 1;
        }
        if point.1.is_nan() {
            self.gap.get_or_insert((at, point));
            return;
        }
        if self.lowest.is_none_or(|(_, lowest)| point.1.total_cmp(&lowest.1).is_lt()) {
            self.lowest = Some((at, point));
        }
        if self.highest.is_none_or(|(_, highest)| point.1.total_cmp(&highest.1).is_ge()) {
            self.highest = Some((at, point));
        }
    }

    fn end_section(&mut self) {
        let mut kept: Vec<_> =
            [self.lowest.take(), self.highest.take(), self.gap.take()].into_iter().flatten().collect();
        kept.sort_unstable_by_key(|(at, _)| *at);
        kept.dedup_by_key(|(at, _)| *at);
        self.points.extend(kept.into_iter().map(|(_, point)| point));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cell::Cell;
    use std::convert::Infallible;

    fn downsampled(points: &[Point], wanted: usize) -> (Vec<Point>, bool) {
        let each = |take: &mut dyn FnMut(Point)| {
            points.iter().copied().for_each(take);
            Ok::<_, Infallible>(())
        };
        downsample(each, wanted).unwrap()
    }

    #[test]
    fn a_gap_survives_downsampling() {
        let y = |x: i32| if (400..420).contains(&x) { f64::NAN } else { f64::from(x % 17) };
        let points: Vec<Point> = (0..1_000).map(|x| Point(f64::from(x), y(x))).collect();
        for wanted in [4, 5, 20, 100] {
            let (few, _) = downsampled(&points, wanted);
            assert!(few.len() <= wanted.max(5) && few.iter().any(|point| point.1.is_nan()), "{few:?}");
            assert!(few.windows(2).all(|pair| pair[0].0 < pair[1].0));
            assert_eq!(few.iter().map(|point| point.1).fold(f64::MIN, f64::max), 16.0);
        }
    }

    #[test]
    fn each_section_keeps_its_extremes() {
        let points: Vec<Point> = [5, 1, 2, 9, 3, 4, 8, 0, 7, 6]
            .iter()
            .zip(0..)
            .map(|(y, x)| Point(f64::from(x), f64::from(*y)))
            .collect();
        let xs = |wanted| downsampled(&points, wanted).0.iter().map(|point| point.0).collect::<Vec<_>>();
        assert_eq!(xs(6), [0.0, 1.0, 3.0, 6.0, 7.0, 9.0]);
        assert_eq!(xs(5), [0.0, 3.0, 7.0, 9.0]);
        assert_eq!(xs(10).len(), 10);
    }

    #[test]
    fn points_that_arrive_between_the_passes_are_left_out() {
        let passes = Cell::new(0);
        let each = |take: &mut dyn FnMut(Point)| {
            passes.set(passes.get() + 1);
            (0..100 + 10 * passes.get()).for_each(|x| take(Point(f64::from(x), 1.0)));
            Ok::<_, Infallible>(())
        };
        let (few, left_out) = downsample(each, 10).unwrap();
        assert!(few.len() <= 10 && left_out);
        assert_eq!((few[0].0, few[few.len() - 1].0), (0.0, 109.0));
    }

    proptest! {
        #[test]
        fn downsampling_keeps_extremes_and_both_ends(ys in proptest::collection::vec(-1e6f64..1e6, 1..3000), wanted in 5usize..200) {
            let points: Vec<Point> = ys.iter().enumerate().map(|(x, y)| Point(x as f64, *y)).collect();
            let (few, left_out) = downsampled(&points, wanted);
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
