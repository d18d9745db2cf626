//! Core of a load: rows become bars, bars fill a segment, a full segment is written and a checkpoint saved.
//!
//! Rows in time order are streamed. From the first row out of order on, all are collected and sorted. Before a segment
//! is written, the source is checked: nothing is stored from a file that changed during the read.

mod checks;
mod segments;

use super::super::params::{Mode, Request};
use super::super::source::{self, OpenedSource, SourcePosition, Watch, off_thread};
use super::super::validate::{Row, RowVerdict, Validator};
use super::interrupted::ReadInterruption;
use super::outcome::Tally;
use super::pace::{RowRate, Speed};
use super::resume::{Done, Trust};
use super::sorting::{Sorting, reject_again};
use super::write::Writer;
use super::{PHASES, SPEED};
use crate::hints::TRY_AGAIN;
use crate::order::Order;
use crate::report::{Report, log_line};
use display::format::counted;
use host_kit::WorkError;
use market_data::segment::Label;
use market_data::{Bar, Period, Range};
use protocol::{LogLevel, Time};

/// Bars collected for a segment.
struct SegmentBuffer {
    period: Period,
    bars: Vec<Bar>,
}

/// Position after a segment: the row that starts the next one, or the end. A later attempt continues there.
struct ResumePosition {
    place: SourcePosition,
    time: Time,
}

/// Read mode of a source.
#[derive(Clone, Copy, Default)]
pub(super) struct ReadMode {
    /// Latest valid start of a bar; later bars are in the future.
    pub(super) latest: Option<Time>,
    /// Whether all bars are collected and sorted.
    pub(super) sorted: bool,
}

/// Load in progress.
pub(super) struct Loading<R> {
    report: R,
    writer: Writer,
    /// Target range, fixed at the start of the first attempt.
    range: Range,
    /// Remaining part of the range.
    window: Range,
    /// Whether the last row with a readable time was in the window. Rows without a readable time inherit this.
    inside: bool,
    fingerprint: String,
    watch: Option<Watch>,
    /// Position after the last row of the source.
    end: SourcePosition,
    /// Time of the last expected row.
    until: Option<Time>,
    total: Option<u64>,
    pub(super) validator: Validator,
    max_rejected_share: Option<f64>,
    /// Line of the bar accepted last.
    last_line: u64,
    /// All bars of a source that is out of order.
    sorting: Option<Sorting>,
    /// These bars, sorted.
    sorted: Vec<Bar>,
    /// Rows read, including skipped ones.
    read: u64,
    /// First and last time of skipped rows, for the message that nothing was found.
    passed: Option<(Time, Time)>,
    gathering: Option<SegmentBuffer>,
    pub(super) done: Vec<Done>,
    trusted: Vec<Done>,
    first_period: Option<Period>,
    last_taken: Option<Time>,
    speed: Speed,
    /// Warnings for the result, in sentences.
    warnings: Vec<String>,
    /// Order of the rows in the source.
    order: Order,
    /// The source as named in the log, if it may be truncated after its last row.
    may_be_cut: Option<String>,
    newest_first: bool,
    has_layout: bool,
}

impl<R: Report> Loading<R> {
    pub(super) fn new(
        report: R,
        writer: Writer,
        opened: &mut OpenedSource,
        (range, trust): (Range, Trust),
        request: &Request,
        reading: ReadMode,
    ) -> Self {
        let mut loading = Self {
            report,
            writer,
            range,
            window: range,
            inside: range.from.is_none(),
            fingerprint: opened.fingerprint.clone(),
            watch: opened.watch.take(),
            end: opened.end,
            until: opened.last.map(|last| range.to.map_or(last, |to| last.min(to.plus_micros(-1)))),
            total: opened.total,
            validator: Validator::new(request.timeframe, reading.latest),
            max_rejected_share: request.max_rejected_share,
            last_line: 0,
            sorting: reading.sorted.then(Sorting::default),
            sorted: Vec::new(),
            read: 0,
            passed: None,
            gathering: None,
            done: Vec::new(),
            trusted: trust.segments,
            first_period: None,
            last_taken: None,
            speed: Speed::new(0),
            warnings: Vec::new(),
            order: Order::default(),
            may_be_cut: opened.may_be_cut.then(|| opened.described.clone()),
            newest_first: false,
            has_layout: false,
        };
        if let Some(saved) = trust.whole {
            // A source with a range request counts only the remaining rows.
            let counts_all = matches!(opened.rows, source::Rows::Csv(_));
            loading.total = opened.total.map(|total| if counts_all { total } else { total + saved.read });
            loading.read = saved.read;
            loading.validator = saved.validator.resumed(reading.latest);
            loading.last_taken = saved.last;
            let timeframe = loading.writer.set.timeframe;
            loading.first_period = saved.done.first().and_then(|d| Period::of_file(&d.file, timeframe));
            if counts_all {
                loading.inside = true;
            } else {
                // A source without positions can repeat rows. Rows already taken are skipped.
                loading.window.from = Some(saved.next);
                loading.inside = false;
            }
            loading.done = saved.done;
        }
        loading.report.phase(2, PHASES[1]);
        loading.report.items("rows", loading.total);
        loading.report.done(loading.read);
        loading.speed = Speed::new(loading.read);
        loading
    }

