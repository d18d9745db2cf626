//! Store of all loaded operations, as signals: one per part that changes independently, so that an event notifies only
//! affected components.

mod find;
mod follows;

pub use super::operation_signals::{Facts, Fixed, OpCell, OpView};
pub use follows::{Details, Follow, Stand};

use super::counts::{Counts, Numbers, slot};
use super::joined::{Joiner, PageQuestion};
use super::leader_election::Role;
use super::link::Shown;
use super::operation_signals::set;
use super::queue_position::positions;
use super::sequence_check::{Change, judge};
use display::QueuePosition;
use leptos::prelude::*;
use protocol::api::{HostStatus, Snapshot};
use protocol::{Event, EventBody, InstanceId, Operation, OperationId, State, Time};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock, Weak};

/// Maximum number of ended operations kept; older ones are loaded on request.
const MAX_ENDED: usize = 2_000;

/// Everything the page knows. Cheap to clone; one per page, from the context.
#[derive(Clone)]
pub struct Live(Arc<Inner>);

struct Inner {
    cells: RwLock<HashMap<OperationId, Arc<OpCell>>>,
    /// Deleted operations. An older answer must not bring them back.
    gone: RwLock<HashSet<OperationId>>,
    /// Receivers that join answers with the feed.
    joiners: RwLock<Vec<Weak<dyn Joiner>>>,
    /// Ended operations shown in a list; never dropped.
    in_sight: RwLock<HashSet<OperationId>>,
    /// All ended operations from this one on are loaded; `None` when all are.
    ended_from: ArcRwSignal<Option<OperationId>>,
    seq: AtomicU64,
    seeded: ArcRwSignal<bool>,
    host_list: ArcTrigger,
    counting: Mutex<Counts>,
    counts: ArcRwSignal<Numbers>,
    counts_unsure: ArcRwSignal<u32>,
    hosts: ArcRwSignal<Vec<HostStatus>>,
    server: ArcRwSignal<Option<(InstanceId, String)>>,
    clock: ArcRwSignal<Time>,
    seeded_at: ArcRwSignal<Time>,
    newest: ArcRwSignal<Time>,
    epoch: ArcRwSignal<u32>,
    shown: ArcRwSignal<Shown>,
    fresh: ArcRwSignal<bool>,
    latency: ArcRwSignal<Option<f64>>,
    nudge: ArcTrigger,
    role: Mutex<Role>,
    awake: AtomicBool,
}

impl Default for Live {
    fn default() -> Self {
        Self(Arc::new(Inner {
            cells: RwLock::default(),
            gone: RwLock::default(),
            joiners: RwLock::default(),
            in_sight: RwLock::default(),
            ended_from: ArcRwSignal::new(None),
            seq: AtomicU64::new(0),
            seeded: ArcRwSignal::new(false),
            host_list: ArcTrigger::new(),
            counting: Mutex::default(),
            counts: ArcRwSignal::default(),
            counts_unsure: ArcRwSignal::new(0),
            hosts: ArcRwSignal::new(Vec::new()),
            server: ArcRwSignal::new(None),
            clock: ArcRwSignal::new(Time::from_micros(0)),
            seeded_at: ArcRwSignal::new(Time::from_micros(0)),
            newest: ArcRwSignal::new(Time::from_micros(0)),
            epoch: ArcRwSignal::new(0),
            shown: ArcRwSignal::new(Shown::Still),
            fresh: ArcRwSignal::new(true),
            latency: ArcRwSignal::new(None),
            nudge: ArcTrigger::new(),
            role: Mutex::new(Role::Alone),
            awake: AtomicBool::new(false),
        }))
    }
}

impl Live {
    /// The page's own, provided by the app.
    pub fn here() -> Self {
        expect_context::<Live>()
    }

