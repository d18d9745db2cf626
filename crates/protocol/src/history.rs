//! History of a host's metrics, for charts.

use crate::{HostName, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `GET /api/v1/hosts/{name}/history`: metrics in at most the requested number of buckets, all of equal length.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct History {
    /// Start of the first bucket.
    pub from: Time,
    /// Length of a bucket in seconds.
    pub bucket_seconds: u32,
    /// Number of buckets. The buckets follow each other without gaps.
    pub buckets: u32,
    /// Resolution of the values that were read, in seconds: 1, 60 or 3,600.
    pub resolution_seconds: u32,
    /// Hosts on the same machine, this one included. Their metrics of the machine are the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub machine_hosts: Vec<HostName>,
    /// Values by metric, only of metrics with values. docs/monitoring.md describes the metrics.
    pub metrics: BTreeMap<String, MetricHistory>,
}

/// Values of a metric by bucket; `null` is unknown.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MetricHistory {
    pub min: Vec<Option<f64>>,
    pub mean: Vec<Option<f64>>,
    pub max: Vec<Option<f64>>,
}