    /// Takes all rows of the source.
    pub(super) async fn rows(
        &mut self,
        opened: &mut OpenedSource,
        request: &Request,
    ) -> Result<(), ReadInterruption> {
        let mut pace = RowRate::new(request.rows_per_second);
        for warning in &opened.warnings {
            log_line(&self.report, LogLevel::Warn, warning.clone());
        }
        let mut described = source::describe(&opened.rows, request, &self.report);
        loop {
            self.report.check()?;
            let slice = opened.rows.next(self.report.token()).await.map_err(|e| self.resumable(e))?;
            let Some(slice) = slice else { break };
            described = described || source::describe(&opened.rows, request, &self.report);
            self.layout(&opened.rows);
            let mut rest = slice.as_slice();
            while !rest.is_empty() {
                // Rows outside the range are free for the source, so they are not throttled.
                let mut outside = 0;
                while rest.get(outside).is_some_and(|row| self.outside(row)) {
                    outside += 1;
                }
                let (skipped, wanted) = rest.split_at(outside);
                self.pass_over(skipped);
                if wanted.is_empty() {
                    break;
                }
                let admitted = pace.admit(wanted.len(), self.report.token()).await?;
                let (now, later) = wanted.split_at(admitted);
                self.take(now).await?;
                rest = later;
                self.show();
            }
            self.show();
        }
        for note in opened.rows.notes() {
            log_line(&self.report, LogLevel::Info, note);
        }
        for warning in opened.rows.warnings() {
            log_line(&self.report, LogLevel::Warn, warning.clone());
            self.warnings.push(warning);
        }
        // The count before the read can include blank lines.
        self.report.items("rows", Some(self.read));
        self.report.done(self.read);
        if let Some((x, y)) = self.speed.closing_point(self.read) {
            self.report.point(SPEED, x, y);
        }
        self.is_unchanged()?;
        self.sort().await;
        self.drop_unfinished();
        Ok(())
    }

    /// Takes what the layout says about the rows, once it is known.
    fn layout(&mut self, rows: &source::Rows) {
        let Some(layout) = rows.layout().filter(|_| !self.has_layout) else { return };
        self.has_layout = true;
        self.warnings.extend_from_slice(layout.warnings());
        self.newest_first = layout.is_newest_first();
        // A later row of a response can be of another symbol. Then nothing of it may be stored.
        if rows.is_stream() && layout.names_instruments() {
            self.sorting.get_or_insert_with(Sorting::default);
        }
    }

    /// Limits a full load to the rows that a source has for certain: one that may be truncated says nothing about
    /// stored bars beyond its last row.
    fn spare_stored(&mut self) {
        if self.may_be_cut.is_none() || self.writer.mode != Mode::Full {
            return;
        }
        let first = self.sorted.first().map(|bar| bar.time);
        let last = self.sorted.last().or_else(|| self.gathering.as_ref()?.bars.last());
        let in_order = self.validator.early == 0;
        if let Some(last) = last.map(|bar| bar.time).or(self.last_taken)
            && (in_order || !self.newest_first)
            // Rows beyond the requested range show that all of the range is there.
            && self.passed.is_none_or(|(_, latest)| latest < last)
        {
            let after = last.plus_micros(1);
            self.writer.range.to = Some(self.writer.range.to.map_or(after, |to| to.min(after)));
        }
        if let Some(first) =
            first.filter(|first| !in_order && self.passed.is_none_or(|(earliest, _)| earliest > *first))
        {
            self.writer.range.from = self.writer.range.from.max(Some(first));
        }
    }

    /// Sorts the collected bars and rejects duplicates.
    async fn sort(&mut self) {
        let Some(sorting) = self.sorting.take() else { return };
        self.report.message("Sorting the rows by time".to_owned());
        let (bars, again) = off_thread(move || sorting.sorted()).await;
        reject_again(&mut self.validator, &again);
        if self.validator.early > 0 {
            let rows = counted(self.validator.early, "row was", "rows were");
            // Newest first is an order, too.
            let reversed = self.validator.early as usize + 1 >= bars.len();
            let level = if reversed { LogLevel::Info } else { LogLevel::Warn };
            log_line(
                &self.report,
                level,
                format!("{rows} out of time order. The load sorted all rows by time"),
            );
        }
        self.last_taken = bars.last().map(|bar| bar.time);
        self.sorted = bars;
    }

