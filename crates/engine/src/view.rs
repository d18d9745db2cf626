//! View: durable and published state, as in a snapshot. Changes only together with the feed.

use crate::tally::{Tallies, Tally};
use protocol::access::KindScope;
use protocol::alerts::AlertSummary;
use protocol::api::{HostStatus, StateCount};
use protocol::{Forecast, HostName, KindName, Operation, OperationId, Progress, Receipt, State, Time};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use store::EndedOperation;

/// Number of ended operations kept in memory, both of the last ended and of the newest ones; others are in the store.
const MAX_ENDED: usize = 200;

/// Change of the view that goes with an event.
pub(crate) enum ViewChange {
    /// New state of an operation, and its state before (none if it is new).
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
    /// Number of consecutive points outside of the rule's baseline.
    Outside {
        id: OperationId,
        outside: u32,
    },
    Host(Box<HostStatus>),
    Alerts(AlertSummary),
    /// Deleted operations with their final states.
    Forgotten(Vec<EndedOperation>),
}

/// Operations that have not ended, the last ended ones, hosts and counts.
pub(crate) struct View {
    operations: HashMap<OperationId, Operation>,
    /// The last ended operations, in the order of their ends.
    ended: VecDeque<OperationId>,
    /// The newest ended operations: all from `from` on, or without it all that are stored.
    newest: BTreeSet<OperationId>,
    from: Option<OperationId>,
    hosts: BTreeMap<HostName, HostStatus>,
    alerts: AlertSummary,
    counts: Counts,
    tallies: Tallies,
}

impl View {
    /// View with the newest stored operations that have ended.
    pub(crate) fn new(operations: Vec<Operation>, counts: Vec<(KindName, State, u64)>) -> Self {
        let mut ended: Vec<(Option<Time>, OperationId)> =
            operations.iter().filter(|o| o.state.ended()).map(|o| (o.ended_at, o.id)).collect();
        ended.sort();
        let newest: BTreeSet<OperationId> = ended.iter().map(|(_, id)| *id).collect();
        let stored: u64 = counts.iter().filter(|(_, state, _)| state.ended()).map(|(.., count)| count).sum();
        Self {
            from: newest.first().copied().filter(|_| stored > newest.len() as u64),
            newest,
            ended: ended.into_iter().map(|(_, id)| id).collect(),
            operations: operations.into_iter().map(|o| (o.id, o)).collect(),
            hosts: BTreeMap::new(),
            alerts: AlertSummary::default(),
            counts: Counts::new(counts),
            tallies: Tallies::default(),
        }
    }

