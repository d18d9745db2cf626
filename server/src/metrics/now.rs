//! Figures of the server at this moment.

use super::{Figures, HostResources};
use crate::state::AllKinds;

impl Figures {
    /// Current figures; `streams` is the number of open streams.
    pub fn now(streams: u64, AllKinds { engine, monitor, alerts, exported, served }: &AllKinds) -> Self {
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
            streams,
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
