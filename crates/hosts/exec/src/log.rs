//! The log of a command: its lines, as many as a reader can use, and the last of them whatever happens.

use crate::ear::Ear;
use crate::gate::Gate;
use crate::teller::Stream;
use protocol::{LogLevel, ansi};
use std::collections::VecDeque;
use tokio::time::Instant;

/// How many lines pass at once, and how many a second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Pace {
    pub at_once: u32,
    pub per_second: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { at_once: 2_000, per_second: 200 }
    }
}

/// Of the lines that did not pass, the last are logged at the end.
const LAST: usize = 20;
/// Each of them is cut here, in bytes.
const LAST_BYTES: usize = 500;

/// Keeps the log.
#[derive(Debug)]
pub(crate) struct Log {
    gate: Gate,
    pace: Pace,
    kept: u64,
    left_out: u64,
    /// Left out since the last line that passed.
    missing: u64,
    /// The newest lines that did not pass.
    behind: VecDeque<(LogLevel, String)>,
    /// The newest lines of each stream.
    last: [VecDeque<String>; 2],
}

impl Log {
    pub fn new(pace: Pace, now: Instant) -> Self {
        Self {
            gate: Gate::new(pace.at_once, pace.per_second, now),
            pace,
            kept: 0,
            left_out: 0,
            missing: 0,
            behind: VecDeque::new(),
            last: [VecDeque::new(), VecDeque::new()],
        }
    }

    /// Takes a line, which may have colours in it.
    pub fn line(&mut self, ear: &mut impl Ear, stream: Stream, level: LogLevel, text: String, now: Instant) {
        push(&mut self.last[stream as usize], cut(&ansi::plain(&text)));
        if self.gate.pass(now) {
            if self.missing > 0 {
                ear.log(LogLevel::Warn, format!("{} dropped (rate limit)", lines(self.missing)));
                self.missing = 0;
                self.behind.clear();
            }
            self.kept += 1;
            ear.log(level, text);
            return;
        }
        if self.left_out == 0 {
            ear.log(
                LogLevel::Warn,
                format!(
                    "More than {} lines per second: dropping lines until the rate goes down",
                    self.pace.per_second
                ),
            );
        }
        self.left_out += 1;
        self.missing += 1;
        push(&mut self.behind, (level, cut(&text)));
    }

    /// Ends the log: how many lines it has, how many were left out, and the last lines of standard error, or of
    /// standard output when there were none.
    pub fn finish(mut self, ear: &mut impl Ear) -> (u64, u64, Vec<String>) {
        if self.missing > 0 {
            let behind = u64::try_from(self.behind.len()).unwrap_or(u64::MAX);
            let missing = self.missing - behind;
            if missing > 0 {
                ear.log(LogLevel::Warn, format!("{} dropped (rate limit)", lines(missing)));
            }
            self.kept += behind;
            self.left_out -= behind;
            for (level, text) in self.behind {
                ear.log(level, text);
            }
        }
        let [out, err] = self.last;
        (self.kept, self.left_out, if err.is_empty() { out } else { err }.into())
    }
}

fn push<T>(list: &mut VecDeque<T>, item: T) {
    if list.len() == LAST {
        list.pop_front();
    }
    list.push_back(item);
}

fn cut(text: &str) -> String {
    if text.len() <= LAST_BYTES {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(LAST_BYTES)])
}

fn lines(n: u64) -> String {
    if n == 1 { "1 line".to_owned() } else { format!("{n} lines") }
}
