//! Alerts, their rules, dry runs and silences.

use super::bad_query;
use crate::actor::By;
use crate::alerts::{DryRunError, RuleChangeError, SilenceError};
use crate::problem::RouteError;
use crate::state::AllKinds;
use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use protocol::alerts::{
    AlertList, DryRun, DryRunRequest, NewRule, NewSilence, RuleChange, RuleList, RuleStatus, Silence,
};
use protocol::{FieldError, Problem, ProblemType};
use serde::Deserialize;

/// Pending, firing and resolved alerts, silences, and notifications with their delivery status.
#[utoipa::path(get, path = "/api/v1/alerts", tag = "alerts", responses((status = 200, body = AlertList)))]
pub async fn list(AllKinds { alerts, .. }: AllKinds) -> Json<AlertList> {
    Json(alerts.list())
}

/// Alert rules: built in, from the configuration, or created by users. docs/alerts.md describes the built-in rules.
#[utoipa::path(get, path = "/api/v1/alerts/rules", tag = "alerts", responses((status = 200, body = RuleList)))]
pub async fn rules(AllKinds { alerts, .. }: AllKinds) -> Json<RuleList> {
    Json(alerts.rules())
}

/// Creates a rule and evaluates it immediately. The name must differ from the names of all other rules, including the
/// rules in the configuration.
#[utoipa::path(post, path = "/api/v1/alerts/rules", tag = "alerts", request_body = NewRule,
    responses((status = 201, body = RuleStatus),
        (status = 400, body = Problem),
        (status = 409, body = Problem, description = "The name is in use, or there are too many rules"),
        (status = 422, body = Problem, description = "The rule is invalid; `fields` names the key"),
        (status = 503, body = Problem, description = "The database can't be written")))]
pub async fn add_rule(
    AllKinds { alerts, .. }: AllKinds,
    By(by): By,
    body: Result<Json<NewRule>, JsonRejection>,
) -> Result<(StatusCode, Json<RuleStatus>), RouteError> {
    let Json(new) = body?;
    let added = alerts.add_rule(new, by).await.map_err(problem_of)?;
    Ok((StatusCode::CREATED, Json(added)))
}

/// Replaces a rule. A built-in rule is overridden, and keeps its metric and comparison. The body contains the revision
/// that the change is based on, so that nobody overwrites the change of another user. Rules of the configuration can't
/// be changed. If an alert of the rule is firing, the changed rule is applied to the next value of the metric: the
/// alert is resolved if the changed rule would not fire at this value.
#[utoipa::path(put, path = "/api/v1/alerts/rules/{name}", tag = "alerts", params(("name" = String, Path)),
    request_body = RuleChange,
    responses((status = 200, body = RuleStatus),
        (status = 400, body = Problem, description = "The name of the rule in the body differs from the name in the path"),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "The revision in the body is not the current revision of the rule, or the rule is in the configuration"),
        (status = 422, body = Problem, description = "The rule is invalid; `fields` names the key"),
        (status = 503, body = Problem, description = "The database can't be written")))]
pub async fn change_rule(
    AllKinds { alerts, .. }: AllKinds,
    By(by): By,
    Path(name): Path<String>,
    body: Result<Json<RuleChange>, JsonRejection>,
) -> Result<Json<RuleStatus>, RouteError> {
    let Json(change) = body?;
    Ok(Json(alerts.change_rule(&name, change, by).await.map_err(problem_of)?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleRevision {
    revision: u64,
}

/// Deletes a user-defined rule, or resets a built-in rule to its built-in values. The alerts of a deleted rule are
/// resolved.
#[utoipa::path(delete, path = "/api/v1/alerts/rules/{name}", tag = "alerts",
    params(("name" = String, Path), ("revision" = u64, Query, description = "Revision that the caller has read")),
    responses((status = 204), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "The given revision is not the current revision of the rule, or the rule is built in and unchanged, or in the configuration"),
        (status = 503, body = Problem, description = "The database can't be written")))]
pub async fn remove_rule(
    AllKinds { alerts, .. }: AllKinds,
    By(by): By,
    Path(name): Path<String>,
    query: Result<Query<RuleRevision>, QueryRejection>,
) -> Result<StatusCode, RouteError> {
    let Query(RuleRevision { revision }) = query.map_err(bad_query)?;
    alerts.remove_rule(&name, revision, by).await.map_err(problem_of)?;
    Ok(StatusCode::NO_CONTENT)
}

