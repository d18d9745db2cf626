//! Probes: liveness and readiness.

use super::Server;
use crate::problem::RouteError;
use axum::extract::State;
use protocol::{HostName, Problem, ProblemType};

/// Liveness probe: the process is running.
#[utoipa::path(get, path = "/healthz", tag = "probes", responses((status = 200, body = String)))]
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Readiness probe: succeeds while the server accepts operations, because the database can be written. The response
/// names hosts that have not connected since the server started. A start request for a kind that only these hosts
/// support gets 503 until one of them connects.
#[utoipa::path(get, path = "/readyz", tag = "probes",
    responses((status = 200, body = String), (status = 503, body = Problem)))]
pub async fn readyz(State(server): State<Server>) -> Result<String, RouteError> {
    if server.stop.is_cancelled() {
        return Err(RouteError::new(ProblemType::Unavailable, "The server is shutting down."));
    }
    let (store_fault, unmet) = server.data.readiness();
    match store_fault {
        None => Ok(match unmet.as_slice() {
            [] => "ready\n".to_owned(),
            unmet => {
                let names: Vec<&str> = unmet.iter().map(HostName::as_str).collect();
                format!("ready; hosts not connected yet: {}\n", names.join(", "))
            }
        }),
        Some(reason) => Err(RouteError::new(ProblemType::Unavailable, reason)),
    }
}
