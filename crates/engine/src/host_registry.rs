//! Roster: hosts as the coordinator knows them, and the choice of a host for the next operation.

use crate::clock::Offset;
use parking_lot::Mutex;
use pool::Pool;
use protocol::api::{Connections, HostLink, HostStatus};
use protocol::host::{About, Health};
use protocol::{ConditionKind, HostName, KindName, Time};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use store::HostCursor;
use tokio::time::Instant;

/// Time of the last data from a host, by the server's clock and by a monotonic one. Written by its link, read
/// everywhere.
#[derive(Clone, Default)]
pub(crate) struct LastSeen(Arc<Mutex<Option<(Time, Instant)>>>);

impl LastSeen {
    /// Records data received now.
    pub(crate) fn note(&self) {
        *self.0.lock() = Some((Time::now(), Instant::now()));
    }

    pub(crate) fn get(&self) -> Option<Time> {
        self.0.lock().map(|(at, _)| at)
    }

    /// Time since the last data; `None` if there never was any.
    pub(crate) fn silent_for(&self, now: Instant) -> Option<Duration> {
        self.0.lock().map(|(_, at)| now.saturating_duration_since(at))
    }
}

/// Reason and time until which a host is not asked again to run a kind.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct KindPause {
    pub(crate) until: Time,
    pub(crate) why: PauseReason,
}

/// Reason why a host did not accept an operation.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum PauseReason {
    /// It reported that it is full.
    Full,
    /// The start could not be delivered.
    Undelivered,
    /// It could not begin the work, with its own message.
    NotStarted(String),
}

/// Configured host.
pub(crate) struct Entry {
    pub(crate) name: HostName,
    pub(crate) pool: Pool,
    pub(crate) link: HostLink,
    pub(crate) trouble: String,
    pub(crate) about: Option<About>,
    /// Rises each time the host declares other kinds or params within one life.
    pub(crate) offers: u32,
    pub(crate) health: Option<Health>,
    /// Its health was requested in its current process, whether or not it answered; before that, nothing is placed on
    /// it.
    pub(crate) health_asked: bool,
    pub(crate) last_seen: LastSeen,
    pub(crate) offset: Offset,
    /// Position up to which its feed was processed.
    pub(crate) cursor: Option<HostCursor>,
    /// Number of our operations on it.
    pub(crate) assigned: u32,
    /// Same per kind.
    assigned_by_kind: HashMap<KindName, u32>,
    /// Kinds that it did not accept last time; it is asked again after a pause.
    pub(crate) paused_kinds: HashMap<KindName, KindPause>,
    /// It is drained.
    pub(crate) draining: bool,
    /// Its work runs in its own process and ends with it.
    pub(crate) in_process: bool,
}

impl Entry {
    pub(crate) fn new(name: HostName, pool: Pool, cursor: Option<HostCursor>, last_seen: LastSeen) -> Self {
        Self {
            name,
            pool,
            link: HostLink::Connecting,
            trouble: String::new(),
            about: None,
            offers: 0,
            health: None,
            health_asked: false,
            last_seen,
            offset: Offset::default(),
            cursor,
            assigned: 0,
            assigned_by_kind: HashMap::new(),
            paused_kinds: HashMap::new(),
            draining: false,
            in_process: false,
        }
    }

    pub(crate) fn status(&self) -> HostStatus {
        let counters = self.pool.counters();
        HostStatus {
            name: self.name.clone(),
            url: self.pool.base_url().to_owned(),
            link: self.link,
            draining: self.draining,
            heard_at: self.last_seen.get(),
            latency_ms: self.offset.latency_ms(),
            trouble: self.trouble.clone(),
            instance: self.about.as_ref().map(|a| a.instance),
            version: self.about.as_ref().map(|a| a.version.clone()).unwrap_or_default(),
            kinds: self.about.iter().flat_map(|a| a.kinds.iter().map(|k| k.name.clone())).collect(),
            offers: self.offers,
            capacity: self.capacity(),
            running: self.assigned,
            health: self.health.clone(),
            connections: Connections {
                opened: counters.opened,
                reused: counters.reused,
                requests: counters.requests,
                retries: counters.retries,
                failures: counters.failures,
            },
        }
    }

    fn capacity(&self) -> u32 {
        self.about.as_ref().map_or(0, |a| a.capacity)
    }

    fn has(&self, kind: &KindName) -> bool {
        self.about.as_ref().is_some_and(|a| a.kinds.iter().any(|k| &k.name == kind))
    }

    /// Counts an operation that is placed on it.
    pub(crate) fn take(&mut self, kind: &KindName) {
        self.assigned += 1;
        *self.assigned_by_kind.entry(kind.clone()).or_default() += 1;
    }

    /// Counts an operation that ended or was requeued.
    pub(crate) fn give_back(&mut self, kind: &KindName) {
        self.assigned = self.assigned.saturating_sub(1);
        if let Some(assigned) = self.assigned_by_kind.get_mut(kind) {
            *assigned = assigned.saturating_sub(1);
        }
    }

    /// Whether it can run the kind, according to its health.
    fn ready(&self, kind: &KindName) -> bool {
        match &self.health {
            None => self.health_asked,
            Some(health) => {
                health.ready || (!health.unready_kinds.is_empty() && !health.unready_kinds.contains(kind))
            }
        }
    }

    /// Its limit for the kind, if it is reached.
    fn at_limit(&self, kind: &KindName) -> Option<u32> {
        let most = self.about.as_ref()?.max_parallel.get(kind).copied()?;
        (self.assigned_by_kind.get(kind).copied().unwrap_or(0) >= most).then_some(most)
    }

