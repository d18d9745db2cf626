//! Probes: liveness and readiness.

use super::Server;
use crate::problem::Failed;
use axum::extract::State;
use protocol::{Problem, ProblemType};

/// Liveness probe: the process is running.
#[utoipa::path(get, path = "/healthz", tag = "probes", responses((status = 200, body = String)))]
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Readiness probe: operations are accepted, because the database can be written.
#[utoipa::path(get, path = "/readyz", tag = "probes",
    responses((status = 200, body = String), (status = 503, body = Problem)))]
pub async fn readyz(State(server): State<Server>) -> Result<&'static str, Failed> {
    if server.stop.is_cancelled() {
        return Err(Failed::new(ProblemType::Unavailable, "The server is shutting down."));
    }
    match server.engine.trouble() {
        None => Ok("ready\n"),
        Some(trouble) => Err(Failed::new(ProblemType::Unavailable, trouble)),
    }
}
