//! Hosts as the server sees them.

use crate::host::Health;
use crate::{HostName, InstanceId, KindName, Time};
use serde::{Deserialize, Serialize};

/// Status of a host, as seen by the server.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HostStatus {
    pub name: HostName,
    /// Base URL, such as `http://127.0.0.1:7301`.
    pub url: String,
    pub link: HostLink,
    /// The host is drained: it gets no new operations, and its running ones continue.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub draining: bool,
    /// Last seen: when the server last received data from the host, by the server's clock, as of this record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard_at: Option<Time>,
    /// Latency of the last request for identity or health in milliseconds, including the connection setup if one was
    /// needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// Human-readable reason why the host is unreachable.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub trouble: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    #[serde(default)]
    pub version: String,
    pub kinds: Vec<KindName>,
    /// Number of changes of the connected host's kinds or of their parameters. A new model to choose is such a change.
    #[serde(default)]
    pub offers: u32,
    pub capacity: u32,
    /// Number of operations that the server has assigned to the host.
    pub running: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// Counters of the connection pool.
    #[serde(default)]
    pub connections: Connections,
}

/// Connection state of a host.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum HostLink {
    /// Not connected yet since the server started.
    Connecting,
    /// Connected: its feed is open and sends heartbeats.
    Up,
    /// Unreachable: it was connected before.
    Away,
}

/// Counters of the connection pool of one host, since the server started.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Connections {
    pub opened: u64,
    /// Requests sent over a reused connection.
    pub reused: u64,
    pub requests: u64,
    pub retries: u64,
    pub failures: u64,
}
