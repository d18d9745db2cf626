//! Log of the selected operation: stored lines, then those of the feed, each once.

use client::{Client, ClientError};
use protocol::{LogLine, OperationId};
use std::collections::VecDeque;

/// Lines that are kept.
const MAX_LINES: usize = 500;

/// Newest lines of the log of one attempt.
pub struct Log {
    pub id: OperationId,
    attempt: u32,
    pub lines: VecDeque<LogLine>,
    /// Lines are missing between those here and those of the feed.
    pub is_behind: bool,
}

impl Log {
    /// Log whose stored lines are still to be loaded.
    pub fn new(id: OperationId, attempt: u32) -> Self {
        Self { id, attempt, lines: VecDeque::new(), is_behind: true }
    }

    /// Loads the newest stored lines of an attempt.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn load(client: Client, id: OperationId, attempt: u32) -> Result<Self, ClientError> {
        let page = client.logs(id, attempt, None, MAX_LINES as u64).await?;
        Ok(Self { id, attempt: page.attempt, lines: page.lines.into(), is_behind: false })
    }

    /// Attempt, to load its lines again.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Takes lines of the feed.
    pub fn append(&mut self, attempt: u32, lines: Vec<LogLine>) {
        if attempt > self.attempt {
            (self.attempt, self.is_behind) = (attempt, true);
            self.lines.clear();
        }
        let last = self.lines.back().map_or(0, |line| line.n);
        let new: Vec<LogLine> = lines.into_iter().filter(|line| line.n > last).collect();
        if attempt < self.attempt || new.is_empty() {
            return;
        }
        self.is_behind |= new[0].n > last + 1;
        self.lines.extend(new);
        let surplus = self.lines.len().saturating_sub(MAX_LINES);
        self.lines.drain(..surplus);
    }

    /// Joins loaded lines with those that the feed brought meanwhile.
    pub fn join(&mut self, loaded: Self) {
        if loaded.id != self.id || loaded.attempt < self.attempt {
            return;
        }
        let later = std::mem::replace(self, loaded);
        self.append(later.attempt, later.lines.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{LogLevel, Time};

    fn lines(range: std::ops::Range<u64>) -> Vec<LogLine> {
        let line = |n: u64| LogLine {
            n,
            at: Time::from_micros(0),
            level: LogLevel::Info,
            text: format!("line {n}"),
        };
        range.map(line).collect()
    }

    fn numbers(log: &Log) -> Vec<u64> {
        log.lines.iter().map(|line| line.n).collect()
    }

    #[test]
    fn stored_lines_and_lines_of_the_feed_are_joined_without_gap_or_repetition() {
        let id = OperationId::new();
        let mut log = Log::new(id, 1);
        log.append(1, lines(4..6));
        assert!(log.is_behind);
        log.join(Log { id, attempt: 1, lines: lines(1..5).into(), is_behind: false });
        assert_eq!((numbers(&log), log.is_behind), (vec![1, 2, 3, 4, 5], false));
        log.append(1, lines(5..7));
        assert_eq!(numbers(&log), [1, 2, 3, 4, 5, 6]);
        log.append(1, lines(9..10));
        assert!(log.is_behind, "lines 7 and 8 are missing");
        log.append(2, lines(1..2));
        assert_eq!((numbers(&log), log.attempt()), (vec![1], 2));
    }

    #[test]
    fn lines_of_another_operation_or_attempt_are_not_mixed_in() {
        let id = OperationId::new();
        let mut log = Log::new(id, 2);
        log.join(Log { id: OperationId::new(), attempt: 2, lines: lines(1..3).into(), is_behind: false });
        log.join(Log { id, attempt: 1, lines: lines(1..3).into(), is_behind: false });
        log.append(1, lines(1..3));
        assert!(numbers(&log).is_empty() && log.is_behind);
    }
}
