//! Feed of a scope: the visible events, with consecutive numbers of its own, so that neither a number nor a gap tells
//! of other events. Each visible event is encoded once for all readers of the scope.
//!
//! It follows the feed of all events as one more reader, and fills a ring. Readers of all events share nothing with it.

use super::redact;
use crate::feed::{Cursor, Feed, Frame, Read, RingLimits};
use crate::kind_registry::KindRegistry;
use crate::view::View;
use parking_lot::{Mutex, RwLock};
use protocol::access::KindScope;
use protocol::api::HostStatus;
use protocol::{EventBody, HostName, InstanceId, KindName, Operation, OperationId};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use store::EventRecord;

/// Limits of the ring. A reader that is further behind needs a new snapshot.
const RING: RingLimits = RingLimits { events: 8_192, bytes: 4 << 20 };
/// Number of operations whose visibility is remembered, besides those in memory.
const MAX_REMEMBERED: usize = 4_096;

/// Feed of a scope; its readers have the same scope.
pub(crate) struct ScopedFeed {
    scope: KindScope,
    /// Clients load a snapshot if it differs, as after a restart of the server.
    instance: InstanceId,
    feed: Arc<Feed>,
    view: Arc<RwLock<View>>,
    kinds: Arc<KindRegistry>,
    filtering: Mutex<Filtering>,
}

/// Position in the feed of all events, and what was published.
struct Filtering {
    source: Cursor,
    /// Own number before the first of `sources`.
    base: u64,
    /// Numbers of the published events in the feed of all events; its limit is that of the ring.
    sources: VecDeque<u64>,
    /// Whether an operation is visible, for events of operations that have left the memory.
    remembered: HashMap<OperationId, bool>,
    /// Last published status of each host.
    hosts: HashMap<HostName, HostStatus>,
    /// Some events are missing: the feed can't go on.
    lost: bool,
}

impl ScopedFeed {
    /// Feed from now on. Its numbers begin at a random one beyond 2⁵¹, taken from its ID: a position in another feed,
    /// also of an earlier process of the server, is none in this one. JavaScript has them exactly.
    pub(crate) fn new(
        scope: KindScope,
        all: &Arc<Feed>,
        view: Arc<RwLock<View>>,
        kinds: Arc<KindRegistry>,
    ) -> Self {
        let instance = InstanceId::new();
        let base = (instance.0.as_u128() as u64) >> 12;
        let filtering = Filtering {
            source: Cursor::new(all.clone(), all.head(), None),
            base,
            sources: VecDeque::new(),
            remembered: HashMap::new(),
            hosts: HashMap::new(),
            lost: false,
        };
        let feed = Arc::new(Feed::new(base, RING));
        let feed = Self { scope, instance, feed, view, kinds, filtering: Mutex::new(filtering) };
        let hosts = feed.view.read().hosts();
        let statuses = hosts.into_iter().filter_map(|host| feed.status(host));
        feed.filtering.lock().hosts.extend(statuses.map(|host| (host.name.clone(), host)));
        feed
    }

    pub(crate) fn scope(&self) -> &KindScope {
        &self.scope
    }

    pub(crate) fn instance(&self) -> InstanceId {
        self.instance
    }

    /// The visible events.
    pub(crate) fn feed(&self) -> &Arc<Feed> {
        &self.feed
    }

    /// Whether it fell too far behind, and its readers need another one.
    pub(crate) fn lost(&self) -> bool {
        self.filtering.lock().lost
    }

    /// Publishes what is visible of the events that are available. Returns the position in the feed of all events.
    pub(crate) fn update(&self) -> u64 {
        let mut filtering = self.filtering.lock();
        self.update_locked(&mut filtering);
        filtering.source.after()
    }

    fn update_locked(&self, filtering: &mut Filtering) {
        while !filtering.lost {
            match filtering.source.read() {
                Read::Nothing => return,
                Read::Older | Read::Unknown => filtering.lost = true,
                Read::Frames { frames, .. } => {
                    let visible: Vec<Frame> =
                        frames.iter().filter_map(|frame| self.encode(filtering, frame)).collect();
                    if !visible.is_empty() {
                        self.feed.publish(visible, || {});
                    }
                }
            }
        }
    }

    /// Own number of the newest visible event up to an event of the feed of all events.
    pub(crate) fn number_at(&self, seq: u64) -> u64 {
        let mut filtering = self.filtering.lock();
        if seq > filtering.source.after() {
            self.update_locked(&mut filtering);
        }
        filtering.number_at(seq)
    }

