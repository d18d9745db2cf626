//! Log of an open operation, as far as loaded, in compact memory.
//!
//! Lines are numbered from 1, so missing ones are known and can be requested when they become visible. Lines are stored
//! in blocks with one text each; when there are too many, the blocks farthest from the reader are dropped.

use protocol::{LogLevel, LogLine, Time};

/// Maximum number of lines kept.
pub const MAX_LINES: usize = 120_000;
/// Maximum bytes of text kept: lines may be long.
const MAX_BYTES: usize = 32 << 20;
/// Lines per block.
const BLOCK: u64 = 512;

/// A line of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line<'a> {
    pub n: u64,
    pub at: Time,
    pub level: LogLevel,
    pub text: &'a str,
}

/// Position of a line's text in its block.
#[derive(Clone, Copy, Debug)]
struct Slot {
    at: Time,
    start: u32,
    len: u32,
    level: LogLevel,
}

#[derive(Clone, Debug)]
struct Block {
    /// Holds the lines from `id * BLOCK`.
    id: u64,
    slots: Vec<Option<Slot>>,
    held: usize,
    text: String,
}

impl Block {
    fn line(&self, place: usize) -> Option<Line<'_>> {
        let slot = (*self.slots.get(place)?)?;
        let (start, end) = (slot.start as usize, (slot.start + slot.len) as usize);
        let n = self.id * BLOCK + place as u64;
        Some(Line { n, at: slot.at, level: slot.level, text: &self.text[start..end] })
    }
}

/// Log of one attempt; each line once.
#[derive(Clone, Debug, Default)]
pub struct LogBuffer {
    attempt: u32,
    blocks: Vec<Block>,
    held: usize,
    bytes: usize,
    /// Number of the first existing line; 0 while unknown.
    first: u64,
    /// Number of the newest known line.
    last: u64,
    /// The line in view; `None` for the newest.
    eye: Option<u64>,
    /// Incremented with every change except appended lines.
    turned: u64,
}

impl LogBuffer {
    /// The attempt.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Number of the first existing line, as far as known.
    pub fn first(&self) -> u64 {
        self.first.max(1)
    }

    /// Number of the newest line; 0 without lines.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Number of loaded lines.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Number of lines, loaded or not.
    pub fn all(&self) -> u64 {
        if self.last == 0 { 0 } else { self.last + 1 - self.first() }
    }

    /// Changes whenever anything but appended lines changes.
    pub fn turned(&self) -> u64 {
        self.turned
    }

