//! State shared by the routes.

use crate::access::Access;
use crate::checkpoint_store::CheckpointStore;
use crate::feed::Feed;
use crate::health::MachineMonitor;
use crate::registry::Registry;
use crate::sampling::Sampling;
use crate::work::AnyWork;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Parts of a host.
pub(crate) struct Shared {
    pub name: String,
    pub version: String,
    pub capacity: u32,
    pub works: Vec<Arc<dyn AnyWork>>,
    pub registry: Arc<Registry>,
    pub feed: Arc<Feed>,
    pub checkpoint_store: Option<Arc<CheckpointStore>>,
    /// `None` if the work runs on another machine, or in a process that is measured anyway.
    pub machine: Option<MachineMonitor>,
    pub sampling: Sampling,
    pub access: Arc<Access>,
    /// Interval of heartbeats in a silent stream.
    pub beat: Duration,
    /// Cancelled when the streams are to end.
    pub ending: CancellationToken,
}
