//! What the server counts besides its data, for metrics.

use crate::audit_sink::SinkFigures;
use crate::limits::Limits;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Counts of this process.
#[derive(Clone)]
pub struct Counts {
    /// Number of open streams.
    pub streams: Arc<AtomicU64>,
    pub limits: Limits,
    /// Absent without a webhook of the audit log.
    pub audit_sink: Option<Arc<SinkFigures>>,
}
