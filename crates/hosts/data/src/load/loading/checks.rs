//! What a load looks at beside its rows: whether the source is still what it was, and whether the bars are what was
//! asked for.

use super::super::interrupted::Interrupted;
use super::super::outcome::{finer, rejects_too_many};
use super::super::report::Report;
use super::Loading;
use crate::bars::Bar;
use crate::grid::is_off_grid;
use crate::validate::{Reason, Reject};
use crate::wording::moment;

impl<R: Report> Loading<R> {
    /// Nothing is kept of a source that was written while it was read.
    pub(super) fn is_unchanged(&self) -> Result<(), Interrupted> {
        match &self.watch {
            Some(watch) if watch.is_rewritten()? => Err(Interrupted::Changed),
            _ => Ok(()),
        }
    }

    /// The source was written since it was opened, as far as can be seen.
    pub(in super::super) fn is_rewritten(&self) -> bool {
        matches!(self.is_unchanged(), Err(Interrupted::Changed))
    }

    /// Whether another file has the name of the source by now.
    ///
    /// # Errors
    /// [`Interrupted::Replaced`] when it is so.
    pub(in super::super) fn is_newest(&self) -> Result<(), Interrupted> {
        match &self.watch {
            Some(watch) if watch.is_replaced() => Err(Interrupted::Replaced),
            _ => Ok(()),
        }
    }

    /// Ends a load early whose rows are surely not what was asked for.
    pub(super) fn is_still_worth_it(&self) -> Result<(), Interrupted> {
        let share = self.max_rejected_share;
        // Without a bar there is more to say at the end.
        if let Some(total) = self.total.filter(|_| self.range.is_all() && self.validator.accepted > 0)
            && rejects_too_many(&self.validator.rejected, total, share)
        {
            finer(&self.writer.label, &self.validator.grid)?;
            return Err(self.tally().too_many_rejected(&self.writer.label).into());
        }
        if self.validator.grid.is_surely_finer(self.writer.set.timeframe) {
            finer(&self.writer.label, &self.validator.grid)?;
        }
        Ok(())
    }

    /// Takes back a last bar that was not over when the source was made.
    pub(super) fn drop_unfinished(&mut self) {
        let timeframe = self.writer.set.timeframe;
        let bars = self.gathering.as_mut().map_or(&mut self.sorted, |gathering| &mut gathering.bars);
        let before = bars.len().checked_sub(2).map(|i| bars[i].time);
        let grid = &self.validator.grid;
        let unfinished =
            |bar: &mut Bar| grid.is_alone(timeframe, bar.time) || is_off_grid(timeframe, bar.time, before);
        let Some(bar) = bars.pop_if(unfinished) else { return };
        if bars.is_empty() {
            self.gathering = None;
        }
        let text = format!("no other bar starts at this minute of the hour: {}", moment(bar.time));
        self.validator.take_back(self.last_line, &Reject::new(Reason::OffGrid, text));
    }
}
