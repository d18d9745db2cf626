//! Loading of log lines that scroll into view.

use super::state::Look;
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::api;
use live::model::log_buffer::LogBuffer;

/// Lines per request.
const PAGE: u64 = 2_000;

/// State of loading.
#[derive(Clone, Copy)]
pub struct Loading {
    busy: RwSignal<bool>,
    /// Error of the last request. Loading pauses until the user retries.
    pub trouble: RwSignal<Option<String>>,
}

/// Line before which to request; `None` if all lines in view are loaded.
fn wanted(log: &LogBuffer, first: u64, last: u64) -> Option<u64> {
    let n = log.missing(first, last)?;
    // After a jump to an unloaded part, half of the requested lines are below.
    let below = if n == last { PAGE / 2 } else { 0 };
    Some((n + below).min(log.last()) + 1)
}

impl Loading {
    pub fn new(look: Look) -> Self {
        let loading = Self { busy: RwSignal::new(false), trouble: RwSignal::new(None) };
        Effect::new(move |_| {
            if loading.busy.get() || loading.trouble.read().is_some() {
                return;
            }
            let (rows, (from, to)) = (look.rows.get(), look.drawn());
            if to <= from {
                return;
            }
            let before = look.log.with(|log| match rows.whole {
                true => wanted(log, look.line_at(rows, from), look.line_at(rows, to - 1)),
                // In a filtered list, neighbouring rows may be far apart in the log.
                false => {
                    let listed = (from..to).rev().map(|row| look.line_at(rows, row));
                    listed.filter(|n| *n >= log.first()).find(|n| log.get(*n).is_none()).map(|n| n + 1)
                }
            });
            if let Some(before) = before {
                loading.ask(look, before);
            }
        });
        loading
    }

    fn ask(self, look: Look, before: u64) {
        self.busy.set(true);
        let attempt = look.log.with_untracked(LogBuffer::attempt);
        spawn_local(async move {
            let answer = api::log_page(look.id, attempt, before, PAGE).await;
            match answer {
                Ok(page) => {
                    let middle = look.following.try_get_untracked() == Some(false);
                    let middle = if middle { look.middle() } else { None };
                    look.log.try_update(|log| {
                        log.look_at(middle);
                        log.answer(page.attempt, before, PAGE as usize, &page.lines);
                    });
                }
                Err(problem) => {
                    self.trouble.try_set(Some(problem.detail));
                }
            }
            self.busy.try_set(false);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{LogLevel, LogLine, Time};

    fn log(from: u64, to: u64) -> LogBuffer {
        let mut log = LogBuffer::default();
        let line = |n| LogLine { n, at: Time::from_micros(0), level: LogLevel::Info, text: String::new() };
        log.add(1, &(from..=to).map(line).collect::<Vec<_>>());
        log
    }

    #[test]
    fn only_visible_lines_are_requested() {
        let log = log(9_001, 10_000);
        assert_eq!(wanted(&log, 9_960, 10_000), None);
        assert_eq!(wanted(&log, 8_990, 9_030), Some(9_001), "what is just above");
        assert_eq!(wanted(&log, 4_960, 5_000), Some(6_001), "around a place far up");
        assert_eq!(wanted(&LogBuffer::default(), 1, 1), None);
    }
}
