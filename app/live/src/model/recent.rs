//! Newest values of one series of an operation, from the feed alone: a small curve for lists, without a request.

use protocol::Points;
use std::collections::VecDeque;

/// Maximum number of values kept.
const MAX_VALUES: usize = 48;

/// Newest values of the main series of an attempt, oldest first.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Recent {
    attempt: u32,
    pub name: String,
    pub values: VecDeque<f64>,
}

/// Rank of a series by its name: a loss or an equity says more than a rate.
fn rank(name: &str) -> u8 {
    if name.contains("per_second") || name.contains("rate") {
        return 0;
    }
    match name {
        name if name.starts_with("val") => 3,
        "equity" | "best" => 3,
        name if name.contains("loss") => 2,
        _ => 1,
    }
}

impl Recent {
    /// Adds points of an attempt. A series that says more than the known one replaces it.
    pub fn add(&mut self, attempt: u32, series: &[Points]) {
        if attempt < self.attempt {
            return;
        }
        if attempt > self.attempt {
            *self = Self { attempt, ..Self::default() };
        }
        for Points { name, points } in series {
            if *name != self.name && (self.name.is_empty() || rank(name) > rank(&self.name)) {
                name.clone_into(&mut self.name);
                self.values.clear();
            }
            if *name == self.name {
                self.values.extend(points.iter().map(|point| point.1).filter(|y| y.is_finite()));
            }
        }
        let surplus = self.values.len().saturating_sub(MAX_VALUES);
        self.values.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Point;

    fn points(name: &str, ys: &[f64]) -> Points {
        let points = ys.iter().enumerate().map(|(x, y)| Point(x as f64, *y)).collect();
        Points { name: name.to_owned(), points }
    }

    #[test]
    fn the_most_informative_series_is_kept_and_a_new_attempt_resets_it() {
        let mut recent = Recent::default();
        recent.add(1, &[points("rows_per_second", &[1.0, 2.0])]);
        assert_eq!((recent.name.as_str(), recent.values.len()), ("rows_per_second", 2));
        recent
            .add(1, &[points("loss", &[3.0, f64::NAN]), points("val_loss", &[4.0]), points("loss", &[9.0])]);
        assert_eq!(
            (recent.name.as_str(), recent.values.iter().copied().collect::<Vec<_>>()),
            ("val_loss", vec![4.0])
        );
        recent.add(1, &[points("val_loss", &[0.0; 100])]);
        assert_eq!(recent.values.len(), MAX_VALUES);
        recent.add(2, &[points("loss", &[1.0])]);
        assert_eq!((recent.name.as_str(), recent.values.len()), ("loss", 1));
    }
}
