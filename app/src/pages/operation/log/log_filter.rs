//! Filters of log lines, updated incrementally while the log grows.

use live::model::log_buffer::{Line, LogBuffer};
use protocol::LogLevel;

/// Numbers of matching lines, ascending.
#[derive(Default)]
pub struct Sieve {
    /// Version of the log and identity of the filter at the last update.
    seen: Option<(u64, u64)>,
    upto: u64,
    pub ns: Vec<u64>,
}

impl Sieve {
    /// Updates the matches. A different `by` means a different filter.
    pub fn sift(&mut self, log: &LogBuffer, by: u64, takes: &dyn Fn(&Line) -> bool) {
        let now = Some((log.turned(), by));
        if self.seen != now {
            *self = Self { seen: now, ..Self::default() };
        }
        self.ns.extend(log.from(self.upto + 1).filter(|line| takes(line)).map(|line| line.n));
        self.upto = log.last();
    }

    /// Index of a line among the matches.
    pub fn place(&self, n: u64) -> Option<usize> {
        self.ns.binary_search(&n).ok()
    }

    /// Next or previous match; wraps around at the ends.
    pub fn next(&self, from: Option<u64>, back: bool) -> Option<u64> {
        let (first, last) = (self.ns.first().copied()?, self.ns.last().copied()?);
        let Some(from) = from else { return Some(if back { last } else { first }) };
        Some(if back {
            let place = self.ns.partition_point(|n| *n < from);
            place.checked_sub(1).map_or(last, |before| self.ns[before])
        } else {
            let place = self.ns.partition_point(|n| *n <= from);
            self.ns.get(place).copied().unwrap_or(first)
        })
    }
}

/// Whether a line has at least this level and contains `words`, which are lower-case.
pub fn takes(line: &Line, least: LogLevel, words: &str) -> bool {
    log_search::takes(line.level, line.text, least, words)
}

/// Union of two ascending lists, without duplicates.
pub fn union(here: &[u64], beyond: &[u64]) -> Vec<u64> {
    let mut all = Vec::with_capacity(here.len().max(beyond.len()));
    let (mut a, mut b) = (here.iter().copied().peekable(), beyond.iter().copied().peekable());
    while let Some(n) = [a.peek(), b.peek()].into_iter().flatten().min().copied() {
        a.next_if_eq(&n);
        b.next_if_eq(&n);
        all.push(n);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{LogLine, Time};

    fn line(n: u64, text: &str) -> LogLine {
        let level = if n.is_multiple_of(2) { LogLevel::Info } else { LogLevel::Debug };
        LogLine { n, at: Time::from_micros(0), level, text: text.to_owned() }
    }

    #[test]
    fn a_line_is_found_by_level_and_words_whatever_its_colours() {
        let at = Time::from_micros(0);
        let line = Line { n: 1, at, level: LogLevel::Warn, text: "Row \u{1b}[31m7 ref\u{1b}[0mused" };
        assert!(takes(&line, LogLevel::Info, "refused"));
        assert!(takes(&line, LogLevel::Warn, ""));
        assert!(!takes(&line, LogLevel::Error, ""));
        assert!(!takes(&line, LogLevel::Debug, "written"));
        assert!(!takes(&line, LogLevel::Debug, "31m"));
    }

    #[test]
    fn matches_follow_a_log_that_grows_at_both_ends() {
        let (mut log, mut sieve) = (LogBuffer::default(), Sieve::default());
        let even = |line: &Line| line.n.is_multiple_of(2);
        log.add(1, &[line(4, ""), line(5, ""), line(6, "")]);
        sieve.sift(&log, 0, &even);
        assert_eq!(sieve.ns, [4, 6]);
        log.add(1, &[line(7, ""), line(8, "")]);
        sieve.sift(&log, 0, &even);
        assert_eq!(sieve.ns, [4, 6, 8]);
        log.answer(1, 4, 3, &[line(1, ""), line(2, ""), line(3, "")]);
        sieve.sift(&log, 0, &even);
        assert_eq!(sieve.ns, [2, 4, 6, 8]);
        sieve.sift(&log, 1, &|_| true);
        assert_eq!(sieve.ns.len(), 8);
        log.add(2, &[line(1, "")]);
        sieve.sift(&log, 1, &|_| true);
        assert_eq!(sieve.ns, [1]);
    }

    #[test]
    fn local_and_server_matches_are_merged_once_and_in_order() {
        assert_eq!(union(&[3, 5, 9], &[1, 3, 4]), [1, 3, 4, 5, 9]);
        assert_eq!(union(&[], &[2]), [2]);
        assert_eq!(union(&[2], &[]), [2]);
    }

    #[test]
    fn navigation_cycles_through_the_matches() {
        let sieve = Sieve { ns: vec![3, 7, 9], ..Sieve::default() };
        assert_eq!((sieve.next(None, false), sieve.next(None, true)), (Some(3), Some(9)));
        assert_eq!((sieve.next(Some(7), false), sieve.next(Some(8), false)), (Some(9), Some(9)));
        assert_eq!((sieve.next(Some(9), false), sieve.next(Some(3), true)), (Some(3), Some(9)));
        assert_eq!(sieve.next(Some(8), true), Some(7));
        assert_eq!(Sieve::default().next(None, false), None);
        assert_eq!((sieve.place(7), sieve.place(8)), (Some(1), None));
    }
}
