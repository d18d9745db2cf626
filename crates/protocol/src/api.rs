//! The server's API under `/api/v1`: the page, the command line and other people's programs use the same.

use crate::host::{Health, ResultDoc};
use crate::{
    Attempt, AuditEntry, Event, HostName, InstanceId, KindName, KindSpec, LogLine, Operation, Points, State,
    Time,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Header of every answer under `/api/`: the number of the feed at which the answer is true. It is read before the
/// data, so these are at least as new; what happened later is in the feed.
pub const FEED_SEQ: &str = "signalbox-feed-seq";

/// `POST /api/v1/operations`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StartOperation {
    pub kind: KindName,
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub params: Value,
    /// -100 to 100: who goes first when hosts are full.
    #[serde(default)]
    pub priority: i8,
}

/// `POST /api/v1/operations` with a rule that holds from the first point on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StartWithRule {
    #[serde(flatten)]
    pub start: StartOperation,
    /// Cancel it when a curve leaves the band of earlier runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<crate::SetRule>,
}

/// `GET /api/v1/operations`: a page, newest first, or with `order=oldest` oldest first.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OperationPage {
    pub operations: Vec<Operation>,
    /// Give this as `after` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// `GET /api/v1/operations/{id}`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OperationDetail {
    pub operation: Operation,
    /// Oldest first.
    pub attempts: Vec<Attempt>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<ResultDoc>,
    /// The names of the curves it has points of.
    pub series: Vec<String>,
    /// Who did what with it: the newest, at most 200, oldest first.
    #[serde(default)]
    pub audit: Vec<AuditEntry>,
    /// The newest event that this answer knows of.
    pub seq: u64,
}

/// `GET /api/v1/audit`: who did what, newest first.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditPage {
    pub entries: Vec<AuditEntry>,
    /// Give this as `before` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// `POST /api/v1/operations/{id}/cancel`; an empty body will do.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CancelOperation {
    #[serde(default)]
    pub reason: String,
}

/// `POST /api/v1/operations/cancel`: cancels those named, or those that a filter finds; one of the two is given.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CancelMany {
    /// At most 10,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<crate::OperationId>>,
    /// The words of the list's query, as in a URL: `kind=data.load&q=MSFT`. Of those it finds, only what has not
    /// ended is cancelled; an empty text finds everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    #[serde(default)]
    pub reason: String,
}

/// What became of a [`CancelMany`]. The receipts of the operations say how it goes on.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CancelledMany {
    /// Those whose cancel is kept now, or was before.
    pub asked: Vec<crate::OperationId>,
    /// Those that had ended already, or are not known.
    pub refused: Vec<Refused>,
    /// The cancels went to the hosts and could not be stored yet: the disk has no room.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_stored: bool,
}

/// An operation that a wish for many did not fit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Refused {
    pub id: crate::OperationId,
    /// For a person.
    pub why: String,
}

/// `POST /api/v1/operations/delete`: deletes those named, or those that a filter finds; one of the two is given.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DeleteMany {
    /// At most 10,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<crate::OperationId>>,
    /// The words of the list's query, as in a URL: `kind=data.load&state=failed`. Of those it finds, only what has
    /// ended is deleted; an empty text finds everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Leaves alone what has changed since this event of the feed: as a `dry_run` answered it, nothing goes that was not
    /// counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// Only says what would come of it now, and deletes nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// What became of a wish to delete.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Deleted {
    /// So many are no more: those that were asked for, and what they had started.
    pub deleted: u64,
    /// So many of those that were asked for are left alone: they, or something that they started, have not ended, or
    /// they are not known.
    pub refused: u64,
    /// Of a `dry_run`: up to which event of the feed it knew what there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
}

impl std::ops::AddAssign for Deleted {
    fn add_assign(&mut self, more: Self) {
        self.deleted += more.deleted;
        self.refused += more.refused;
        // What all of them knew.
        self.until = self.until.into_iter().chain(more.until).min();
    }
}