    /// Newest event of the feed of all events up to which only events with own numbers up to `number` are visible; 0 if
    /// the number is too old to know.
    pub(crate) fn source_of(&self, number: u64) -> u64 {
        let filtering = self.filtering.lock();
        match number.checked_sub(filtering.base) {
            None => 0,
            Some(index) => {
                let next = usize::try_from(index).ok().and_then(|index| filtering.sources.get(index));
                next.map_or(filtering.source.after(), |next| next - 1)
            }
        }
    }

    /// Operation as the readers see it.
    pub(crate) fn operation(&self, operation: &mut Operation) {
        let seq = self.number_at(operation.seq);
        redact::operation(operation, seq);
    }

    /// Status of a host as the readers see it; `None` if it has no visible kind.
    pub(crate) fn status(&self, host: HostStatus) -> Option<HostStatus> {
        let host = self.redacted(host);
        Some(host).filter(|host| !host.kinds.is_empty())
    }

    fn redacted(&self, host: HostStatus) -> HostStatus {
        let running = self.view.read().running(&self.scope, &host.name);
        let offers = redact::fingerprint(&self.kinds.list(), &self.scope, &host.name);
        redact::host(host, &self.scope, running, offers)
    }

    /// Whether an operation is visible, if that is known without its event.
    fn is_visible(&self, filtering: &Filtering, id: OperationId) -> Option<bool> {
        let remembered = filtering.remembered.get(&id).copied();
        remembered.or_else(|| Some(self.scope.covers(&self.view.read().operation(id)?.kind)))
    }

    /// Event for the readers, with the next own number; `None` if it is not for them.
    fn encode(&self, filtering: &mut Filtering, frame: &Frame) -> Option<Frame> {
        let visible = match (frame.operation, &frame.deleted) {
            (None, _) => Some(true),
            (Some(_), Some(kind)) => Some(self.scope.covers(kind)),
            (Some(id), None) => self.is_visible(filtering, id),
        };
        if visible == Some(false) {
            return None;
        }
        let mut event = frame.event().ok()?;
        let number = filtering.base + filtering.sources.len() as u64 + 1;
        match &mut event.body {
            EventBody::Operation { operation } => {
                if !filtering.remember(operation.id, self.scope.covers(&operation.kind)) {
                    return None;
                }
                let own = operation.seq == frame.seq;
                let seq = if own { number } else { filtering.number_at(operation.seq) };
                redact::operation(operation, seq);
            }
            EventBody::Host { host } => {
                **host = self.redacted((**host).clone());
                if !filtering.tells(host) {
                    return None;
                }
            }
            // Alerts are about operations of all kinds.
            EventBody::Alerts { .. } => return None,
            EventBody::Deleted { id, .. } => {
                visible?;
                filtering.remembered.remove(id);
            }
            EventBody::Progress { .. }
            | EventBody::Points { .. }
            | EventBody::Log { .. }
            | EventBody::Late { .. } => {
                visible?;
            }
        }
        event.seq = number;
        let json = serde_json::to_string(&event).ok()?;
        filtering.publish(frame.seq);
        let (operation, progress) = (frame.operation, frame.progress);
        Some(Frame::new(&EventRecord { seq: number, operation, progress, json: json.into() }))
    }

    /// Kinds that the readers see.
    pub(crate) fn covers(&self, kind: &KindName) -> bool {
        self.scope.covers(kind)
    }
}

impl Filtering {
    fn number_at(&self, seq: u64) -> u64 {
        self.base + self.sources.partition_point(|source| *source <= seq) as u64
    }

    fn publish(&mut self, source: u64) {
        self.sources.push_back(source);
        if self.sources.len() > RING.events {
            self.sources.pop_front();
            self.base += 1;
        }
    }

    fn remember(&mut self, id: OperationId, visible: bool) -> bool {
        if self.remembered.len() >= MAX_REMEMBERED {
            self.remembered.clear();
        }
        self.remembered.insert(id, visible);
        visible
    }

    /// Whether the status of a host says anything new: other changes would tell of hidden operations.
    fn tells(&mut self, host: &HostStatus) -> bool {
        let known = self.hosts.get(&host.name);
        let news = match known {
            None => !host.kinds.is_empty(),
            Some(known) => *known != HostStatus { heard_at: known.heard_at, ..host.clone() },
        };
        if news {
            self.hosts.insert(host.name.clone(), host.clone());
        }
        news
    }
}

#[cfg(test)]
mod tests;
