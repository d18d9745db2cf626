//! Services of ktrdr, which differ by what they speak.

use serde::{Deserialize, Serialize};

/// Protocol of a ktrdr service.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Protocol {
    /// Training host of October 2025: sessions.
    #[serde(rename = "ktrdr-training-2025")]
    Training2025,
    /// Training host and workers of April 2026: operations.
    #[serde(rename = "ktrdr-worker")]
    Worker,
    /// ib host.
    #[serde(rename = "ktrdr-ib")]
    Ib,
}

impl Protocol {
    /// Name in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Protocol::Training2025 => "ktrdr-training-2025",
            Protocol::Worker => "ktrdr-worker",
            Protocol::Ib => "ktrdr-ib",
        }
    }
}
