//! Latency of requests over time, for heat maps.

use crate::Time;
use serde::{Deserialize, Serialize};

/// `GET /api/v1/hosts/{name}/latency`: number of the server's requests to a host, by time and latency.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LatencyHistory {
    /// Start of the first column.
    pub from: Time,
    /// Length of a column in seconds: a multiple of 60, or of 600 for times before the last 7 days.
    pub column_seconds: u32,
    /// Bounds of the rows in seconds, ascending: row `n` has the latencies above `bounds[n]`, up to and including
    /// `bounds[n + 1]`. Empty without any request.
    pub bounds: Vec<f64>,
    /// Number of requests of each column, by row. The columns follow each other without gaps; `null` is unknown.
    /// Requests without a response have no latency, and are not counted.
    pub columns: Vec<Option<Vec<u64>>>,
}
