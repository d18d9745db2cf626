//! Why an operation is slow: where the time of an attempt went, and who used what it waited for.

use crate::{HostName, KindName, OperationId, ResourceUsage, Time, TimeSplit};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `GET /api/v1/operations/{id}/time`: where the time of an attempt went, from the queue to its end.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TimeBreakdown {
    pub attempt: u32,
    /// Host that ran it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostName>,
    /// When it was queued.
    pub queued_at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it ended, or now.
    pub to: Time,
    /// It has not ended.
    pub live: bool,
    /// Time in the queue, in seconds.
    pub slot_wait_seconds: f64,
    /// Where the time went after the queue.
    pub time: TimeSplit,
    /// Largest part of all.
    pub limit: Limit,
    /// The largest part with its evidence, in one sentence. Times are UTC.
    pub sentence: String,
    /// What to do about it.
    pub advice: String,
    /// Cores of the host: of its machine, or its smaller limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cores: Option<f64>,
    /// Number of operations that ran on the machine in that time, this one included.
    pub operations: u32,
    /// Who used most of the resource that it waited for, on the same machine in that time; the largest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<ResourceUser>,
    /// Cost so far, or in total.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<ResourceUsage>,
    /// The parts over time, if samples of the attempt are stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub course: Option<TimeCourse>,
}

/// What limited an attempt most.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Limit {
    /// It computed: its host did not limit it.
    Computing,
    /// Other threads had the CPUs.
    Cpu,
    Disk,
    Memory,
    /// The CPU quota of the host's cgroup.
    Quota,
    /// It waited in the queue.
    Queue,
    /// It waited for something else: its host did not limit it.
    Other,
    /// The cause is unknown.
    Unknown,
}

/// Share of a resource that an operation, or all other programs, used.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResourceUser {
    /// Absent for all programs that are no operations.
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
    /// It is the operation itself.
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