    pub(crate) fn apply(&mut self, change: ViewChange) {
        match change {
            ViewChange::Operation { operation, before } => {
                if before != Some(operation.state) {
                    self.counts.changed(&operation.kind, before, Some(operation.state));
                }
                let (id, ended) = (operation.id, operation.state.ended());
                self.tallies.count(self.operations.get(&id), &operation, before);
                self.operations.insert(id, *operation);
                if ended || before.is_some_and(State::ended) {
                    self.ended.retain(|other| *other != id);
                    self.newest.remove(&id);
                }
                if ended {
                    self.has_ended(id);
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
            ViewChange::Alerts(alerts) => self.alerts = alerts,
            ViewChange::Forgotten(deleted) => {
                for EndedOperation { id, kind, state } in &deleted {
                    self.operations.remove(id);
                    self.newest.remove(id);
                    self.counts.changed(kind, Some(*state), None);
                }
                self.ended.retain(|id| !deleted.iter().any(|one| one.id == *id));
            }
        }
    }

    /// Adds the receipt of a cancel that was sent to its host and can't be stored yet. Returns the operation as last
    /// published with that receipt, or with the stored one.
    pub(crate) fn cancel_not_stored(&mut self, id: OperationId, receipt: Receipt) -> Option<Operation> {
        let operation = self.operations.get_mut(&id)?;
        operation.receipt.get_or_insert(receipt);
        Some(operation.clone())
    }

    /// Operation whose cancel could not be stored yet.
    pub(crate) fn not_stored(&self, id: OperationId) -> Option<Operation> {
        let waits = |operation: &&Operation| operation.receipt.as_ref().is_some_and(|r| r.not_stored);
        self.operations.get(&id).filter(waits).cloned()
    }

    /// Keeps an ended operation, and drops those that are neither among the last nor among the newest.
    fn has_ended(&mut self, id: OperationId) {
        self.ended.push_back(id);
        if self.from.is_none_or(|from| id >= from) {
            self.newest.insert(id);
        }
        let longest_ago = (self.ended.len() > MAX_ENDED).then(|| self.ended.pop_front()).flatten();
        let oldest = (self.newest.len() > MAX_ENDED).then(|| self.newest.pop_first()).flatten();
        if oldest.is_some() {
            self.from = self.newest.first().copied();
        }
        for old in longest_ago.into_iter().chain(oldest) {
            if !self.newest.contains(&old) && !self.ended.contains(&old) {
                self.operations.remove(&old);
            }
        }
    }

    /// ID from which on all ended operations are in memory, unless all stored ones are. With a scope, it is the ID of
    /// an operation in the scope, or one that no operation has yet.
    pub(crate) fn ended_from(&self, scope: Option<&KindScope>, now: Time) -> Option<OperationId> {
        let (from, Some(scope)) = (self.from?, scope) else { return self.from };
        let visible = |id: &&OperationId| self.operations.get(id).is_some_and(|o| scope.covers(&o.kind));
        let first = self.newest.range(from..).find(visible).copied();
        Some(first.unwrap_or_else(|| OperationId::earliest(now)))
    }

    /// All operations in memory, or those in a scope, newest first.
    pub(crate) fn operations(&self, scope: Option<&KindScope>) -> Vec<Operation> {
        let visible = |operation: &&Operation| scope.is_none_or(|scope| scope.covers(&operation.kind));
        let mut all: Vec<Operation> = self.operations.values().filter(visible).cloned().collect();
        all.sort_by_key(|o| std::cmp::Reverse(o.id));
        all
    }

    /// Number of operations in a scope that occupy a slot of a host.
    pub(crate) fn running(&self, scope: &KindScope, host: &HostName) -> u32 {
        let placed = |o: &&Operation| {
            o.host.as_ref() == Some(host)
                && !o.state.ended()
                && o.state != State::Queued
                && scope.covers(&o.kind)
        };
        u32::try_from(self.operations.values().filter(placed).count()).unwrap_or(u32::MAX)
    }

    pub(crate) fn operation(&self, id: OperationId) -> Option<&Operation> {
        self.operations.get(&id)
    }

    pub(crate) fn hosts(&self) -> Vec<HostStatus> {
        self.hosts.values().cloned().collect()
    }

    pub(crate) fn alerts(&self) -> AlertSummary {
        self.alerts
    }

    pub(crate) fn tallies(&self) -> BTreeMap<KindName, Tally> {
        self.tallies.by_kind().clone()
    }

    /// Number of operations in each state, of all kinds or of those in a scope.
    pub(crate) fn counts(&self, scope: Option<&KindScope>) -> Vec<StateCount> {
        let of = |state| self.counts.of(state, scope);
        State::ALL.into_iter().map(|state| StateCount { state, count: of(state) }).collect()
    }
}

/// Number of stored operations by kind and state.
#[derive(Default)]
struct Counts(HashMap<KindName, BTreeMap<State, u64>>);

impl Counts {
    fn new(counts: Vec<(KindName, State, u64)>) -> Self {
        let mut by_kind = Self::default();
        for (kind, state, count) in counts {
            by_kind.0.entry(kind).or_default().insert(state, count);
        }
        by_kind
    }

    /// Counts an operation in its new state instead of the one before, if it had or has one.
    fn changed(&mut self, kind: &KindName, before: Option<State>, after: Option<State>) {
        if !self.0.contains_key(kind) {
            self.0.insert(kind.clone(), BTreeMap::new());
        }
        let Some(states) = self.0.get_mut(kind) else { return };
        if let Some(count) = before.and_then(|state| states.get_mut(&state)) {
            *count = count.saturating_sub(1);
        }
        if let Some(state) = after {
            *states.entry(state).or_default() += 1;
        }
    }

    fn of(&self, state: State, scope: Option<&KindScope>) -> u64 {
        let visible = self.0.iter().filter(|(kind, _)| scope.is_none_or(|scope| scope.covers(kind)));
        visible.filter_map(|(_, states)| states.get(&state)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn operation(id: OperationId, state: State) -> Box<Operation> {
        let kind = KindName::new("data.load").unwrap();
        let mut operation = Operation::queued(id, kind, String::new(), json!({}), Time::from_micros(1));
        operation.state = state;
        Box::new(operation)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Whatever ends, is retried or deleted in any order, no ended operation from `ended_from` on is missing, and
        /// the last ended ones are there, too.
        #[test]
        fn the_list_of_ended_operations_is_complete_from_its_stated_id(
            turns in prop::collection::vec((0usize..600, 0u8..8), 300..1_200),
        ) {
            let ids: Vec<OperationId> = (0..600).map(|_| OperationId::new()).collect();
            let mut view = View::new(Vec::new(), Vec::new());
            let mut stored: BTreeMap<OperationId, State> = BTreeMap::new();
            for (n, turn) in turns {
                let (id, before) = (ids[n], stored.get(&ids[n]).copied());
                match (turn, before) {
                    (7, Some(state)) if state.ended() => {
                        stored.remove(&id);
                        let kind = KindName::new("data.load").unwrap();
                        view.apply(ViewChange::Forgotten(vec![EndedOperation { id, kind, state }]));
                    }
                    (_, before) => {
                        let state = if before.is_some_and(State::ended) { State::Queued } else { State::Succeeded };
                        stored.insert(id, state);
                        view.apply(ViewChange::Operation { operation: operation(id, state), before });
                        prop_assert_eq!(view.operation(id).map(|o| o.state), Some(state));
                    }
                }
            }
            for (id, state) in &stored {
                if !state.ended() || view.ended_from(None, Time::from_micros(0)).is_none_or(|from| *id >= from) {
                    prop_assert_eq!(view.operation(*id).map(|o| o.state), Some(*state));
                }
            }
            let ended = view.operations.values().filter(|o| o.state.ended()).count();
            prop_assert!(ended <= 2 * MAX_ENDED);
        }
    }
}
