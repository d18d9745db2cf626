//! Queries over all loaded operations.

use super::{Fixed, OperationSignals, OperationStore};
use display::start::Work;
use leptos::prelude::*;
use protocol::filter::Filter;
use protocol::{HostName, KindName, OperationId, State, Time};
use serde_json::Value;
use std::collections::HashMap;

impl OperationStore {
    /// Ids of all loaded operations, newest first. Not tracked.
    pub fn all(&self) -> Vec<OperationId> {
        let mut ids: Vec<OperationId> = self.operations().keys().copied().collect();
        // Ids are ordered by time.
        ids.sort_unstable_by(|a, b| b.cmp(a));
        ids
    }

    /// Ids of active and of ended operations whose state matches, newest first. Tracks added operations and state
    /// changes.
    pub fn list(&self, takes: impl Fn(State) -> bool) -> (Vec<OperationId>, Vec<OperationId>) {
        self.pick(&|signals| takes(signals.state.get_untracked()))
    }

    /// Ids that match a filter. Also tracks the clock where the filter's time range is relative to now.
    pub fn find(&self, filter: &Filter) -> (Vec<OperationId>, Vec<OperationId>) {
        let now = if filter.moves() { self.0.clock.get() } else { self.0.clock.get_untracked() };
        self.pick(&|signals| signals.matches(filter, now))
    }

    fn pick(&self, takes: &dyn Fn(&OperationSignals) -> bool) -> (Vec<OperationId>, Vec<OperationId>) {
        self.0.host_list.track();
        let (mut active, mut ended) = (Vec::new(), Vec::new());
        for (id, signals) in self.operations().iter().filter(|(_, signals)| takes(signals)) {
            if signals.state.get_untracked().ended() { ended.push(*id) } else { active.push(*id) }
        }
        // Ids are ordered by time.
        active.sort_unstable_by(|a, b| b.cmp(a));
        ended.sort_unstable_by(|a, b| b.cmp(a));
        (active, ended)
    }

    /// Visits the immutable part of each operation. Not tracked.
    pub fn each(&self, look: &mut dyn FnMut(&Fixed)) {
        self.operations().values().for_each(|signals| look(signals.fixed()));
    }

    /// Number of operations per host, from the operations themselves: host reports arrive only every few seconds.
    /// Tracks as [`OperationStore::list`] does.
    pub fn busy(&self) -> HashMap<HostName, u32> {
        self.0.host_list.track();
        let mut busy = HashMap::new();
        for signals in self.operations().values() {
            if let Some(host) = signals.at_work_on() {
                *busy.entry(host).or_default() += 1;
            }
        }
        busy
    }

    /// Active operations with a condition other than an ordinary wait, oldest first. Tracks as
    /// [`OperationStore::list`] does.
    pub fn troubled(&self) -> Vec<OperationId> {
        let troubled = |signals: &OperationSignals| {
            let condition = signals.condition.with_untracked(|c| c.as_ref().map(|c| c.kind));
            condition.is_some_and(|kind| !display::waits(kind))
        };
        let mut ids = self.pick(&troubled).0;
        ids.reverse();
        ids
    }

    /// Operations that use a slot or are queued. Tracks as [`OperationStore::list`] does.
    pub fn at_work(&self) -> Vec<Work> {
        self.0.host_list.track();
        self.operations().values().filter_map(|signals| signals.at_work()).collect()
    }

    /// Title and latest forecast of the end of an active operation of a kind with such parameters: the oldest with a
    /// slot, else the oldest in the queue. Tracks as [`OperationStore::list`] does.
    pub fn active_with(
        &self,
        kind: &KindName,
        takes: &dyn Fn(&Value) -> bool,
    ) -> Option<(String, Option<Time>)> {
        self.0.host_list.track();
        let operations = self.operations();
        let active = operations.values().filter_map(|signals| {
            let fixed = signals.fixed();
            let work = signals.at_work().filter(|_| fixed.kind == *kind && takes(&fixed.params))?;
            Some((work.on.is_none(), fixed.id, fixed.title.clone(), work.ends_at))
        });
        active.min_by_key(|(queued, id, ..)| (*queued, *id)).map(|(.., title, ends_at)| (title, ends_at))
    }

    /// Creation time and parameters of the newest loaded operation of a kind that a user started. Tracks as
    /// [`OperationStore::list`] does.
    pub fn newest_of(&self, kind: &KindName) -> Option<(Time, Value)> {
        self.0.host_list.track();
        let operations = self.operations();
        let of_kind = operations
            .values()
            .map(|signals| signals.fixed())
            .filter(|f| f.kind == *kind && f.parent.is_none());
        of_kind.max_by_key(|f| f.id).map(|f| (f.created_at, f.params.clone()))
    }

    /// Active child operations, oldest first. Tracks as [`OperationStore::list`] does.
    pub fn children(&self, of: OperationId) -> Vec<OperationId> {
        self.0.host_list.track();
        let operations = self.operations();
        let mine = operations
            .values()
            .filter(|signals| signals.fixed().parent == Some(of) && !signals.standing().0.ended());
        let mut ids: Vec<_> = mine.map(|signals| signals.fixed().id).collect();
        ids.sort_unstable();
        ids
    }

    /// Operations that use a slot of a host, oldest first. Tracks as [`OperationStore::list`] does.
    pub fn occupants(&self, host: &HostName) -> Vec<OperationId> {
        self.0.host_list.track();
        let operations = self.operations();
        let here = operations.values().filter(|signals| signals.at_work_on().as_ref() == Some(host));
        let mut ids: Vec<_> = here.map(|signals| signals.fixed().id).collect();
        ids.sort_unstable();
        ids
    }
}
