//! Operations followed by an open page: their curves and logs join answers with the feed, and they are never dropped.

use super::OperationStore;
use crate::model::curves::Curves;
use crate::model::joined::{Added, Concerns, Joinable, Joined, Joiner, PageQuestion};
use crate::model::log_buffer::LogBuffer;
use leptos::prelude::*;
use protocol::{Event, EventBody, LogLine, Operation, OperationId, Points, State, Time};
use std::collections::HashSet;
use std::sync::{Arc, Weak};

/// Fields that change together with attempts, result and audit log, which no event carries.
#[derive(Clone, PartialEq, Debug)]
pub struct DetailVersion {
    state: State,
    attempt: u32,
    has_result: bool,
    has_receipt: bool,
    rule_set_at: Option<Time>,
}

impl DetailVersion {
    /// Fields of an operation.
    pub fn of(op: &Operation) -> Self {
        Self {
            state: op.state,
            attempt: op.attempt,
            has_result: op.has_result,
            has_receipt: op.receipt.is_some(),
            rule_set_at: op.rule.as_ref().map(|rule| rule.set_at),
        }
    }
}

/// Whether the loaded attempts, result and audit log are current.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Details(Option<DetailVersion>);

impl Details {
    /// Whether the loaded answer is current for these fields.
    pub fn is_current(&self, version: &DetailVersion) -> bool {
        self.0.as_ref() == Some(version)
    }
}

impl Joinable for Details {
    type Answer = DetailVersion;

    fn take(&mut self, answer: DetailVersion) {
        self.0 = Some(answer);
    }

    fn add(&mut self, event: &Event) -> Added {
        let EventBody::Operation { operation } = &event.body else { return Added::Unchanged };
        let version = Some(DetailVersion::of(operation));
        if self.0 == version {
            return Added::Unchanged;
        }
        self.0 = version;
        Added::Stale
    }
}

fn added(changed: bool) -> Added {
    if changed { Added::Changed } else { Added::Unchanged }
}

impl Joinable for Curves {
    /// Attempt and curves.
    type Answer = (u32, Vec<Points>);

    fn take(&mut self, (attempt, series): Self::Answer) {
        self.replace(attempt, series);
    }

    fn add(&mut self, event: &Event) -> Added {
        added(match &event.body {
            EventBody::Points { attempt, series, .. } => Curves::add(self, *attempt, series),
            EventBody::Operation { operation } => Curves::add(self, operation.attempt, &[]),
            _ => false,
        })
    }
}

impl Joinable for LogBuffer {
    /// Attempt and newest lines.
    type Answer = (u32, Vec<LogLine>);

    fn take(&mut self, (attempt, lines): Self::Answer) {
        LogBuffer::add(self, attempt, &lines);
    }

    fn add(&mut self, event: &Event) -> Added {
        added(match &event.body {
            EventBody::Log { attempt, lines, .. } => LogBuffer::add(self, *attempt, lines),
            EventBody::Operation { operation } => LogBuffer::add(self, operation.attempt, &[]),
            _ => false,
        })
    }
}

/// Curves and log of an operation while its page is open, held from before the first request.
pub struct Follow {
    pub id: OperationId,
    pub details: Joined<Details>,
    pub curves: Joined<Curves>,
    pub log: Joined<LogBuffer>,
    /// Late host reports about ended attempts, oldest first; without effect.
    pub late: ArcRwSignal<Vec<String>>,
}

impl Follow {
    fn new(id: OperationId, reached: u64, with_log: bool) -> Self {
        fn of(id: OperationId, which: fn(&EventBody) -> bool) -> Concerns {
            Box::new(move |event| event.operation() == Some(id) && which(&event.body))
        }
        let stands = |body: &EventBody| matches!(body, EventBody::Operation { .. });
        let points =
            |body: &EventBody| matches!(body, EventBody::Operation { .. } | EventBody::Points { .. });
        let lines: fn(&EventBody) -> bool = match with_log {
            true => |body| matches!(body, EventBody::Operation { .. } | EventBody::Log { .. }),
            false => |_| false,
        };
        Self {
            id,
            details: Joined::new(Details::default(), reached, of(id, stands)),
            curves: Joined::new(Curves::default(), reached, of(id, points)),
            log: Joined::new(LogBuffer::default(), reached, of(id, lines)),
            late: ArcRwSignal::default(),
        }
    }

