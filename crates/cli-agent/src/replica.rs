//! Replica of a server's newest operations, its hosts and kinds, kept current by the events of the feed. Pure.

use protocol::api::{HostStatus, Snapshot};
use protocol::event::EventBody;
use protocol::{Event, HostName, KindName, Operation, OperationId, State};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

/// Ended operations in the copy.
pub const MAX_ENDED: usize = 10_000;
/// JSON of ended operations in the copy.
const MAX_ENDED_BYTES: usize = 14 << 20;
/// Details in the copy.
const MAX_DETAILS: usize = 200;
/// JSON of details in the copy.
const MAX_DETAIL_BYTES: usize = 4 << 20;

/// Operation in the copy.
pub struct Row {
    pub state: State,
    pub kind: KindName,
    pub host: Option<HostName>,
    pub parent: Option<OperationId>,
    /// Event that last changed it.
    pub seq: u64,
    /// Event that last changed its details.
    touched: u64,
    pub content: Content,
}

/// All of an operation.
pub enum Content {
    /// Active: progress changes it.
    Active(Box<Operation>),
    /// Ended: as JSON, which takes less memory.
    Ended(Box<str>),
}

impl Row {
    fn of(operation: Operation) -> Self {
        Self {
            state: operation.state,
            kind: operation.kind.clone(),
            host: operation.host.clone(),
            parent: operation.parent,
            seq: operation.seq,
            touched: operation.seq,
            content: match operation.state.ended() {
                true => Content::Ended(json_of(&operation).into()),
                false => Content::Active(Box::new(operation)),
            },
        }
    }

    /// JSON of the operation.
    pub fn json(&self) -> String {
        match &self.content {
            Content::Active(operation) => json_of(operation),
            Content::Ended(json) => json.to_string(),
        }
    }

    fn ended_bytes(&self) -> usize {
        match &self.content {
            Content::Active(_) => 0,
            Content::Ended(json) => json.len(),
        }
    }
}

fn json_of(operation: &Operation) -> String {
    serde_json::to_string(operation).expect("an operation is JSON")
}

/// Details of an operation, whose parts stay as the server wrote them.
#[derive(Clone, Serialize, Deserialize)]
pub struct Detail {
    pub operation: Box<RawValue>,
    attempts: Box<RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    result: Option<Box<RawValue>>,
    series: Vec<String>,
    audit: Box<RawValue>,
    pub seq: u64,
}

impl Detail {
    fn bytes(&self) -> usize {
        let result = self.result.as_ref().map_or(0, |result| result.get().len());
        self.operation.get().len() + self.attempts.get().len() + self.audit.get().len() + result
    }
}

/// Replica of a server.
#[derive(Default)]
pub struct Replica {
    /// Number of the newest event that it reflects.
    pub seq: u64,
    pub rows: BTreeMap<OperationId, Row>,
    /// Ended operations are complete from this one on; all are there if there is none.
    pub ended_from: Option<OperationId>,
    pub hosts: Vec<HostStatus>,
    /// Answer of the server about kinds, while the hosts offer the same.
    pub kinds: Option<Box<RawValue>>,
    /// Event that last changed what the hosts offer.
    pub offered_at: u64,
    details: HashMap<OperationId, Detail>,
    /// Order in which details came, and their size.
    detail_order: VecDeque<OperationId>,
    detail_bytes: usize,
    ended: usize,
    ended_bytes: usize,
    /// Operations that were deleted while older pages are loaded.
    deleted: HashSet<OperationId>,
}

impl Replica {
    /// Replica of a snapshot.
    pub fn of(snapshot: Snapshot) -> Self {
        let mut copy = Self {
            seq: snapshot.seq,
            ended_from: snapshot.ended_from,
            hosts: snapshot.hosts,
            ..Self::default()
        };
        for operation in snapshot.operations {
            copy.insert(operation);
        }
        copy.trim();
        copy
    }

    /// Adds a page of older operations, newest first; `last` if there are no older ones. Whether older ones are wanted.
    pub fn add_older(&mut self, operations: Vec<Operation>, last: bool) -> bool {
        let oldest = operations.last().map(|operation| operation.id);
        for operation in operations {
            let is_newer = self.rows.get(&operation.id).is_none_or(|row| row.seq < operation.seq);
            if is_newer && !self.deleted.contains(&operation.id) {
                self.insert(operation);
            }
        }
        self.ended_from = if last { None } else { oldest.or(self.ended_from) };
        let before = self.ended_from;
        self.trim();
        !last && self.ended_from == before
    }

