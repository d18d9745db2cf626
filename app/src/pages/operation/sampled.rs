//! An artifact that is sampled over time: asked for as a whole, and finer where a person zooms.

use crate::api;
use crate::reactive::part;
use leptos::prelude::*;
use leptos::task::spawn_local;
use protocol::{OperationId, Problem};
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// A range of seconds since 1970, or the whole.
type Range = Option<(f64, f64)>;

/// What was answered.
pub struct Answer<T> {
    pub of: Arc<T>,
    /// Rises when the whole should be shown.
    pub fit: u32,
    /// It is only what is zoomed to.
    pub part: bool,
}

impl<T> Clone for Answer<T> {
    fn clone(&self) -> Self {
        Self { of: self.of.clone(), ..*self }
    }
}

/// What was asked for last, and the way to ask for another range.
pub struct Sampled<T: Send + Sync + 'static> {
    /// The newest answer.
    pub value: RwSignal<Option<Answer<T>>>,
    trouble: RwSignal<Option<Problem>>,
    pub ask: Callback<Range>,
}

impl<T: Send + Sync> Clone for Sampled<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync> Copy for Sampled<T> {}

impl<T: DeserializeOwned + Send + Sync + 'static> Sampled<T> {
    /// Asks for the whole of it, once the page lives; never more than `points` at once.
    pub fn new(id: OperationId, name: &'static str, points: u32) -> Self {
        Self::once(id, name, points, || true)
    }

    /// Asks for the whole of it once `ready` says yes.
    pub fn once(
        id: OperationId,
        name: &'static str,
        points: u32,
        ready: impl Fn() -> bool + 'static,
    ) -> Self {
        let value = RwSignal::new(None::<Answer<T>>);
        let trouble = RwSignal::new(None::<Problem>);
        // One question at a time, however fast a hand moves what is in sight: the newest of those that come meanwhile is
        // asked next.
        let questions = StoredValue::new(Questions::default());
        let ask = Callback::new(move |range: Range| {
            if questions.try_update_value(|q| q.ask(range)) != Some(true) {
                return;
            }
            spawn_local(async move {
                while let Some(Some(range)) = questions.try_update_value(Questions::next) {
                    let seconds = range.map(|(from, to)| (from.floor() as i64, to.ceil() as i64));
                    let answer = api::sampled::<T>(id, name, seconds, points).await;
                    // The page may be gone by now.
                    if questions.try_with_value(|q| q.outdates(range)) != Some(false) {
                        continue;
                    }
                    match answer {
                        Ok(answer) => {
                            trouble.set(None);
                            // A zoomed view stays where it is; the whole is shown whole.
                            let before = value.with_untracked(|v| v.as_ref().map_or(0, |v| v.fit));
                            let fit = if range.is_some() { before } else { before + 1 };
                            value.set(Some(Answer { of: Arc::new(answer), fit, part: range.is_some() }));
                        }
                        Err(problem) => trouble.set(Some(problem)),
                    }
                }
            });
        });
        Effect::new(move |asked: Option<bool>| {
            if asked == Some(true) {
                return true;
            }
            let now = ready();
            if now {
                ask.run(None);
            }
            now
        });
        Self { value, trouble, ask }
    }

    /// What went wrong, and the way to try again; nothing while nothing did.
    pub fn trouble(&self) -> impl IntoView + use<T> {
        trouble_of(self.trouble, self.ask)
    }
}

/// What is asked for and what will be.
#[derive(Default)]
struct Questions {
    /// One is on its way.
    asking: bool,
    /// The newest that came meanwhile.
    then: Option<Range>,
}

impl Questions {
    /// Takes a question; says whether whoever gave it has to see to it that it is asked.
    fn ask(&mut self, range: Range) -> bool {
        self.then = Some(range);
        !std::mem::replace(&mut self.asking, true)
    }

    /// The next one to be asked, if there is one.
    fn next(&mut self) -> Option<Range> {
        let next = self.then.take();
        self.asking = next.is_some();
        next
    }

    /// The answer for this range is not worth showing: what is wanted by now is of another kind. One for a range that has
    /// moved on is: it is nearer to what is in sight than what stands there.
    fn outdates(&self, range: Range) -> bool {
        self.then.is_some_and(|then| then.is_none() || range.is_none())
    }
}

fn trouble_of(trouble: RwSignal<Option<Problem>>, ask: Callback<Range>) -> impl IntoView {
    part(move || {
        let problem = trouble.get()?;
        Some(
            view! {
                <p class="note bad" role="alert">
                    {problem.detail}
                    " "
                    <button type="button" class="link" on:click=move |_| ask.run(None)>
                        "Try again"
                    </button>
                </p>
            }
            .into_any(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_is_asked_while_an_answer_is_awaited_the_newest_is_asked_next() {
        let mut questions = Questions::default();
        let [a, b, c] = [1.0, 2.0, 3.0].map(|from| Some((from, from + 1.0)));
        assert!(questions.ask(a));
        assert_eq!(questions.next(), Some(a));
        assert!(!questions.ask(b) && !questions.ask(c));
        assert_eq!(questions.next(), Some(c));
        assert_eq!(questions.next(), None);
        assert!(questions.ask(a), "the one who asked before has gone home");
    }

    #[test]
    fn while_a_view_moves_what_comes_is_shown_and_the_whole_goes_before_any_part() {
        let mut questions = Questions::default();
        let part = Some((1.0, 2.0));
        questions.ask(part);
        questions.next();
        assert!(!questions.outdates(part));
        questions.ask(Some((1.5, 2.5)));
        assert!(!questions.outdates(part));
        questions.ask(None);
        assert!(questions.outdates(part) && questions.outdates(None));
    }
}
