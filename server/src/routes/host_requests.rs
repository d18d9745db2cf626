//! The server's requests to one host.

use super::hosts::host_of;
use crate::problem::RouteError;
use crate::state::AllKinds;
use axum::Json;
use axum::extract::Path;
use pool::{Outcome, Requests, RouteMetrics};
use protocol::api::{HostRequests, Latency, RequestCounts, RouteRequests};
use protocol::{HostName, Problem, ProblemType, Time};

/// Requests of the server to a host since it started, by route: outcomes, bytes and latency percentiles.
#[utoipa::path(get, path = "/api/v1/hosts/{name}/requests", tag = "hosts", params(("name" = String, Path)),
    responses((status = 200, body = HostRequests), (status = 404, body = Problem)))]
pub async fn host_requests(
    AllKinds { engine, .. }: AllKinds,
    name: Path<String>,
) -> Result<Json<HostRequests>, RouteError> {
    let name = host_of(name)?;
    let all = engine.host_requests();
    let Some((host, routes)) = all.into_iter().find(|(host, _)| *host == name) else {
        let detail = format!("There is no host named {name}. See /hosts for all hosts.");
        return Err(RouteError::new(ProblemType::NotFound, detail));
    };
    Ok(Json(document(host, &routes)))
}

fn document(host: HostName, routes: &[RouteMetrics]) -> HostRequests {
    let merged = |of: fn(&RouteMetrics) -> &Requests| {
        let mut all = Requests::default();
        routes.iter().for_each(|route| all.merge(of(route)));
        counts(&all)
    };
    let by_route = routes.iter().map(|route| RouteRequests {
        method: route.method.to_owned(),
        route: route.route.to_owned(),
        counts: counts(&route.total),
    });
    HostRequests {
        host,
        at: Time::now(),
        all: merged(|route| &route.total),
        recent: merged(|route| &route.recent),
        routes: by_route.collect(),
    }
}

fn counts(requests: &Requests) -> RequestCounts {
    RequestCounts {
        requests: requests.count(),
        success: requests.ended(Outcome::Success),
        client_error: requests.ended(Outcome::ClientError),
        server_error: requests.ended(Outcome::ServerError),
        connect: requests.ended(Outcome::Connect),
        timeout: requests.ended(Outcome::Timeout),
        reset: requests.ended(Outcome::Reset),
        protocol: requests.ended(Outcome::Protocol),
        cancelled: requests.ended(Outcome::Cancelled),
        sent_bytes: requests.sent_bytes,
        received_bytes: requests.received_bytes,
        latency: latency(requests),
    }
}

fn latency(requests: &Requests) -> Option<Latency> {
    let latency = &requests.latency;
    let range = latency.range()?;
    Some(Latency {
        min: *range.start(),
        mean: latency.mean()?,
        p50: latency.quantile(0.5)?,
        p95: latency.quantile(0.95)?,
        p99: latency.quantile(0.99)?,
        max: *range.end(),
    })
}
