//! Metrics of the server for Prometheus and OTLP: what it knows at the moment of a scrape, in the format of the
//! scraper.

mod exposition;
mod families;
mod histograms;
mod now;
mod otlp;
mod resources;

pub use exposition::Format;

use crate::alerts::AlertFigures;
use crate::limits::Limit;
use crate::monitor::ResourceFigures;
use crate::served::ServedRoute;
use engine::Tally;
use pool::RouteMetrics;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use protocol::api::Snapshot;
use protocol::{HostName, KindName};
use std::collections::BTreeMap;
use std::fmt;

/// Figures at the time of a scrape. Nothing is counted for metrics alone.
#[derive(Debug)]
pub struct Figures {
    pub snapshot: Snapshot,
    /// Number of open streams.
    pub streams: u64,
    /// Number of open connections of clients.
    pub connections: u64,
    /// How often each limit of requests was reached.
    pub limits_reached: Vec<(Limit, u64)>,
    /// Audit entries that the sink of the audit log has not accepted yet; `None` without a sink.
    pub audit_entries_waiting: Option<u64>,
    pub store_trouble: bool,
    /// Requests to each host, by route.
    pub requests: Vec<(HostName, Vec<RouteMetrics>)>,
    /// Started and ended operations of all known kinds.
    pub tallies: BTreeMap<KindName, Tally>,
    pub alerts: AlertFigures,
    /// Resources of the hosts that sample.
    pub resources: Vec<HostResources>,
    /// Counts of the export over OTLP, if there is one.
    pub exported: Option<::otlp::Counts>,
    /// Requests to the server, by route.
    pub served: Vec<ServedRoute>,
}

/// Newest figures of a host and of its machine.
#[derive(Debug)]
pub struct HostResources {
    pub host: HostName,
    /// ID of its machine.
    pub machine: Option<String>,
    pub figures: ResourceFigures,
}

impl Collector for Figures {
    fn encode(&self, mut out: DescriptorEncoder<'_>) -> fmt::Result {
        families::server(&mut out, self)?;
        families::operations(&mut out, self)?;
        families::alerts(&mut out, &self.alerts)?;
        families::served(&mut out, &self.served)?;
        families::exported(&mut out, self.exported.as_ref())?;
        families::hosts(&mut out, &self.snapshot.hosts)?;
        families::host_requests(&mut out, &self.requests)?;
        resources::encode(&mut out, &self.resources)
    }
}
