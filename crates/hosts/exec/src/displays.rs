//! Progress of a command without tqdm bars: what its lines say together.

use crate::display::Display;
use crate::ffmpeg::{Ffmpeg, InputTime};
use crate::lines::State;
use crate::metrics::{self, Epoch};
use crate::percent::{Percentages, Share};
use crate::report::{Report, ReportedPhase};
use crate::rsync::Rsync;
use crate::steps::{Counted, Steps};

/// Displays of one command.
#[derive(Debug, Default)]
pub(crate) struct Displays {
    percentages: Percentages,
    steps: Steps,
    ffmpeg: Ffmpeg,
    rsync: Rsync,
    /// All epochs of Keras have ended.
    epochs_over: bool,
}

/// Effect of a line.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Shown {
    pub report: Report,
    /// The fraction and the total are not known any more.
    pub unknown: bool,
}

impl Shown {
    fn unknown() -> Option<Self> {
        Some(Self { unknown: true, ..Self::default() })
    }

    fn report(report: Report) -> Option<Self> {
        Some(Self { report, unknown: false })
    }

    fn share(share: Option<Share>) -> Option<Self> {
        match share? {
            Share::Of(share) => Self::report(Report { progress: Some(share), ..Report::default() }),
            Share::Unknown => Self::unknown(),
        }
    }

    fn count(done: u64, total: u64, unit: &str) -> Report {
        Report { done: Some(done), total: Some(total), unit: Some(unit.to_owned()), ..Report::default() }
    }
}

impl Displays {
    /// Handles a state of a line that is no bar. `drawn` means that the line is redrawn, or is the last state of such a
    /// line.
    pub fn take(&mut self, text: &str, state: State, drawn: bool) -> Option<Shown> {
        if let Some(shown) = self.epoch(text, state) {
            return Some(shown);
        }
        if state == State::Kept
            && !self.percentages.any()
            && let Some(counted) = self.steps.take(text)
        {
            return match counted? {
                Counted::Of { done, total, unit } => {
                    let message = Some(text.trim().to_owned());
                    Shown::report(Report { message, ..Shown::count(done, total, unit) })
                }
                Counted::Unknown => Shown::unknown(),
            };
        }
        // What a step prints says nothing about the whole.
        if self.steps.certain() { None } else { self.display(text, state, drawn) }
    }

    fn display(&mut self, text: &str, state: State, drawn: bool) -> Option<Shown> {
        if let Some(played) = self.ffmpeg.take(text) {
            return self.played(played);
        }
        if let Some(share) = self.rsync.take(text) {
            let row = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let shown = match share {
                Some(Share::Of(share)) => Shown::share(self.percentages.share("rsync", share)),
                _ => None,
            };
            let Shown { report, unknown } = shown.unwrap_or_default();
            return Some(Shown { report: Report { message: Some(row), ..report }, unknown });
        }
        // More digits may follow in the next chunk.
        let is_cut = state == State::Open && text.ends_with(|c: char| c.is_ascii_digit());
        match Display::read(text) {
            Some(Display::Stage { title, done, total }) => {
                let phase = Some(ReportedPhase::Name(title));
                self.percentages.end();
                Shown::report(Report { phase, done: Some(done), total: Some(total), ..Report::default() })
            }
            Some(Display::Count { title, done, total }) if drawn && !is_cut => {
                let message = Some(title).filter(|title| !title.is_empty());
                Shown::report(Report { message, done: Some(done), total: Some(total), ..Report::default() })
            }
            Some(Display::Tests { done, total }) => {
                self.part("ctest", done, total, "tests", done as f64 / total as f64)
            }
            Some(Display::Items { done, total }) => {
                self.part("progressbar2", done, total, "", done as f64 / total as f64)
            }
            Some(Display::Bytes(done)) => {
                Shown::report(Report { done: Some(done), unit: Some("B".to_owned()), ..Report::default() })
            }
            Some(Display::Share { of, share }) => Shown::share(self.percentages.share(&of, share)),
            // The percentage may follow in the next chunk.
            _ if state == State::Open && !text.contains('%') => None,
            _ => Shown::share(self.percentages.take(text, drawn)),
        }
    }

    fn played(&mut self, played: InputTime) -> Option<Shown> {
        match played {
            InputTime::Nothing => None,
            InputTime::Unknown => Shown::unknown(),
            InputTime::To(time, Some(all)) => {
                let share = (time / all).min(1.0);
                self.part("ffmpeg", time.min(all).floor() as u64, all.ceil() as u64, "s", share)
            }
            InputTime::To(time, None) => Shown::report(Report {
                done: Some(time.floor() as u64),
                unit: Some("s".to_owned()),
                ..Report::default()
            }),
        }
    }

    /// Count of a tool, which has a total only as long as the tool is the only one.
    fn part(&mut self, tool: &str, done: u64, total: u64, unit: &str, share: f64) -> Option<Shown> {
        let mut report = Shown::count(done, total, unit);
        match self.percentages.share(tool, share) {
            Some(Share::Of(share)) => {
                report.progress = Some(share);
                Shown::report(report)
            }
            unknown => Some(Shown { report: Report { total: None, ..report }, unknown: unknown.is_some() }),
        }
    }

    /// Bar of Keras below a line like `Epoch 3/10`.
    fn epoch(&mut self, text: &str, state: State) -> Option<Shown> {
        let (number, epochs) = self.steps.epoch().filter(|_| !self.epochs_over)?;
        let Epoch { n, of, metrics } = Epoch::read(text)?;
        self.steps.confirm();
        let ended = n == of && state == State::Kept;
        self.epochs_over = ended && number == epochs;
        let points = if ended { metrics } else { Vec::new() };
        let report = Report { step: Some(number as f64), points, ..Report::default() };
        // More work may follow the last epoch: it is complete at the end of the command.
        if n >= of {
            return Shown::report(report);
        }
        let progress = Some(((number - 1) as f64 + n as f64 / of as f64) / epochs as f64);
        let message = Some(format!("epoch {number}: {n} of {of} batches"));
        let Report { done, total, unit, .. } = Shown::count(number - 1, epochs, "epochs");
        Shown::report(Report { progress, message, done, total, unit, ..report })
    }

    /// Metrics on a complete line, which can also stand between tqdm bars: then they have no count.
    pub fn metrics(text: &str, bars: bool) -> Option<Report> {
        let report = metrics::read(text)?;
        Some(if bars { Report { done: None, unit: None, ..report } } else { report })
    }

    /// A new phase begins, which has percentages of its own.
    pub fn new_phase(&mut self) {
        self.percentages = Percentages::default();
    }

    /// What the end of the output says.
    pub fn finish(&self) -> Report {
        let played = self.ffmpeg.finish().filter(|_| self.percentages.only() == Some("ffmpeg"));
        let count = self.steps.finish().or(played);
        let progress = self.percentages.finish().or(count.map(|_| 1.0));
        Report { progress, done: count, total: count, ..Report::default() }
    }
}

#[cfg(test)]
mod tests;
