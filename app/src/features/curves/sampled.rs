//! Artifact sampled over time: requested in full, and in finer resolution when zoomed.

use components::reactive::part;
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::api;
use protocol::{OperationId, Problem};
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// Range in seconds since 1970; `None` is the full range.
type Range = Option<(f64, f64)>;

/// Response for a range.
pub struct Answer<T> {
    pub of: Arc<T>,
    /// Increases when the chart must show the full range.
    pub fit: u32,
    /// Whether it covers only the zoomed range.
    pub part: bool,
}

impl<T> Clone for Answer<T> {
    fn clone(&self) -> Self {
        Self { of: self.of.clone(), ..*self }
    }
}

/// Latest response of an artifact, and the callback that requests another range.
pub struct Sampled<T: Send + Sync + 'static> {
    /// Latest response.
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
    /// Requests the full range on mount, with at most `points` points.
    pub fn new(id: OperationId, name: &'static str, points: u32) -> Self {
        Self::once(id, name, points, || true)
    }

    /// Requests the full range once `ready` returns true.
    pub fn once(
        id: OperationId,
        name: &'static str,
        points: u32,
        ready: impl Fn() -> bool + 'static,
    ) -> Self {
        let value = RwSignal::new(None::<Answer<T>>);
        let trouble = RwSignal::new(None::<Problem>);
        // One request at a time. Of the ranges that arrive meanwhile only the newest is requested next.
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
                            // A zoomed view keeps its position; the full range is fitted.
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

    /// Error with a retry button; empty without an error.
    pub fn trouble(&self) -> impl IntoView + use<T> {
        trouble_of(self.trouble, self.ask)
    }
}

/// Running and pending requests.
#[derive(Default)]
struct Questions {
    /// A request is running.
    asking: bool,
    /// Newest range that arrived meanwhile.
    then: Option<Range>,
}

impl Questions {
    /// Adds a request. Returns true if the caller must send it.
    fn ask(&mut self, range: Range) -> bool {
        self.then = Some(range);
        !std::mem::replace(&mut self.asking, true)
    }

    /// Next request to send.
    fn next(&mut self) -> Option<Range> {
        let next = self.then.take();
        self.asking = next.is_some();
        next
    }

    /// Whether a response is obsolete: the view has changed between full and zoomed. A response for an earlier zoom
    /// is still closer to the view than the current data.
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
    fn of_requests_made_during_another_only_the_newest_is_sent() {
        let mut questions = Questions::default();
        let [a, b, c] = [1.0, 2.0, 3.0].map(|from| Some((from, from + 1.0)));
        assert!(questions.ask(a));
        assert_eq!(questions.next(), Some(a));
        assert!(!questions.ask(b) && !questions.ask(c));
        assert_eq!(questions.next(), Some(c));
        assert_eq!(questions.next(), None);
        assert!(questions.ask(a), "no request is running");
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
