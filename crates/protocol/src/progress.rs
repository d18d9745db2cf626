//! Progress of an attempt.

use crate::Time;
use serde::{Deserialize, Serialize};

/// Progress of an attempt, as last reported by its host.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Progress {
    /// When the host reported it, by the host's clock.
    pub at: Time,
    /// Completed share of the attempt, 0 to 1; absent while unknown. It does not decrease within one count. A larger
    /// total, a restarted count or another phase may lower it or make it unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fraction: Option<f64>,
    /// Current phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Number of completed items, in `unit`.
    #[serde(default)]
    pub done: u64,
    /// Total number of items; absent while unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Unit of the items, in the plural: `rows`, `epochs`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// Rate in items per second, smoothed over the last few seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Remaining time in seconds at this rate; absent while unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta_seconds: Option<f64>,
    /// Human-readable current activity.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// Phase of an operation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Phase {
    /// Number of the phase, from 1.
    pub index: u32,
    /// Number of phases.
    pub of: u32,
    /// Name of one or two words.
    pub name: String,
}

impl Progress {
    /// Progress of an attempt that has just started.
    pub fn start(at: Time) -> Self {
        Self {
            at,
            fraction: None,
            phase: None,
            done: 0,
            total: None,
            unit: String::new(),
            rate: None,
            eta_seconds: None,
            message: String::new(),
        }
    }

    /// True if this continues the count of `before`: same phase, unit and total, and no restarted count. Only then must
    /// the fraction not decrease.
    pub fn continues(&self, before: &Progress) -> bool {
        let phase = |progress: &Progress| progress.phase.as_ref().map(|phase| phase.index);
        phase(self) == phase(before)
            && self.unit == before.unit
            && self.total == before.total
            && self.done >= before.done
    }
}