fn problem_of(error: RuleChangeError) -> RouteError {
    let detail = error.to_string();
    let (kind, field) = match &error {
        RuleChangeError::NotFound(_) => (ProblemType::NotFound, None),
        RuleChangeError::Invalid(invalid) => (ProblemType::BadParams, Some(invalid.key())),
        RuleChangeError::BuiltInMetric { .. } => (ProblemType::BadParams, Some("metric")),
        RuleChangeError::OtherName(_) => (ProblemType::BadRequest, Some("name")),
        RuleChangeError::NameTaken(_) => (ProblemType::Conflict, Some("name")),
        RuleChangeError::InFile { .. }
        | RuleChangeError::BuiltIn(_)
        | RuleChangeError::Outdated { .. }
        | RuleChangeError::TooMany => (ProblemType::Conflict, None),
        RuleChangeError::Store(_) => (ProblemType::Unavailable, None),
    };
    let fields = field.map(|field| FieldError::new(field, detail.clone()));
    Problem::new(kind, detail).with_fields(fields.into_iter().collect()).into()
}

/// Tests a rule against the history of the hosts: how often and when the rule would have fired. Nothing is stored. The
/// metric of the rule must have a history.
#[utoipa::path(post, path = "/api/v1/alerts/dry-run", tag = "alerts", request_body = DryRunRequest,
    responses((status = 200, body = DryRun),
        (status = 400, body = Problem, description = "The rule is invalid, or its metric has no history"),
        (status = 503, body = Problem, description = "The metrics history can't be read")))]
pub async fn dry_run(
    AllKinds { engine, monitor, alerts, .. }: AllKinds,
    body: Result<Json<DryRunRequest>, JsonRejection>,
) -> Result<Json<DryRun>, RouteError> {
    let Json(asked) = body?;
    let dry_run = alerts.dry_run(asked, &engine, &monitor).await;
    Ok(Json(dry_run.map_err(|error| match error {
        DryRunError::Invalid(why) => RouteError::new(ProblemType::BadRequest, why),
        DryRunError::Unavailable(why) => RouteError::new(ProblemType::Unavailable, why),
    })?))
}

/// Silences alerts: mutes the notifications of matching alerts until the end of the silence. If an alert still fires
/// then, its notification is sent. Reason and end are required.
#[utoipa::path(post, path = "/api/v1/alerts/silences", tag = "alerts", request_body = NewSilence,
    responses((status = 201, body = Silence),
        (status = 400, body = Problem, description = "The reason is missing or too long, the end is invalid, the rule is unknown, or there are too many silences"),
        (status = 503, body = Problem, description = "The database can't be written")))]
pub async fn silence(
    AllKinds { alerts, .. }: AllKinds,
    By(by): By,
    body: Result<Json<NewSilence>, JsonRejection>,
) -> Result<(StatusCode, Json<Silence>), RouteError> {
    let Json(new) = body?;
    let silence = alerts.silence(new, by).await.map_err(not_silenced)?;
    Ok((StatusCode::CREATED, Json(silence)))
}

fn not_silenced(error: SilenceError) -> RouteError {
    let kind = match error {
        SilenceError::Invalid(_) => ProblemType::BadRequest,
        SilenceError::Store(_) => ProblemType::Unavailable,
    };
    RouteError::new(kind, error.to_string())
}

/// Ends a silence.
#[utoipa::path(delete, path = "/api/v1/alerts/silences/{id}", tag = "alerts", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem),
        (status = 503, body = Problem, description = "The database can't be written")))]
pub async fn end_silence(
    AllKinds { alerts, .. }: AllKinds,
    By(by): By,
    Path(id): Path<String>,
) -> Result<StatusCode, RouteError> {
    if alerts.end_silence(&id, &by).await.map_err(not_silenced)? {
        return Ok(StatusCode::NO_CONTENT);
    }
    let detail = "There is no silence with this ID; it may have ended. See /api/v1/alerts.";
    Err(RouteError::new(ProblemType::NotFound, detail))
}
