//! Export of metrics, traces and logs over OTLP: protobuf over HTTP.
//!
//! Knows: spans and events of `tracing` as OTLP, queues with a limit, and delivery to a collector. Must not know: which
//! metrics exist, and how the export is configured.
//!
//! [`Telemetry::new`] gives a layer for the subscriber, which only fills the queues, and an [`Exporter`], whose task
//! sends them. A collector that is away or hangs therefore delays nothing: the queues drop their oldest entries.

mod attributes;
mod client;
mod exporter;
mod ids;
mod layer;
mod queue;

pub use attributes::attribute;
pub use client::Settings;
pub use exporter::{Exporter, FLUSH_TIMEOUT};
pub use layer::ExportLayer;
pub use opentelemetry_proto::tonic::common::v1::KeyValue;
pub use opentelemetry_proto::tonic::metrics::v1 as metrics;
pub use queue::{BATCH, CAPACITY};

use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use queue::Queue;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Kind of exported data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signal {
    Metrics,
    Traces,
    Logs,
}

impl Signal {
    pub const ALL: [Self; 3] = [Self::Metrics, Self::Traces, Self::Logs];

    /// Name in the configuration, in metrics and in the path.
    pub fn name(self) -> &'static str {
        match self {
            Self::Metrics => "metrics",
            Self::Traces => "traces",
            Self::Logs => "logs",
        }
    }
}

/// Number of exported entries of one signal: data points, spans or log records.
#[derive(Debug, Default)]
pub struct Count {
    sent: AtomicU64,
    dropped: AtomicU64,
}

impl Count {
    /// Entries that the collector accepted.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Entries that did not fit into the queue, or that the collector refused.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn add_sent(&self, count: u64) {
        self.sent.fetch_add(count, Ordering::Relaxed);
    }

    fn add_dropped(&self, count: u64) {
        self.dropped.fetch_add(count, Ordering::Relaxed);
    }
}

/// Counts of all signals, in the order of [`Signal::ALL`].
#[derive(Clone, Debug, Default)]
pub struct Counts([Arc<Count>; 3]);

impl Counts {
    /// Count of a signal.
    pub fn of(&self, signal: Signal) -> &Arc<Count> {
        &self.0[signal as usize]
    }
}

/// Export as one part for the subscriber, and one for the runtime.
pub struct Telemetry {
    pub layer: ExportLayer,
    pub exporter: Exporter,
}

impl Telemetry {
    /// Export with these settings. Nothing is sent before [`Exporter::run`].
    ///
    /// # Errors
    /// If the HTTP client can't be created.
    pub fn new(settings: Settings) -> reqwest::Result<Self> {
        let counts = Counts::default();
        let wanted = |signal| settings.signals.contains(&signal);
        let spans: Option<Arc<Queue<Span>>> =
            wanted(Signal::Traces).then(|| Arc::new(Queue::new(Arc::clone(counts.of(Signal::Traces)))));
        let logs: Option<Arc<Queue<LogRecord>>> =
            wanted(Signal::Logs).then(|| Arc::new(Queue::new(Arc::clone(counts.of(Signal::Logs)))));
        let layer = ExportLayer::new(spans.clone(), logs.clone());
        Ok(Self { layer, exporter: Exporter::new(settings, counts, spans, logs)? })
    }
}
