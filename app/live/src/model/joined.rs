//! State that starts with an answer and continues with the feed: a [`Join`] with signals.

use super::join::{Join, Joined as Outcome, Question};
use leptos::prelude::*;
use protocol::{Event, OperationId};
use std::sync::{Arc, Mutex, MutexGuard};

/// Effect of an event on joined state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Added {
    Unchanged,
    Changed,
    /// The event does not carry the change: request again.
    Stale,
}

/// State joined from an answer and events. Applying an event must be idempotent.
pub trait Joinable: Send + Sync + 'static {
    type Answer;

    /// Replaces the state by an answer.
    fn take(&mut self, answer: Self::Answer);

    /// Applies an event of the feed.
    fn add(&mut self, event: &Event) -> Added;
}

/// Receiver of events and gaps.
pub trait Joiner: Send + Sync {
    fn pass(&self, event: &Event);

    /// The feed continues from a snapshot that is valid at `reached`.
    fn reset(&self, reached: u64, other_instance: bool);

    /// The operation whose signals it holds.
    fn follows(&self) -> Option<OperationId> {
        None
    }
}

/// Predicate of relevant events.
pub type Concerns = Box<dyn Fn(&Event) -> bool + Send + Sync>;

/// A piece of state and its join.
pub struct Joined<S: Send + Sync + 'static> {
    state: ArcRwSignal<S>,
    join: Mutex<Join<Event>>,
    /// The request that is open from the start.
    first: Mutex<Option<Question>>,
    concerns: Concerns,
    /// Incremented when the request must be repeated.
    asks: ArcRwSignal<u32>,
}

impl<S: Joinable> Joined<S> {
    /// Holds events from now on; `reached` is the page's feed position.
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
        self.join.lock().expect("lock is not poisoned")
    }

    /// Signal of the state.
    pub fn state(&self) -> ArcRwSignal<S> {
        self.state.clone()
    }

    /// Number of repeated requests. Tracked.
    pub fn asks(&self) -> ArcRwSignal<u32> {
        self.asks.clone()
    }

    /// Requests again.
    pub fn ask_again(&self) {
        self.asks.try_update(|n| *n += 1);
    }

    /// Opens a request; `reached` is the page's feed position.
    pub fn ask(&self, reached: u64) -> Question {
        let first = self.first.lock().expect("lock is not poisoned").take();
        first.unwrap_or_else(|| self.join().ask(reached))
    }

    /// Opens the first request again, for a page that is being reopened; `reached` is its feed position.
    pub(super) fn expect_answer(&self, reached: u64) {
        let mut first = self.first.lock().expect("lock is not poisoned");
        if first.is_none() {
            *first = Some(self.join().ask(reached));
        }
    }

    /// Takes the answer that the page was opened with. `None` when there was none.
    pub fn take_first(&self, answer: Option<(u64, S::Answer)>) -> bool {
        let first = self.first.lock().expect("lock is not poisoned").take();
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

    /// Takes an answer that is valid at `seq`. False when it is unusable: a newer one was taken, or the request is
    /// repeated.
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

    /// Ends a request without an answer.
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

    fn reset(&self, reached: u64, other_instance: bool) {
        self.join().reset(reached, other_instance);
        self.ask_again();
    }
}

/// A request for a page of operations, which must not undo events that arrive meanwhile.
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

    /// Takes the answer, valid at `seq`. Returns the events to apply after it, or `None` when it must be requested
    /// again.
    pub(super) fn answer(&self, seq: u64) -> Option<Vec<Event>> {
        let question = self.question.lock().expect("lock is not poisoned").take()?;
        match self.join.lock().expect("lock is not poisoned").answer(question, seq) {
            Outcome::Take(later) => Some(later),
            Outcome::Superseded | Outcome::AskAgain => None,
        }
    }
}

impl Joiner for PageQuestion {
    fn pass(&self, event: &Event) {
        if matches!(event.body, protocol::EventBody::Operation { .. }) {
            // Without a base every event is held.
            let _ = self.join.lock().expect("lock is not poisoned").pass(event.seq, event);
        }
    }

    fn reset(&self, reached: u64, other_instance: bool) {
        self.join.lock().expect("lock is not poisoned").reset(reached, other_instance);
    }
}
