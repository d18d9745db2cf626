//! The server's own samples.

use super::SERVER;
use super::recorder::{Claim, Recorder};
use super::splitting::{anchor, split};
use host_kit::EverySecond;
use protocol::{InstanceId, Time};
use resources::{Folder, LastHour, Sampler};
use std::path::PathBuf;
use tokio::time::Instant;

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
    let folders = vec![Folder { name: "data".into(), path: data }];
    let mut every_second = EverySecond::new(begun, folders);
    let (mut kept, mut written) = (LastHour::default(), 0_u64);
    loop {
        let Ok(Some((tick, sample))) = every_second.next().await else {
            tracing::error!("the server's sampler panicked; the server is not sampled until it is restarted");
            return;
        };
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
