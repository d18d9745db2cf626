//! Output parser: reports become progress and series, the rest becomes the log, both rate-limited.

use crate::bar::Bar;
use crate::curves::Curves;
use crate::displays::{Displays, Shown};
use crate::exact::Exact;
use crate::json::{self, level_of};
use crate::lines::{Piece, State, coloured};
use crate::log::{self, Log, LogRate};
use crate::pattern::Matcher;
use crate::percent::Share;
use crate::progress_sink::ProgressSink;
use crate::report::{Report, ReportedPhase};
use crate::stream::Stream;
use crate::tqdm::{BarUpdate, Bars};
use protocol::LogLevel;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::time::Instant;

/// Maximum number of phases.
const MAX_PHASES: usize = 100;

/// How the output of a command is parsed.
#[derive(Debug)]
pub(crate) enum ParseMode {
    /// JSON lines on standard output are reports.
    Lines,
    /// Also tqdm bars, and other displays that redraw a line.
    Tqdm,
    /// Also lines that match.
    Pattern(Matcher),
    /// No reports.
    Nothing,
}

/// Summary of a command's output.
#[derive(Debug, Default)]
pub(crate) struct OutputSummary {
    /// Number of logged and dropped lines.
    pub kept: u64,
    pub left_out: u64,
    /// Last lines of standard error, or else of standard output.
    pub last: Vec<String>,
    /// Last line that was a report, and so is not in the log.
    pub last_report: Option<String>,
    /// Reported result.
    pub reported: Option<Value>,
    /// Share and count at the end of the output, if the command succeeded.
    pub at_end: Report,
}

/// Position in a Python traceback, whose lines are all errors.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Traceback {
    Outside,
    /// First line.
    Head,
    /// Calls, which are indented.
    Calls,
    /// First line without indentation: the exception, or the start of another traceback.
    Exception,
}

impl Traceback {
    fn next(self, line: &str) -> Self {
        /// Lines between two chained tracebacks.
        const BETWEEN: [&str; 2] = ["During handling of the above", "The above exception was"];
        let indented = line.starts_with([' ', '\t']);
        match self {
            _ if line.contains("Traceback (most recent call last)") => Self::Head,
            Self::Head | Self::Calls if indented => Self::Calls,
            Self::Calls => Self::Exception,
            Self::Exception if BETWEEN.iter().any(|begins| line.starts_with(begins)) => Self::Exception,
            _ => Self::Outside,
        }
    }
}

/// Parser of one attempt.
pub(crate) struct OutputParser<E> {
    sink: E,
    reading: Arc<ParseMode>,
    phases: Vec<String>,
    log: Log,
    curves: Curves,
    bars: Bars,
    displays: Displays,
    /// Traceback state per stream.
    traceback: [Traceback; 2],
    /// Newest state of an overwritten line per stream.
    drawn: [Option<String>; 2],
    /// Whether the current line of a stream was redrawn.
    redrawn: [bool; 2],
    unit: String,
    total: Option<u64>,
    exact: Exact,
    /// Whether anything was counted in this phase.
    counting: bool,
    /// Whether total progress was reported in this phase.
    share_said: bool,
    /// Whether a bar reported it.
    bar_share_said: bool,
    phase: Option<u32>,
    /// Keys of reports whose invalid value is in the log.
    wrong: BTreeSet<&'static str>,
    reported: Option<Value>,
    last_report: Option<String>,
}

impl<E: ProgressSink> OutputParser<E> {
    /// Parser for a kind with these phases.
    pub fn new(sink: E, reading: Arc<ParseMode>, phases: Vec<String>, pace: LogRate, now: Instant) -> Self {
        Self {
            sink,
            reading,
            phases,
            log: Log::new(pace, now),
            curves: Curves::new(now),
            bars: Bars::default(),
            displays: Displays::default(),
            traceback: [Traceback::Outside; 2],
            drawn: [None, None],
            redrawn: [false; 2],
            unit: String::new(),
            total: None,
            exact: Exact::default(),
            counting: false,
            share_said: false,
            bar_share_said: false,
            phase: None,
            wrong: BTreeSet::new(),
            reported: None,
            last_report: None,
        }
    }

