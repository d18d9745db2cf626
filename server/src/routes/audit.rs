//! Pages and download of the audit log.

use super::bad_query;
use crate::audit_sink::json_lines;
use crate::problem::RouteError;
use crate::state::AllKinds;
use axum::Json;
use axum::body::Body;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use engine::Engine;
use futures::stream;
use protocol::api::{AuditLine, AuditPage};
use protocol::{Action, AuditQuery, Problem, ProblemType, Time};
use store::AuditFilter;

/// Number of entries of a page, unless the query has another one.
pub const DEFAULT_LIMIT: u32 = 50;
/// Entries read at once for a download.
const AT_ONCE: u32 = 1_000;

/// Filter of a query.
pub fn filter(query: AuditQuery) -> AuditFilter {
    let AuditQuery { operation, action, name, refused, since, until, before, limit: _ } = query;
    AuditFilter { operation, action, name, refused, since, until, before }
}

/// Audit log, newest first: performed actions and refused attempts. The newest 1,000,000 entries are kept, also those
/// about deleted operations.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit",
    params(
        ("operation" = Option<String>, Query, description = "Only entries of this operation"),
        ("action" = Option<Action>, Query, description = "Only entries of this action"),
        ("name" = Option<String>, Query, description = "Only entries of this user or token"),
        ("refused" = Option<bool>, Query, description = "`true`: only refused attempts"),
        ("since" = Option<Time>, Query, description = "Only entries from this time on"),
        ("until" = Option<Time>, Query, description = "Only entries before this time"),
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
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    Ok(Json(engine.audit(filter(query), limit).await?))
}

/// Audit log as JSON lines, newest first. Each line is an entry with its number and the hash that covers it and all
/// earlier entries.
#[utoipa::path(get, path = "/api/v1/audit/export", tag = "audit",
    params(
        ("operation" = Option<String>, Query, description = "Only entries of this operation"),
        ("action" = Option<Action>, Query, description = "Only entries of this action"),
        ("name" = Option<String>, Query, description = "Only entries of this user or token"),
        ("refused" = Option<bool>, Query, description = "`true`: only refused attempts"),
        ("since" = Option<Time>, Query, description = "Only entries from this time on"),
        ("until" = Option<Time>, Query, description = "Only entries before this time"),
        ("before" = Option<u64>, Query, description = "Only entries with a smaller number"),
    ),
    responses((status = 200, body = AuditLine, content_type = "application/jsonl"), (status = 400, body = Problem),
        (status = 503, body = Problem, description = "The database can't be read")))]
pub async fn export(
    AllKinds { engine, .. }: AllKinds,
    query: Result<Query<AuditQuery>, QueryRejection>,
) -> Result<Response, RouteError> {
    let Query(query) = query.map_err(bad_query)?;
    if query.limit.is_some() {
        return Err(RouteError::new(
            ProblemType::BadRequest,
            "A download has no limit. Remove the parameter `limit`, or limit the time with `since` and `until`.",
        ));
    }
    let download = Download { engine, filter: filter(query), is_complete: false };
    let (first, download) = download.next().await?;
    let headers = [
        (header::CONTENT_TYPE, "application/jsonl"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"signalbox-audit.jsonl\""),
    ];
    let rest = stream::try_unfold(download, |download| async move {
        if download.is_complete {
            return Ok(None);
        }
        download.next().await.map(Some).map_err(std::io::Error::other)
    });
    let body = stream::once(async { Ok(first) });
    Ok((headers, Body::from_stream(futures::StreamExt::chain(body, rest))).into_response())
}

/// Position in a download.
struct Download {
    engine: Engine,
    /// Its `before` is the last entry that was read.
    filter: AuditFilter,
    is_complete: bool,
}

impl Download {
    /// Next lines.
    async fn next(mut self) -> Result<(Bytes, Self), engine::EngineError> {
        let entries = self.engine.audit_entries(self.filter.clone(), AT_ONCE).await?;
        self.is_complete = entries.len() < AT_ONCE as usize;
        if let Some((last, _)) = entries.last() {
            self.filter.before = Some(last.n);
        }
        Ok((json_lines(entries).into(), self))
    }
}
