//! Backend of server-rendered pages: the same responses as the API's, without HTTP.

use crate::problem::problem_of;
use async_trait::async_trait;
use engine::Engine;
use live::Positioned;
use live::backend::Backend;
use protocol::activity::Activity;
use protocol::api::{KindList, LogPage, OperationDetail, SeriesAnswer, Snapshot};
use protocol::{OperationId, Problem};

/// Engine for pages.
pub struct PageBackend(pub Engine);

#[async_trait]
impl Backend for PageBackend {
    async fn snapshot(&self) -> Result<Snapshot, Problem> {
        Ok(self.0.snapshot())
    }

    async fn operation(&self, id: OperationId) -> Result<OperationDetail, Problem> {
        self.0.operation(id).await.map_err(problem_of)
    }

    async fn activity(&self) -> Result<Positioned<Activity>, Problem> {
        // Read before the data, as in the API's responses.
        let seq = self.0.feed().head();
        Ok(Positioned { seq, of: self.0.activity().await.map_err(problem_of)? })
    }

    async fn kinds(&self) -> Result<KindList, Problem> {
        Ok(self.0.kinds())
    }

    async fn series(&self, id: OperationId, points: u32) -> Result<SeriesAnswer, Problem> {
        self.0.series(id, Vec::new(), (None, None), points as usize).await.map_err(problem_of)
    }

    async fn logs(&self, id: OperationId) -> Result<LogPage, Problem> {
        self.0.logs(id, None, None, crate::routes::LOG_LINES).await.map_err(problem_of)
    }
}