    fn cells(&self) -> std::sync::RwLockReadGuard<'_, HashMap<OperationId, Arc<OpCell>>> {
        self.0.cells.read().expect("lock is not poisoned")
    }

    fn gone(&self) -> std::sync::RwLockReadGuard<'_, HashSet<OperationId>> {
        self.0.gone.read().expect("lock is not poisoned")
    }

    /// Updates the counts and publishes them.
    fn count_by<T>(&self, count: impl FnOnce(&mut Counts) -> T) -> T {
        let (out, numbers) = {
            let mut counting = self.0.counting.lock().expect("lock is not poisoned");
            (count(&mut counting), counting.numbers())
        };
        set(&self.0.counts, &numbers);
        out
    }

    /// Takes the snapshot the page was rendered from; repeated calls are ignored.
    pub fn seed_once(&self, snapshot: &Snapshot) {
        if !self.0.seeded.get_untracked() {
            self.seed(snapshot);
        }
    }

    /// Takes a new snapshot and replaces outdated data.
    pub fn seed(&self, snapshot: &Snapshot) {
        // Positions of another server instance can't be compared with ours.
        let known = self.0.server.with_untracked(|s| s.as_ref().map(|(id, _)| *id));
        let other_life = known.is_some_and(|known| known != snapshot.server);
        // Whether the snapshot has all stored operations, or only the newest ended ones.
        let stored: u64 = snapshot.counts.iter().map(|c| c.count).sum();
        let whole = stored == snapshot.operations.len() as u64;
        {
            let gone = self.gone();
            let followed = self.followed();
            let told: HashSet<OperationId> = snapshot.operations.iter().map(|op| op.id).collect();
            let mut cells = self.0.cells.write().expect("lock is not poisoned");
            for op in snapshot.operations.iter().filter(|op| !gone.contains(&op.id)) {
                match cells.get(&op.id) {
                    Some(cell) => {
                        if other_life || snapshot.seq >= cell.as_of.load(Ordering::Relaxed) {
                            cell.as_of.store(snapshot.seq, Ordering::Relaxed);
                            cell.stands(op);
                        }
                    }
                    None => {
                        cells.insert(op.id, Arc::new(OpCell::new(op, snapshot.seq)));
                    }
                }
            }
            // A snapshot always has all active operations: a missing one has ended or was deleted. A page that follows
            // it requests which (the new epoch triggers that) and shows the old state until then.
            cells.retain(|id, cell| {
                if other_life && !told.contains(id) {
                    cell.as_of.store(snapshot.seq, Ordering::Relaxed);
                }
                !whole && cell.state.get_untracked().ended()
                    || cell.as_of.load(Ordering::Relaxed) > snapshot.seq
                    || told.contains(id)
                    || followed.contains(id)
            });
        }
        self.count_by(|counts| counts.begin(snapshot));
        let mut hosts = snapshot.hosts.clone();
        hosts.sort_by(|a, b| a.name.cmp(&b.name));
        set(&self.0.hosts, &hosts);
        set(&self.0.ended_from, &snapshot.ended_from);
        set(&self.0.server, &Some((snapshot.server, snapshot.version.clone())));
        self.0.seq.store(snapshot.seq, Ordering::Relaxed);
        self.reset_joins(snapshot.seq, other_life);
        self.0.clock.set(snapshot.now);
        self.0.seeded_at.set(snapshot.now);
        self.0.newest.set(snapshot.now);
        if self.0.seeded.get_untracked() {
            self.0.epoch.update(|n| *n += 1);
        } else {
            self.0.seeded.set(true);
        }
        self.0.host_list.notify();
    }

    /// Takes only the counts of a snapshot; the feed continues at its own position. Ignored for another server
    /// instance: the page will start over.
    pub fn count_anew(&self, snapshot: &Snapshot) {
        if self.server().is_some_and(|(server, _)| server == snapshot.server) {
            self.count_by(|counts| counts.take(snapshot));
        }
    }

    /// Takes an operation from an answer that is valid at `seq`.
    pub fn adopt(&self, op: &Operation, seq: u64) {
        self.adopt_all(std::iter::once(op), seq);
    }

    /// Takes operations from an answer; `seq` 0 means that each is valid at its own number. Returns how many were new.
    pub fn adopt_all<'a>(&self, ops: impl Iterator<Item = &'a Operation>, seq: u64) -> usize {
        let mut added = 0;
        let applied = self.seq();
        {
            let gone = self.gone();
            let mut cells = self.0.cells.write().expect("lock is not poisoned");
            let mut counting = self.0.counting.lock().expect("lock is not poisoned");
            for op in ops.filter(|op| !gone.contains(&op.id)) {
                let as_of = seq.max(op.seq);
                match cells.get(&op.id) {
                    Some(cell) if as_of >= cell.as_of.load(Ordering::Relaxed) => {
                        cell.as_of.store(as_of, Ordering::Relaxed);
                        cell.stands(op);
                    }
                    Some(_) => {}
                    None => {
                        cells.insert(op.id, Arc::new(OpCell::new(op, as_of)));
                        counting.meet(op, applied);
                        added += 1;
                    }
                }
            }
        }
        self.0.host_list.notify();
        added
    }

    /// Takes a page of stored operations for a list, and drops others where there are too many. Returns as
    /// [`Live::take_page`] does.
    pub fn shelve(&self, question: &PageQuestion, seq: u64, ops: &[Operation]) -> bool {
        {
            let mut in_sight = self.0.in_sight.write().expect("lock is not poisoned");
            in_sight.extend(ops.iter().map(|op| op.id));
        }
        let taken = self.take_page(question, seq, ops);
        self.trim();
        taken
    }

    /// Sets the operations shown in a list.
    pub fn keep(&self, ids: HashSet<OperationId>) {
        *self.0.in_sight.write().expect("lock is not poisoned") = ids;
    }

    /// Whether an operation is loaded. Tracks as [`Live::list`] does.
    pub fn has(&self, id: OperationId) -> bool {
        self.0.host_list.track();
        self.cells().contains_key(&id)
    }

    /// Applies an event of the feed. The caller ensures that there is no gap.
    pub fn apply(&self, event: &Event) {
        self.0.seq.fetch_max(event.seq, Ordering::Relaxed);
        self.pass(event);
        if let EventBody::Host { host } = &event.body {
            self.host_stands(host);
            return;
        }
        if let EventBody::Deleted { id, state } = &event.body {
            self.forget(*id);
            // Unknown operations were counted, too.
            self.count_by(|counts| counts.gone(event.seq, *id, *state));
            return;
        }
        let Some(id) = event.operation() else { return };
        if let EventBody::Operation { operation } = &event.body
            && !self.count_by(|counts| counts.stands(event.seq, operation))
        {
            self.0.counts_unsure.update(|n| *n += 1);
        }
        let cell = self.cells().get(&id).cloned();
        match (cell, &event.body) {
            (Some(cell), _) => {
                match judge(cell.known(), event) {
                    Change::Nothing => return,
                    Change::Stands(op) => {
                        cell.stands(op);
                        self.0.host_list.notify();
                    }
                    Change::Progress { progress, forecast, at } => {
                        set(&cell.progress, &Some(progress.clone()));
                        if forecast.is_some() {
                            set(&cell.forecast, &forecast);
                        }
                        set(&cell.heard_at, &Some(at));
                    }
                    Change::Heard { at } => {
                        set(&cell.heard_at, &Some(at));
                        if let EventBody::Points { outside: Some(outside), .. } = &event.body {
                            set(&cell.outside, outside);
                        }
                    }
                }
                cell.as_of.store(event.seq, Ordering::Relaxed);
            }
            (None, EventBody::Operation { operation }) => {
                let cell = Arc::new(OpCell::new(operation, event.seq));
                self.0.cells.write().expect("lock is not poisoned").insert(id, cell);
                self.trim();
                self.0.host_list.notify();
            }
            (None, _) => {}
        }
    }

    /// Applies an event's version of an operation, unless a newer one is known.
    fn stands(&self, event: &Event) {
        let Some(cell) = event.operation().and_then(|id| self.operation(id)) else { return };
        if let Change::Stands(op) = judge(cell.known(), event) {
            cell.stands(op);
            cell.as_of.store(event.seq, Ordering::Relaxed);
            self.0.host_list.notify();
        }
    }

    /// Takes only the drain state from an answer; the feed has the rest, and may be ahead of the answer.
    pub fn adopt_drain(&self, status: &HostStatus) {
        self.0.hosts.update(|hosts| {
            if let Some(known) = hosts.iter_mut().find(|h| h.name == status.name) {
                known.draining = status.draining;
            }
        });
    }

    /// Removes a deleted operation.
    pub fn forget(&self, id: OperationId) {
        self.0.gone.write().expect("lock is not poisoned").insert(id);
        self.0.cells.write().expect("lock is not poisoned").remove(&id);
        self.0.host_list.notify();
    }

    /// Whether an operation is known to be deleted. Tracks as [`Live::list`] does.
    pub fn forgotten(&self, id: OperationId) -> bool {
        self.0.host_list.track();
        self.gone().contains(&id)
    }

    fn host_stands(&self, host: &HostStatus) {
        self.0.hosts.update(|hosts| match hosts.iter_mut().find(|h| h.name == host.name) {
            Some(known) => *known = host.clone(),
            None => {
                hosts.push(host.clone());
                hosts.sort_by(|a, b| a.name.cmp(&b.name));
            }
        });
    }

    /// Drops the oldest ended operations of a page that is open for days.
    fn trim(&self) {
        let mut cells = self.0.cells.write().expect("lock is not poisoned");
        if cells.len() <= MAX_ENDED {
            return;
        }
        let mut ended: Vec<OperationId> =
            cells.iter().filter(|(_, c)| c.state.get_untracked().ended()).map(|(id, _)| *id).collect();
        if ended.len() > MAX_ENDED {
            ended.sort_unstable();
            // Drops a tenth at once, so that it does not run for each operation.
            ended.truncate(ended.len() - MAX_ENDED + MAX_ENDED / 10);
            let in_sight = self.0.in_sight.read().expect("lock is not poisoned");
            let followed = self.followed();
            let mut counting = self.0.counting.lock().expect("lock is not poisoned");
            for id in ended.into_iter().filter(|id| !in_sight.contains(id) && !followed.contains(id)) {
                cells.remove(&id);
                counting.let_go(id);
            }
        }
    }

    /// An operation, if loaded.
    pub fn operation(&self, id: OperationId) -> Option<Arc<OpCell>> {
        self.cells().get(&id).cloned()
    }

    /// Tracks added, changed (except for progress) and removed operations.
    pub fn track_roster(&self) {
        self.0.host_list.track();
    }

    /// Queue positions. Tracks as [`Live::list`] does.
    pub fn places(&self) -> HashMap<OperationId, QueuePosition> {
        self.0.host_list.track();
        positions(self.cells().values().filter_map(|cell| cell.waiting()))
    }

    /// Number of stored operations in a state. Tracked.
    pub fn count(&self, state: State) -> u64 {
        self.0.counts.with(|counts| counts[slot(state)])
    }

    /// Number of stored operations. Tracked.
    pub fn count_all(&self) -> u64 {
        self.0.counts.with(|counts| counts.iter().sum())
    }

    /// Incremented when only a new snapshot has the right counts.
    pub fn counts_unsure(&self) -> ArcRwSignal<u32> {
        self.0.counts_unsure.clone()
    }

    /// The hosts, by name.
    pub fn hosts(&self) -> RwSignal<Vec<HostStatus>> {
        (&self.0.hosts).into()
    }

    /// Server instance and version.
    pub fn server(&self) -> Option<(InstanceId, String)> {
        self.0.server.get_untracked()
    }

    /// The newest known event.
    pub fn seq(&self) -> u64 {
        self.0.seq.load(Ordering::Relaxed)
    }

    /// Whether a snapshot was taken.
    pub fn seeded(&self) -> RwSignal<bool> {
        (&self.0.seeded).into()
    }

    /// Server time, updated once a second; stops while the page is stale, and is never far ahead of the newest data.
    pub fn clock(&self) -> RwSignal<Time> {
        (&self.0.clock).into()
    }

    /// All ended operations from this one on are loaded; `None` when all are. Among older ones some may be missing.
    pub fn ended_from(&self) -> RwSignal<Option<OperationId>> {
        (&self.0.ended_from).into()
    }

    /// Server time of the last snapshot.
    pub fn seeded_at(&self) -> RwSignal<Time> {
        (&self.0.seeded_at).into()
    }

    /// Server time of the newest data, updated once a second: nothing after it is known.
    pub fn newest(&self) -> RwSignal<Time> {
        (&self.0.newest).into()
    }

    /// Incremented with each snapshot: data requested beside it must be requested again.
    pub fn epoch(&self) -> RwSignal<u32> {
        (&self.0.epoch).into()
    }

    /// State of the badge.
    pub fn shown(&self) -> RwSignal<Shown> {
        (&self.0.shown).into()
    }

    /// Whether the page's data is current.
    pub fn fresh(&self) -> RwSignal<bool> {
        (&self.0.fresh).into()
    }

    /// Latency from the server to this page, milliseconds.
    pub fn latency(&self) -> RwSignal<Option<f64>> {
        (&self.0.latency).into()
    }

    /// Asks the connection to retry now.
    pub fn nudge(&self) {
        self.0.nudge.notify();
    }

    /// Role of this tab. Not tracked.
    pub fn role(&self) -> Role {
        *self.0.role.lock().expect("lock is not poisoned")
    }

    /// For the driver: sets the role of this tab.
    pub fn take_role(&self, role: Role) {
        *self.0.role.lock().expect("lock is not poisoned") = role;
    }

    /// Whether the page stays connected while hidden, because of pending notifications.
    pub fn keep_awake(&self, on: bool) {
        self.0.awake.store(on, Ordering::Relaxed);
    }

    /// For the driver: whether it stays connected while hidden.
    pub fn kept_awake(&self) -> bool {
        self.0.awake.load(Ordering::Relaxed)
    }

    /// For the driver: tracks requests to retry now.
    pub fn track_nudge(&self) {
        self.0.nudge.track();
    }

    /// For the driver: updates clock, time of the newest data, and latency.
    pub fn tick(&self, clock: Option<Time>, newest: Option<Time>, latency: Option<f64>) {
        if let Some(newest) = newest {
            set(&self.0.newest, &newest);
        }
        if let Some(clock) = clock {
            set(&self.0.clock, &clock);
        }
        set(&self.0.latency, &latency.map(f64::round));
    }

    /// For the driver: updates the connection state.
    pub fn show(&self, shown: Shown, fresh: bool) {
        set(&self.0.shown, &shown);
        set(&self.0.fresh, &fresh);
    }
}

#[cfg(test)]
mod tests;
