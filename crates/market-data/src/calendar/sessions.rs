//! Groups slots into sessions, and missing slots into gaps and closed days.

use super::slots::MINUTE;
use super::{Findings, Seen};
use crate::bars::Timeframe;
use crate::days::day_of;
use jiff::civil::Date;
use protocol::Time;
use protocol::results::Gap;

/// A holiday with missing bars next to it must recur within this many days of the same date.
const RECURS_WITHIN: i16 = 4;

/// Maximum number of consecutive empty sessions that can be a holiday. More are a gap.
const HOLIDAY_SESSIONS: usize = 2;

/// Run of consecutive missing slots.
#[derive(Clone, Copy)]
struct Run {
    from: i64,
    to: i64,
    bars: u64,
}

/// Trading session: slots without a long pause.
struct Session {
    first: i64,
    last: i64,
    bars_present: bool,
    runs: Vec<Run>,
    /// The last slot was missing, so the next missing slot extends the same run.
    open: bool,
    starts_missing: bool,
}

/// Collects expected or present minutes, in order.
pub(super) struct Sessions {
    /// Minutes between two slots that end a session.
    pause: i64,
    holidays: bool,
    /// Sessions with missing slots, with their index among all sessions.
    kept: Vec<(usize, Session)>,
    current: Option<Session>,
    count: usize,
}

impl Sessions {
    pub(super) fn new(timeframe: Timeframe, trades_every_day: bool) -> Self {
        // Each daily bar is a session.
        let pause = if timeframe == Timeframe::D1 { 1 } else { (2 * timeframe.minutes()).max(240) };
        Self { pause, holidays: !trades_every_day, kept: Vec::new(), current: None, count: 0 }
    }

    pub(super) fn slot(&mut self, Seen { minute, present, bars, .. }: Seen) {
        if self.current.as_ref().is_some_and(|s| minute - s.last > self.pause) {
            self.close();
        }
        let session = self.current.get_or_insert_with(|| Session {
            first: minute,
            last: minute,
            bars_present: false,
            runs: Vec::new(),
            open: false,
            starts_missing: !present,
        });
        session.last = minute;
        if present {
            session.bars_present = true;
            session.open = false;
            return;
        }
        match session.runs.last_mut() {
            Some(run) if session.open => {
                run.to = minute;
                run.bars += bars;
            }
            _ => session.runs.push(Run { from: minute, to: minute, bars }),
        }
        session.open = true;
    }

    fn close(&mut self) {
        if let Some(session) = self.current.take() {
            if !session.runs.is_empty() {
                self.kept.push((self.count, session));
            }
            self.count += 1;
        }
    }

    pub(super) fn findings(mut self) -> Findings {
        self.close();
        let mut findings = Findings::default();
        let cut_into = self.cut_into();
        let mut gaps: Vec<Run> = Vec::new();
        // Index of the session at whose end the last gap stops.
        let mut reaches: Option<usize> = None;
        let mut at = 0;
        while at < self.kept.len() {
            let silent = self.silent_from(at);
            if (1..=HOLIDAY_SESSIONS).contains(&silent) && self.holiday(at, silent, &cut_into) {
                findings.closed.extend(self.kept[at..at + silent].iter().map(|(_, s)| moment(s.first)));
                at += silent;
                continue;
            }
            for (number, session) in &self.kept[at..at + silent.max(1)] {
                let mut runs = session.runs.iter();
                if session.starts_missing
                    && *number > 0
                    && reaches == Some(number - 1)
                    && let (Some(gap), Some(run)) = (gaps.last_mut(), runs.next())
                {
                    gap.to = run.to;
                    gap.bars += run.bars;
                }
                gaps.extend(runs);
                reaches = session.open.then_some(*number);
            }
            at += silent.max(1);
        }
        findings.missing = gaps.iter().map(|g| g.bars).sum();
        findings.gaps =
            gaps.iter().map(|g| Gap { from: moment(g.from), to: moment(g.to), bars: g.bars }).collect();
        findings
    }

    /// Whether these empty sessions are a holiday. The module documentation of the calendar has the rule.
    fn holiday(&self, at: usize, silent: usize, cut_into: &[Date]) -> bool {
        if !self.holidays || !self.is_cut_into(at, silent) {
            return self.holidays;
        }
        let day = day_of(moment(self.kept[at].1.first));
        let near = |other: &Date| (other.day_of_year() - day.day_of_year()).abs() <= RECURS_WITHIN;
        cut_into.iter().any(|other| other.year() != day.year() && near(other))
    }

    /// Days of empty sessions that would be holidays, but have missing bars next to them.
    fn cut_into(&self) -> Vec<Date> {
        let mut days = Vec::new();
        let mut at = 0;
        while at < self.kept.len() {
            let silent = self.silent_from(at);
            if (1..=HOLIDAY_SESSIONS).contains(&silent) && self.is_cut_into(at, silent) {
                days.push(day_of(moment(self.kept[at].1.first)));
            }
            at += silent.max(1);
        }
        days
    }

    /// Whether the session before the empty ones misses its end, or the one after misses its start.
    fn is_cut_into(&self, at: usize, silent: usize) -> bool {
        let (first, last) = (self.kept[at].0, self.kept[at + silent - 1].0);
        let before = at.checked_sub(1).and_then(|i| self.kept.get(i));
        let after = self.kept.get(at + silent);
        before.is_some_and(|(number, s)| number + 1 == first && s.open)
            || after.is_some_and(|(number, s)| *number == last + 1 && s.starts_missing)
    }

    /// Number of consecutive empty sessions from this one on.
    fn silent_from(&self, at: usize) -> usize {
        let mut silent = 0;
        let mut previous = None;
        for (number, session) in &self.kept[at..] {
            if session.bars_present || previous.is_some_and(|p| p + 1 != *number) {
                break;
            }
            previous = Some(*number);
            silent += 1;
        }
        silent
    }
}

fn moment(minute: i64) -> Time {
    Time::from_micros(minute.saturating_mul(MINUTE))
}
