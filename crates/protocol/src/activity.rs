//! What ended lately, and what is usual.

use crate::{KindName, Time};
use serde::{Deserialize, Serialize};

/// `GET /api/v1/activity`: stored operations whose last end was in the last 24 hours, by hour and by kind, beside the
/// usual of the days before.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Activity {
    /// The server's clock.
    pub now: Time,
    /// When the first of the hours began.
    pub since: Time,
    /// 24, oldest first; the last is the hour that runs.
    pub hours: Vec<Ends>,
    /// Kinds of which anything ended in these hours or the days before, in the order of their names.
    pub kinds: Vec<KindActivity>,
    /// How many days before `since` the usual is taken from, at most 14; 0 when nothing ended before.
    pub usual_days: f64,
}

/// How many ended, and how.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ends {
    pub succeeded: u64,
    pub failed: u64,
    pub cancelled: u64,
}

impl Ends {
    /// However they ended.
    #[must_use]
    pub fn all(self) -> u64 {
        self.succeeded + self.failed + self.cancelled
    }
}

/// What ended of one kind.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KindActivity {
    pub kind: KindName,
    pub ends: Ends,
    /// From start to end of those that succeeded, on average, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// How many ended in 24 hours of the days before, on average.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual_a_day: Option<f64>,
    /// As `seconds`, of the days before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual_seconds: Option<f64>,
}
