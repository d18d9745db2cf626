//! The roster: hosts as the desk knows them, and who of them gets the next operation.

use crate::clock::Offset;
use parking_lot::Mutex;
use pool::Pool;
use protocol::api::{Connections, HostLink, HostStatus};
use protocol::host::{About, Health};
use protocol::{ConditionKind, HostName, KindName, Time};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::HostCursor;

/// When a byte last came from a host, by the server's clock and by one that does not jump; written by its link, read
/// by everybody.
#[derive(Clone, Default)]
pub(crate) struct LastWord(Arc<Mutex<Option<(Time, Instant)>>>);

impl LastWord {
    /// It came just now.
    pub(crate) fn note(&self) {
        *self.0.lock() = Some((Time::now(), Instant::now()));
    }

    pub(crate) fn get(&self) -> Option<Time> {
        self.0.lock().map(|(at, _)| at)
    }

    /// For how long nothing came; `None` when nothing ever did.
    pub(crate) fn silent_for(&self, now: Instant) -> Option<Duration> {
        self.0.lock().map(|(_, at)| now.saturating_duration_since(at))
    }
}

/// One configured host.
pub(crate) struct Entry {
    pub(crate) name: HostName,
    pub(crate) pool: Pool,
    pub(crate) link: HostLink,
    pub(crate) trouble: String,
    pub(crate) about: Option<About>,
    pub(crate) health: Option<Health>,
    pub(crate) last_word: LastWord,
    pub(crate) offset: Offset,
    /// How far its feed was taken in.
    pub(crate) cursor: Option<HostCursor>,
    /// Operations of ours that it has.
    pub(crate) assigned: u32,
    /// It said that it is full; asked again after this.
    pub(crate) full_until: Option<Time>,
    /// It takes no new work.
    pub(crate) draining: bool,
}

impl Entry {
    pub(crate) fn new(name: HostName, pool: Pool, cursor: Option<HostCursor>, last_word: LastWord) -> Self {
        Self {
            name,
            pool,
            link: HostLink::Connecting,
            trouble: String::new(),
            about: None,
            health: None,
            last_word,
            offset: Offset::default(),
            cursor,
            assigned: 0,
            full_until: None,
            draining: false,
        }
    }

    pub(crate) fn status(&self) -> HostStatus {
        let counters = self.pool.counters();
        HostStatus {
            name: self.name.clone(),
            url: self.pool.base_url().to_owned(),
            link: self.link,
            draining: self.draining,
            heard_at: self.last_word.get(),
            latency_ms: self.offset.latency_ms(),
            trouble: self.trouble.clone(),
            instance: self.about.as_ref().map(|a| a.instance),
            version: self.about.as_ref().map(|a| a.version.clone()).unwrap_or_default(),
            kinds: self.about.iter().flat_map(|a| a.kinds.iter().map(|k| k.name.clone())).collect(),
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

    fn has_place(&self, now: Time) -> bool {
        self.link == HostLink::Up
            && !self.draining
            && self.assigned < self.capacity()
            && self.full_until.is_none_or(|until| now >= until)
    }
}

/// All configured hosts.
#[derive(Default)]
pub(crate) struct Roster {
    entries: BTreeMap<HostName, Entry>,
}

impl Roster {
    pub(crate) fn add(&mut self, entry: Entry) {
        self.entries.insert(entry.name.clone(), entry);
    }

    pub(crate) fn get(&self, name: &HostName) -> Option<&Entry> {
        self.entries.get(name)
    }

    pub(crate) fn get_mut(&mut self, name: &HostName) -> Option<&mut Entry> {
        self.entries.get_mut(name)
    }

    /// The clock jumped by so much: hosts that are full are asked again after as long as before.
    pub(crate) fn moved(&mut self, micros: i64) {
        for entry in self.entries.values_mut() {
            entry.full_until = entry.full_until.map(|until| until.plus_micros(micros));
            entry.offset.server_moved(micros);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// The least loaded host that has the kind, can be heard and has a place; the one that is preferred, if it has one.
    ///
    /// # Errors
    /// Why there is none, in words for those who wait.
    pub(crate) fn choose(
        &self,
        kind: &KindName,
        preferred: Option<&HostName>,
        now: Time,
    ) -> Result<&Entry, (ConditionKind, String)> {
        let preferred = preferred.and_then(|name| self.entries.get(name));
        if let Some(entry) = preferred.filter(|e| e.has(kind) && e.has_place(now)) {
            return Ok(entry);
        }
        let load = |e: &&Entry| (u64::from(e.assigned) << 32) / u64::from(e.capacity().max(1));
        if let Some(entry) =
            self.entries.values().filter(|e| e.has(kind) && e.has_place(now)).min_by_key(load)
        {
            return Ok(entry);
        }
        let names = |list: Vec<&Entry>| list.iter().map(|e| e.name.as_str()).collect::<Vec<_>>().join(", ");
        let having: Vec<&Entry> = self.entries.values().filter(|e| e.has(kind)).collect();
        let (up, away): (Vec<&Entry>, Vec<&Entry>) = having.iter().partition(|e| e.link == HostLink::Up);
        Err(if having.is_empty() {
            let text =
                format!("No host that can be reached has {kind}. It starts as soon as one does; see Hosts.");
            (ConditionKind::NoHost, text)
        } else if up.is_empty() {
            let text = format!("{} can't be reached. It starts as soon as that is heard again.", names(away));
            (ConditionKind::NoHost, text)
        } else if up.iter().all(|e| e.draining) {
            let text = format!(
                "{} takes no new work: it is drained. It starts as soon as that is undone on Hosts, or another host has {kind}.",
                names(up)
            );
            (ConditionKind::NoHost, text)
        } else {
            let up: Vec<&Entry> = up.into_iter().filter(|e| !e.draining).collect();
            let text = format!("Every place on {} is taken. It starts as soon as one is free.", names(up));
            (ConditionKind::Waiting, text)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_is_full_is_asked_again_after_as_long_when_the_clock_jumps() {
        let t = |seconds: i64| Time::from_micros(1_000_000_000_000 + seconds * 1_000_000);
        let name: HostName = "a".parse().unwrap();
        let pool = Pool::new("http://127.0.0.1:1", pool::PoolConfig::default()).unwrap();
        let mut roster = Roster::default();
        roster.add(Entry {
            full_until: Some(t(10)),
            ..Entry::new(name.clone(), pool, None, LastWord::default())
        });
        roster.moved(-3_600_000_000);
        assert_eq!(roster.get(&name).unwrap().full_until, Some(t(10 - 3_600)));
    }

    #[test]
    fn a_silence_is_as_long_as_it_is_by_the_clock_that_does_not_jump() {
        let word = LastWord::default();
        assert_eq!((word.get(), word.silent_for(Instant::now())), (None, None));
        word.note();
        let later = Instant::now() + Duration::from_secs(3);
        assert!(word.silent_for(later).unwrap() >= Duration::from_secs(3));
        assert!(word.get().is_some());
    }
}
