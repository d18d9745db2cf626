//! Progress of an attempt.

use crate::Time;
use serde::{Deserialize, Serialize};

/// Progress of an attempt, as last reported by its host.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Progress {
    /// When the host reported it, by the host's clock.
    pub at: Time,
    /// Completed share of the attempt, 0 to 1; absent while unknown. It decreases, or becomes unknown, only if the
    /// total grows, the count restarts, or another phase begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fraction: Option<f64>,
    /// Current phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Number of completed items, in `unit`; absent if it is 0, and if only the fraction is known.
    #[serde(default, skip_serializing_if = "is_zero")]
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
    /// Number of phases; absent while it is unknown how many will follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<u32>,
    /// Name of one or two words.
    pub name: String,
}

impl Phase {
    /// Whether this is the last phase.
    pub fn is_last(&self) -> bool {
        self.of == Some(self.index)
    }
}

fn is_zero(n: &u64) -> bool {
    *n == 0
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_fraction_can_be_without_a_count() {
        let at = Time::parse("2026-11-23T10:41:00Z").unwrap();
        let value = serde_json::to_value(Progress { fraction: Some(0.5), ..Progress::start(at) }).unwrap();
        assert_eq!(value, json!({"at": at, "fraction": 0.5}));
        let none_of_ten = json!({"at": at, "total": 10});
        assert_eq!(serde_json::from_value::<Progress>(none_of_ten).unwrap().done, 0);
    }

    #[test]
    fn the_number_of_phases_is_absent_while_it_is_unknown() {
        let phase = Phase { index: 2, of: None, name: "Receiving objects".into() };
        assert_eq!(serde_json::to_value(&phase).unwrap(), json!({"index": 2, "name": "Receiving objects"}));
        assert!(!phase.is_last() && Phase { of: Some(2), ..phase }.is_last());
    }
}