/// `GET /api/v1/snapshot`: everything the page shows, and the seq it is true at.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Snapshot {
    pub seq: u64,
    /// The server's clock.
    pub now: Time,
    pub server: InstanceId,
    pub version: String,
    /// All that have not ended, those that ended last, and the newest that have ended; newest first.
    pub operations: Vec<Operation>,
    /// Of those that have ended, all are here from this one on; without it, all that are stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_from: Option<crate::OperationId>,
    /// How many are stored in each state.
    pub counts: Vec<StateCount>,
    pub hosts: Vec<HostStatus>,
}

/// `GET /api/v1/operations/counts`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FilterCounts {
    /// How many operations in each state the filter finds.
    pub counts: Vec<StateCount>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StateCount {
    pub state: State,
    pub count: u64,
}

/// A host as the server sees it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HostStatus {
    pub name: HostName,
    /// Where it answers: `http://127.0.0.1:7301`.
    pub url: String,
    pub link: HostLink,
    /// It takes no new work: what it has goes on to its end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub draining: bool,
    /// When a byte last came from it, by the server's clock, as of this record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_at: Option<Time>,
    /// How long it took to answer when last asked who or how it is, with connecting where that was needed, in
    /// milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// Why it can't be reached, for a person.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub trouble: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    #[serde(default)]
    pub version: String,
    pub kinds: Vec<KindName>,
    /// Rises each time the host offers other kinds or params while it is connected, for instance one more model to choose.
    #[serde(default)]
    pub offers: u32,
    pub capacity: u32,
    /// Operations that the server has on it.
    pub running: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// The pool's counters.
    #[serde(default)]
    pub connections: Connections,
}

/// `GET /api/v1/kinds`: what can be started, host by host, in the order in which each declares it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KindList {
    pub kinds: Vec<KindOffer>,
}

/// One kind and where it could run now.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KindOffer {
    pub spec: KindSpec,
    /// Hosts that declare it.
    pub hosts: Vec<HostName>,
    /// At least one of them can be reached.
    pub available: bool,
    /// So many may run at once over all hosts, as the configuration has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// `GET /api/v1/hosts`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HostList {
    pub hosts: Vec<HostStatus>,
}

/// Whether the server hears a host.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum HostLink {
    /// Not reached since the server started.
    Connecting,
    /// Its feed is open and beats.
    Up,
    /// It was there and is silent now.
    Away,
}

/// Counters of the pool to one host, since the server started.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Connections {
    pub opened: u64,
    /// Requests that went over a connection already open.
    pub reused: u64,
    pub requests: u64,
    pub retries: u64,
    pub failures: u64,
}

/// `GET /api/v1/events` as JSON: the feed for those who cannot stream.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventsPage {
    pub events: Vec<Event>,
    /// Ask again after this.
    pub next: u64,
    /// Within this range progress that newer progress overtook was left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<crate::event::Skipped>,
    /// Not held any more: take a new snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset: Option<crate::event::Reset>,
    /// The server's clock.
    pub now: Time,
}

/// `GET /api/v1/operations/{id}/series`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SeriesAnswer {
    /// The attempt whose curves these are.
    pub attempt: u32,
    pub series: Vec<Points>,
    /// True when points were left out to fit the asked-for number.
    pub downsampled: bool,
    /// The newest event that this answer knows of.
    pub seq: u64,
}

/// `GET /api/v1/operations/{id}/logs`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogPage {
    pub attempt: u32,
    pub lines: Vec<LogLine>,
    /// The newest event that this answer knows of.
    pub seq: u64,
}

/// `GET /api/v1/operations/{id}/logs/search`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogSearch {
    pub attempt: u32,
    /// The last matching lines, in order.
    pub lines: Vec<LogLine>,
    /// All lines from this number up to `before` were searched; 1 when there is nothing before them. Older lines are
    /// searched by another request with this number as `before`.
    pub searched_from: u64,
    /// The newest event that this answer knows of.
    pub seq: u64,
}
