//! Alerts, their rules, rehearsals and silences.

use crate::actor::By;
use crate::alerts::RehearsalError;
use crate::problem::RouteError;
use crate::state::AllKinds;
use axum::Json;
use axum::extract::Path;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use protocol::alerts::{AlertList, NewSilence, Rehearsal, Rehearse, RuleList, Silence};
use protocol::{Problem, ProblemType};

/// Alerts that are pending or fire, resolved ones, silences, and receipts of messages.
#[utoipa::path(get, path = "/api/v1/alerts", tag = "alerts", responses((status = 200, body = AlertList)))]
pub async fn list(AllKinds { alerts, .. }: AllKinds) -> Json<AlertList> {
    Json(alerts.list())
}

/// Rules of alerts: built-in ones, and those of the configuration. docs/alerts.md describes each.
#[utoipa::path(get, path = "/api/v1/alerts/rules", tag = "alerts", responses((status = 200, body = RuleList)))]
pub async fn rules(AllKinds { alerts, .. }: AllKinds) -> Json<RuleList> {
    Json(alerts.rules())
}

/// Rehearses a rule on the history of the hosts: how often and when it would have fired. Nothing is stored. Only metrics
/// with a history can be rehearsed.
#[utoipa::path(post, path = "/api/v1/alerts/rehearse", tag = "alerts", request_body = Rehearse,
    responses((status = 200, body = Rehearsal),
        (status = 400, body = Problem, description = "The rule is invalid, or its metric has no history"),
        (status = 503, body = Problem, description = "The history can't be read")))]
pub async fn rehearse(
    AllKinds { engine, monitor, alerts }: AllKinds,
    body: Result<Json<Rehearse>, JsonRejection>,
) -> Result<Json<Rehearsal>, RouteError> {
    let Json(asked) = body?;
    let rehearsed = alerts.rehearse(asked, &engine, &monitor).await;
    Ok(Json(rehearsed.map_err(|error| match error {
        RehearsalError::Invalid(why) => RouteError::new(ProblemType::BadRequest, why),
        RehearsalError::Unavailable(why) => RouteError::new(ProblemType::Unavailable, why),
    })?))
}

/// Silences alerts: messages of matching alerts are held back until the end of the silence. If an alert still fires
/// then, its message is sent. Reason and end are required.
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
