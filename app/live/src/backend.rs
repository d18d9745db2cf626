//! Data source of server-rendered pages: implemented by the server and provided in the context of every render. In the
//! browser the API gives the same answers.

use crate::Positioned;
use async_trait::async_trait;
use protocol::activity::Activity;
use protocol::alerts::{AlertList, RuleList};
use protocol::api::{AuditPage, KindList, LogPage, OperationDetail, SeriesAnswer, Snapshot};
use protocol::{AuditQuery, OperationId, Problem};

/// Requests of a page to the server that renders it. Provided as `Arc<dyn Backend>` in the leptos context.
///
/// # Errors
/// All: the problem that the API would answer with.
#[async_trait]
pub trait Backend: Send + Sync + 'static {
    /// As `GET /api/v1/snapshot`.
    async fn snapshot(&self) -> Result<Snapshot, Problem>;
    /// As `GET /api/v1/operations/{id}`.
    async fn operation(&self, id: OperationId) -> Result<OperationDetail, Problem>;
    /// As `GET /api/v1/activity`.
    async fn activity(&self) -> Result<Positioned<Activity>, Problem>;
    /// As `GET /api/v1/alerts`.
    async fn alerts(&self) -> Result<AlertList, Problem>;
    /// As `GET /api/v1/alerts/rules`.
    async fn alert_rules(&self) -> Result<RuleList, Problem>;
    /// As `GET /api/v1/audit`.
    async fn audit(&self, query: AuditQuery) -> Result<AuditPage, Problem>;
    /// As `GET /api/v1/kinds`.
    async fn kinds(&self) -> Result<KindList, Problem>;
    /// As `GET /api/v1/operations/{id}/series`, at most `points` points per series.
    async fn series(&self, id: OperationId, points: u32) -> Result<SeriesAnswer, Problem>;
    /// As `GET /api/v1/operations/{id}/logs`.
    async fn logs(&self, id: OperationId) -> Result<LogPage, Problem>;
}
