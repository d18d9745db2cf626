//! Rate-limited log of a command. The last lines are always kept.

use crate::progress_sink::ProgressSink;
use crate::rate_limit::RateLimit;
use crate::stream::Stream;
use protocol::LogLevel;
use std::collections::VecDeque;
use tokio::time::Instant;

/// Burst and rate limit of log lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct LogRate {
    pub at_once: u32,
    pub per_second: u32,
}

impl Default for LogRate {
    fn default() -> Self {
        Self { at_once: 2_000, per_second: 200 }
    }
}

/// Number of dropped lines that are kept for the end of the log.
const LAST: usize = 20;
/// Maximum length of each of these lines, in bytes.
const LAST_BYTES: usize = 500;

/// Log of a command.
#[derive(Debug)]
pub(crate) struct Log {
    rate_limit: RateLimit,
    pace: LogRate,
    kept: u64,
    left_out: u64,
    /// Lines dropped since the last logged one.
    missing: u64,
    /// Newest dropped lines.
    behind: VecDeque<(LogLevel, String)>,
    /// Newest lines of each stream.
    last: [VecDeque<String>; 2],
}

impl Log {
    pub fn new(pace: LogRate, now: Instant) -> Self {
        Self {
            rate_limit: RateLimit::new(pace.at_once, pace.per_second, now),
            pace,
            kept: 0,
            left_out: 0,
            missing: 0,
            behind: VecDeque::new(),
            last: [VecDeque::new(), VecDeque::new()],
        }
    }

    /// Adds a line, which can have colours.
    pub fn line(
        &mut self,
        sink: &mut impl ProgressSink,
        stream: Stream,
        level: LogLevel,
        text: String,
        now: Instant,
    ) {
        push(&mut self.last[stream as usize], cut(&ansi::plain(&text)));
        if self.rate_limit.pass(now) {
            if self.missing > 0 {
                sink.log(LogLevel::Warn, format!("{} dropped (rate limit)", lines(self.missing)));
                self.missing = 0;
                self.behind.clear();
            }
            self.kept += 1;
            sink.log(level, text);
            return;
        }
        if self.left_out == 0 {
            sink.log(
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

    /// Ends the log. Returns the number of logged and dropped lines, and the last lines of standard error, or else of
    /// standard output.
    pub fn finish(mut self, sink: &mut impl ProgressSink) -> (u64, u64, Vec<String>) {
        if self.missing > 0 {
            let behind = u64::try_from(self.behind.len()).unwrap_or(u64::MAX);
            let missing = self.missing - behind;
            if missing > 0 {
                sink.log(LogLevel::Warn, format!("{} dropped (rate limit)", lines(missing)));
            }
            self.kept += behind;
            self.left_out -= behind;
            for (level, text) in self.behind {
                sink.log(level, text);
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

/// Text, cut to the length of such a line.
pub(crate) fn cut(text: &str) -> String {
    if text.len() <= LAST_BYTES {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(LAST_BYTES)])
}

fn lines(n: u64) -> String {
    if n == 1 { "1 line".to_owned() } else { format!("{n} lines") }
}
