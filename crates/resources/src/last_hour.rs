//! Samples of the last hour, in memory.

use crate::Sample;
use std::collections::{BTreeMap, VecDeque};

/// Number of seconds that are kept.
const SECONDS: usize = 3600;
/// Largest number of metrics; more are not kept.
const MAX_METRICS: usize = 1_000;

/// Samples of the last hour by metric.
#[derive(Default)]
pub struct LastHour {
    ticks: VecDeque<u64>,
    /// Values as old as `ticks`; an unknown value is not a number, which takes no further byte.
    metrics: BTreeMap<String, VecDeque<f64>>,
}

/// Samples after a tick, by metric.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Part {
    /// Numbers of the seconds, ascending.
    pub ticks: Vec<u64>,
    /// Values by metric, in the order of `ticks`; `None` is unknown.
    pub metrics: BTreeMap<String, Vec<Option<f64>>>,
}

impl LastHour {
    /// Adds the sample of a second. A second that is not after the newest one is ignored.
    pub fn push(&mut self, tick: u64, sample: Sample) {
        if self.ticks.back().is_some_and(|newest| tick <= *newest) {
            return;
        }
        let known = self.ticks.len();
        for (name, value) in sample {
            let value = value.unwrap_or(f64::NAN);
            if let Some(values) = self.metrics.get_mut(&name) {
                values.push_back(value);
            } else if !value.is_nan() && self.metrics.len() < MAX_METRICS {
                let mut values: VecDeque<f64> = std::iter::repeat_n(f64::NAN, known).collect();
                values.push_back(value);
                self.metrics.insert(name, values);
            }
        }
        self.ticks.push_back(tick);
        let length = self.ticks.len();
        for values in self.metrics.values_mut() {
            values.resize(length, f64::NAN);
        }
        if length > SECONDS {
            self.ticks.pop_front();
            self.metrics.retain(|_, values| {
                let oldest = values.pop_front();
                // Scanned only when a known value leaves, and then mostly to its first successor.
                oldest.is_some_and(f64::is_nan) || values.iter().any(|value| !value.is_nan())
            });
        }
    }

    /// Newest second.
    pub fn newest(&self) -> Option<u64> {
        self.ticks.back().copied()
    }

    /// At most `limit` samples after a tick, oldest first.
    pub fn after(&self, tick: u64, limit: usize) -> Part {
        let start = self.ticks.partition_point(|known| *known <= tick);
        let end = self.ticks.len().min(start.saturating_add(limit));
        let values = |values: &VecDeque<f64>| -> Vec<Option<f64>> {
            values.range(start..end).map(|value| (!value.is_nan()).then_some(*value)).collect()
        };
        let metrics = self.metrics.iter().map(|(name, all)| (name.clone(), values(all)));
        Part {
            ticks: self.ticks.range(start..end).copied().collect(),
            metrics: metrics.filter(|(_, values)| values.iter().any(Option::is_some)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample(values: &[(&str, Option<f64>)]) -> Sample {
        values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
    }

    #[test]
    fn a_metric_that_appears_later_or_leaves_is_unknown_meanwhile() {
        let mut hour = LastHour::default();
        hour.push(1, sample(&[("a", Some(1.0))]));
        hour.push(2, sample(&[("a", Some(2.0)), ("b", Some(5.0)), ("never", None)]));
        hour.push(2, sample(&[("a", Some(9.0))]));
        hour.push(4, sample(&[("b", Some(6.0))]));
        let part = hour.after(0, 100);
        assert_eq!(part.ticks, [1, 2, 4]);
        assert_eq!(part.metrics["a"], [Some(1.0), Some(2.0), None]);
        assert_eq!(part.metrics["b"], [None, Some(5.0), Some(6.0)]);
        assert_eq!(part.metrics.len(), 2, "a metric that was never known is left out");
        assert_eq!(hour.after(1, 1).ticks, [2]);
        assert_eq!(hour.after(4, 1), Part::default());
    }

    proptest! {
        #[test]
        fn the_last_hour_is_what_was_pushed(
            pushed in proptest::collection::vec((1u64..4, proptest::option::of(-1e9f64..1e9)), 0..200),
            repeat in 1usize..40,
            after in 0u64..10_000,
        ) {
            let mut hour = LastHour::default();
            let (mut tick, mut all) = (0, Vec::new());
            for (step, value) in pushed.iter().cycle().take(pushed.len() * repeat) {
                tick += step;
                hour.push(tick, sample(&[("m", *value), ("always", Some(tick as f64))]));
                all.push((tick, *value));
            }
            let kept = &all[all.len().saturating_sub(SECONDS)..];
            let expected: Vec<_> = kept.iter().copied().filter(|(t, _)| *t > after).collect();
            let part = hour.after(after, usize::MAX);
            prop_assert_eq!(&part.ticks, &expected.iter().map(|(t, _)| *t).collect::<Vec<_>>());
            let values: Vec<_> = expected.iter().map(|(_, v)| *v).collect();
            match part.metrics.get("m") {
                Some(known) => prop_assert_eq!(known, &values),
                None => prop_assert!(values.iter().all(Option::is_none)),
            }
        }
    }
}
