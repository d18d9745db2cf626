//! Types of the server's API under `/api/v1`, used by the page, the command line and external programs.

pub use crate::host_requests::{HostRequests, Latency, RequestCounts, RouteRequests};
pub use crate::host_status::{Connections, HostLink, HostStatus};

use crate::host::ResultDoc;
use crate::{
    Attempt, AuditEntry, Event, HostName, InstanceId, KindName, KindSpec, LogLine, Operation, Points, State,
    Time,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Header of every response under `/api/`: the sequence number of the feed at which the response is valid. The server
/// reads it before the data, so the data is at least that recent. Later changes are in the feed.
pub const FEED_SEQ: &str = "signalbox-feed-seq";

/// `POST /api/v1/operations`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StartOperation {
    pub kind: KindName,
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub params: Value,
    /// Priority in the queue, -100 to 100; higher priorities start first.
    #[serde(default)]
    pub priority: i8,
}

/// `POST /api/v1/operations` with an optional auto-cancel rule that applies from the first point.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StartWithRule {
    #[serde(flatten)]
    pub start: StartOperation,
    /// Auto-cancel rule: cancels the operation when a series leaves the baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<crate::SetRule>,
}

/// `GET /api/v1/operations`: one page, newest first, or oldest first with `order=oldest`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OperationPage {
    pub operations: Vec<Operation>,
    /// Pass this as `after` to get the next page; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// `GET /api/v1/operations/{id}`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OperationDetail {
    pub operation: Operation,
    /// Attempts, oldest first.
    pub attempts: Vec<Attempt>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<ResultDoc>,
    /// Names of the series that have points.
    pub series: Vec<String>,
    /// The latest audit log entries of the operation, at most 200, oldest first.
    #[serde(default)]
    pub audit: Vec<AuditEntry>,
    /// Sequence number of the latest event that this response reflects.
    pub seq: u64,
}

/// `GET /api/v1/audit`: one page of the audit log, newest first.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditPage {
    pub entries: Vec<AuditEntry>,
    /// Pass this as `before` to get the next page; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// Line of `GET /api/v1/audit/export`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditLine {
    /// Number of the entry.
    pub n: u64,
    /// SHA-256 in hexadecimal over the hash of the previous entry, the number of this entry, and this entry.
    pub hash: String,
    #[serde(flatten)]
    pub entry: AuditEntry,
}

/// `POST /api/v1/operations/{id}/cancel`; the body is optional.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CancelOperation {
    #[serde(default)]
    pub reason: String,
}

/// `POST /api/v1/operations/cancel`: operations to cancel, by `ids` or by `filter`. Exactly one of the two is required.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CancelMany {
    /// At most 10,000 IDs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<crate::OperationId>>,
    /// Filter as a query string of the list: `kind=data.load&q=MSFT`. Only active operations are cancelled. An empty
    /// string matches all operations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    #[serde(default)]
    pub reason: String,
}

/// Outcome of a `CancelMany` request. The receipts of the operations show the further steps.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CancelledMany {
    /// Operations whose cancellation was requested, by this request or an earlier one.
    pub requested: Vec<crate::OperationId>,
    /// Operations that have already ended, or do not exist.
    pub refused: Vec<Refused>,
    /// The cancellations were sent to the hosts, but not stored yet because the database can't be written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_stored: bool,
}

/// An operation that a bulk request could not be applied to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Refused {
    pub id: crate::OperationId,
    /// Human-readable reason.
    pub why: String,
}

/// `POST /api/v1/operations/delete`: operations to delete, by `ids` or by `filter`. Exactly one of the two is required.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DeleteMany {
    /// At most 10,000 IDs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<crate::OperationId>>,
    /// Filter as a query string of the list: `kind=data.load&state=failed`. Only ended operations are deleted. An empty
    /// string matches all operations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Skips operations that changed after this event of the feed. With the `until` of a `dry_run`, only operations
    /// that the dry run counted are deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// Only counts what would be deleted now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// Outcome of a delete request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Deleted {
    /// Number of deleted operations, including child operations.
    pub deleted: u64,
    /// Number of requested operations that were not deleted, because they or their children have not ended, or because
    /// they do not exist.
    pub refused: u64,
    /// Only in the response to a `dry_run`: sequence number of the latest event that the response reflects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
}

impl std::ops::AddAssign for Deleted {
    fn add_assign(&mut self, more: Self) {
        self.deleted += more.deleted;
        self.refused += more.refused;
        // The state that all parts reflect.
        self.until = self.until.into_iter().chain(more.until).min();
    }
}

/// `GET /api/v1/snapshot`: everything that the dashboard shows, with its sequence number.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Snapshot {
    pub seq: u64,
    /// The server's clock.
    pub now: Time,
    pub server: InstanceId,
    pub version: String,
    /// All active operations, the most recently ended operations, and the ended operations with the highest IDs; newest
    /// first.
    pub operations: Vec<Operation>,
    /// Every ended operation with this ID or a higher ID is included. Absent if all stored operations are included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_from: Option<crate::OperationId>,
    /// Number of stored operations by state.
    pub counts: Vec<StateCount>,
    pub hosts: Vec<HostStatus>,
    #[serde(default)]
    pub alerts: crate::alerts::AlertSummary,
}

/// `GET /api/v1/operations/counts`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FilterCounts {
    /// Number of matching operations by state.
    pub counts: Vec<StateCount>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StateCount {
    pub state: State,
    pub count: u64,
}

/// `GET /api/v1/kinds`: available kinds, host by host, in the order in which each host declares them.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KindList {
    pub kinds: Vec<KindOffer>,
}

/// A kind and the hosts that support it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KindOffer {
    pub spec: KindSpec,
    /// Hosts that declare the kind.
    pub hosts: Vec<HostName>,
    /// At least one of the hosts is connected.
    pub available: bool,
    /// Configured maximum number of parallel operations across all hosts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// `GET /api/v1/hosts`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HostList {
    pub hosts: Vec<HostStatus>,
}

/// `GET /api/v1/events` as JSON: a long poll of the feed, for clients without SSE.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventsPage {
    pub events: Vec<Event>,
    /// Pass this as `after` in the next request.
    pub next: u64,
    /// Range of events in which outdated progress events were skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<crate::event::Skipped>,
    /// The requested events are no longer kept: fetch a new snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset: Option<crate::event::Reset>,
    /// The server's clock.
    pub now: Time,
}

/// `GET /api/v1/operations/{id}/series`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SeriesAnswer {
    /// Number of the attempt that the series belong to.
    pub attempt: u32,
    pub series: Vec<Points>,
    /// True if the series were downsampled to the requested number of points.
    pub downsampled: bool,
    /// Sequence number of the latest event that this response reflects.
    pub seq: u64,
}

/// `GET /api/v1/operations/{id}/logs`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogPage {
    pub attempt: u32,
    pub lines: Vec<LogLine>,
    /// Sequence number of the latest event that this response reflects.
    pub seq: u64,
}

/// `GET /api/v1/operations/{id}/logs/search`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogSearch {
    pub attempt: u32,
    /// The last matching lines, oldest first.
    pub lines: Vec<LogLine>,
    /// Number of the first line that was searched; 1 if there are no older lines. To search older lines, pass this as
    /// `before`.
    pub searched_from: u64,
    /// Sequence number of the latest event that this response reflects.
    pub seq: u64,
}
