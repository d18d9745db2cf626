//! The server's requests to a host: how many, how they ended, and how long they took.

use crate::{HostName, Time};
use serde::{Deserialize, Serialize};

/// `GET /api/v1/hosts/{name}/requests`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HostRequests {
    pub host: HostName,
    /// When the server read these figures.
    pub at: Time,
    /// All routes together. The percentiles are those of all requests, not averages of the routes' percentiles.
    pub all: RequestCounts,
    /// All routes together, in the last five minutes.
    pub recent: RequestCounts,
    /// By route, ordered by route and method.
    pub routes: Vec<RouteRequests>,
}

/// Requests of one route since the server started.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RouteRequests {
    /// HTTP method, such as `GET`.
    pub method: String,
    /// Path with placeholders, such as `/host/v1/operations/{id}/cancel`; `other` for requests outside of the host
    /// contract.
    pub route: String,
    #[serde(flatten)]
    pub counts: RequestCounts,
}

/// Number of requests by outcome, and their latency. Each try counts.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RequestCounts {
    pub requests: u64,
    /// Requests with a usable response (2xx).
    pub success: u64,
    /// Requests that the host refused (4xx).
    pub client_error: u64,
    /// Requests that failed with an error of the host (5xx).
    pub server_error: u64,
    /// Requests for which no connection could be opened.
    pub connect: u64,
    /// Requests without a complete response in time.
    pub timeout: u64,
    /// Requests whose connection broke before the response was complete.
    pub reset: u64,
    /// Requests with an unusable response, such as invalid JSON.
    pub protocol: u64,
    /// Requests that the server gave up, for example because it stops.
    pub cancelled: u64,
    /// Bytes of request bodies.
    pub sent_bytes: u64,
    /// Bytes of the bodies of successful responses, without streams.
    pub received_bytes: u64,
    /// Latency of requests with a response; absent if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
}

/// Latency in seconds, from sending the request to the last byte of its response. Percentiles differ from the exact
/// percentiles by at most 1.1 %; the other values are exact.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Latency {
    pub min: f64,
    pub mean: f64,
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub max: f64,
}