    /// A line, if loaded.
    pub fn get(&self, n: u64) -> Option<Line<'_>> {
        let block = &self.blocks[self.place(n / BLOCK).ok()?];
        block.line((n % BLOCK) as usize)
    }

    /// Loaded lines from `n` on.
    pub fn from(&self, n: u64) -> impl Iterator<Item = Line<'_>> {
        let begin = self.place(n / BLOCK).unwrap_or_else(|next| next);
        let lines = self.blocks[begin..].iter().flat_map(|b| (0..b.slots.len()).filter_map(|i| b.line(i)));
        lines.skip_while(move |line| line.n < n)
    }

    /// The last line in `from..=to` that exists and is not loaded.
    pub fn missing(&self, from: u64, to: u64) -> Option<u64> {
        let (from, mut n) = (from.max(self.first()), to.min(self.last));
        while n >= from {
            match self.place(n / BLOCK) {
                Ok(at) => {
                    if self.blocks[at].held < BLOCK as usize && self.get(n).is_none() {
                        return Some(n);
                    }
                    // Skips a full block at once.
                    n = if self.blocks[at].held == BLOCK as usize { n - n % BLOCK } else { n };
                    n = n.checked_sub(1)?;
                }
                Err(_) => return Some(n),
            }
        }
        None
    }

    /// Sets the line in view; the lines farthest from it are dropped first.
    pub fn look_at(&mut self, eye: Option<u64>) {
        self.eye = eye;
    }

    /// Adds lines of an attempt; returns whether anything changed. A newer attempt starts over, an older one is
    /// ignored.
    pub fn add(&mut self, attempt: u32, lines: &[LogLine]) -> bool {
        if attempt < self.attempt {
            return false;
        }
        let mut changed = false;
        if attempt > self.attempt {
            changed = self.last > 0;
            *self = Self { attempt, turned: self.turned + 1, ..Self::default() };
        }
        for line in lines {
            changed |= self.put(line.n, line.at, line.level, &line.text);
        }
        self.make_room();
        changed
    }

    /// Takes an answer with the last lines before `before`, at most `asked`. Lines that the answer lacks don't exist.
    pub fn answer(&mut self, attempt: u32, before: u64, asked: usize, lines: &[LogLine]) {
        self.add(attempt, lines);
        if attempt != self.attempt {
            return;
        }
        let lowest = lines.first().map_or(before, |line| line.n);
        if lines.len() < asked {
            self.turned += u64::from(self.first < lowest);
            self.first = self.first.max(lowest);
        }
        // Fills omitted numbers, which would be requested again and again.
        let mut at = lines.first().map_or(Time::from_micros(0), |line| line.at);
        for n in lowest..before.min(self.last + 1) {
            match self.get(n) {
                Some(line) => at = line.at,
                None if self.place(n / BLOCK).is_ok() => {
                    self.put(n, at, LogLevel::Debug, "");
                }
                None => {}
            }
        }
    }

    fn place(&self, id: u64) -> Result<usize, usize> {
        // Nearly always the newest block.
        match self.blocks.last() {
            Some(last) if last.id == id => Ok(self.blocks.len() - 1),
            Some(last) if last.id < id => Err(self.blocks.len()),
            _ => self.blocks.binary_search_by_key(&id, |block| block.id),
        }
    }

    fn put(&mut self, n: u64, at: Time, level: LogLevel, text: &str) -> bool {
        let id = n / BLOCK;
        let place = match self.place(id) {
            Ok(place) => place,
            Err(place) => {
                let slots = vec![None; BLOCK as usize];
                self.blocks.insert(place, Block { id, slots, held: 0, text: String::new() });
                place
            }
        };
        let block = &mut self.blocks[place];
        // Line 0 does not exist: its slot counts as used, so that a full block is full.
        if id == 0 && block.held == 0 {
            block.held = 1;
        }
        let slot = &mut block.slots[(n % BLOCK) as usize];
        if n == 0 || slot.is_some() {
            return false;
        }
        *slot = Some(Slot { at, start: block.text.len() as u32, len: text.len() as u32, level });
        block.text.push_str(text);
        block.held += 1;
        self.held += 1;
        self.bytes += text.len();
        if n > self.last {
            self.last = n;
        } else {
            self.turned += 1;
        }
        true
    }

    fn make_room(&mut self) {
        while (self.held > MAX_LINES || self.bytes > MAX_BYTES) && self.blocks.len() > 1 {
            let eye = self.eye.unwrap_or(self.last) / BLOCK;
            let (low, high) = (self.blocks[0].id, self.blocks[self.blocks.len() - 1].id);
            let goes = if eye.abs_diff(low) >= eye.abs_diff(high) { 0 } else { self.blocks.len() - 1 };
            let gone = self.blocks.remove(goes);
            self.held -= gone.slots.iter().flatten().count();
            self.bytes -= gone.text.len();
            self.turned += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(n: u64) -> LogLine {
        LogLine { n, at: Time::from_micros(n as i64), level: LogLevel::Info, text: format!("line {n}") }
    }

    fn lines(from: u64, to: u64) -> Vec<LogLine> {
        (from..=to).map(line).collect()
    }

    fn held(log: &LogBuffer) -> Vec<u64> {
        log.from(0).map(|line| line.n).collect()
    }

    #[test]
    fn a_new_attempt_starts_an_empty_log_and_older_attempts_are_ignored() {
        let mut log = LogBuffer::default();
        assert!(log.add(1, &lines(1, 2)));
        let before = log.turned();
        assert!(log.add(2, &lines(1, 1)));
        assert_eq!(held(&log), [1]);
        assert_ne!(log.turned(), before);
        assert!(!log.add(1, &lines(3, 3)));
        assert_eq!((held(&log), log.last()), (vec![1], 1));
    }

    #[test]
    fn a_line_is_stored_unchanged() {
        let mut log = LogBuffer::default();
        log.add(1, &[line(700), line(3)]);
        let got = log.get(3).unwrap();
        assert_eq!((got.text, got.at, got.level), ("line 3", Time::from_micros(3), LogLevel::Info));
        assert_eq!(log.get(4), None);
        assert_eq!((log.first(), log.last(), log.all(), log.held()), (1, 700, 700, 2));
    }

    #[test]
    fn a_long_log_is_bounded_and_lines_near_the_reader_stay() {
        let mut log = LogBuffer::default();
        for from in (1..=150_000).step_by(1_000) {
            log.add(1, &lines(from, from + 999));
            assert!(log.held() <= MAX_LINES);
        }
        assert!(log.held() > MAX_LINES - BLOCK as usize);
        assert_eq!((log.last(), log.get(150_000).unwrap().text), (150_000, "line 150000"));
        assert_eq!(log.get(1), None);
        // A reader at the start keeps the start.
        log.look_at(Some(1));
        log.answer(1, 1_001, 1_000, &lines(1, 1_000));
        assert!(log.get(1).is_some() && log.held() <= MAX_LINES);
        assert_eq!((log.get(150_000), log.last()), (None, 150_000));
    }

    #[test]
    fn long_lines_are_bounded_too() {
        let mut log = LogBuffer::default();
        for n in 1..=10_000 {
            log.add(1, &[LogLine { text: "x".repeat(8 * 1024), ..line(n) }]);
        }
        assert!(log.bytes <= MAX_BYTES && log.held() < 5_000, "{}", log.held());
        assert!(log.get(10_000).is_some());
    }

    #[test]
    fn missing_lines_are_known() {
        let mut log = LogBuffer::default();
        assert_eq!(log.missing(1, 100), None);
        log.add(1, &lines(4_001, 5_000));
        assert_eq!(log.missing(4_001, 9_000), None);
        assert_eq!(log.missing(1, 4_500), Some(4_000));
        log.answer(1, 4_001, 2_000, &lines(2_001, 4_000));
        assert_eq!(log.missing(1, 5_000), Some(2_000));
        // The answer is shorter than requested: nothing precedes it.
        log.answer(1, 2_001, 2_000, &lines(11, 2_000));
        assert_eq!((log.missing(1, 5_000), log.first(), log.all()), (None, 11, 4_990));
    }

    #[test]
    fn a_line_number_missing_in_a_response_is_not_requested_again() {
        let mut log = LogBuffer::default();
        log.add(1, &lines(10, 20));
        log.answer(1, 10, 100, &[line(3), line(5), line(9)]);
        assert_eq!(log.missing(1, 20), None);
        assert_eq!((log.first(), log.get(4).unwrap().text), (3, ""));
    }

    proptest! {
        /// Answers and live lines may overlap and come in any order.
        #[test]
        fn every_line_is_there_once_and_in_order(
            pieces in proptest::collection::vec((1u64..3_000, 1u64..700), 1..12)
        ) {
            let mut log = LogBuffer::default();
            let mut all = std::collections::BTreeSet::new();
            for (from, len) in pieces {
                log.add(1, &lines(from, from + len - 1));
                all.extend(from..from + len);
            }
            let last = *all.last().unwrap();
            prop_assert!((1..=last).all(|n| log.get(n).is_some() == all.contains(&n)));
            let missing = (1..=last).rev().find(|n| !all.contains(n));
            prop_assert_eq!(log.missing(1, last), missing);
            prop_assert_eq!(held(&log), all.into_iter().collect::<Vec<_>>());
            let as_told = log.from(0).all(|line| line.text == format!("line {}", line.n));
            prop_assert!(as_told);
        }
    }
}
