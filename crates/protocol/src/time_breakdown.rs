//! Why an operation is slow: where the time of an attempt went, and the consumers of the resource that it waited for.

use crate::{HostName, KindName, OperationId, ResourceUsage, Time, TimeSplit};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `GET /api/v1/operations/{id}/time`: where the time of an attempt went, from the queue to its end.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TimeBreakdown {
    pub attempt: u32,
    /// Host of the attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostName>,
    /// When the attempt was queued.
    pub queued_at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When the attempt ended, or now.
    pub to: Time,
    /// Whether the attempt has not ended.
    pub live: bool,
    /// Time in the queue, in seconds.
    pub slot_wait_seconds: f64,
    /// Where the time went after the queue.
    pub time: TimeSplit,
    /// Largest part of the time, including the time in the queue.
    pub limit: Limit,
    /// The largest part with its evidence, in one sentence. Times are UTC.
    pub sentence: String,
    /// What the user can do.
    pub advice: String,
    /// Number of CPU cores that the host can use: those of its machine, or fewer if the host has a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cores: Option<f64>,
    /// Number of operations that ran on the machine in the same period, including this one.
    pub operations: u32,
    /// Operations, and all other programs together, that used most of the resource for which the attempt waited, on the
    /// same machine in the same period; the largest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consumers: Vec<ResourceConsumer>,
    /// Cost so far, or in total.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<ResourceUsage>,
    /// The parts over time, if samples of the attempt are stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub course: Option<TimeCourse>,
}

/// Largest part of the time of an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Limit {
    /// CPU-bound: its threads computed.
    Computing,
    /// Other threads had the CPUs.
    Cpu,
    Disk,
    Memory,
    /// The CPU quota of the operation's cgroup.
    Quota,
    /// The queue: no slot was free.
    Queue,
    /// Something else, such as the network, a lock or a timer.
    Other,
    /// The cause is unknown.
    Unknown,
}

/// Share of a resource that an operation, or all other programs, used.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResourceConsumer {
    /// Absent for all other programs together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationId>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<KindName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostName>,
    /// Share of what the machine used, 0 to 1.
    pub share: f64,
    /// Whether this consumer is the operation itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_self: bool,
}

/// Parts of the time in buckets of equal length.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TimeCourse {
    /// Start of the first bucket.
    pub from: Time,
    pub bucket_seconds: u32,
    /// Share of each part by bucket, 0 to 1, by the names of the parts of the time; `null` is unknown.
    pub parts: BTreeMap<String, Vec<Option<f64>>>,
}