    /// Offers a resume after a source failure, if a completed segment marks the position.
    fn resumable(&self, error: WorkError) -> WorkError {
        match error {
            WorkError::Failed(mut failure) if !self.done.is_empty() && failure.hint == TRY_AGAIN => {
                failure.hint = "Resume: completed segments are kept and not loaded again.".to_owned();
                failure.into()
            }
            other => other,
        }
    }

    fn outside(&mut self, row: &Row) -> bool {
        if let Some(time) = row.time {
            self.inside = self.window.contains(time);
        }
        !self.inside
    }

    fn pass_over(&mut self, rows: &[Row]) {
        self.read += rows.len() as u64;
        for time in rows.iter().filter_map(|row| row.time) {
            let (first, last) = self.passed.unwrap_or((time, time));
            self.passed = Some((first.min(time), last.max(time)));
        }
    }

    async fn take(&mut self, rows: &[Row]) -> Result<(), ReadInterruption> {
        for row in rows {
            if self.outside(row) {
                self.pass_over(std::slice::from_ref(row));
                continue;
            }
            if let Ok(bar) = &row.bar {
                self.order.note(bar.time);
            }
            let judged = self.validator.judge(row);
            match &judged {
                RowVerdict::Bar(bar) if self.sorting.is_none() => {
                    if self.gathering.as_ref().is_some_and(|g| !g.period.contains(bar.time)) {
                        let place = SourcePosition { offset: row.offset, line: row.line };
                        // Counters cover the rows before this one.
                        self.finish_segment(Some(ResumePosition { place, time: bar.time })).await?;
                    }
                    self.validator.note(row, &judged);
                    self.gather(*bar);
                    self.last_line = row.line;
                }
                RowVerdict::Rejected(_) => self.validator.note(row, &judged),
                RowVerdict::Bar(bar) | RowVerdict::Early(bar) => {
                    let sorting = match &mut self.sorting {
                        Some(sorting) => sorting,
                        // Stored segments miss this row: everything is read again.
                        None if !(self.done.is_empty() && self.trusted.is_empty()) => {
                            return Err(ReadInterruption::Unsorted);
                        }
                        None => self.sorting.insert(Sorting::default()),
                    };
                    for gathered in self.gathering.take().into_iter().flat_map(|g| g.bars) {
                        sorting.push(gathered, row.line)?;
                    }
                    sorting.push(*bar, row.line)?;
                    self.validator.note(row, &judged);
                }
            }
            self.read += 1;
        }
        self.is_still_worth_it()
    }

    fn gather(&mut self, bar: Bar) {
        let timeframe = self.writer.set.timeframe;
        let gathering = self.gathering.get_or_insert_with(|| SegmentBuffer {
            period: Period::of(bar.time, timeframe),
            bars: Vec::new(),
        });
        self.first_period.get_or_insert(gathering.period);
        gathering.bars.push(bar);
        self.last_taken = Some(bar.time);
    }

    /// Writes the last bars. Only the check phase remains for a later attempt.
    pub(super) async fn finish(&mut self) -> Result<(), ReadInterruption> {
        self.spare_stored();
        for bar in std::mem::take(&mut self.sorted) {
            if self.gathering.as_ref().is_some_and(|g| !g.period.contains(bar.time)) {
                self.finish_segment(None).await?;
                self.show();
            }
            self.gather(bar);
        }
        let Some(last) = self.last_taken else { return Ok(()) };
        let next = (self.validator.early == 0)
            .then(|| ResumePosition { place: self.end, time: last.plus_micros(1) });
        self.finish_segment(next).await
    }

    fn show(&mut self) {
        self.report.done(self.read);
        if let Some((x, y)) = self.speed.point(self.read) {
            self.report.point(SPEED, x, y);
        }
        if let Some(gathering) = &self.gathering {
            self.report.message(format!("Reading {}", gathering.period));
        }
    }

    /// Writer of the segments. Its range is that of the removed bars.
    pub(super) fn writer(&self) -> &Writer {
        &self.writer
    }

    /// Warns of a source that may be truncated. `kept` is the number of stored bars that it does not have.
    pub(super) fn warn_of_cut(&mut self, kept: u64) {
        let Some(described) = &self.may_be_cut else { return };
        let mut warning =
            format!("The last line of {described} has no line end: the source may be truncated.");
        if kept > 0 {
            let bars = counted(kept, "stored bar", "stored bars");
            warning.push_str(&format!(" The load kept {bars} with times after the last row."));
        }
        log_line(&self.report, LogLevel::Warn, warning.clone());
        self.warnings.push(warning);
    }

    /// Metadata of the segments.
    pub(super) fn label(&self) -> &Label {
        &self.writer.label
    }

    /// Rows read from the source, accepted or not.
    pub(super) fn read(&self) -> u64 {
        self.read
    }

    /// Counters of the read so far.
    pub(super) fn tally(&self) -> Tally<'_> {
        Tally {
            rows: self.read,
            validator: &self.validator,
            passed: self.passed,
            warnings: &self.warnings,
            order: &self.order,
        }
    }
}
