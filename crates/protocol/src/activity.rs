//! Recently ended operations, compared with the averages of the days before.

use crate::{KindName, Time};
use serde::{Deserialize, Serialize};

/// `GET /api/v1/activity`: stored operations whose last end was in the last 24 hours, by hour and by kind, with the
/// averages of the days before.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Activity {
    /// The server's clock.
    pub now: Time,
    /// Start of the first hour.
    pub since: Time,
    /// 24 hours, oldest first; the last one is the current hour.
    pub hours: Vec<Ends>,
    /// Kinds with operations that ended in these hours or the days before, sorted by name.
    pub kinds: Vec<KindActivity>,
    /// Number of days before `since` that the averages cover, at most 14; 0 without earlier operations.
    pub usual_days: f64,
}

/// Number of ended operations by outcome.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ends {
    pub succeeded: u64,
    pub failed: u64,
    pub cancelled: u64,
}

impl Ends {
    /// Number of all ended operations.
    #[must_use]
    pub fn all(self) -> u64 {
        self.succeeded + self.failed + self.cancelled
    }
}

/// Ended operations of one kind.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KindActivity {
    pub kind: KindName,
    pub ends: Ends,
    /// Average duration of the succeeded operations, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// Average number of ended operations per 24 hours in the days before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual_a_day: Option<f64>,
    /// Like `seconds`, for the days before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual_seconds: Option<f64>,
}
