//! Where server-rendered pages get their data: the server implements this trait and puts it into the
//! context of every render. In the browser the same answers come from the API.

use crate::api::Told;
use async_trait::async_trait;
use protocol::activity::Activity;
use protocol::api::{KindList, LogPage, OperationDetail, SeriesAnswer, Snapshot};
use protocol::{OperationId, Problem};

/// What a page can ask the server it is rendered on. Provided as `Arc<dyn Backend>` through leptos' context.
///
/// # Errors
/// All of them: the problem that the API would answer with.
#[async_trait]
pub trait Backend: Send + Sync + 'static {
    /// As `GET /api/v1/snapshot`.
    async fn snapshot(&self) -> Result<Snapshot, Problem>;
    /// As `GET /api/v1/operations/{id}`.
    async fn operation(&self, id: OperationId) -> Result<OperationDetail, Problem>;
    /// As `GET /api/v1/activity`.
    async fn activity(&self) -> Result<Told<Activity>, Problem>;
    /// As `GET /api/v1/kinds`.
    async fn kinds(&self) -> Result<KindList, Problem>;
    /// As `GET /api/v1/operations/{id}/series`, at most `points` points a curve.
    async fn series(&self, id: OperationId, points: u32) -> Result<SeriesAnswer, Problem>;
    /// As `GET /api/v1/operations/{id}/logs`.
    async fn logs(&self, id: OperationId) -> Result<LogPage, Problem>;
}
