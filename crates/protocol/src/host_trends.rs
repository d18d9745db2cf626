//! Load of all hosts in the last hour, for a table.

use crate::HostName;
use serde::{Deserialize, Serialize};

/// `GET /api/v1/hosts/trends`
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HostTrends {
    pub hosts: Vec<HostTrend>,
}

/// Load of a host in the last hour, and its requests in the last five minutes. Absent and `null` values are unknown.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HostTrend {
    pub host: HostName,
    /// CPU usage of the machine by minute, 0 to 1, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cpu: Vec<Option<f64>>,
    /// Used memory of the machine as a share of its total memory, 0 to 1: the newest known value of the last five
    /// minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<f64>,
    /// Share of time in which some task of the machine waited for a resource, 0 to 1: the largest of CPU, memory and
    /// disk, as the newest known value of the last five minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pressure: Option<f64>,
    /// 95th percentile of the latency of requests to the host, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95_seconds: Option<f64>,
    /// Number of requests to the host; retries count separately.
    pub requests: u64,
    /// Number of requests to the host without a usable response, except refusals (4xx) and requests that the server
    /// gave up.
    pub errors: u64,
}
