//! The view: what is durable and was told, as a snapshot gives it. Changed only together with the feed.

use protocol::api::{HostStatus, StateCount};
use protocol::{Forecast, HostName, Operation, OperationId, Progress, State, Time};
use std::collections::{BTreeMap, HashMap, VecDeque};

/// So many ended operations stay at hand; the others are in the store.
const ENDED: usize = 200;

/// A change of the view that goes with an event.
pub(crate) enum ViewChange {
    /// It now stands like this; before it was in that state (nowhere, when it is new).
    Operation {
        operation: Box<Operation>,
        before: Option<State>,
    },
    Progress {
        id: OperationId,
        heard_at: Option<Time>,
        progress: Box<Progress>,
        forecast: Option<Forecast>,
    },
    /// So many points in a row are out of the band of its rule.
    Outside {
        id: OperationId,
        outside: u32,
    },
    Host(Box<HostStatus>),
    /// They had ended like this, and are no more.
    Forgotten(Vec<(OperationId, State)>),
}

/// Operations that have not ended, those that ended last, hosts and counts.
pub(crate) struct View {
    operations: HashMap<OperationId, Operation>,
    ended: VecDeque<OperationId>,
    hosts: BTreeMap<HostName, HostStatus>,
    counts: BTreeMap<State, u64>,
}

impl View {
    pub(crate) fn new(operations: Vec<Operation>, counts: Vec<(State, u64)>) -> Self {
        let mut ended: Vec<(Option<Time>, OperationId)> =
            operations.iter().filter(|o| o.state.ended()).map(|o| (o.ended_at, o.id)).collect();
        ended.sort();
        Self {
            ended: ended.into_iter().map(|(_, id)| id).collect(),
            operations: operations.into_iter().map(|o| (o.id, o)).collect(),
            hosts: BTreeMap::new(),
            counts: counts.into_iter().collect(),
        }
    }

    pub(crate) fn apply(&mut self, change: ViewChange) {
        match change {
            ViewChange::Operation { operation, before } => {
                if before != Some(operation.state) {
                    if let Some(count) = before.and_then(|state| self.counts.get_mut(&state)) {
                        *count = count.saturating_sub(1);
                    }
                    *self.counts.entry(operation.state).or_default() += 1;
                }
                if operation.state.ended() {
                    self.ended.retain(|id| *id != operation.id);
                    self.ended.push_back(operation.id);
                } else if before.is_some_and(State::ended) {
                    self.ended.retain(|id| *id != operation.id);
                }
                self.operations.insert(operation.id, *operation);
                while self.ended.len() > ENDED {
                    if let Some(old) = self.ended.pop_front() {
                        self.operations.remove(&old);
                    }
                }
            }
            ViewChange::Progress { id, heard_at, progress, forecast } => {
                if let Some(operation) = self.operations.get_mut(&id) {
                    operation.forecast = forecast.or(operation.forecast);
                    operation.heard_at = heard_at;
                    operation.progress = Some(*progress);
                }
            }
            ViewChange::Outside { id, outside } => {
                if let Some(rule) = self.operations.get_mut(&id).and_then(|o| o.rule.as_mut()) {
                    rule.outside = outside;
                }
            }
            ViewChange::Host(status) => {
                self.hosts.insert(status.name.clone(), *status);
            }
            ViewChange::Forgotten(gone) => {
                for (id, state) in &gone {
                    self.operations.remove(id);
                    if let Some(count) = self.counts.get_mut(state) {
                        *count = count.saturating_sub(1);
                    }
                }
                self.ended.retain(|id| !gone.iter().any(|(forgotten, _)| forgotten == id));
            }
        }
    }

    /// All at hand, newest first.
    pub(crate) fn operations(&self) -> Vec<Operation> {
        let mut all: Vec<Operation> = self.operations.values().cloned().collect();
        all.sort_by_key(|o| std::cmp::Reverse(o.id));
        all
    }

    pub(crate) fn operation(&self, id: OperationId) -> Option<&Operation> {
        self.operations.get(&id)
    }

    pub(crate) fn hosts(&self) -> Vec<HostStatus> {
        self.hosts.values().cloned().collect()
    }

    pub(crate) fn counts(&self) -> Vec<StateCount> {
        let of = |state| self.counts.get(&state).copied().unwrap_or(0);
        State::ALL.into_iter().map(|state| StateCount { state, count: of(state) }).collect()
    }
}
