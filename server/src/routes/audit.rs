//! Audit log: the audit log, when, and from where.

use super::bad_query;
use crate::problem::RouteError;
use crate::state::AllKinds;
use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use protocol::api::AuditPage;
use protocol::{OperationId, Problem};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    operation: Option<OperationId>,
    before: Option<u64>,
    limit: Option<u32>,
}

/// Audit log, newest first. Entries about an operation are kept as long as the operation. Of all other entries,
/// including deletions, the newest 10,000 are kept.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit",
    params(
        ("operation" = Option<String>, Query, description = "Only entries of this operation"),
        ("before" = Option<u64>, Query, description = "`next` of the previous page"),
        ("limit" = Option<u32>, Query, description = "1 to 500; default 50"),
    ),
    responses((status = 200, body = AuditPage), (status = 400, body = Problem),
        (status = 503, body = Problem, description = "The database can't be read")))]
pub async fn audit(
    AllKinds { engine, .. }: AllKinds,
    query: Result<Query<AuditQuery>, QueryRejection>,
) -> Result<Json<AuditPage>, RouteError> {
    let Query(query) = query.map_err(bad_query)?;
    Ok(Json(engine.audit(query.operation, query.before, query.limit.unwrap_or(50)).await?))
}
