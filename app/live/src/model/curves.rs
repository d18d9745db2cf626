//! Curves of an open operation: an answer plus the points of the feed.
//!
//! Points are merged by x (log lines by number, in [`super::log_buffer`]), so the answer and live points may arrive in
//! any order and overlap.

use protocol::{Point, Points};

/// Points kept per curve before a downsampled curve is requested.
pub const MAX_POINTS: usize = 6_000;

/// Curves of one attempt, each sorted by x.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curves {
    attempt: u32,
    curves: Vec<Points>,
}

impl Curves {
    /// Points of a curve.
    pub fn get(&self, name: &str) -> &[Point] {
        self.curves.iter().find(|c| c.name == name).map_or(&[], |c| &c.points)
    }

    /// Names of the curves with points, in order of arrival.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.curves.iter().map(|c| c.name.as_str())
    }

    /// Whether a curve is so long that a downsampled one should be requested.
    pub fn overgrown(&self) -> bool {
        self.curves.iter().any(|c| c.points.len() > MAX_POINTS)
    }

    /// Replaces everything by an answer, which belongs to `attempt` and is downsampled.
    pub fn replace(&mut self, attempt: u32, series: Vec<Points>) {
        *self = Self { attempt, curves: series };
    }

    /// Adds points of an attempt; returns whether anything changed. A newer attempt starts over, an older one is
    /// ignored.
    pub fn add(&mut self, attempt: u32, series: &[Points]) -> bool {
        if attempt < self.attempt {
            return false;
        }
        let mut changed = false;
        if attempt > self.attempt {
            changed = !self.curves.is_empty();
            *self = Self { attempt, curves: Vec::new() };
        }
        for new in series {
            let place = match self.curves.iter().position(|c| c.name == new.name) {
                Some(place) => place,
                None => {
                    self.curves.push(Points { name: new.name.clone(), points: Vec::new() });
                    self.curves.len() - 1
                }
            };
            let points = &mut self.curves[place].points;
            for point in &new.points {
                changed = true;
                match points.last() {
                    Some(last) if point.0 <= last.0 => {
                        match points.binary_search_by(|p| p.0.total_cmp(&point.0)) {
                            Ok(same) => points[same] = *point,
                            Err(place) => points.insert(place, *point),
                        }
                    }
                    _ => points.push(*point),
                }
            }
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn curve(points: &[(f64, f64)]) -> Vec<Points> {
        vec![Points { name: "rate".into(), points: points.iter().map(|(x, y)| Point(*x, *y)).collect() }]
    }

    #[test]
    fn a_repeated_point_is_stored_once() {
        let mut curves = Curves::default();
        curves.add(1, &curve(&[(1.0, 5.0), (2.0, 6.0)]));
        curves.add(1, &curve(&[(2.0, 7.0), (3.0, 8.0)]));
        assert_eq!(curves.get("rate"), [Point(1.0, 5.0), Point(2.0, 7.0), Point(3.0, 8.0)]);
        assert!(curves.get("other").is_empty());
    }

    proptest! {
        #[test]
        fn a_curve_always_rises_in_x(
            pieces in proptest::collection::vec(proptest::collection::vec(0u8..40, 1..10), 1..10)
        ) {
            let mut curves = Curves::default();
            for piece in pieces {
                let points: Vec<_> = piece.iter().map(|x| (f64::from(*x), 1.0)).collect();
                curves.add(1, &curve(&points));
            }
            prop_assert!(curves.get("rate").windows(2).all(|w| w[0].0 < w[1].0));
        }
    }
}