    /// Opens the first requests of the page; `reached` is its feed position.
    pub fn expect_answers(&self, reached: u64) {
        self.details.expect_answer(reached);
        self.curves.expect_answer(reached);
        self.log.expect_answer(reached);
    }
}

impl Joiner for Follow {
    fn pass(&self, event: &Event) {
        if event.operation() != Some(self.id) {
            return;
        }
        self.details.pass(event);
        self.curves.pass(event);
        self.log.pass(event);
        if let EventBody::Late { what, .. } = &event.body {
            // A resumed feed may repeat it.
            self.late.maybe_update(|late| {
                let new = !late.contains(what);
                if new {
                    late.push(what.clone());
                }
                new
            });
        }
    }

    fn reset(&self, reached: u64, other_instance: bool) {
        self.details.reset(reached, other_instance);
        self.curves.reset(reached, other_instance);
        self.log.reset(reached, other_instance);
    }

    fn follows(&self) -> Option<OperationId> {
        Some(self.id)
    }
}

impl OperationStore {
    fn register(&self, joiner: Weak<dyn Joiner>) {
        let mut joiners = self.0.joiners.write().expect("lock is not poisoned");
        joiners.retain(|known| known.strong_count() > 0);
        joiners.push(joiner);
    }

    fn joiners(&self) -> Vec<Arc<dyn Joiner>> {
        let joiners = self.0.joiners.read().expect("lock is not poisoned");
        joiners.iter().filter_map(Weak::upgrade).collect()
    }

    /// Collects curves and log of an operation as long as the result is held. Call before the first request.
    pub fn follow(&self, id: OperationId) -> Arc<Follow> {
        self.follow_with(id, true)
    }

    /// As [`OperationStore::follow`], without the log.
    pub fn follow_curves(&self, id: OperationId) -> Arc<Follow> {
        self.follow_with(id, false)
    }

    fn follow_with(&self, id: OperationId, with_log: bool) -> Arc<Follow> {
        let follow = Arc::new(Follow::new(id, self.seq(), with_log));
        let joiner: Arc<dyn Joiner> = follow.clone();
        self.register(Arc::downgrade(&joiner));
        follow
    }

    /// Joins state with relevant events as long as the result is held. Call before the first request.
    pub fn join<S: Joinable>(&self, state: S, concerns: fn(&Event) -> bool) -> Arc<Joined<S>> {
        let joined = Arc::new(Joined::new(state, self.seq(), Box::new(concerns)));
        let joiner: Arc<dyn Joiner> = joined.clone();
        self.register(Arc::downgrade(&joiner));
        joined
    }

    /// Call before a page of operations is requested.
    pub fn page_question(&self) -> Arc<PageQuestion> {
        let question = PageQuestion::new(self.seq());
        let joiner: Arc<dyn Joiner> = question.clone();
        self.register(Arc::downgrade(&joiner));
        question
    }

    /// Takes the answer to a page request, valid at `seq`. False when events may be missing: then request again.
    pub fn take_page(&self, question: &PageQuestion, seq: u64, ops: &[Operation]) -> bool {
        let Some(later) = question.answer(seq) else { return false };
        self.adopt_all(ops.iter(), seq);
        let asked: HashSet<OperationId> = ops.iter().map(|op| op.id).collect();
        for event in later.iter().filter(|event| event.operation().is_some_and(|id| asked.contains(&id))) {
            self.apply_newer(event);
        }
        true
    }

    /// Followed operations: pages hold their signals, so they must not be replaced.
    pub(super) fn followed(&self) -> HashSet<OperationId> {
        self.joiners().iter().filter_map(|joiner| joiner.follows()).collect()
    }

    /// Passes an event to all receivers.
    pub(super) fn pass_to_joins(&self, event: &Event) {
        self.joiners().iter().for_each(|joiner| joiner.pass(event));
    }

    /// Tells all receivers that the feed continues from a snapshot.
    pub(super) fn reset_joins(&self, reached: u64, other_instance: bool) {
        self.joiners().iter().for_each(|joiner| joiner.reset(reached, other_instance));
    }
}
