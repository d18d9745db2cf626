//! Progress: the latest snapshot of how far an attempt is.

use crate::Time;
use serde::{Deserialize, Serialize};

/// How far an attempt is, as its host last said.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Progress {
    /// When the host said so, by the host's clock.
    pub at: Time,
    /// Share of the whole attempt, 0 to 1; absent while it is unknown. Within one count it never falls; a larger total, a
    /// count that begins anew or another phase may lower it or make it unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fraction: Option<f64>,
    /// Where in the list of phases the attempt is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Items finished in all, in `unit`.
    #[serde(default)]
    pub done: u64,
    /// Items to do in all; absent while unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// What is counted, in the plural: `rows`, `epochs`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// Items per second, smoothed over the last few seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Seconds still to go at this rate; absent while nobody can know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta_seconds: Option<f64>,
    /// What is being done now, in words for a person.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// One of the steps that a kind goes through.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Phase {
    /// From 1.
    pub index: u32,
    /// How many phases there are.
    pub of: u32,
    /// Its name, in a word or two.
    pub name: String,
}

impl Progress {
    /// Nothing done yet.
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

    /// Whether this goes on with the count that `before` tells of: the same phase, unit and total, and nothing counted
    /// anew. Only then the fraction must not fall.
    pub fn continues(&self, before: &Progress) -> bool {
        let phase = |progress: &Progress| progress.phase.as_ref().map(|phase| phase.index);
        phase(self) == phase(before)
            && self.unit == before.unit
            && self.total == before.total
            && self.done >= before.done
    }
}
