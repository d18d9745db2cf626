//! The middle of a load: rows become bars, bars gather, a full segment is put in its place and a checkpoint taken.

use super::super::bars::{Bar, Period, Range};
use super::super::params::Request;
use super::super::source::{self, Opened, Place, off_thread};
use super::super::validate::{Row, Validator};
use super::super::wording::{counted, thousands};
use super::outcome::Tally;
use super::pace::{Pace, Speed};
use super::report::{Report, say};
use super::resume::{Done, Saved, Trust, VERSION};
use super::write::Writer;
use super::{PHASES, SPEED};
use host_kit::WorkError;
use protocol::{LogLevel, Time};

/// Bars that gather for a segment.
struct Gathering {
    period: Period,
    bars: Vec<Bar>,
}

/// What follows a segment, the row that begins the next or the end: a later attempt goes on with it.
struct Next {
    place: Place,
    time: Time,
    /// Rows taken before it.
    accepted: u64,
}

/// A load at work.
pub(super) struct Loading<R> {
    report: R,
    writer: Writer,
    /// What the load is after, from the beginning of its first attempt.
    range: Range,
    /// What of that is still to be taken.
    window: Range,
    /// The last row whose time could be read lay in the window; one whose time can't be read is where that was.
    inside: bool,
    fingerprint: String,
    /// The place after the last row of the source.
    end: Place,
    /// The time of the last row that is expected.
    until: Option<Time>,
    total: Option<u64>,
    pub(super) validator: Validator,
    /// Rows read, the passed-over ones counted.
    read: u64,
    /// Times of the rows that were passed over, for the message that nothing was found.
    passed: Option<(Time, Time)>,
    gathering: Option<Gathering>,
    pub(super) done: Vec<Done>,
    trusted: Vec<Done>,
    first_period: Option<Period>,
    last_taken: Option<Time>,
    speed: Speed,
}

