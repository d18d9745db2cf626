//! Backend of server-rendered pages: the same responses as the API's, without HTTP.

use crate::alerts::Alerts;
use crate::problem::problem_of;
use crate::routes;
use async_trait::async_trait;
use engine::{Engine, Scoped};
use live::Positioned;
use live::backend::Backend;
use protocol::activity::Activity;
use protocol::alerts::{AlertList, RuleList};
use protocol::api::{AuditPage, KindList, LogPage, OperationDetail, SeriesAnswer, Snapshot};
use protocol::{AuditQuery, OperationId, Problem};

/// Data of a page for its reader.
pub struct PageBackend {
    pub engine: Scoped,
    /// Alerts, or why the reader may not see them.
    pub alerts: Result<Alerts, Problem>,
    /// Engine with the whole audit log, or why the reader may not see it.
    pub audited: Result<Engine, Problem>,
}

#[async_trait]
impl Backend for PageBackend {
    async fn snapshot(&self) -> Result<Snapshot, Problem> {
        Ok(self.engine.snapshot())
    }

    async fn operation(&self, id: OperationId) -> Result<OperationDetail, Problem> {
        self.engine.operation(id).await.map_err(problem_of)
    }

    async fn activity(&self) -> Result<Positioned<Activity>, Problem> {
        // Read before the data, as in the API's responses.
        let seq = self.engine.head();
        Ok(Positioned { seq, of: self.engine.activity().await.map_err(problem_of)? })
    }

    async fn alerts(&self) -> Result<AlertList, Problem> {
        Ok(self.alerts.as_ref().map_err(Problem::clone)?.list())
    }

    async fn alert_rules(&self) -> Result<RuleList, Problem> {
        Ok(self.alerts.as_ref().map_err(Problem::clone)?.rules())
    }

    async fn audit(&self, query: AuditQuery) -> Result<AuditPage, Problem> {
        let engine = self.audited.as_ref().map_err(Problem::clone)?;
        let limit = query.limit.unwrap_or(routes::audit::DEFAULT_LIMIT);
        engine.audit(routes::audit::filter(query), limit).await.map_err(problem_of)
    }

    async fn kinds(&self) -> Result<KindList, Problem> {
        Ok(self.engine.kinds())
    }

    async fn series(&self, id: OperationId, points: u32) -> Result<SeriesAnswer, Problem> {
        self.engine.series(id, Vec::new(), (None, None), points as usize).await.map_err(problem_of)
    }

    async fn logs(&self, id: OperationId) -> Result<LogPage, Problem> {
        self.engine.logs(id, None, None, routes::LOG_LINES).await.map_err(problem_of)
    }
}
