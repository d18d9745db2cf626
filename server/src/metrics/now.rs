//! Figures of the server at this moment.

use super::{Figures, HostResources};
use crate::counts::Counts;
use crate::state::AllKinds;
use std::sync::atomic::Ordering;

impl Figures {
    /// Current figures.
    pub fn now(counts: &Counts, AllKinds { engine, monitor, alerts, exported, served }: &AllKinds) -> Self {
        let snapshot = engine.snapshot();
        let mut tallies = engine.tallies();
        // A counter that begins with its first event hides this event from rates.
        for offer in engine.kinds().kinds {
            tallies.entry(offer.spec.name).or_default();
        }
        let resources = snapshot.hosts.iter().filter_map(|host| {
            let (figures, machine) = monitor.latest(&host.name)?;
            Some(HostResources { host: host.name.clone(), machine, figures })
        });
        Self {
            streams: counts.streams.load(Ordering::Relaxed),
            connections: counts.limits.open_connections().into(),
            audit_entries_waiting: counts.audit_sink.as_ref().map(|sink| sink.waiting()),
            limits_reached: counts.limits.refused().collect(),
            store_trouble: engine.store_fault().is_some(),
            requests: engine.host_requests(),
            alerts: alerts.figures(),
            tallies,
            resources: resources.collect(),
            snapshot,
            exported: exported.clone(),
            served: served.read(),
        }
    }
}