    /// Applies an event; events that it reflects already have no effect.
    pub fn apply(&mut self, event: Event) {
        if event.seq <= self.seq {
            return;
        }
        self.seq = event.seq;
        match event.body {
            EventBody::Operation { operation } => {
                self.drop_detail(operation.id);
                // An old operation that ends, of which others of its age are missing, stays only while it is active.
                self.insert(*operation);
                self.trim();
            }
            EventBody::Progress { id, attempt, progress, forecast } => {
                if let Some(Row { content: Content::Active(operation), .. }) = self.rows.get_mut(&id)
                    && operation.attempt == attempt
                {
                    operation.progress = Some(progress);
                    operation.forecast = forecast.or(operation.forecast);
                }
            }
            EventBody::Points { id, series, .. } => {
                self.touch(id, event.seq);
                if let Some(detail) = self.details.get_mut(&id) {
                    for one in series {
                        if !detail.series.contains(&one.name) {
                            // In the order of the server, which is not known here.
                            self.drop_detail(id);
                            break;
                        }
                    }
                }
            }
            EventBody::Late { id, .. } => {
                self.touch(id, event.seq);
                self.drop_detail(id);
            }
            EventBody::Deleted { id, .. } => {
                self.drop_detail(id);
                self.remove(id);
                self.deleted.insert(id);
            }
            EventBody::Host { host } => self.host(*host),
            // The answers about both come from the server.
            EventBody::Log { .. } | EventBody::Alerts { .. } => {}
        }
    }

    /// No older pages are loaded any more.
    pub fn loaded(&mut self) {
        self.deleted = HashSet::new();
    }

    fn host(&mut self, host: HostStatus) {
        let offer =
            |host: &HostStatus| (host.link, host.offers, host.draining, host.kinds.clone(), host.instance);
        match self.hosts.iter_mut().find(|known| known.name == host.name) {
            Some(known) => {
                if offer(known) != offer(&host) {
                    (self.kinds, self.offered_at) = (None, self.seq);
                }
                *known = host;
            }
            None => {
                (self.kinds, self.offered_at) = (None, self.seq);
                self.hosts.push(host);
            }
        }
    }

    fn insert(&mut self, operation: Operation) {
        let id = operation.id;
        self.remove(id);
        let row = Row::of(operation);
        self.ended += usize::from(row.state.ended());
        self.ended_bytes += row.ended_bytes();
        self.rows.insert(id, row);
    }

    fn remove(&mut self, id: OperationId) {
        if let Some(row) = self.rows.remove(&id) {
            self.ended -= usize::from(row.state.ended());
            self.ended_bytes -= row.ended_bytes();
        }
    }

    /// Removes the oldest ended operations beyond the limits.
    fn trim(&mut self) {
        while self.ended > MAX_ENDED || self.ended_bytes > MAX_ENDED_BYTES {
            let oldest = self.rows.iter().find(|(_, row)| row.state.ended()).map(|(id, _)| *id);
            let Some(oldest) = oldest else { return };
            self.remove(oldest);
            // Complete from the next one on, at least.
            self.ended_from = self.ended_from.max(Some(oldest.next()));
        }
    }

    /// Keeps details, unless they are older than the copy.
    pub fn keep_detail(&mut self, id: OperationId, detail: Detail) {
        let is_current = self.rows.get(&id).is_some_and(|row| row.touched.max(row.seq) <= detail.seq);
        let bytes = detail.bytes();
        if !is_current || bytes > MAX_DETAIL_BYTES / 4 {
            return;
        }
        self.drop_detail(id);
        self.detail_bytes += bytes;
        self.detail_order.push_back(id);
        self.details.insert(id, detail);
        while self.details.len() > MAX_DETAILS || self.detail_bytes > MAX_DETAIL_BYTES {
            let Some(oldest) = self.detail_order.front().copied() else { return };
            self.drop_detail(oldest);
        }
    }

    fn touch(&mut self, id: OperationId, seq: u64) {
        if let Some(row) = self.rows.get_mut(&id) {
            row.touched = seq;
        }
    }

    fn drop_detail(&mut self, id: OperationId) {
        if let Some(detail) = self.details.remove(&id) {
            self.detail_bytes -= detail.bytes();
            self.detail_order.retain(|other| *other != id);
        }
    }

    /// Details of an operation as they are now.
    pub fn detail(&self, id: OperationId) -> Option<Detail> {
        let detail = self.details.get(&id)?;
        let operation = RawValue::from_string(self.rows.get(&id)?.json()).ok()?;
        Some(Detail { operation, seq: self.seq.max(detail.seq), ..detail.clone() })
    }
}