impl<R: Report> Loading<R> {
    pub(super) fn new(report: R, writer: Writer, opened: &Opened, range: Range, trust: Trust) -> Self {
        let mut loading = Self {
            report,
            writer,
            range,
            window: range,
            inside: range.from.is_none(),
            fingerprint: opened.fingerprint.clone(),
            end: opened.end,
            until: opened.last.map(|last| range.to.map_or(last, |to| last.min(to.plus_micros(-1)))),
            total: opened.total,
            validator: Validator::default(),
            read: 0,
            passed: None,
            gathering: None,
            done: Vec::new(),
            trusted: trust.segments,
            first_period: None,
            last_taken: None,
            speed: Speed::new(0),
        };
        if let Some(saved) = trust.whole {
            // A source that is asked for a range counts only what is left of it.
            let counts_all = matches!(opened.rows, source::Rows::Csv(_));
            loading.total = opened.total.map(|total| if counts_all { total } else { total + saved.read });
            loading.read = saved.read;
            loading.validator = Validator::resumed(saved.last, saved.rejected, saved.accepted);
            loading.last_taken = saved.last;
            let timeframe = loading.writer.set.timeframe;
            loading.first_period = saved.done.first().and_then(|d| Period::of_file(&d.file, timeframe));
            if counts_all {
                loading.inside = true;
            } else {
                // A source without places may give what it has once more: what was taken is passed over.
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
    pub(super) async fn rows(&mut self, mut opened: Opened, request: &Request) -> Result<(), WorkError> {
        let mut pace = Pace::new(request.rows_per_second);
        loop {
            self.report.check()?;
            let Some(slice) = opened.rows.next(self.report.token()).await? else { break };
            let mut rest = slice.as_slice();
            while !rest.is_empty() {
                // What lies outside the range costs the source nothing that a throttle could spare.
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
        // What was counted before it was read may have counted blank lines.
        self.report.items("rows", Some(self.read));
        self.report.done(self.read);
        if let Some((x, y)) = self.speed.closing_point(self.read) {
            self.report.point(SPEED, x, y);
        }
        Ok(())
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

    async fn take(&mut self, rows: &[Row]) -> Result<(), WorkError> {
        for row in rows {
            if self.outside(row) {
                self.pass_over(std::slice::from_ref(row));
                continue;
            }
            let accepted = self.validator.accepted;
            if let Some(bar) = self.validator.take(row) {
                if self.gathering.as_ref().is_some_and(|g| !g.period.contains(bar.time)) {
                    let place = Place { offset: row.offset, line: row.line };
                    self.finish_segment(Next { place, time: bar.time, accepted }).await?;
                }
                let timeframe = self.writer.set.timeframe;
                let gathering = self.gathering.get_or_insert_with(|| Gathering {
                    period: Period::of(bar.time, timeframe),
                    bars: Vec::new(),
                });
                self.first_period.get_or_insert(gathering.period);
                gathering.bars.push(bar);
                self.last_taken = Some(bar.time);
            }
            self.read += 1;
        }
        Ok(())
    }

    /// Puts the last bars in their place. What is left to a later attempt is the check.
    pub(super) async fn finish(&mut self) -> Result<(), WorkError> {
        let Some(last) = self.last_taken else { return Ok(()) };
        let next = Next { place: self.end, time: last.plus_micros(1), accepted: self.validator.accepted };
        self.finish_segment(next).await
    }

    /// Puts the gathered bars in their place and takes a checkpoint before the row at `next`.
    async fn finish_segment(&mut self, next: Next) -> Result<(), WorkError> {
        let Some(Gathering { period, bars }) = self.gathering.take() else { return Ok(()) };
        self.report.check()?;
        let file = period.file();
        let done = match self.trusted.iter().find(|d| d.file == file) {
            Some(done) => done.clone(),
            None => {
                self.report.message(format!("Writing {file}"));
                let (writer, held, kept) = (self.writer.clone(), self.report.clone(), self.kept());
                off_thread(move || {
                    // As long as this thread writes, the host must not say that the work has stopped.
                    let _held = held;
                    writer.put(period, &bars, &kept)
                })
                .await?
            }
        };
        let what = if done.new == done.rows || done.new == 0 {
            counted(done.rows, "row", "rows")
        } else {
            format!("{}, {} of them new", counted(done.rows, "row", "rows"), thousands(done.new))
        };
        let verb = if done.new == 0 { "Nothing new for" } else { "Wrote" };
        say(&self.report, LogLevel::Info, format!("{verb} {file}: {what}"));
        self.done.push(done);
        self.checkpoint(next);
        Ok(())
    }

    fn checkpoint(&self, next: Next) {
        let saved = Saved {
            version: VERSION,
            fingerprint: self.fingerprint.clone(),
            from: self.range.from,
            to: self.range.to,
            offset: next.place.offset,
            line: next.place.line,
            next: next.time,
            read: self.read,
            accepted: next.accepted,
            last: self.last_taken,
            rejected: self.validator.rejected.clone(),
            done: self.done.clone(),
        };
        let state = serde_json::to_value(saved).expect("its maps have words as keys");
        if !self.report.checkpoint(self.note(), state) {
            say(
                &self.report,
                LogLevel::Warn,
                "There are too many segments for a checkpoint: a resume would go on at an earlier one.",
            );
        }
    }

    /// `7 of 13 segments, 11,204 rows`
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

    /// What is safe when the next write fails.
    fn kept(&self) -> String {
        if self.done.is_empty() {
            "No segment of this load was finished.".to_owned()
        } else {
            format!("Finished and kept: {}.", self.note())
        }
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

    /// What was read so far.
    /// Rows read from the source, taken or not.
    pub(super) fn read(&self) -> u64 {
        self.read
    }

    pub(super) fn tally(&self) -> Tally<'_> {
        Tally {
            rows: self.read,
            accepted: self.validator.accepted,
            rejected: &self.validator.rejected,
            passed: self.passed,
        }
    }
}
