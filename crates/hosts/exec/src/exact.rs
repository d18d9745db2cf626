//! Fraction of counts that are not whole, such as 0.6 of 1 GB: the host's count has complete items only.

use crate::percent::Share;
use crate::said::Said;

/// Unrounded count of one command or phase.
#[derive(Debug, Default)]
pub(crate) struct Exact {
    done: f64,
    total: Option<f64>,
    /// A number was not whole, so the fraction is calculated here.
    on: bool,
    /// The count restarted, or the fraction is reported: nothing is calculated any more.
    over: bool,
}

impl Exact {
    /// Ends the calculation. Returns whether there was one.
    pub fn end(&mut self) -> bool {
        self.over = true;
        std::mem::take(&mut self.on)
    }

    /// Handles a report. Returns the fraction if it is not that of the host's count, and whether it may be lower than
    /// before, because the total is larger.
    pub fn take(&mut self, said: &Said) -> Option<(Share, bool)> {
        if said.progress.is_some() {
            self.end();
        }
        if self.over {
            return None;
        }
        let whole = |n: Option<u64>| n.map(|n| n as f64);
        let before = self.total;
        self.total = said.exact_total.or(whole(said.total)).or(before);
        self.on |= said.exact_done.is_some() || said.exact_total.is_some();
        if let Some(done) = said.exact_done.or(whole(said.done)) {
            let complete = before.is_some_and(|total| self.done >= total);
            // The rule of the host's count.
            if done < self.done && (complete || done <= self.done / 2.0) {
                return self.end().then_some((Share::Unknown, false));
            }
            self.done = self.done.max(done);
        }
        let total = self.total.filter(|total| self.on && *total > 0.0)?;
        let share = if self.done <= total { Share::Of(self.done / total) } else { Share::Unknown };
        Some((share, before.is_some_and(|before| total > before)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(counts: &[(f64, f64)]) -> Vec<Option<Share>> {
        let mut exact = Exact::default();
        let mut share = |&(done, total): &(f64, f64)| {
            let mut said = Said::default();
            assert!(said.set_done(done) && said.set_total(total));
            exact.take(&said).map(|(share, _)| share)
        };
        counts.iter().map(&mut share).collect()
    }

    #[test]
    fn the_fraction_is_computed_from_unrounded_numbers() {
        let of = |share| Some(Share::Of(share));
        assert_eq!(shares(&[(0.25, 1.0), (0.5, 1.0), (1.0, 1.0)]), [of(0.25), of(0.5), of(1.0)]);
        assert_eq!(shares(&[(1.0, 2.5), (2.5, 2.5)]), [of(0.4), of(1.0)]);
        assert_eq!(shares(&[(1.0, 4.0), (2.0, 4.0)]), [None, None], "the host's count is exact");
        assert_eq!(shares(&[(7.5, 10.0), (8.0, 16.0)]), [of(0.75), of(0.5)]);
    }

    #[test]
    fn a_restarted_count_has_no_fraction() {
        let unknown = Some(Share::Unknown);
        assert_eq!(shares(&[(0.5, 1.0), (1.0, 1.0), (0.5, 1.0), (0.75, 1.0)])[2..], [unknown, None]);
        assert_eq!(shares(&[(1.5, 1.0)]), [unknown], "more than all");
    }
}
