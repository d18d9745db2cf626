//! The server's own samples.

use super::SERVER;
use super::recorder::{Claim, Recorder};
use super::splitting::{anchor, split};
use protocol::{InstanceId, Time};
use resources::{Folder, LastHour, Sampler};
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior};

const INTERVAL: Duration = Duration::from_secs(1);
/// Number of samples that are written together.
const WRITE_EVERY: u64 = 5;
/// Second from which on the server samples its machine, if no host does: a host has samples from before the server's
/// start.
const CLAIM_AFTER: u64 = 60;

/// Samples the server for ever. What can't be written is kept for an hour.
pub async fn sample(recorder: Recorder, data: PathBuf) {
    let begun = Instant::now();
    let instance = InstanceId::new();
    let mut place = None;
    let machine = Sampler::machine();
    let mut sampler = Some(Sampler::new(vec![Folder { name: "data".into(), path: data }]));
    let (mut kept, mut written) = (LastHour::default(), 0_u64);
    let mut every = tokio::time::interval_at(begun + INTERVAL, INTERVAL);
    every.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        let due = every.tick().await;
        let delay = due.elapsed();
        let Some(mut taken) = sampler.take() else { return };
        let sampled = tokio::task::spawn_blocking(move || {
            let sample = taken.sample();
            (taken, sample)
        });
        let Ok((returned, mut sample)) = sampled.await else {
            tracing::error!("the server's sampler panicked; the server is not sampled until it is restarted");
            return;
        };
        sampler = Some(returned);
        let metrics = tokio::runtime::Handle::current().metrics();
        for (name, value) in [
            ("host.event_loop_delay_seconds", delay.as_secs_f64()),
            ("host.tasks", metrics.num_alive_tasks() as f64),
            ("host.queued_tasks", metrics.global_queue_depth() as f64),
        ] {
            sample.insert(name.into(), Some(value));
        }
        let tick = due.saturating_duration_since(begun).as_secs();
        kept.push(tick, sample);
        if tick.is_multiple_of(WRITE_EVERY) {
            let now = Time::now().micros() as f64 / 1e6;
            let anchor = anchor(place.as_ref(), instance, now, begun.elapsed().as_secs_f64());
            let claim = machine
                .as_deref()
                .filter(|_| tick >= CLAIM_AFTER)
                .map_or(Claim::OfAnother, |machine| recorder.claim(SERVER, machine));
            let after = if claim == Claim::New { written.saturating_sub(CLAIM_AFTER) } else { written };
            let part = kept.after(after, usize::MAX);
            let claimed = machine.as_deref().filter(|_| claim != Claim::OfAnother);
            let claimed = claimed.map(|machine| format!("machine/{machine}"));
            let batches = split(SERVER, claimed.as_deref(), &anchor, &part.ticks, part.metrics);
            let since = anchor.base;
            let on_machine =
                machine.as_ref().map(|machine| (SERVER.to_owned(), format!("machine/{machine}"), since));
            place = Some(anchor);
            if recorder.write(batches, on_machine).await.is_ok() {
                written = tick;
            }
        }
    }
}
