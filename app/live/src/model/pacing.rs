//! When reported values of operations are shown. Pure: the caller passes the time.
//!
//! Each frame costs the browser several milliseconds, and nobody reads a count that changes at every frame. So the
//! values of an operation change once per [`TURN`], and those of all operations together, once per [`FRAME`]. Two rules
//! keep them new. The first report of a turn is shown at once: a value that follows a pause is hardly ever held. A held
//! value that no newer one replaces is shown in the next turn: the last value always arrives.

use protocol::OperationId;
use std::collections::HashMap;

/// Length of a turn, milliseconds. All operations have the same turns, so that they change in the same few frames.
const TURN: f64 = 400.0;
/// Part of the next turn in which a held value waits for a newer one, milliseconds: longer than the interval of most
/// reports that come more often than turns.
const GRACE: f64 = 200.0;
/// Interval between changes of the page, milliseconds.
const FRAME: f64 = 50.0;
/// What is reported this shortly after a change belongs to it, milliseconds: hosts and server send reports in batches.
const BATCH: f64 = 12.0;

fn turn(at: f64) -> f64 {
    (at / TURN).floor()
}

/// Times of the shown values, and of those to be shown.
#[derive(Default)]
pub struct Pacing {
    /// When the page changed last, by the browser's clock in milliseconds; without the batch that followed.
    shown: f64,
    operations: HashMap<OperationId, Times>,
    /// When held values are shown next, or earlier; so that a report needs no look at all operations.
    next: Option<f64>,
}

#[derive(Clone, Copy, Default)]
struct Times {
    shown: f64,
    /// When its held values are shown; `None` without any.
    due: Option<f64>,
}

impl Pacing {
    /// Reports values of an operation at `now`. Returns whether they are shown now; otherwise they are held.
    pub fn report(&mut self, id: OperationId, now: f64) -> bool {
        let together = match now - self.shown {
            after if (BATCH..FRAME).contains(&after) => self.shown + FRAME,
            // In the same batch, in the next frame, or the clock was set back.
            _ => now,
        };
        let times = self.operations.entry(id).or_default();
        let due = if turn(times.shown) == turn(now) { (turn(now) + 1.0) * TURN + GRACE } else { together };
        let at_once = due <= now;
        if at_once {
            *times = Times { shown: now, due: None };
            if !(0.0..BATCH).contains(&(now - self.shown)) {
                self.shown = now;
            }
        } else {
            times.due = Some(due);
            self.next = Some(self.next.map_or(due, |next| next.min(due)));
        }
        at_once
    }

    /// Forgets an operation whose values were replaced otherwise: its next report is shown at once.
    pub fn forget(&mut self, id: OperationId) {
        self.operations.remove(&id);
    }

    /// When to call [`Pacing::show`]; `None` while no values are held.
    pub fn next(&self) -> Option<f64> {
        self.next
    }

    /// Shows at `now` what is due by `due`. Returns the operations.
    pub fn show(&mut self, due: f64, now: f64) -> Vec<OperationId> {
        let mut ids = Vec::new();
        for (id, times) in &mut self.operations {
            if times.due.is_some_and(|at| at <= due) {
                *times = Times { shown: now, due: None };
                ids.push(*id);
            }
        }
        if !ids.is_empty() {
            self.shown = now;
        }
        // Times of earlier turns have no effect.
        self.operations.retain(|_, times| times.due.is_some() || turn(times.shown) == turn(now));
        self.next = self.operations.values().filter_map(|times| times.due).min_by(f64::total_cmp);
        ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Start of a turn.
    const BEGIN: f64 = 1_000.0 * TURN;

    fn id(n: u8) -> OperationId {
        format!("0199c2d4-7f3a-7c11-9e1b-{n:012}").parse().unwrap()
    }

    #[test]
    fn a_report_after_a_pause_is_shown_at_once() {
        let mut pacing = Pacing::default();
        for second in 0..10 {
            assert!(pacing.report(id(1), BEGIN + f64::from(second) * 1_000.0));
        }
        assert_eq!(pacing.next(), None);
    }

    #[test]
    fn the_first_report_of_a_turn_is_shown_and_the_others_are_held() {
        let mut pacing = Pacing::default();
        let shown = (0..40).filter(|n| pacing.report(id(1), BEGIN + f64::from(*n) * 100.0)).count();
        assert_eq!(shown, 10, "4 s have ten turns");
    }

    #[test]
    fn the_last_of_several_reports_arrives_in_the_next_turn() {
        let mut pacing = Pacing::default();
        assert!(pacing.report(id(1), BEGIN));
        assert!(!pacing.report(id(1), BEGIN + 20.0));
        let due = pacing.next().unwrap();
        assert_eq!(due, BEGIN + TURN + GRACE);
        assert_eq!(pacing.show(due - 1.0, due - 1.0), []);
        assert_eq!(pacing.show(due, due + 4.0), [id(1)]);
        assert_eq!(pacing.next(), None);
    }

    #[test]
    fn operations_that_report_one_after_another_are_shown_together() {
        let mut pacing = Pacing::default();
        assert!(pacing.report(id(1), BEGIN) && pacing.report(id(4), BEGIN + 2.0));
        assert!(!pacing.report(id(2), BEGIN + 15.0) && !pacing.report(id(3), BEGIN + 40.0));
        let due = pacing.next().unwrap();
        assert_eq!(due, BEGIN + FRAME);
        let mut shown = pacing.show(due, due);
        shown.sort_unstable();
        assert_eq!(shown, [id(2), id(3)]);
    }

    #[test]
    fn a_clock_that_was_set_back_holds_nothing_for_long() {
        let mut pacing = Pacing::default();
        assert!(pacing.report(id(1), BEGIN));
        assert!(!pacing.report(id(1), BEGIN + 10.0));
        assert!(pacing.report(id(1), BEGIN - 3_600_000.0));
        assert!(pacing.report(id(2), BEGIN - 3_500_000.0));
    }

    proptest! {
        /// Whatever is reported, and however late the timer is: each operation changes at most once per turn by reports
        /// alone, no value is held beyond the next turn, and the last one is shown.
        #[test]
        fn every_last_value_is_shown(reports in proptest::collection::vec((0u8..4, 0u32..200), 1..80)) {
            let mut pacing = Pacing::default();
            let (mut now, mut held) = (BEGIN, HashMap::new());
            for (n, after) in reports {
                let then = now + f64::from(after);
                while let Some(due) = pacing.next().filter(|due| *due <= then) {
                    for id in pacing.show(due, due) {
                        let since: f64 = held.remove(&id).expect("only held values are shown");
                        prop_assert!(due - since <= TURN + GRACE + FRAME);
                    }
                }
                now = then;
                if pacing.report(id(n), now) {
                    held.remove(&id(n));
                } else {
                    held.entry(id(n)).or_insert(now);
                }
            }
            while let Some(due) = pacing.next() {
                for id in pacing.show(due, due) {
                    held.remove(&id);
                }
            }
            prop_assert!(held.is_empty());
        }
    }
}
