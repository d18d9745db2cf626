//! Signals of one operation, one per part that changes independently.

use super::event_effect::Known;
use super::queue_position::Waiting;
use super::recent::Recent;
use display::AttemptFacts;
use display::forecast::judged_at;
use display::start::Work;
use leptos::prelude::*;
use protocol::filter::{self, Filter, Seen};
use protocol::{
    BandRule, Checkpoint, Condition, ConditionKind, Failure, Forecast, HostName, KeyFigure, KindName,
    Operation, OperationId, Progress, Receipt, ResourceUsage, State, Time,
};
use serde_json::Value;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Immutable part of an operation.
#[derive(Debug)]
pub struct Fixed {
    pub id: OperationId,
    pub kind: KindName,
    pub title: String,
    pub parent: Option<OperationId>,
    pub params: Value,
    pub created_at: Time,
}

/// Part that changes rarely and together.
#[derive(Clone, PartialEq, Debug)]
pub struct Facts {
    pub attempt: u32,
    pub host: Option<HostName>,
    pub priority: i8,
    /// When the current attempt was queued.
    pub queued_at: Time,
    pub not_before: Option<Time>,
    pub started_at: Option<Time>,
    pub ended_at: Option<Time>,
    pub failure: Option<Failure>,
    pub checkpoint: Option<Checkpoint>,
    /// Without the number of points outside, which is in [`OpView::outside`].
    pub rule: Option<BandRule>,
    pub has_result: bool,
    pub tags: Vec<String>,
    /// Key figures of its result, most important first.
    pub figures: Vec<KeyFigure>,
    /// Cost of the current attempt, once it has ended.
    pub usage: Option<ResourceUsage>,
}

impl Facts {
    /// Host and times of the current attempt, for texts.
    pub fn attempt_facts(&self) -> AttemptFacts<'_> {
        AttemptFacts {
            host: self.host.as_ref(),
            queued_at: self.queued_at,
            not_before: self.not_before,
            started_at: self.started_at,
            ended_at: self.ended_at,
        }
    }

    fn of(op: &Operation) -> Self {
        Self {
            attempt: op.attempt,
            host: op.host.clone(),
            priority: op.priority,
            queued_at: op.queued_at.unwrap_or(op.created_at),
            not_before: op.not_before,
            started_at: op.started_at,
            ended_at: op.ended_at,
            failure: op.failure.clone(),
            checkpoint: op.checkpoint.clone(),
            rule: op.rule.clone().map(|rule| BandRule { outside: 0, ..rule }),
            has_result: op.has_result,
            tags: op.tags.clone(),
            figures: op.figures.clone(),
            usage: op.usage.clone(),
        }
    }
}

/// Values that a report of the host changes.
#[derive(Default)]
pub(super) struct Report {
    pub progress: Option<Progress>,
    pub forecast: Option<Forecast>,
    pub heard_at: Option<Time>,
    pub outside: Option<u32>,
}

/// Signals of one operation.
pub struct OperationSignals {
    pub(super) fixed: Arc<Fixed>,
    pub(super) as_of: AtomicU64,
    pub(super) state: ArcRwSignal<State>,
    pub(super) progress: ArcRwSignal<Option<Progress>>,
    pub(super) forecast: ArcRwSignal<Option<Forecast>>,
    pub(super) heard_at: ArcRwSignal<Option<Time>>,
    pub(super) receipt: ArcRwSignal<Option<Receipt>>,
    pub(super) condition: ArcRwSignal<Option<Condition>>,
    pub(super) facts: ArcRwSignal<Facts>,
    pub(super) outside: ArcRwSignal<u32>,
    /// Reported values that are not shown yet.
    held: Mutex<Report>,
    pub(super) recent: Arc<Mutex<Recent>>,
}

/// Copyable view of an operation for components; its signals live as long as the component.
#[derive(Clone, Copy)]
pub struct OpView {
    pub fixed: StoredValue<Arc<Fixed>>,
    pub id: OperationId,
    pub state: RwSignal<State>,
    pub progress: RwSignal<Option<Progress>>,
    pub forecast: RwSignal<Option<Forecast>>,
    pub heard_at: RwSignal<Option<Time>>,
    pub receipt: RwSignal<Option<Receipt>>,
    pub condition: RwSignal<Option<Condition>>,
    pub facts: RwSignal<Facts>,
    /// Consecutive points outside the baseline of its rule.
    pub outside: RwSignal<u32>,
    recent: StoredValue<Arc<Mutex<Recent>>>,
}

impl OpView {
    /// Newest values of one of its series. Not tracked: a list reads it once a second, not once a point.
    pub fn recent(&self) -> Option<Recent> {
        self.recent.try_with_value(|recent| recent.lock().expect("lock is not poisoned").clone())
    }

    /// The immutable part.
    pub fn fixed(&self) -> Arc<Fixed> {
        self.fixed.get_value()
    }