    fn has_place(&self, kind: &KindName, now: Time) -> bool {
        self.link == HostLink::Up
            && !self.draining
            && self.ready(kind)
            && self.assigned < self.capacity()
            && self.at_limit(kind).is_none()
            && self.paused_kinds.get(kind).is_none_or(|hold| now >= hold.until)
    }

    /// Reason why it does not accept the kind now, although it is connected and not drained.
    fn hold(&self, kind: &KindName, now: Time) -> Option<&PauseReason> {
        self.paused_kinds.get(kind).filter(|hold| now < hold.until).map(|hold| &hold.why)
    }
}

/// All configured hosts.
#[derive(Default)]
pub(crate) struct HostRegistry {
    entries: BTreeMap<HostName, Entry>,
}

impl HostRegistry {
    pub(crate) fn add(&mut self, entry: Entry) {
        self.entries.insert(entry.name.clone(), entry);
    }

    pub(crate) fn get(&self, name: &HostName) -> Option<&Entry> {
        self.entries.get(name)
    }

    pub(crate) fn get_mut(&mut self, name: &HostName) -> Option<&mut Entry> {
        self.entries.get_mut(name)
    }

    /// Moves the times of full hosts after a jump of the clock, so that their pauses keep their length.
    pub(crate) fn moved(&mut self, micros: i64) {
        for entry in self.entries.values_mut() {
            for hold in entry.paused_kinds.values_mut() {
                hold.until = hold.until.plus_micros(micros);
            }
            entry.offset.server_moved(micros);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// The least loaded host that offers the kind, is connected and ready, and has a free slot; the preferred one, if
    /// it qualifies.
    ///
    /// # Errors
    /// If there is none, with the reason for users.
    pub(crate) fn choose(
        &self,
        kind: &KindName,
        preferred: Option<&HostName>,
        now: Time,
    ) -> Result<&Entry, (ConditionKind, String)> {
        let preferred = preferred.and_then(|name| self.entries.get(name));
        if let Some(entry) = preferred.filter(|e| e.has(kind) && e.has_place(kind, now)) {
            return Ok(entry);
        }
        let load = |e: &&Entry| (u64::from(e.assigned) << 32) / u64::from(e.capacity().max(1));
        if let Some(entry) =
            self.entries.values().filter(|e| e.has(kind) && e.has_place(kind, now)).min_by_key(load)
        {
            return Ok(entry);
        }
        let names = |list: Vec<&Entry>| list.iter().map(|e| e.name.as_str()).collect::<Vec<_>>().join(", ");
        let having: Vec<&Entry> = self.entries.values().filter(|e| e.has(kind)).collect();
        let (up, away): (Vec<&Entry>, Vec<&Entry>) = having.iter().partition(|e| e.link == HostLink::Up);
        Err(if having.is_empty() {
            let text = format!(
                "No connected host supports {kind}. The operation starts when such a host connects; see the Hosts page."
            );
            (ConditionKind::NoHost, text)
        } else if up.is_empty() {
            let text = format!("Unreachable: {}. The operation starts when a host reconnects.", names(away));
            (ConditionKind::NoHost, text)
        } else if up.iter().all(|e| e.draining) {
            let text = format!(
                "Drained: {}. The operation starts when a host is undrained, or another host supports {kind}.",
                names(up)
            );
            (ConditionKind::NoHost, text)
        } else {
            let up: Vec<&Entry> = up.into_iter().filter(|e| !e.draining).collect();
            let ready: Vec<&Entry> = up.iter().copied().filter(|e| e.ready(kind)).collect();
            if up.iter().all(|e| e.health.is_none() && !e.health_asked) {
                let text = format!("Just connected: {}. Waiting for the first health check.", names(up));
                return Err((ConditionKind::Waiting, text));
            }
            if ready.is_empty() {
                let text = format!(
                    "Not ready for {kind}: {}; see the Hosts page. The operation starts when a host is ready.",
                    names(up)
                );
                return Err((ConditionKind::NoHost, text));
            }
            why_none_of_the_ready(kind, &ready, now)
        })
    }
}

/// Reason why none of these ready hosts accepts the kind.
fn why_none_of_the_ready(kind: &KindName, ready: &[&Entry], now: Time) -> (ConditionKind, String) {
    let names = ready.iter().map(|e| e.name.as_str()).collect::<Vec<_>>().join(", ");
    if let [only] = ready {
        match only.hold(kind, now) {
            Some(PauseReason::Undelivered) => {
                let text = format!("The start could not be delivered to {names}. Retrying in a moment.");
                return (ConditionKind::NoHost, text);
            }
            Some(PauseReason::NotStarted(why)) => {
                let text = format!("{names} could not start the operation: {why} Retrying in a moment.");
                return (ConditionKind::NoHost, text);
            }
            Some(PauseReason::Full) | None => {}
        }
        if let Some(most) = only.at_limit(kind) {
            let text = format!(
                "{names} has reached its limit of parallel {kind} operations ({most}). The operation starts when one of these operations ends."
            );
            return (ConditionKind::Waiting, text);
        }
    }
    let text = match ready {
        [_] => format!("All slots on {names} are in use. The operation starts when a slot is free."),
        // Each may have another reason, such as its limit for the kind.
        _ => format!("No slot for {kind} is free on {names}. The operation starts when a slot is free."),
    };
    (ConditionKind::Waiting, text)
}

#[cfg(test)]
mod tests;
