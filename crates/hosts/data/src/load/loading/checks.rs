//! Checks during a load: whether the source is unchanged, and whether the bars match the request.

use super::super::interrupted::ReadInterruption;
use super::super::outcome::{finer, rejects_too_many};
use super::Loading;
use crate::report::Report;
use crate::validate::{Reason, Reject};
use market_data::wording::moment;
use market_data::{Bar, is_off_grid};

impl<R: Report> Loading<R> {
    /// Fails if the source was written during the read.
    pub(super) fn is_unchanged(&self) -> Result<(), ReadInterruption> {
        match &self.watch {
            Some(watch) if watch.is_rewritten()? => Err(ReadInterruption::Changed),
            _ => Ok(()),
        }
    }

    /// Whether the source was written since it was opened.
    pub(in super::super) fn is_rewritten(&self) -> bool {
        matches!(self.is_unchanged(), Err(ReadInterruption::Changed))
    }

    /// Checks that no other file replaced the source.
    ///
    /// # Errors
    /// [`ReadInterruption::Replaced`] if it was replaced.
    pub(in super::super) fn is_newest(&self) -> Result<(), ReadInterruption> {
        match &self.watch {
            Some(watch) if watch.is_replaced() => Err(ReadInterruption::Replaced),
            _ => Ok(()),
        }
    }

    /// Fails a load early if its rows can't match the request.
    pub(super) fn is_still_worth_it(&self) -> Result<(), ReadInterruption> {
        let share = self.max_rejected_share;
        // Without any bar the check at the end has a better message.
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

    /// Removes a last bar that was unfinished when the source was written.
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
