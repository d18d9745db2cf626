//! The log as it is looked at: what is listed and found of it, which part is in sight, which line is marked.

use super::search::Search;
use super::sieve::{Sieve, takes, union};
use crate::live::lines::LogBuffer;
use leptos::html::Div;
use leptos::prelude::*;
use protocol::{LogLevel, OperationId};

/// The height of a line, pixels; as in the style.
pub const ROW: f64 = 20.0;
/// The height of the list before the browser says it, and the most it has by its style.
const TALLEST: f64 = 640.0;
/// Lines drawn beyond either edge, so that none is missing while one scrolls.
const BEYOND: usize = 8;
/// Rows of the list: browsers draw nothing that is taller than some ten million pixels.
const MOST_ROWS: u64 = 500_000;

/// Everything that the parts of the log share.
#[derive(Clone, Copy)]
pub struct Look {
    pub id: OperationId,
    pub log: RwSignal<LogBuffer>,
    pub least: RwSignal<LogLevel>,
    /// What is searched for, in lower case.
    pub words: RwSignal<String>,
    /// The line that the address names.
    pub marked: RwSignal<Option<u64>>,
    pub following: RwSignal<bool>,
    /// The newest line when following ended.
    pub left_at: RwSignal<u64>,
    pub rows: Memo<Rows>,
    /// How many lines are found, and what tells one find from another.
    pub found: Memo<(usize, u64, u64)>,
    pub found_lines: StoredValue<Sieve>,
    /// The search for the words, and that for lines of the level, through lines that are not here.
    pub finding: Search,
    pub listing: Search,
    listed: StoredValue<Sieve>,
    /// How far it is scrolled, and how high it is; pixels.
    top: RwSignal<f64>,
    tall: RwSignal<f64>,
    pub node: NodeRef<Div>,
}

/// The rows of the list. With all levels every line has its row, here or not: what is not is asked for when it comes
/// in sight. With a level it is the matching lines: those that are here, and those that the server found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rows {
    pub whole: bool,
    /// The line of the first row, when it is whole.
    base: u64,
    pub len: usize,
    turned: u64,
}

/// A number that differs where questions differ.
fn ask(least: LogLevel, words: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    (least as u8, words).hash(&mut hasher);
    hasher.finish()
}

impl Look {
    pub fn new(id: OperationId, log: RwSignal<LogBuffer>, least: LogLevel, words: String) -> Self {
        let least = RwSignal::new(least);
        let words = RwSignal::new(words);
        let nothing = Signal::derive(String::new);
        let listing =
            Search::new(log, least, nothing, Signal::derive(move || least.get() != LogLevel::Debug));
        let any = Signal::derive(move || !words.read().is_empty());
        let finding = Search::new(log, least, words.into(), any);
        let (here, listed) = (StoredValue::new(Sieve::default()), StoredValue::new(Sieve::default()));
        let rows = Memo::new(move |_| {
            let least = least.get();
            log.with(|log| {
                if least == LogLevel::Debug {
                    let base = log.first().max((log.last() + 1).saturating_sub(MOST_ROWS));
                    let len = (log.last() + 1).saturating_sub(base) as usize;
                    return Rows { whole: true, base, len, turned: log.turned() };
                }
                here.update_value(|sieve| sieve.sift(log, least as u64, &|line| takes(line, least, "")));
                let ns = listing.beyond(|beyond| here.with_value(|here| union(&here.ns, beyond)));
                let (len, turned) = (ns.len(), log.turned());
                listed.update_value(|sieve| sieve.ns = ns);
                Rows { whole: false, base: 0, len, turned }
            })
        });
        let (found_here, found_lines) =
            (StoredValue::new(Sieve::default()), StoredValue::new(Sieve::default()));
        let found = Memo::new(move |_| {
            let least = least.get();
            words.with(|words| {
                let question = ask(least, words);
                log.with(|log| {
                    let any = !words.is_empty();
                    found_here.update_value(|sieve| {
                        sieve.sift(log, question, &|line| any && takes(line, least, words));
                    });
                    let ns = finding.beyond(|beyond| found_here.with_value(|here| union(&here.ns, beyond)));
                    let len = ns.len();
                    found_lines.update_value(|sieve| sieve.ns = ns);
                    (len, question, log.turned())
                })
            })
        });
        Self {
            id,
            log,
            least,
            words,
            marked: RwSignal::new(None),
            following: RwSignal::new(true),
            left_at: RwSignal::new(0),
            rows,
            found,
            found_lines,
            finding,
            listing,
            listed,
            top: RwSignal::new(0.0),
            tall: RwSignal::new(TALLEST),
            node: NodeRef::new(),
        }
    }

