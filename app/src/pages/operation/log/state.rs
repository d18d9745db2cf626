//! View state of the log: listed and matching lines, scroll position, selected line.

use super::log_filter::{Sieve, takes, union};
use super::search::Search;
use leptos::html::Div;
use leptos::prelude::*;
use live::model::log_buffer::LogBuffer;
use protocol::{LogLevel, OperationId};

/// Height of a line in pixels, as in the stylesheet.
pub const ROW: f64 = 20.0;
/// Maximum height of the list in pixels, as in the stylesheet; assumed until the browser reports it.
const TALLEST: f64 = 640.0;
/// Rows rendered beyond each edge, so that scrolling shows no gaps.
const BEYOND: usize = 8;
/// Maximum number of rows. Browsers render nothing taller than about ten million pixels.
const MAX_ROWS: u64 = 500_000;

/// State shared by the parts of the log.
#[derive(Clone, Copy)]
pub struct Look {
    pub id: OperationId,
    pub log: RwSignal<LogBuffer>,
    pub least: RwSignal<LogLevel>,
    /// Search text in lower case.
    pub words: RwSignal<String>,
    /// Line selected in the URL.
    pub marked: RwSignal<Option<u64>>,
    pub following: RwSignal<bool>,
    /// Newest line when following stopped.
    pub left_at: RwSignal<u64>,
    pub rows: Memo<Rows>,
    /// Number of matches, and two values that identify the search and the version of the log.
    pub found: Memo<(usize, u64, u64)>,
    pub found_lines: StoredValue<Sieve>,
    /// Server searches, for the search text and for the lines of the level.
    pub finding: Search,
    pub listing: Search,
    listed: StoredValue<Sieve>,
    /// Scroll offset and height in pixels.
    top: RwSignal<f64>,
    tall: RwSignal<f64>,
    pub node: NodeRef<Div>,
}

/// Rows of the list. With all levels, every line has a row and is loaded when it scrolls into view. With a level, the
/// rows are the matching lines: loaded ones and those found by the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rows {
    pub whole: bool,
    /// Line of the first row, if the list is whole.
    base: u64,
    pub len: usize,
    turned: u64,
}

/// Hash that identifies a filter.
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
                    let base = log.first().max((log.last() + 1).saturating_sub(MAX_ROWS));
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

    /// Line of a row.
    pub fn line_at(&self, rows: Rows, row: usize) -> u64 {
        if rows.whole {
            return rows.base + row as u64;
        }
        self.listed.with_value(|sieve| sieve.ns.get(row).copied().unwrap_or_default())
    }

    /// Row of a line.
    pub fn row_of(&self, rows: Rows, n: u64) -> Option<usize> {
        if rows.whole {
            let row = n.checked_sub(rows.base)? as usize;
            return (row < rows.len).then_some(row);
        }
        self.listed.with_value(|sieve| sieve.place(n))
    }

    /// Range of rendered rows: from, to. Tracked.
    pub fn drawn(&self) -> (usize, usize) {
        drawn(self.rows.get().len, self.following.get(), self.top.get(), self.tall.get())
    }

    /// Line in the middle of the view. Not tracked.
    pub fn middle(&self) -> Option<u64> {
        let (from, to) = untrack(|| self.drawn());
        (to > from).then(|| self.line_at(self.rows.get_untracked(), from.midpoint(to)))
    }

    /// Handles scrolling: up stops following, down to the end resumes it.
    pub fn scrolled(&self) {
        let Some(list) = self.node.get_untracked() else { return };
        let (top, tall) = (f64::from(list.scroll_top()), f64::from(list.client_height()));
        let left = f64::from(list.scroll_height()) - top - tall;
        let before = self.top.get_untracked();
        // A list that gets shorter also moves up, but stays at its end.
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

    /// Starts or stops following.
    pub fn follow(&self, on: bool) {
        if self.following.get_untracked() != on {
            self.left_at.set(self.log.with_untracked(LogBuffer::last));
            self.following.set(on);
        }
    }

    /// Scrolls to the end after the next frame.
    pub fn show_end(&self) {
        let look = *self;
        request_animation_frame(move || {
            if let Some(list) = look.node.try_get_untracked().flatten() {
                list.set_scroll_top(list.scroll_height());
                look.measure(f64::from(list.scroll_top()), f64::from(list.client_height()));
            }
        });
    }

    /// Measures the list after it was hidden: to the end if that is followed, otherwise to the selected line.
    pub fn unhidden(&self) {
        let marked = self.marked.get_untracked().filter(|_| !self.following.get_untracked());
        match marked {
            Some(n) => {
                self.show(n);
            }
            None if self.following.get_untracked() => self.show_end(),
            None => request_animation_frame({
                let look = *self;
                move || look.scrolled()
            }),
        }
    }

    /// Scrolls a line into view, centred if it was outside. Returns whether it is listed.
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

/// Range of rows to render.
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
