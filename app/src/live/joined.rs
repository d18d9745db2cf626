//! State of an open page that an answer of the server begins and the feed goes on with: a [`Join`] as signals.

use super::join::{Join, Joined as Outcome, Question};
use leptos::prelude::*;
use protocol::{Event, OperationId};
use std::sync::{Arc, Mutex, MutexGuard};

/// What an event does to joined state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Added {
    Unchanged,
    Changed,
    /// No event carries what changed: the question has to be asked again.
    Stale,
}

/// State that is joined of an answer and events. Applying an event twice gives what applying it once does.
pub trait Joinable: Send + Sync + 'static {
    type Answer;

    /// An answer takes the place of what is known.
    fn take(&mut self, answer: Self::Answer);

    /// Applies an event of the feed.
    fn add(&mut self, event: &Event) -> Added;
}

/// Whoever is told of each event and of each gap.
pub trait Joiner: Send + Sync {
    fn pass(&self, event: &Event);

    /// The feed goes on from a snapshot that is true at `reached`.
    fn reset(&self, reached: u64, other_life: bool);

    /// The operation whose signals it holds.
    fn follows(&self) -> Option<OperationId> {
        None
    }
}

/// Events that concern one piece of state.
pub type Concerns = Box<dyn Fn(&Event) -> bool + Send + Sync>;

/// A piece of state and its join.
pub struct Joined<S: Send + Sync + 'static> {
    state: ArcRwSignal<S>,
    join: Mutex<Join<Event>>,
    /// The question that is open from the beginning.
    first: Mutex<Option<Question>>,
    concerns: Concerns,
    /// Rises when the question has to be asked again.
    asks: ArcRwSignal<u32>,
}

impl<S: Joinable> Joined<S> {
    /// Holds events from here on; `reached` is the place that the page has reached in the feed.
    pub(super) fn new(state: S, reached: u64, concerns: Concerns) -> Self {
        let mut join = Join::new(reached);
        let first = join.ask(reached);
        Self {
            state: ArcRwSignal::new(state),
            join: Mutex::new(join),
            first: Mutex::new(Some(first)),
            concerns,
            asks: ArcRwSignal::new(0),
        }
    }

    fn join(&self) -> MutexGuard<'_, Join<Event>> {
        self.join.lock().expect("nobody panics while joining")
    }

    /// The state.
    pub fn state(&self) -> ArcRwSignal<S> {
        self.state.clone()
    }

    /// How often the question had to be asked again. Tracked.
    pub fn asks(&self) -> ArcRwSignal<u32> {
        self.asks.clone()
    }

    /// The question has to be asked again.
    pub fn ask_again(&self) {
        self.asks.try_update(|n| *n += 1);
    }

    /// A question is about to be asked; `reached` is the place that the page has reached in the feed.
    pub fn ask(&self, reached: u64) -> Question {
        let first = self.first.lock().expect("nobody panics with a question").take();
        first.unwrap_or_else(|| self.join().ask(reached))
    }

    /// The page asks anew for everything that it opens with; `reached` is the place that it has reached in the feed.
    pub(super) fn expect_answer(&self, reached: u64) {
        let mut first = self.first.lock().expect("nobody panics with a question");
        if first.is_none() {
            *first = Some(self.join().ask(reached));
        }
    }

    /// The first answer, asked for once this was there: the page was opened with it. Nothing when there was none.
    pub fn take_first(&self, answer: Option<(u64, S::Answer)>) -> bool {
        let first = self.first.lock().expect("nobody panics with a question").take();
        match (first, answer) {
            (Some(question), Some((seq, answer))) => self.take(question, seq, answer),
            (Some(question), None) => {
                self.failed(question);
                self.ask_again();
                false
            }
            (None, _) => false,
        }
    }

    /// The answer came, true at `seq`. False when it is of no use: a newer one was taken, or it is asked for again.
    pub fn take(&self, question: Question, seq: u64, answer: S::Answer) -> bool {
        let outcome = self.join().answer(question, seq);
        match outcome {
            Outcome::Take(later) => {
                let mut stale = false;
                self.state.try_update(|state| {
                    state.take(answer);
                    for event in &later {
                        stale |= state.add(event) == Added::Stale;
                    }
                });
                if stale {
                    self.ask_again();
                }
                true
            }
            Outcome::Superseded => false,
            Outcome::AskAgain => {
                self.ask_again();
                false
            }
        }
    }

    /// There was no answer.
    pub fn failed(&self, question: Question) {
        self.join().failed(question);
    }
}

impl<S: Joinable> Joiner for Joined<S> {
    fn pass(&self, event: &Event) {
        if !(self.concerns)(event) {
            return;
        }
        let apply = self.join().pass(event.seq, event);
        if apply {
            let mut stale = false;
            self.state.maybe_update(|state| {
                let added = state.add(event);
                stale = added == Added::Stale;
                added == Added::Changed
            });
            if stale {
                self.ask_again();
            }
        }
    }

    fn reset(&self, reached: u64, other_life: bool) {
        self.join().reset(reached, other_life);
        self.ask_again();
    }
}

/// A page of operations that is asked for: what happened to them meanwhile is not undone by the answer.
pub struct PageQuestion {
    join: Mutex<Join<Event>>,
    question: Mutex<Option<Question>>,
}

impl PageQuestion {
    pub(super) fn new(reached: u64) -> Arc<Self> {
        let mut join = Join::new(reached);
        let question = join.ask(reached);
        Arc::new(Self { join: Mutex::new(join), question: Mutex::new(Some(question)) })
    }

    /// The answer came, true at `seq`: the events to apply after it, or nothing when it has to be asked for again.
    pub(super) fn answer(&self, seq: u64) -> Option<Vec<Event>> {
        let question = self.question.lock().expect("nobody panics with a question").take()?;
        match self.join.lock().expect("nobody panics while joining").answer(question, seq) {
            Outcome::Take(later) => Some(later),
            Outcome::Superseded | Outcome::AskAgain => None,
        }
    }
}

impl Joiner for PageQuestion {
    fn pass(&self, event: &Event) {
        if matches!(event.body, protocol::EventBody::Operation { .. }) {
            // It has no base before its only answer: every event is held.
            let _ = self.join.lock().expect("nobody panics while joining").pass(event.seq, event);
        }
    }

    fn reset(&self, reached: u64, other_life: bool) {
        self.join.lock().expect("nobody panics while joining").reset(reached, other_life);
    }
}
