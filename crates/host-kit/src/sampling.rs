//! Samples of the resources, once a second, and the last hour of them.

use crate::attempt::Attempt;
use crate::attempt_samples::AttemptLog;
use crate::every_second::EverySecond;
use crate::registry::Registry;
use parking_lot::Mutex;
use protocol::InstanceId;
use protocol::samples::{HostSamples, SAMPLES_VERSION};
use resources::{Folder, LastHour, Sample, Sampler};
use std::sync::Arc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Largest number of samples of a response.
const MAX_SAMPLES: usize = 600;
/// Largest number of samples of attempts of a response, by average.
const MAX_ATTEMPT_SAMPLES: usize = 20_000;

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
    attempts: Mutex<AttemptLog>,
    folders: Vec<Folder>,
}

impl Samples {
    pub fn new(folders: Vec<Folder>) -> Self {
        Self {
            begun: Instant::now(),
            machine: Sampler::machine(),
            hour: Mutex::default(),
            attempts: Mutex::default(),
            folders,
        }
    }

    /// Samples until `stop` is cancelled.
    pub async fn run(&self, registry: &Arc<Registry>, stop: &CancellationToken) {
        let mut every_second = EverySecond::new(self.begun, self.folders.clone());
        loop {
            let next = tokio::select! {
                () = stop.cancelled() => return,
                next = every_second.next() => next,
            };
            let Ok(Some((tick, mut sample))) = next else {
                tracing::error!("the sampler panicked; this host has no more samples until it is restarted");
                return;
            };
            let (running, begun) = (registry.running(), Instant::now());
            let read = tokio::task::spawn_blocking(move || {
                let sample =
                    |attempt: Arc<Attempt>| Some((attempt.id, attempt.number, attempt.usage.sample(begun)?));
                running.into_iter().filter_map(sample).collect::<Vec<_>>()
            });
            if let Ok(read) = read.await {
                self.attempts.lock().push(tick, read.into_iter());
            }
            slots(&mut sample, registry);
            self.hour.lock().push(tick, sample);
        }
    }

    /// At most `limit` samples of this process of the host after a tick.
    pub fn after(&self, instance: InstanceId, tick: u64, limit: Option<usize>) -> HostSamples {
        let most = MAX_ATTEMPT_SAMPLES / self.attempts.lock().per_second();
        let limit = limit.unwrap_or(MAX_SAMPLES).clamp(1, MAX_SAMPLES.min(most.max(1)));
        let (newest, part) = {
            let hour = self.hour.lock();
            (hour.newest(), hour.after(tick, limit))
        };
        let bounds = part.ticks.first().copied().zip(part.ticks.last().copied());
        let operations = bounds.map(|(first, last)| self.attempts.lock().within(first, last));
        HostSamples {
            version: SAMPLES_VERSION,
            instance,
            machine: self.machine.clone(),
            now_tick: self.begun.elapsed().as_secs_f64(),
            newest_tick: newest.unwrap_or(0),
            ticks: part.ticks,
            metrics: part.metrics,
            operations: operations.unwrap_or_default(),
        }
    }
}

/// Adds the figures that only the host knows.
fn slots(sample: &mut Sample, registry: &Registry) {
    let (running, free) = registry.slots();
    for (name, value) in [("host.running", running), ("host.free_slots", free)] {
        sample.insert(name.into(), Some(f64::from(value)));
    }
}
