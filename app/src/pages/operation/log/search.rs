//! Search of log lines that are not loaded. The server searches backwards from the end, while the page searches its
//! own lines.

use super::state::Look;
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::api;
use live::model::log_buffer::LogBuffer;
use protocol::LogLevel;
use std::time::Duration;

/// Matching lines per request.
const PAGE_LINES: u32 = 1_000;
/// Maximum number of matches.
pub const MAX_FINDS: usize = 20_000;
/// Matches that are kept with their text. The text of further matches is loaded when they scroll into view.
const MAX_TAKEN_ALONG: usize = 2_000;
/// Delay between the last key press and the first request.
const TYPING_PAUSE: Duration = Duration::from_millis(250);

/// Matches found by the server so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// [`Question::number`] of the search.
    pub question: u64,
    /// First searched line. Everything after it is searched or loaded.
    pub from: u64,
    /// Numbers of matching lines, ascending.
    pub ns: Vec<u64>,
    /// Error that stopped the search.
    pub trouble: Option<String>,
}

/// Search of the log.
#[derive(Clone, Copy)]
pub struct Search {
    /// `None` without a search, or if all lines are loaded.
    pub question: Memo<Option<Question>>,
    pub found: RwSignal<Found>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Question {
    attempt: u32,
    least: u8,
    words: String,
}

impl Question {
    /// Hash that identifies the question.
    pub fn number(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }
}

impl Search {
    /// Search for lines at a level that contain `words`; active while `asked` is true.
    pub fn new(
        log: RwSignal<LogBuffer>,
        least: RwSignal<LogLevel>,
        words: Signal<String>,
        asked: Signal<bool>,
    ) -> Self {
        let partial = Memo::new(move |_| log.with(|log| (log.attempt(), (log.held() as u64) < log.all())));
        let question = Memo::new(move |_| {
            let (attempt, partial) = partial.get();
            (partial && asked.get()).then(|| Question {
                attempt,
                least: least.get() as u8,
                words: words.get(),
            })
        });
        Self { question, found: RwSignal::new(Found::default()) }
    }

    /// Matches of the server for the current question. Tracked.
    pub fn beyond<T>(&self, take: impl FnOnce(&[u64]) -> T) -> T {
        let question = self.question.with(|question| question.as_ref().map(Question::number));
        self.found.with(|found| take(if question == Some(found.question) { &found.ns } else { &[] }))
    }

    /// Unsearched part of the log, and why it is unsearched. Tracked.
    pub fn left(&self, first: u64) -> Option<Left> {
        let question = self.question.with(|question| question.as_ref().map(Question::number))?;
        self.found.with(|found| {
            if found.question != question {
                return Some(Left::Searching(None));
            }
            match &found.trouble {
                Some(why) => Some(Left::Trouble(why.clone())),
                None if found.from <= first => None,
                None if found.ns.len() >= MAX_FINDS => Some(Left::TooMany),
                None => Some(Left::Searching(Some(found.from))),
            }
        })
    }

    /// Searches whenever the question changes, until all lines are searched.
    pub fn run(self, look: Look) {
        Effect::new(move |_| {
            let Some(question) = self.question.get() else { return };
            let number = question.number();
            let begun = move |found: &Found| found.question == number && found.from > 0;
            if self.found.with(begun) {
                return;
            }
            let before = look.log.with_untracked(|log| log.last() + 1);
            let begin = move || {
                let now = self.question.try_get_untracked().flatten();
                if now.as_ref() == Some(&question) && self.found.with_untracked(|found| !begun(found)) {
                    self.found.set(Found { question: number, from: before, ..Found::default() });
                    spawn_local(self.go_back(look, question.clone(), before));
                }
            };
            set_timeout(begin, TYPING_PAUSE);
        });
    }

    async fn go_back(self, look: Look, question: Question, mut before: u64) {
        let number = question.number();
        let least = [LogLevel::Debug, LogLevel::Info, LogLevel::Warn, LogLevel::Error];
        let least = least.into_iter().find(|level| *level as u8 == question.least).unwrap_or(LogLevel::Debug);
        loop {
            let page =
                api::search_log(look.id, question.attempt, before, PAGE_LINES, least, &question.words).await;
            let still = self.found.try_with_untracked(|found| found.question == number);
            if still != Some(true) {
                return;
            }
            let page = match page {
                Ok(page) => page,
                Err(problem) => {
                    self.found.try_update(|found| found.trouble = Some(problem.detail));
                    return;
                }
            };
            let mut finds = 0;
            self.found.try_update(|found| {
                let older: Vec<u64> = page.lines.iter().map(|line| line.n).collect();
                found.ns.splice(0..0, older);
                found.from = page.searched_from;
                finds = found.ns.len();
            });
            if finds <= MAX_TAKEN_ALONG && !page.lines.is_empty() {
                look.log.try_update(|log| log.add(page.attempt, &page.lines));
            }
            let first = look.log.try_with_untracked(LogBuffer::first).unwrap_or(1);
            if page.searched_from <= first || finds >= MAX_FINDS {
                return;
            }
            before = page.searched_from;
        }
    }

    /// Retries after an error.
    pub fn again(self) {
        self.found.set(Found::default());
    }
}

/// State of an incomplete search.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Left {
    /// In progress; the first searched line.
    Searching(Option<u64>),
    TooMany,
    Trouble(String),
}
