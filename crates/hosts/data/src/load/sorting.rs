//! In-memory sort of a source that is out of time order.

use super::super::validate::{Validator, already_there};
use display::format::count as thousands;
use market_data::Bar;
use market_data::failures::failure;
use protocol::Failure;

/// Maximum number of rows to sort in memory, about 700 MB.
const MAX_SORTED_ROWS: usize = 10_000_000;

/// Bars in source order, each with its line.
#[derive(Default)]
pub(super) struct Sorting(Vec<(Bar, u64)>);

impl Sorting {
    /// Adds the next bar of the source.
    ///
    /// # Errors
    /// If there are too many to hold in memory.
    pub(super) fn push(&mut self, bar: Bar, line: u64) -> Result<(), Failure> {
        if self.0.len() >= MAX_SORTED_ROWS {
            return Err(failure(
                format!(
                    "The load keeps the rows of this source in memory, because they are out of time order or have a symbol \
                     column. At most {} rows fit.",
                    thousands(MAX_SORTED_ROWS as u64)
                ),
                "Sort the rows by time, oldest first, remove the symbol column, or choose a shorter range.",
            ));
        }
        self.0.push((bar, line));
        Ok(())
    }

    /// Bars in time order without duplicates (the first wins), and the duplicates with their lines.
    pub(super) fn sorted(mut self) -> (Vec<Bar>, Vec<(Bar, u64)>) {
        self.0.sort_by_key(|(bar, _)| bar.time);
        let mut bars: Vec<Bar> = Vec::with_capacity(self.0.len());
        let mut again = Vec::new();
        for (bar, line) in self.0 {
            if bars.last().is_some_and(|last| last.time == bar.time) {
                again.push((bar, line));
            } else {
                bars.push(bar);
            }
        }
        again.sort_by_key(|(_, line)| *line);
        (bars, again)
    }
}

/// Counts duplicates as rejected.
pub(super) fn reject_again(validator: &mut Validator, again: &[(Bar, u64)]) {
    again.iter().for_each(|(bar, line)| validator.take_back(*line, &already_there(bar.time)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Time;

    #[test]
    fn bars_are_sorted_and_the_first_of_two_equal_times_wins() {
        let bar = |time: i64, close: f64| Bar {
            time: Time::from_micros(time),
            open: 1.0,
            high: 9.0,
            low: 1.0,
            close,
            volume: None,
        };
        let mut sorting = Sorting::default();
        for (line, (time, close)) in
            [(3, 1.0), (1, 2.0), (3, 3.0), (2, 4.0), (1, 5.0)].into_iter().enumerate()
        {
            sorting.push(bar(time, close), line as u64).unwrap();
        }
        let (bars, again) = sorting.sorted();
        assert_eq!(bars.iter().map(|b| b.close).collect::<Vec<_>>(), [2.0, 4.0, 1.0]);
        assert_eq!(again.iter().map(|(b, line)| (b.close, *line)).collect::<Vec<_>>(), [(3.0, 2), (5.0, 4)]);
    }
}
