//! Store of all loaded operations, as signals: one per part that changes independently, so that an event notifies only
//! affected components.

mod find;
mod follows;
mod reports;

use super::operation_signals::{Fixed, OperationSignals, Report, set};
pub use follows::{DetailVersion, Details, Follow};

use super::counts::{Counts, Numbers, slot};
use super::event_effect::{Change, judge};
use super::joined::{Joiner, PageQuestion};
use super::pacing::Pacing;
use super::queue_position::positions;
use display::QueuePosition;
use leptos::prelude::*;
use protocol::alerts::AlertSummary;
use protocol::api::{HostStatus, Snapshot};
use protocol::{Event, EventBody, InstanceId, Operation, OperationId, State, Time};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock, Weak};

/// Maximum number of ended operations kept; older ones are loaded on request.
const MAX_ENDED: usize = 2_000;

/// All loaded operations, hosts and counts, as of the newest event. Cheap to clone; one per page, from the context.
#[derive(Clone)]
pub struct OperationStore(Arc<Inner>);

struct Inner {
    operations: RwLock<HashMap<OperationId, Arc<OperationSignals>>>,
    /// Deleted operations. An older answer must not bring them back.
    deleted: RwLock<HashSet<OperationId>>,
    pacing: Mutex<Pacing>,
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
    alerts: ArcRwSignal<AlertSummary>,
    server: ArcRwSignal<Option<(InstanceId, String)>>,
    clock: ArcRwSignal<Time>,
    seeded_at: ArcRwSignal<Time>,
    newest: ArcRwSignal<Time>,
    epoch: ArcRwSignal<u32>,
}

impl Default for OperationStore {
    fn default() -> Self {
        Self(Arc::new(Inner {
            operations: RwLock::default(),
            deleted: RwLock::default(),
            pacing: Mutex::default(),
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
            alerts: ArcRwSignal::default(),
            server: ArcRwSignal::new(None),
            clock: ArcRwSignal::new(Time::from_micros(0)),
            seeded_at: ArcRwSignal::new(Time::from_micros(0)),
            newest: ArcRwSignal::new(Time::from_micros(0)),
            epoch: ArcRwSignal::new(0),
        }))
    }
}

impl OperationStore {
    /// The page's own, provided by the app.
    pub fn here() -> Self {
        expect_context::<OperationStore>()
    }

