//! Recent samples of a figure, one per second, as a sparkline.

use std::collections::VecDeque;

/// Samples that are kept: more than a sparkline has columns.
const MAX_SAMPLES: usize = 60;
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Newest samples, oldest first.
#[derive(Clone, Debug, Default)]
pub struct History(VecDeque<Option<f64>>);

impl History {
    /// Adds a sample; one that is unknown leaves a gap, a negative one counts as 0.
    pub fn push(&mut self, value: Option<f64>) {
        if self.0.len() == MAX_SAMPLES {
            self.0.pop_front();
        }
        self.0.push_back(value.filter(|value| value.is_finite()).map(|value| value.max(0.0)));
    }

    /// The newest samples as bars, right-aligned, relative to `top` or to the largest of them. Empty if none is above
    /// 0.
    pub fn sparkline(&self, columns: usize, top: Option<f64>) -> String {
        let newest = || self.0.iter().skip(self.0.len().saturating_sub(columns)).copied();
        let top = top.unwrap_or_else(|| newest().flatten().fold(0.0, f64::max));
        if top <= 0.0 || newest().flatten().all(|value| value <= 0.0) {
            return " ".repeat(columns);
        }
        let bars: String =
            newest().map(|value| value.map_or(' ', |value| LEVELS[level(value / top)])).collect();
        format!("{bars:>columns$}")
    }
}

/// Index of the bar for a share.
fn level(share: f64) -> usize {
    ((share.clamp(0.0, 1.0) * 7.0).round() as usize).min(LEVELS.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_shows_the_newest_samples_in_its_columns() {
        let mut history = History::default();
        assert_eq!(history.sparkline(4, None), "    ");
        for value in [9.0, 0.0, 1.0, 2.0] {
            history.push(Some(value));
        }
        assert_eq!(history.sparkline(3, None), "▁▅█");
        assert_eq!(history.sparkline(6, Some(9.0)), "  █▁▂▃");
        history.push(None);
        history.push(Some(1.0));
        assert_eq!(history.sparkline(3, None), "█ ▅");
        history.push(Some(f64::NAN));
        assert_eq!(history.sparkline(1, None), " ");
        (0..100).for_each(|n| history.push(Some(f64::from(n))));
        assert_eq!(history.sparkline(100, None).chars().count(), 100);
    }
}