    /// Handles a state of a line.
    pub fn feed(&mut self, stream: Stream, piece: &Piece, now: Instant) {
        let text = ansi::plain(&piece.text);
        let reading = Arc::clone(&self.reading);
        if matches!(*reading, ParseMode::Tqdm) && self.feed_bar(stream, &text, piece, now) {
            return;
        }
        if piece.state == State::Open {
            return;
        }
        if let ParseMode::Pattern(matcher) = &*reading
            && piece.state != State::Settled
            && let Some(report) = matcher.read(&text)
        {
            self.apply(report, now);
        }
        // The log keeps colours; parsing ignores them.
        let shown = coloured(&piece.text);
        let drawn = &mut self.drawn[stream as usize];
        let drawn = match piece.state {
            State::Redrawn => {
                if !text.trim().is_empty() {
                    *drawn = Some(shown.trim_end().to_owned());
                }
                return;
            }
            State::Passed => {
                // The final state is reported once more.
                *drawn = None;
                return;
            }
            _ => drawn.take(),
        };
        let shown = match drawn {
            // Newline after the last state of an overwritten line.
            Some(drawn) if text.trim().is_empty() => drawn,
            _ if text.trim().is_empty() => String::new(),
            _ => shown.trim_end().to_owned(),
        };
        let text = ansi::plain(&shown).into_owned();
        if stream == Stream::Out
            && !piece.cut
            && !matches!(*reading, ParseMode::Nothing)
            && let Some(mut report) = json::read(&text)
        {
            let odd = report.odd;
            if let Some((level, text)) = report.log.take() {
                for line in text.lines() {
                    let line = ansi::coloured(line).into_owned();
                    self.log.line(&mut self.sink, stream, level, line, now);
                }
            }
            for (key, why) in std::mem::take(&mut report.wrong) {
                if self.wrong.insert(key) {
                    self.sink.log(LogLevel::Warn, format!("Part of a report is ignored: {why}."));
                }
            }
            self.apply(report, now);
            if !odd {
                self.last_report = Some(log::cut(&text));
                return;
            }
        }
        if !text.is_empty() {
            let level = self.level(stream, &text);
            self.log.line(&mut self.sink, stream, level, shown, now);
        }
    }

    /// Handles a state of a line that is a bar or part of one. Returns whether it is.
    fn feed_bar(&mut self, stream: Stream, text: &str, piece: &Piece, now: Instant) -> bool {
        let state = piece.state;
        let continues = std::mem::replace(
            &mut self.redrawn[stream as usize],
            matches!(state, State::Redrawn | State::Open),
        );
        let drawn = match Bar::read(text) {
            // The log already has its last state.
            Some(_) if state == State::Settled => return true,
            Some(bar) if state == State::Open => self.bars.preview_bar(bar),
            Some(bar) => {
                let kept = matches!(state, State::Kept | State::Passed) && piece.up == 0;
                Some(self.bars.draw(bar, piece.up, kept))
            }
            None if text.trim().is_empty() && matches!(state, State::Redrawn | State::Passed) => {
                if !text.is_empty() {
                    self.bars.wipe(piece.up);
                }
                return true;
            }
            None => {
                if state != State::Settled && !self.bars.any() {
                    let shown = self.displays.take(text, state, state != State::Kept || continues);
                    self.show(shown.unwrap_or_default(), now);
                }
                if state == State::Kept
                    && let Some(report) = Displays::metrics(text, self.bars.any())
                {
                    self.apply(report, now);
                }
                return false;
            }
        };
        if let Some(BarUpdate { report, endless, log }) = drawn {
            for text in log {
                self.log.line(&mut self.sink, stream, LogLevel::Info, text, now);
            }
            if endless {
                let by_count = self.exact.end();
                if std::mem::take(&mut self.bar_share_said) || by_count {
                    self.sink.fraction(None);
                }
            }
            if endless && self.total.take().is_some() {
                self.sink.revise_items(&self.unit, None);
            }
            self.bar_share_said |= report.progress.is_some();
            self.apply(report, now);
        }
        true
    }

    fn show(&mut self, shown: Shown, now: Instant) {
        if shown.unknown {
            self.sink.fraction(None);
            if self.total.take().is_some() {
                self.sink.revise_items(&self.unit, None);
            }
        }
        self.apply(shown.report, now);
    }

