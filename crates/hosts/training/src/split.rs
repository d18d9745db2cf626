//! Chronological split into training, validation and test.
//!
//! All symbols are split at the same two moments; otherwise information could leak from one symbol's test period. A
//! sample whose label crosses a split is dropped, so there is a gap of at least one horizon between two sets.

use protocol::Time;

/// Set of a sample.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    Train,
    Validation,
    Test,
}

/// Starts of the validation and test sets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Cuts {
    pub(crate) validation: Time,
    pub(crate) test: Time,
}

impl Cuts {
    /// Splits that give validation and test their shares of the samples at `times` (in any order). `None` if there are
    /// too few for one sample each.
    pub(crate) fn new(mut times: Vec<Time>, validation_share: f64, test_share: f64) -> Option<Self> {
        times.sort_unstable();
        let count = |share: f64| (times.len() as f64 * share).round() as usize;
        let test = times.len().checked_sub(count(test_share))?;
        let validation = test.checked_sub(count(validation_share))?;
        Some(Self { validation: *times.get(validation)?, test: *times.get(test)? })
    }

    /// Set of a sample at `at` whose label is known at `until`; `None` if its label crosses a split.
    pub(crate) fn part(self, at: Time, until: Time) -> Option<Part> {
        if at >= self.test {
            Some(Part::Test)
        } else if at >= self.validation {
            (until < self.test).then_some(Part::Validation)
        } else {
            (until < self.validation).then_some(Part::Train)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn consecutive_parts_are_separated_by_the_horizon(
            steps in proptest::collection::vec(1i64..5, 30..200), horizon in 1usize..9
        ) {
            let times: Vec<Time> = steps
                .iter()
                .scan(0, |at, step| { *at += step; Some(Time::from_micros(*at)) })
                .collect();
            let cuts = Cuts::new(times.clone(), 0.2, 0.3).unwrap();
            let labelled = times.len() - horizon;
            let parts: Vec<_> = (0..labelled).map(|i| cuts.part(times[i], times[i + horizon])).collect();
            let last = |part| parts.iter().rposition(|p| *p == Some(part));
            let first = |part| parts.iter().position(|p| *p == Some(part));
            for (before, after) in [(Part::Train, Part::Validation), (Part::Validation, Part::Test)] {
                if let (Some(last), Some(first)) = (last(before), first(after)) {
                    prop_assert!(last + horizon < first, "{last} {first}");
                }
            }
        }
    }

    #[test]
    fn shares_are_counted_in_samples() {
        let times: Vec<Time> = (0..100).rev().map(Time::from_micros).collect();
        let cuts = Cuts::new(times, 0.15, 0.25).unwrap();
        assert_eq!((cuts.validation.micros(), cuts.test.micros()), (60, 75));
        assert_eq!(Cuts::new(vec![], 0.1, 0.1), None);
        assert_eq!(Cuts::new(vec![Time::from_micros(1)], 0.1, 0.1), None);
    }
}