    /// Text about the end of a running operation, made by `words` from its forecast and the host's own estimate in
    /// seconds. `None` while its host is unreachable, it is stalled or it is being cancelled: then the end is unknown.
    /// `newest` is the time of the page's newest data. Tracked.
    pub fn expected_end<T>(
        &self,
        now: Time,
        newest: Time,
        words: impl Fn(Option<&Forecast>, Option<f64>, Time) -> Option<T>,
    ) -> Option<T> {
        let unknown = self.condition.with(|c| {
            c.as_ref().is_some_and(|c| matches!(c.kind, ConditionKind::Unreachable | ConditionKind::Stalled))
        });
        if unknown || self.state.get() != State::Running {
            return None;
        }
        let eta = self.progress.with(|p| p.as_ref().and_then(|p| p.eta_seconds));
        self.forecast.with(|f| words(f.as_ref(), eta, judged_at(f.as_ref(), now, newest)))
    }
}

impl OperationSignals {
    pub(super) fn new(op: &Operation, as_of: u64) -> Self {
        Self {
            fixed: Arc::new(Fixed {
                id: op.id,
                kind: op.kind.clone(),
                title: op.title.clone(),
                parent: op.parent,
                params: op.params.clone(),
                created_at: op.created_at,
            }),
            as_of: AtomicU64::new(as_of),
            state: ArcRwSignal::new(op.state),
            progress: ArcRwSignal::new(op.progress.clone()),
            forecast: ArcRwSignal::new(op.forecast),
            heard_at: ArcRwSignal::new(op.heard_at),
            receipt: ArcRwSignal::new(op.receipt.clone()),
            condition: ArcRwSignal::new(op.condition.clone()),
            facts: ArcRwSignal::new(Facts::of(op)),
            outside: ArcRwSignal::new(outside_of(op)),
            held: Mutex::default(),
            recent: Arc::default(),
        }
    }

    pub(super) fn known(&self) -> Known {
        Known {
            as_of: self.as_of.load(Ordering::Relaxed),
            attempt: self.facts.with_untracked(|f| f.attempt),
            state: self.state.get_untracked(),
        }
    }

    /// Takes reported values; [`OperationSignals::show`] shows them. Newer ones replace older ones.
    pub(super) fn report(&self, report: Report) {
        let mut held = self.held.lock().expect("lock is not poisoned");
        let Report { progress, forecast, heard_at, outside } = report;
        held.progress = progress.or(held.progress.take());
        held.forecast = forecast.or(held.forecast);
        held.heard_at = heard_at.or(held.heard_at);
        held.outside = outside.or(held.outside);
    }

    /// Sets the signals to the reported values. Only changed ones notify.
    pub(super) fn show(&self) {
        let Report { progress, forecast, heard_at, outside } =
            std::mem::take(&mut *self.held.lock().expect("lock is not poisoned"));
        if progress.is_some() {
            set(&self.progress, &progress);
        }
        if forecast.is_some() {
            set(&self.forecast, &forecast);
        }
        if heard_at.is_some() {
            set(&self.heard_at, &heard_at);
        }
        if let Some(outside) = outside {
            set(&self.outside, &outside);
        }
    }

    /// Sets the signals to a new version of the operation. Only changed ones notify.
    pub(super) fn update(&self, op: &Operation) {
        // It is newer than all reports so far.
        *self.held.lock().expect("lock is not poisoned") = Report::default();
        set(&self.progress, &op.progress);
        set(&self.forecast, &op.forecast);
        set(&self.heard_at, &op.heard_at);
        set(&self.receipt, &op.receipt);
        set(&self.condition, &op.condition);
        set(&self.facts, &Facts::of(op));
        set(&self.outside, &outside_of(op));
        set(&self.state, &op.state);
    }

    /// The immutable part.
    pub fn fixed(&self) -> &Fixed {
        &self.fixed
    }

    /// Removes disposed readers from the signals. Existing readers read again.
    pub fn forget_disposed_readers(&self) {
        let Self { state, progress, forecast, heard_at, receipt, condition, facts, outside, .. } = self;
        state.notify();
        progress.notify();
        forecast.notify();
        heard_at.notify();
        receipt.notify();
        condition.notify();
        facts.notify();
        outside.notify();
    }

    /// State, and whether there is a checkpoint. Not tracked.
    pub fn standing(&self) -> (State, bool) {
        (self.state.get_untracked(), self.facts.with_untracked(|f| f.checkpoint.is_some()))
    }

    /// Current host. Not tracked.
    pub(super) fn at_work_on(&self) -> Option<HostName> {
        let state = self.state.get_untracked();
        if state.ended() || state == State::Queued {
            return None;
        }
        self.facts.with_untracked(|f| f.host.clone())
    }

    /// State, start and end of the last attempt; `None` while it has not ended. Not tracked.
    pub fn end(&self) -> Option<(State, Option<Time>, Option<Time>)> {
        let state = self.state.get_untracked();
        self.facts.with_untracked(|f| state.ended().then_some((state, f.started_at, f.ended_at)))
    }

