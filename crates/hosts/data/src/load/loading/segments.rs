//! Segments of a load: a full one is written, and a checkpoint saved after it.

use super::super::interrupted::ReadInterruption;
use super::super::resume::{Saved, VERSION};
use super::{Loading, ResumePosition, SegmentBuffer};
use crate::report::{Report, log_line};
use crate::source::off_thread;
use display::format::{count as thousands, counted};
use market_data::Period;
use protocol::{LogLevel, Time};

impl<R: Report> Loading<R> {
    /// Writes the collected bars and saves a checkpoint before the row at `next`. Sorted rows have no position, so
    /// their checkpoint only lists the stored segments.
    pub(super) async fn finish_segment(
        &mut self,
        next: Option<ResumePosition>,
    ) -> Result<(), ReadInterruption> {
        if self.gathering.is_some() {
            self.is_unchanged()?;
            self.is_still_worth_it()?;
        }
        let Some(SegmentBuffer { period, bars }) = self.gathering.take() else { return Ok(()) };
        self.report.check()?;
        let file = period.file();
        let done = match self.trusted.iter().find(|d| d.file == file) {
            Some(done) => done.clone(),
            None => {
                self.report.message(format!("Writing {file}"));
                let (writer, held, kept) = (self.writer.clone(), self.report.clone(), self.kept());
                off_thread(move || {
                    // While this thread writes, the host must not report that the work has stopped.
                    let _held = held;
                    writer.put(period, &bars, &kept)
                })
                .await?
            }
        };
        let what = if done.new == done.rows || done.new == 0 {
            counted(done.rows, "row", "rows")
        } else {
            format!("{}, {} new", counted(done.rows, "row", "rows"), thousands(done.new))
        };
        let verb = if done.new == 0 { "Nothing new for" } else { "Wrote" };
        log_line(&self.report, LogLevel::Info, format!("{verb} {file}: {what}"));
        self.done.push(done);
        self.checkpoint(next);
        Ok(())
    }

    fn checkpoint(&self, next: Option<ResumePosition>) {
        let mut done = self.done.clone();
        if next.is_none() {
            // Later segments of a previous attempt are valid too.
            done.extend(
                self.trusted.iter().filter(|d| self.done.iter().all(|own| own.file != d.file)).cloned(),
            );
        }
        let saved = Saved {
            version: VERSION,
            fingerprint: self.fingerprint.clone(),
            from: self.range.from,
            to: self.range.to,
            sorted: next.is_none(),
            offset: next.as_ref().map_or(0, |next| next.place.offset),
            line: next.as_ref().map_or(1, |next| next.place.line),
            next: next.map(|next| next.time).or(self.last_taken).unwrap_or(Time::from_micros(0)),
            read: self.read,
            last: self.last_taken,
            validator: self.validator.clone(),
            done,
        };
        let state = serde_json::to_value(saved).expect("its maps have words as keys");
        if !self.report.checkpoint(self.note(), state) {
            log_line(
                &self.report,
                LogLevel::Warn,
                "Too many segments for a checkpoint: a resume will continue from an earlier checkpoint",
            );
        }
    }

    /// Checkpoint note: `7 of 13 segments, 11,204 rows`
    fn note(&self) -> String {
        let rows = counted(self.done.iter().map(|d| d.rows).sum(), "row", "rows");
        let timeframe = self.writer.set.timeframe;
        let planned = match (self.first_period, self.until) {
            (Some(first), Some(until)) => first.count_to(Period::of(until, timeframe)),
            _ => 0,
        };
        let done = self.done.len() as u64;
        if planned >= done && planned > 0 {
            format!("{} of {}, {rows}", thousands(done), counted(planned, "segment", "segments"))
        } else {
            format!("{}, {rows}", counted(done, "segment", "segments"))
        }
    }

    /// Completed segments, for the message of a write failure.
    fn kept(&self) -> String {
        if self.done.is_empty() { String::new() } else { format!("Completed and kept: {}.", self.note()) }
    }
}
