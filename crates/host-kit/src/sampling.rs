//! Samples of the resources, once a second, and the last hour of them.

use crate::registry::Registry;
use parking_lot::Mutex;
use protocol::InstanceId;
use protocol::samples::{HostSamples, SAMPLES_VERSION};
use resources::{Folder, LastHour, Sample, Sampler};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// Interval of samples.
const INTERVAL: Duration = Duration::from_secs(1);
/// Largest number of samples of a response.
const MAX_SAMPLES: usize = 600;

/// Whether a host samples its resources.
pub(crate) enum Sampling {
    /// It works on another machine, or is part of a process that is sampled anyway.
    Off,
    On(Samples),
}

/// Samples since the host began to serve.
pub(crate) struct Samples {
    begun: Instant,
    machine: Option<String>,
    hour: Mutex<LastHour>,
    folders: Vec<Folder>,
}

impl Samples {
    pub fn new(folders: Vec<Folder>) -> Self {
        Self { begun: Instant::now(), machine: Sampler::machine(), hour: Mutex::default(), folders }
    }

    /// Samples until `stop` is cancelled.
    pub async fn run(&self, registry: &Registry, stop: &CancellationToken) {
        let mut sampler = Some(Sampler::new(self.folders.clone()));
        let mut every = tokio::time::interval_at(self.begun + INTERVAL, INTERVAL);
        // After a pause there is a gap, not a burst of samples of the same moment.
        every.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            let due = tokio::select! {
                () = stop.cancelled() => return,
                due = every.tick() => due,
            };
            let delay = due.elapsed();
            let Some(mut taken) = sampler.take() else { return };
            let sampled = tokio::task::spawn_blocking(move || {
                let sample = taken.sample();
                (taken, sample)
            });
            let Ok((returned, mut sample)) = sampled.await else {
                tracing::error!("the sampler panicked; this host has no more samples until it is restarted");
                return;
            };
            sampler = Some(returned);
            own_figures(&mut sample, registry, delay);
            let tick = due.saturating_duration_since(self.begun).as_secs();
            self.hour.lock().push(tick, sample);
        }
    }

    /// At most `limit` samples of this process of the host after a tick.
    pub fn after(&self, instance: InstanceId, tick: u64, limit: Option<usize>) -> HostSamples {
        let limit = limit.unwrap_or(MAX_SAMPLES).clamp(1, MAX_SAMPLES);
        let (newest, part) = {
            let hour = self.hour.lock();
            (hour.newest(), hour.after(tick, limit))
        };
        HostSamples {
            version: SAMPLES_VERSION,
            instance,
            machine: self.machine.clone(),
            now_tick: self.begun.elapsed().as_secs_f64(),
            newest_tick: newest.unwrap_or(0),
            ticks: part.ticks,
            metrics: part.metrics,
        }
    }
}

/// Figures of the host's process that only it knows.
fn own_figures(sample: &mut Sample, registry: &Registry, delay: Duration) {
    let (running, free) = registry.slots();
    let metrics = tokio::runtime::Handle::current().metrics();
    for (name, value) in [
        ("host.running", f64::from(running)),
        ("host.free_slots", f64::from(free)),
        ("host.event_loop_delay_seconds", delay.as_secs_f64()),
        ("host.tasks", metrics.num_alive_tasks() as f64),
        ("host.queued_tasks", metrics.global_queue_depth() as f64),
    ] {
        sample.insert(name.into(), Some(value));
    }
}