    /// Names of the key figures of its result. Not tracked.
    pub fn figure_names(&self) -> Vec<String> {
        self.facts.with_untracked(|f| f.figures.iter().map(|figure| figure.name.clone()).collect())
    }

    /// Value of a key figure of its result. Not tracked.
    pub fn figure(&self, name: &str) -> Option<f64> {
        self.facts.with_untracked(|f| f.figures.iter().find(|figure| figure.name == name).map(|f| f.value))
    }

    /// Number of its current attempt. Not tracked.
    pub fn attempt(&self) -> u32 {
        self.facts.with_untracked(|f| f.attempt)
    }

    /// End time. Not tracked.
    pub fn ended_at(&self) -> Option<Time> {
        self.facts.with_untracked(|f| f.ended_at)
    }

    /// Host of the current attempt, once assigned. Not tracked.
    pub fn host(&self) -> Option<HostName> {
        self.facts.with_untracked(|f| f.host.clone())
    }

    /// Duration of the current attempt, microseconds. Not tracked.
    pub fn took(&self, now: Time) -> Option<i64> {
        let took = self.condition.with_untracked(|c| {
            self.facts.with_untracked(|facts| display::elapsed(&facts.attempt_facts(), c.as_ref(), now))
        });
        took.map(|seconds| (seconds * 1e6) as i64)
    }

    /// Forecast end. Not tracked.
    pub fn ends_at(&self, now: Time) -> Option<Time> {
        if self.state.get_untracked() != State::Running {
            return None;
        }
        let estimated = || {
            let eta = self.progress.with_untracked(|p| p.as_ref().and_then(|p| p.eta_seconds));
            eta.map(|seconds| now.plus_micros((seconds * 1e6) as i64))
        };
        self.forecast.with_untracked(|f| f.map(|f| f.ends_at)).or_else(estimated)
    }

    /// Its entry in the queue, while queued.
    pub(super) fn waiting(&self) -> Option<Waiting<'_>> {
        if self.state.get_untracked() != State::Queued {
            return None;
        }
        let held =
            self.condition.with_untracked(|c| c.as_ref().is_some_and(|c| c.kind == ConditionKind::Backoff));
        let fixed = &self.fixed;
        self.facts.with_untracked(|f| {
            Some(Waiting { id: fixed.id, kind: &fixed.kind, priority: f.priority, since: f.queued_at, held })
        })
    }

    /// Its entry in the workload, while it uses a slot or is queued. Not tracked.
    pub(super) fn at_work(&self) -> Option<Work> {
        let on = self.at_work_on();
        if on.is_none() && self.waiting().is_none() {
            return None;
        }
        Some(Work {
            kind: self.fixed.kind.clone(),
            on,
            priority: self.facts.with_untracked(|f| f.priority),
            ends_at: self.forecast.with_untracked(|f| f.map(|f| f.ends_at)),
        })
    }

    /// Whether it matches a filter. Not tracked.
    pub(super) fn matches(&self, by: &Filter, now: Time) -> bool {
        let fixed = &self.fixed;
        self.facts.with_untracked(|facts| {
            let words =
                || filter::words(&fixed.kind, &fixed.title, fixed.id, facts.host.as_ref(), &facts.tags);
            let seen = Seen {
                id: fixed.id,
                state: self.state.get_untracked(),
                kind: &fixed.kind,
                host: facts.host.as_ref(),
                parent: fixed.parent,
                ended_at: facts.ended_at,
                params: &fixed.params,
                words: &words,
            };
            by.takes(&seen, now)
        })
    }

    /// Cost of the current attempt, once it is known. Not tracked.
    pub fn usage<T>(&self, of: impl FnOnce(&ResourceUsage) -> Option<T>) -> Option<T> {
        self.facts.with_untracked(|facts| facts.usage.as_ref().and_then(of))
    }

    /// A view for components.
    pub fn view(&self) -> OpView {
        OpView {
            id: self.fixed.id,
            fixed: StoredValue::new(self.fixed.clone()),
            state: (&self.state).into(),
            progress: (&self.progress).into(),
            forecast: (&self.forecast).into(),
            heard_at: (&self.heard_at).into(),
            receipt: (&self.receipt).into(),
            condition: (&self.condition).into(),
            facts: (&self.facts).into(),
            outside: (&self.outside).into(),
            recent: StoredValue::new(self.recent.clone()),
        }
    }
}

fn outside_of(op: &Operation) -> u32 {
    op.rule.as_ref().map_or(0, |rule| rule.outside)
}

/// Sets a signal if the value differs; returns whether it did.
pub(crate) fn set<T: PartialEq + Clone + Send + Sync + 'static>(signal: &ArcRwSignal<T>, value: &T) -> bool {
    let differs = signal.with_untracked(|old| old != value);
    if differs {
        signal.set(value.clone());
    }
    differs
}