    fn apply(&mut self, report: Report, now: Instant) {
        if let Some(phase) = &report.phase {
            // Total progress of the previous phase is outdated.
            if self.enter(phase) && std::mem::take(&mut self.share_said) && report.progress.is_none() {
                self.sink.fraction(None);
            }
        }
        // The fraction is that of the whole, of which a phase is only a part.
        let exact = if self.phase.is_none() { self.exact.take(&report) } else { None };
        if report.exact_total.is_some() && self.total.take().is_some() {
            self.sink.revise_items(&self.unit, None);
        }
        let unit = report.unit.filter(|unit| *unit != self.unit);
        let total = report.total.filter(|total| Some(*total) != self.total);
        if unit.is_some() || total.is_some() {
            self.unit = unit.unwrap_or_else(|| std::mem::take(&mut self.unit));
            self.total = total.or(self.total);
            if std::mem::replace(&mut self.counting, true) {
                self.sink.revise_items(&self.unit, self.total);
            } else {
                self.sink.items(&self.unit, self.total);
            }
        }
        if let Some(done) = report.done {
            self.counting = true;
            self.sink.done(done);
        }
        if let Some((share, lower)) = exact {
            self.share_said = true;
            if lower || share == Share::Unknown {
                self.sink.fraction(None);
            }
            if let Share::Of(share) = share {
                self.sink.fraction(Some(share));
            }
        }
        if report.progress.is_some() {
            self.share_said = true;
            self.sink.fraction(report.progress);
        }
        if let Some(message) = report.message {
            self.sink.message(message);
        }
        for (name, y) in report.points {
            if let Err(why) = self.curves.point(&mut self.sink, &name, report.step, y, now) {
                self.sink.log(LogLevel::Warn, why);
            }
        }
        if report.result.is_some() {
            self.reported = report.result;
        }
    }

    /// Enters a phase: a declared one by its index, an unknown one as the next. Returns whether it changed.
    fn enter(&mut self, phase: &ReportedPhase) -> bool {
        let (index, name) = match phase {
            ReportedPhase::Number(index) => {
                let name = usize::try_from(*index).ok().and_then(|i| self.phases.get(i - 1)).cloned();
                (*index, name.unwrap_or_default())
            }
            ReportedPhase::Name(name) => {
                let known = self.phases.iter().position(|phase| phase == name);
                let index = match known.and_then(|at| u32::try_from(at + 1).ok()) {
                    Some(index) => index,
                    None => {
                        // A repeated phase keeps its index.
                        if self.phases.len() < MAX_PHASES {
                            self.phases.push(name.clone());
                        }
                        u32::try_from(self.phases.len()).unwrap_or(u32::MAX)
                    }
                };
                (index, name.clone())
            }
        };
        if self.phase == Some(index) {
            return false;
        }
        self.phase = Some(index);
        // The host restarts the count.
        (self.counting, self.total, self.unit) = (false, None, String::new());
        self.displays.new_phase();
        self.sink.phase(index, &name);
        true
    }

    /// Ends the parsing, after both streams have ended.
    pub fn finish(mut self) -> OutputSummary {
        self.finish_lines();
        let at_end = self.displays.finish();
        let (kept, left_out, last) = self.log.finish(&mut self.sink);
        OutputSummary { kept, left_out, last, last_report: self.last_report, reported: self.reported, at_end }
    }

    /// Logs lines that were still being overwritten.
    fn finish_lines(&mut self) {
        let now = Instant::now();
        for text in self.bars.finish() {
            self.log.line(&mut self.sink, Stream::Err, LogLevel::Info, text, now);
        }
        for stream in [Stream::Out, Stream::Err] {
            if let Some(text) = self.drawn[stream as usize].take() {
                let level = self.level(stream, &ansi::plain(&text));
                self.log.line(&mut self.sink, stream, level, text, now);
            }
        }
    }

    /// Log level of a line: its own level, or that of its stream.
    fn level(&mut self, stream: Stream, text: &str) -> LogLevel {
        let traceback = &mut self.traceback[stream as usize];
        *traceback = traceback.next(text);
        if *traceback != Traceback::Outside {
            return LogLevel::Error;
        }
        let words = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty()).take(4);
        let loud = |word: &&str| word.len() > 3 && word.bytes().all(|b| b.is_ascii_uppercase());
        words.filter(loud).find_map(level_of).unwrap_or(match stream {
            Stream::Out => LogLevel::Info,
            Stream::Err => LogLevel::Warn,
        })
    }

    #[cfg(test)]
    pub fn sink(&self) -> &E {
        &self.sink
    }
}

#[cfg(test)]
mod tests;