    fn operations(&self) -> std::sync::RwLockReadGuard<'_, HashMap<OperationId, Arc<OperationSignals>>> {
        self.0.operations.read().expect("lock is not poisoned")
    }

    fn deleted(&self) -> std::sync::RwLockReadGuard<'_, HashSet<OperationId>> {
        self.0.deleted.read().expect("lock is not poisoned")
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
        let other_instance = known.is_some_and(|known| known != snapshot.server);
        // Whether the snapshot has all stored operations, or only the newest ended ones.
        let stored: u64 = snapshot.counts.iter().map(|c| c.count).sum();
        let whole = stored == snapshot.operations.len() as u64;
        {
            let deleted = self.deleted();
            let followed = self.followed();
            let listed: HashSet<OperationId> = snapshot.operations.iter().map(|op| op.id).collect();
            let mut operations = self.0.operations.write().expect("lock is not poisoned");
            for op in snapshot.operations.iter().filter(|op| !deleted.contains(&op.id)) {
                match operations.get(&op.id) {
                    Some(signals) => {
                        if other_instance || snapshot.seq >= signals.as_of.load(Ordering::Relaxed) {
                            signals.as_of.store(snapshot.seq, Ordering::Relaxed);
                            signals.update(op);
                        }
                    }
                    None => {
                        operations.insert(op.id, Arc::new(OperationSignals::new(op, snapshot.seq)));
                    }
                }
            }
            // A snapshot always has all active operations: a missing one has ended or was deleted. A page that follows
            // it requests which (the new epoch triggers that) and shows the old state until then.
            operations.retain(|id, signals| {
                if other_instance && !listed.contains(id) {
                    signals.as_of.store(snapshot.seq, Ordering::Relaxed);
                }
                !whole && signals.state.get_untracked().ended()
                    || signals.as_of.load(Ordering::Relaxed) > snapshot.seq
                    || listed.contains(id)
                    || followed.contains(id)
            });
        }
        self.count_by(|counts| counts.begin(snapshot));
        let mut hosts = snapshot.hosts.clone();
        hosts.sort_by(|a, b| a.name.cmp(&b.name));
        set(&self.0.hosts, &hosts);
        set(&self.0.alerts, &snapshot.alerts);
        set(&self.0.ended_from, &snapshot.ended_from);
        set(&self.0.server, &Some((snapshot.server, snapshot.version.clone())));
        self.0.seq.store(snapshot.seq, Ordering::Relaxed);
        self.reset_joins(snapshot.seq, other_instance);
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
            let deleted = self.deleted();
            let mut operations = self.0.operations.write().expect("lock is not poisoned");
            let mut counting = self.0.counting.lock().expect("lock is not poisoned");
            for op in ops.filter(|op| !deleted.contains(&op.id)) {
                let as_of = seq.max(op.seq);
                match operations.get(&op.id) {
                    Some(signals) if as_of >= signals.as_of.load(Ordering::Relaxed) => {
                        signals.as_of.store(as_of, Ordering::Relaxed);
                        signals.update(op);
                    }
                    Some(_) => {}
                    None => {
                        operations.insert(op.id, Arc::new(OperationSignals::new(op, as_of)));
                        counting.learn(op, applied);
                        added += 1;
                    }
                }
            }
        }
        self.0.host_list.notify();
        added
    }

    /// Takes a page of stored operations for a list, and drops others where there are too many. Returns as
    /// [`OperationStore::take_page`] does.
    pub fn adopt_listed(&self, question: &PageQuestion, seq: u64, ops: &[Operation]) -> bool {
        {
            let mut in_sight = self.0.in_sight.write().expect("lock is not poisoned");
            in_sight.extend(ops.iter().map(|op| op.id));
        }
        let taken = self.take_page(question, seq, ops);
        self.trim();
        taken
    }

    /// Sets the operations shown in a list.
    pub fn keep_loaded(&self, ids: HashSet<OperationId>) {
        *self.0.in_sight.write().expect("lock is not poisoned") = ids;
    }

    /// Whether an operation is loaded. Tracks as [`OperationStore::list`] does.
    pub fn has(&self, id: OperationId) -> bool {
        self.0.host_list.track();
        self.operations().contains_key(&id)
    }

    /// Applies an event of the feed at `now` of the browser's clock, milliseconds. The caller ensures that there is no
    /// gap, and calls [`OperationStore::show_reports`] in time.
    pub fn apply(&self, event: &Event, now: f64) {
        self.0.seq.fetch_max(event.seq, Ordering::Relaxed);
        self.pass_to_joins(event);
        if let EventBody::Host { host } = &event.body {
            self.update_host(host);
            return;
        }
        if let EventBody::Alerts { alerts } = &event.body {
            set(&self.0.alerts, alerts);
            return;
        }
        if let EventBody::Deleted { id, state } = &event.body {
            self.remove_deleted(*id);
            // Unknown operations were counted, too.
            self.count_by(|counts| counts.delete(event.seq, *id, *state));
            return;
        }
        let Some(id) = event.operation() else { return };
        if let EventBody::Operation { operation } = &event.body
            && !self.count_by(|counts| counts.apply(event.seq, operation))
        {
            self.0.counts_unsure.update(|n| *n += 1);
        }
        let signals = self.operations().get(&id).cloned();
        if let (Some(signals), EventBody::Points { attempt, series, .. }) = (&signals, &event.body) {
            signals.recent.lock().expect("lock is not poisoned").add(*attempt, series);
        }
        match (signals, &event.body) {
            (Some(signals), _) => {
                match judge(signals.known(), event) {
                    Change::Nothing => return,
                    Change::Replace(op) => {
                        signals.update(op);
                        self.pacing().forget(id);
                        self.0.host_list.notify();
                    }
                    Change::Progress { progress, forecast, at } => {
                        let (progress, heard_at) = (Some(progress.clone()), Some(at));
                        signals.report(Report { progress, forecast, heard_at, ..Report::default() });
                        self.reported(id, &signals, now);
                    }
                    Change::Reported { at } => {
                        let outside =
                            if let EventBody::Points { outside, .. } = &event.body { *outside } else { None };
                        signals.report(Report { heard_at: Some(at), outside, ..Report::default() });
                        self.reported(id, &signals, now);
                    }
                }
                signals.as_of.store(event.seq, Ordering::Relaxed);
            }
            (None, EventBody::Operation { operation }) => {
                let signals = Arc::new(OperationSignals::new(operation, event.seq));
                self.0.operations.write().expect("lock is not poisoned").insert(id, signals);
                self.trim();
                self.0.host_list.notify();
            }
            (None, _) => {}
        }
    }

    /// Applies an event's version of an operation, unless a newer one is known.
    fn apply_newer(&self, event: &Event) {
        let Some(signals) = event.operation().and_then(|id| self.operation(id)) else { return };
        if let Change::Replace(op) = judge(signals.known(), event) {
            signals.update(op);
            signals.as_of.store(event.seq, Ordering::Relaxed);
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
    pub fn remove_deleted(&self, id: OperationId) {
        self.0.deleted.write().expect("lock is not poisoned").insert(id);
        self.0.operations.write().expect("lock is not poisoned").remove(&id);
        self.0.host_list.notify();
    }

    /// Whether an operation is known to be deleted. Tracks as [`OperationStore::list`] does.
    pub fn is_deleted(&self, id: OperationId) -> bool {
        self.0.host_list.track();
        self.deleted().contains(&id)
    }

    fn update_host(&self, host: &HostStatus) {
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
        let mut operations = self.0.operations.write().expect("lock is not poisoned");
        if operations.len() <= MAX_ENDED {
            return;
        }
        let mut ended: Vec<OperationId> =
            operations.iter().filter(|(_, c)| c.state.get_untracked().ended()).map(|(id, _)| *id).collect();
        if ended.len() > MAX_ENDED {
            ended.sort_unstable();
            // Drops a tenth at once, so that it does not run for each operation.
            ended.truncate(ended.len() - MAX_ENDED + MAX_ENDED / 10);
            let in_sight = self.0.in_sight.read().expect("lock is not poisoned");
            let followed = self.followed();
            let mut counting = self.0.counting.lock().expect("lock is not poisoned");
            for id in ended.into_iter().filter(|id| !in_sight.contains(id) && !followed.contains(id)) {
                operations.remove(&id);
                counting.release(id);
            }
        }
    }

    /// An operation, if loaded.
    pub fn operation(&self, id: OperationId) -> Option<Arc<OperationSignals>> {
        self.operations().get(&id).cloned()
    }

    /// Tracks added, changed (except for progress) and removed operations.
    pub fn track_list(&self) {
        self.0.host_list.track();
    }

    /// Queue positions. Tracks as [`OperationStore::list`] does.
    pub fn places(&self) -> HashMap<OperationId, QueuePosition> {
        self.0.host_list.track();
        positions(self.operations().values().filter_map(|signals| signals.waiting()))
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

    /// The server's alerts in figures.
    pub fn alerts(&self) -> RwSignal<AlertSummary> {
        (&self.0.alerts).into()
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

    /// For the driver: updates clock and time of the newest data.
    pub fn tick(&self, clock: Option<Time>, newest: Option<Time>) {
        if let Some(newest) = newest {
            set(&self.0.newest, &newest);
        }
        if let Some(clock) = clock {
            set(&self.0.clock, &clock);
        }
    }
}

#[cfg(test)]
mod tests;
