//! Times reported by an external service, with or without a zone.

use protocol::Time;
use serde::{Deserialize, Serialize};

/// Reported time. Without a zone it is the local time of the service's machine, which is unknown, so nothing is
/// computed from it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Moment {
    /// Original text: `2026-11-23T07:45:42.185658`.
    pub said: String,
    /// Parsed time; absent without a zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
}

impl Moment {
    pub(crate) fn new(said: &str) -> Self {
        Self { said: said.chars().take(64).collect(), at: Time::parse(said).ok() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_a_zone_is_kept_as_text() {
        assert_eq!(Moment::new("2026-11-23T07:45:42.185658").at, None);
        let zoned = Moment::new("2026-11-23T08:01:58.617006+00:00");
        assert_eq!(zoned.at, Some(Time::parse("2026-11-23T08:01:58.617006Z").unwrap()));
        assert_eq!(Moment::new("2026-11-23T08:01:58.634045Z").said, "2026-11-23T08:01:58.634045Z");
    }
}