    /// The line of a row.
    pub fn line_at(&self, rows: Rows, row: usize) -> u64 {
        if rows.whole {
            return rows.base + row as u64;
        }
        self.listed.with_value(|sieve| sieve.ns.get(row).copied().unwrap_or_default())
    }

    /// The row of a line.
    pub fn row_of(&self, rows: Rows, n: u64) -> Option<usize> {
        if rows.whole {
            let row = n.checked_sub(rows.base)? as usize;
            return (row < rows.len).then_some(row);
        }
        self.listed.with_value(|sieve| sieve.place(n))
    }

    /// The rows that are drawn: from, to. Tracked.
    pub fn drawn(&self) -> (usize, usize) {
        drawn(self.rows.get().len, self.following.get(), self.top.get(), self.tall.get())
    }

    /// The line in the middle of what is in sight. Not tracked.
    pub fn middle(&self) -> Option<u64> {
        let (from, to) = untrack(|| self.drawn());
        (to > from).then(|| self.line_at(self.rows.get_untracked(), from.midpoint(to)))
    }

    /// The list was scrolled: takes in where it is. Who goes up no longer follows, who comes to the end does again.
    pub fn scrolled(&self) {
        let Some(list) = self.node.get_untracked() else { return };
        let (top, tall) = (f64::from(list.scroll_top()), f64::from(list.client_height()));
        let left = f64::from(list.scroll_height()) - top - tall;
        let before = self.top.get_untracked();
        // At the end one that went up was drawn there, by a list that got shorter.
        match left < ROW {
            true if top > before + 1.0 => self.follow(true),
            false if top < before - 1.0 => self.follow(false),
            _ => {}
        }
        self.measure(top, tall);
    }

    fn measure(&self, top: f64, tall: f64) {
        if top != self.top.get_untracked() {
            self.top.set(top);
        }
        if tall != self.tall.get_untracked() {
            self.tall.set(tall);
        }
    }

    /// Follows the log, or stays where one is.
    pub fn follow(&self, on: bool) {
        if self.following.get_untracked() != on {
            self.left_at.set(self.log.with_untracked(LogBuffer::last));
            self.following.set(on);
        }
    }

    /// Brings the end in sight, once it is drawn.
    pub fn show_end(&self) {
        let look = *self;
        request_animation_frame(move || {
            if let Some(list) = look.node.try_get_untracked().flatten() {
                list.set_scroll_top(list.scroll_height());
                look.measure(f64::from(list.scroll_top()), f64::from(list.client_height()));
            }
        });
    }

    /// Brings a line into sight, in the middle if it is not there already; says whether it is listed.
    pub fn show(&self, n: u64) -> bool {
        let Some(row) = self.row_of(self.rows.get_untracked(), n) else { return false };
        self.follow(false);
        let look = *self;
        request_animation_frame(move || {
            if let Some(list) = look.node.try_get_untracked().flatten() {
                let (tall, place) = (f64::from(list.client_height()), row as f64 * ROW);
                let top = f64::from(list.scroll_top());
                if place < top || place + 2.0 * ROW > top + tall {
                    list.set_scroll_top((place - (tall - ROW) / 2.0).max(0.0) as i32);
                }
                look.measure(f64::from(list.scroll_top()), tall);
            }
        });
        true
    }
}

/// The rows to draw of so many.
fn drawn(len: usize, following: bool, top: f64, tall: f64) -> (usize, usize) {
    let fit = (tall / ROW).ceil() as usize + 1;
    let first = if following { len.saturating_sub(fit) } else { ((top / ROW) as usize).min(len) };
    (first.saturating_sub(BEYOND), (first + fit + BEYOND).min(len))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_end_is_drawn_while_it_is_followed() {
        assert_eq!(drawn(100_000, true, 0.0, 400.0), (99_971, 100_000));
        assert_eq!(drawn(3, true, 0.0, 400.0), (0, 3));
        assert_eq!(drawn(0, true, 0.0, 400.0), (0, 0));
    }

    proptest! {
        #[test]
        fn whatever_is_in_sight_is_drawn_and_little_more(
            len in 0usize..1_000_000, share in 0.0f64..1.0, tall in 20.0f64..TALLEST
        ) {
            let most = (len as f64 * ROW - tall).max(0.0);
            let top = share * most;
            let (from, to) = drawn(len, false, top, tall);
            prop_assert!(from <= to && to <= len);
            prop_assert!(to - from <= 60);
            prop_assert!(from as f64 * ROW <= top);
            prop_assert!(to == len || to as f64 * ROW >= top + tall);
        }
    }
}
