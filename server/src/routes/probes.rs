//! Probes: liveness and readiness.

use super::Server;
use crate::access::Identity;
use crate::problem::RouteError;
use axum::extract::{Extension, State};
use protocol::{HostName, Problem, ProblemType};

/// Liveness probe: the process is running.
#[utoipa::path(get, path = "/healthz", tag = "probes", responses((status = 200, body = String)))]
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Readiness probe: succeeds while the server accepts operations, because the database can be written. The response
/// counts hosts that have not connected since the server started. A start request for a kind that only these hosts
/// support gets 503 until one of them connects. With a credential for all kinds, the response names these hosts, and
/// says why the database can't be written.
#[utoipa::path(get, path = "/readyz", tag = "probes",
    responses((status = 200, body = String), (status = 503, body = Problem)))]
pub async fn readyz(
    State(server): State<Server>,
    identity: Option<Extension<Identity>>,
) -> Result<String, RouteError> {
    if server.stop.is_cancelled() {
        return Err(RouteError::new(ProblemType::Unavailable, "The server is shutting down."));
    }
    let (store_fault, unmet) = server.data.readiness();
    let sees_all = identity.is_some_and(|identity| identity.scope().is_none());
    match store_fault {
        None => Ok(ready(&unmet, sees_all)),
        Some(reason) if sees_all => Err(RouteError::new(ProblemType::Unavailable, reason)),
        Some(_) => {
            let detail =
                "The database can't be written. With a credential for all kinds, this response says why.";
            Err(RouteError::new(ProblemType::Unavailable, detail))
        }
    }
}

/// `ready`, with the hosts that have not connected: their names if the caller may see them, or else their number.
fn ready(unmet: &[HostName], sees_all: bool) -> String {
    if unmet.is_empty() {
        return "ready\n".to_owned();
    }
    let hosts = match sees_all {
        true => unmet.iter().map(HostName::as_str).collect::<Vec<_>>().join(", "),
        false => unmet.len().to_string(),
    };
    format!("ready; hosts not connected yet: {hosts}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_sees_all_hosts_gets_their_names() {
        let unmet = ["gpu-1", "gpu-2"].map(|name| HostName::new(name).unwrap());
        assert_eq!(ready(&unmet, true), "ready; hosts not connected yet: gpu-1, gpu-2\n");
        assert_eq!(ready(&unmet, false), "ready; hosts not connected yet: 2\n");
        assert_eq!(ready(&[], false), "ready\n");
    }
}
