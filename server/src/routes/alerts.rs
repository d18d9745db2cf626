//! Alerts, their rules, dry runs and silences.

use crate::actor::By;
use crate::alerts::DryRunError;
use crate::problem::RouteError;
use crate::state::AllKinds;
use axum::Json;
use axum::extract::Path;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use protocol::alerts::{AlertList, DryRun, DryRunRequest, NewSilence, RuleList, Silence};
use protocol::{Problem, ProblemType};

/// Pending, firing and resolved alerts, silences, and notifications with their delivery status.
#[utoipa::path(get, path = "/api/v1/alerts", tag = "alerts", responses((status = 200, body = AlertList)))]
pub async fn list(AllKinds { alerts, .. }: AllKinds) -> Json<AlertList> {
    Json(alerts.list())
}

/// Rules of alerts: built-in ones, and those of the configuration. docs/alerts.md describes each.
#[utoipa::path(get, path = "/api/v1/alerts/rules", tag = "alerts", responses((status = 200, body = RuleList)))]
pub async fn rules(AllKinds { alerts, .. }: AllKinds) -> Json<RuleList> {
    Json(alerts.rules())
}

/// Tests a rule against the history of the hosts: how often and when the rule would have fired. Nothing is stored. The
/// metric of the rule must have a history.
#[utoipa::path(post, path = "/api/v1/alerts/dry-run", tag = "alerts", request_body = DryRunRequest,
    responses((status = 200, body = DryRun),
        (status = 400, body = Problem, description = "The rule is invalid, or its metric has no history"),
        (status = 503, body = Problem, description = "The history can't be read")))]
pub async fn dry_run(
    AllKinds { engine, monitor, alerts }: AllKinds,
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
        (status = 400, body = Problem, description = "There is no reason or no valid end, or the rule is unknown")))]
pub async fn silence(
    AllKinds { alerts, .. }: AllKinds,
    By(by): By,
    body: Result<Json<NewSilence>, JsonRejection>,
) -> Result<(StatusCode, Json<Silence>), RouteError> {
    let Json(new) = body?;
    let silence = alerts.silence(new, by).await;
    let silence = silence.map_err(|why| RouteError::new(ProblemType::BadRequest, why))?;
    Ok((StatusCode::CREATED, Json(silence)))
}

/// Ends a silence.
#[utoipa::path(delete, path = "/api/v1/alerts/silences/{id}", tag = "alerts", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub async fn end_silence(
    AllKinds { alerts, .. }: AllKinds,
    By(by): By,
    Path(id): Path<String>,
) -> Result<StatusCode, RouteError> {
    if alerts.end_silence(&id, &by).await {
        return Ok(StatusCode::NO_CONTENT);
    }
    let detail = "There is no silence with this ID; it may have ended. See /api/v1/alerts.";
    Err(RouteError::new(ProblemType::NotFound, detail))
}
