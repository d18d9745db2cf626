//! What of all operations that the page knows is looked for.

use super::{Fixed, Live, OpCell};
use crate::words::start::Work;
use leptos::prelude::*;
use protocol::filter::{Filter, When};
use protocol::{HostName, KindName, OperationId, State, Time};
use serde_json::Value;
use std::collections::HashMap;

impl Live {
    /// The ids of all operations that are known, newest first. Not tracked.
    pub fn all(&self) -> Vec<OperationId> {
        let mut ids: Vec<OperationId> = self.cells().keys().copied().collect();
        // Ids are made in the order of time.
        ids.sort_unstable_by(|a, b| b.cmp(a));
        ids
    }

    /// The ids of the operations that `takes` takes, newest first: those that have not ended, and those that
    /// have. Tracks that operations come and change their state.
    pub fn list(&self, takes: impl Fn(State) -> bool) -> (Vec<OperationId>, Vec<OperationId>) {
        self.pick(&|cell| takes(cell.state.get_untracked()))
    }

    /// The same for a filter. Tracks the clock where the filter's range of time moves with it.
    pub fn find(&self, filter: &Filter) -> (Vec<OperationId>, Vec<OperationId>) {
        let moves = [filter.since, filter.until].into_iter().flatten().any(|w| matches!(w, When::Ago { .. }));
        let now = if moves { self.0.clock.get() } else { self.0.clock.get_untracked() };
        self.pick(&|cell| cell.taken(filter, now))
    }

    fn pick(&self, takes: &dyn Fn(&OpCell) -> bool) -> (Vec<OperationId>, Vec<OperationId>) {
        self.0.roster.track();
        let (mut active, mut ended) = (Vec::new(), Vec::new());
        for (id, cell) in self.cells().iter().filter(|(_, cell)| takes(cell)) {
            if cell.state.get_untracked().ended() { ended.push(*id) } else { active.push(*id) }
        }
        // Ids are made in the order of time.
        active.sort_unstable_by(|a, b| b.cmp(a));
        ended.sort_unstable_by(|a, b| b.cmp(a));
        (active, ended)
    }

    /// Looks at what never changes of each operation. Not tracked.
    pub fn each(&self, look: &mut dyn FnMut(&Fixed)) {
        self.cells().values().for_each(|cell| look(cell.fixed()));
    }

    /// How many operations each host has, as told of the operations themselves: what a host is told by comes every few
    /// seconds only. Tracks as [`Live::list`] does.
    pub fn busy(&self) -> HashMap<HostName, u32> {
        self.0.roster.track();
        let mut busy = HashMap::new();
        for cell in self.cells().values() {
            if let Some(host) = cell.at_work_on() {
                *busy.entry(host).or_default() += 1;
            }
        }
        busy
    }

    /// What takes a place on a host or stands in line for one. Tracks as [`Live::list`] does.
    pub fn at_work(&self) -> Vec<Work> {
        self.0.roster.track();
        self.cells().values().filter_map(|cell| cell.at_work()).collect()
    }

    /// The newest operation of a kind that a person started, of those that the page knows: when, and its params. Tracks
    /// as [`Live::list`] does.
    pub fn newest_of(&self, kind: &KindName) -> Option<(Time, Value)> {
        self.0.roster.track();
        let cells = self.cells();
        let of_kind =
            cells.values().map(|cell| cell.fixed()).filter(|f| f.kind == *kind && f.parent.is_none());
        of_kind.max_by_key(|f| f.id).map(|f| (f.created_at, f.params.clone()))
    }

    /// What an operation started and what has not ended, oldest first. Tracks as [`Live::list`] does.
    pub fn children(&self, of: OperationId) -> Vec<OperationId> {
        self.0.roster.track();
        let cells = self.cells();
        let mine =
            cells.values().filter(|cell| cell.fixed().parent == Some(of) && !cell.standing().0.ended());
        let mut ids: Vec<_> = mine.map(|cell| cell.fixed().id).collect();
        ids.sort_unstable();
        ids
    }
}
