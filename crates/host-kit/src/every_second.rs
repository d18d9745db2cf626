//! Samples of a process, one a second.

use resources::{Folder, Sample, Sampler};
use std::time::Duration;
use tokio::task::JoinError;
use tokio::time::{Instant, Interval, MissedTickBehavior};

/// Interval of samples.
const INTERVAL: Duration = Duration::from_secs(1);

/// Sampler of this process and its machine, with the figures of the runtime.
pub struct EverySecond {
    begun: Instant,
    every: Interval,
    /// `None` while it samples, and after a panic.
    sampler: Option<Sampler>,
}

impl EverySecond {
    /// Sampler that counts its seconds from `begun`; it measures the free space of `folders`. Needs a tokio
    /// runtime.
    pub fn new(begun: Instant, folders: Vec<Folder>) -> Self {
        let mut every = tokio::time::interval_at(begun + INTERVAL, INTERVAL);
        // After a pause there is a gap, not a burst of samples of the same moment.
        every.set_missed_tick_behavior(MissedTickBehavior::Skip);
        Self { begun, every, sampler: Some(Sampler::new(folders)) }
    }

    /// Number of the next second, and its sample; `None` after an error. It samples no more if the call is cancelled
    /// while it reads the figures.
    ///
    /// # Errors
    /// If the sampler panicked.
    pub async fn next(&mut self) -> Result<Option<(u64, Sample)>, JoinError> {
        let due = self.every.tick().await;
        let delay = due.elapsed();
        let Some(mut sampler) = self.sampler.take() else { return Ok(None) };
        let sampled = tokio::task::spawn_blocking(move || {
            let sample = sampler.sample();
            (sampler, sample)
        });
        let (sampler, mut sample) = sampled.await?;
        self.sampler = Some(sampler);
        let metrics = tokio::runtime::Handle::current().metrics();
        for (name, value) in [
            ("host.event_loop_delay_seconds", delay.as_secs_f64()),
            ("host.tasks", metrics.num_alive_tasks() as f64),
            ("host.queued_tasks", metrics.global_queue_depth() as f64),
        ] {
            sample.insert(name.into(), Some(value));
        }
        Ok(Some((due.saturating_duration_since(self.begun).as_secs(), sample)))
    }
}
