//! Activity: recently ended operations, compared with the usual.

use crate::problem::RouteError;
use crate::state::InScope;
use axum::Json;
use protocol::Problem;
use protocol::activity::Activity;

/// Operations that ended in the last 24 hours, by hour and by kind, with the averages of up to 14 earlier days. Each
/// stored operation counts once, at its last end. The averages keep counting operations that were deleted later.
#[utoipa::path(get, path = "/api/v1/activity", tag = "operations",
    responses((status = 200, body = Activity), (status = 503, body = Problem)))]
pub async fn activity(InScope { engine, .. }: InScope) -> Result<Json<Activity>, RouteError> {
    Ok(Json(engine.activity().await?))
}
