//! Activity: recently ended operations, compared with the usual.

use super::Server;
use crate::problem::RouteError;
use axum::Json;
use axum::extract::State;
use protocol::Problem;
use protocol::activity::Activity;

/// Operations that ended in the last 24 hours, by hour and by kind, with the averages of up to 14 earlier days. Each
/// stored operation counts once, at its last end. The averages keep counting operations that were deleted later.
#[utoipa::path(get, path = "/api/v1/activity", tag = "operations",
    responses((status = 200, body = Activity), (status = 503, body = Problem)))]
pub async fn activity(State(server): State<Server>) -> Result<Json<Activity>, RouteError> {
    Ok(Json(server.engine.activity().await?))
}
