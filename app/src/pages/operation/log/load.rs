//! Lines that are not here, asked for when they come in sight, or all of them when somebody wants to look through all.

use super::state::Look;
use crate::api;
use crate::live::lines::{LogBuffer, MOST_LINES};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// Lines that are asked for at once.
const PAGE: u64 = 2_000;

/// What is being loaded.
#[derive(Clone, Copy)]
pub struct Loading {
    busy: RwSignal<bool>,
    /// Everything that can be held is wanted, in sight or not.
    pub everything: RwSignal<bool>,
    /// Why it did not work; nothing more is asked for until somebody says so.
    pub trouble: RwSignal<Option<String>>,
}

/// Before which line to ask; nothing when there is nothing to ask for. `sight` are the first and last line in sight.
fn wanted(log: &LogBuffer, sight: Option<(u64, u64)>, everything: bool) -> Option<u64> {
    if let Some((first, last)) = sight
        && let Some(n) = log.missing(first, last)
    {
        // Where one jumps to a place with nothing around it, half of what is asked for is below.
        let below = if n == last { PAGE / 2 } else { 0 };
        return Some((n + below).min(log.last()) + 1);
    }
    let room = log.held() + PAGE as usize <= MOST_LINES;
    (everything && room).then(|| log.missing(log.first(), log.last())).flatten().map(|n| n + 1)
}

impl Loading {
    pub fn new(look: Look) -> Self {
        let loading = Self {
            busy: RwSignal::new(false),
            everything: RwSignal::new(false),
            trouble: RwSignal::new(None),
        };
        Effect::new(move |_| {
            if loading.busy.get() || loading.trouble.read().is_some() {
                return;
            }
            let (rows, (from, to)) = (look.rows.get(), look.drawn());
            // A list of one level has only what is here.
            let sight =
                (rows.whole && to > from).then(|| (look.line_at(rows, from), look.line_at(rows, to - 1)));
            let everything = loading.everything.get();
            match look.log.with(|log| wanted(log, sight, everything)) {
                Some(before) => loading.ask(look, before),
                None if everything => loading.everything.set(false),
                None => {}
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
    fn what_is_in_sight_is_asked_for_and_nothing_else() {
        let log = log(9_001, 10_000);
        assert_eq!(wanted(&log, Some((9_960, 10_000)), false), None);
        assert_eq!(wanted(&log, Some((8_990, 9_030)), false), Some(9_001), "what is just above");
        assert_eq!(wanted(&log, Some((4_960, 5_000)), false), Some(6_001), "around a place far up");
        assert_eq!(wanted(&log, None, false), None);
        assert_eq!(wanted(&LogBuffer::default(), None, true), None);
    }

    #[test]
    fn everything_is_asked_for_from_the_end_on_and_no_more_than_is_held() {
        assert_eq!(wanted(&log(9_001, 10_000), Some((9_960, 10_000)), true), Some(9_001));
        assert_eq!(wanted(&log(1, 10_000), Some((9_960, 10_000)), true), None);
        assert_eq!(wanted(&log(50_001, 169_000), Some((168_990, 169_000)), true), None);
    }
}
