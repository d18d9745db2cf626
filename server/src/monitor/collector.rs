//! Collector of one host: requests new samples, and has them written.

use super::is_readable;
use super::recorder::{Claim, Position, Recorder};
use super::splitting::{anchor, of_attempts, split};
use history::Anchor;
use pool::{Pool, PoolError};
use protocol::samples::HostSamples;
use protocol::{HostName, Time};
use std::time::Duration;
use tokio::time::MissedTickBehavior;

/// Interval of requests for samples.
const INTERVAL: Duration = Duration::from_secs(5);
/// Pause after a response that says that the host does not sample.
const UNSAMPLED_PAUSE: Duration = Duration::from_secs(60);
/// Largest number of samples of a request.
const MAX_SAMPLES: usize = 600;
/// Seconds that a host which takes over its machine repeats: the other one may have ended unnoticed.
const TAKEOVER_SECONDS: u64 = 60;

pub struct Collector {
    host: HostName,
    source: String,
    pool: Pool,
    recorder: Recorder,
}

/// Why nothing was collected.
enum Missed {
    /// The host does not sample.
    Unsampled,
    /// It may work the next time.
    Failed(String),
}

impl Collector {
    pub fn new(host: HostName, pool: Pool, recorder: Recorder) -> Self {
        Self { source: format!("host/{host}"), host, pool, recorder }
    }

    /// Collects for ever. After a restart of the server, it continues at the newest stored sample.
    #[expect(clippy::infinite_loop, reason = "it runs until it is dropped")]
    pub async fn run(self) {
        let mut every = tokio::time::interval(INTERVAL);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut known: Option<(Option<Anchor>, u64)> = None;
        loop {
            every.tick().await;
            let (anchor, after) = match known.take() {
                Some(position) => position,
                None => match self.recorder.position(self.source.clone()).await {
                    Ok(position) => start(position),
                    Err(error) => {
                        tracing::debug!(host = %self.host, %error, "can't continue the metrics history; retrying");
                        continue;
                    }
                },
            };
            match self.collect(anchor, after).await {
                Ok(position) => known = Some(position),
                // The position is read again, because it is unknown what was stored.
                Err(Missed::Failed(why)) => {
                    tracing::debug!(host = %self.host, why, "no samples of the host; retrying")
                }
                Err(Missed::Unsampled) => tokio::time::sleep(UNSAMPLED_PAUSE).await,
            }
        }
    }

    /// Collects all samples after a tick of the process with that anchor. Returns where to continue.
    async fn collect(
        &self,
        mut known: Option<Anchor>,
        mut after: u64,
    ) -> Result<(Option<Anchor>, u64), Missed> {
        loop {
            let path = format!("/host/v1/samples?after={after}&limit={MAX_SAMPLES}");
            let read: HostSamples = self.pool.get(&path).await.map_err(missed)?;
            if !is_readable(read.version) {
                return Err(Missed::Unsampled);
            }
            let now = Time::now().micros() as f64 / 1e6;
            let place = anchor(known.as_ref(), read.instance, now, read.now_tick);
            let another = known.as_ref().is_none_or(|known| known.instance != place.instance);
            if another && after > 0 {
                // Its ticks begin at 1 again.
                (known, after) = (Some(place), 0);
                continue;
            }
            let claim = read.machine.as_deref().map(|machine| {
                self.recorder.found_on(&self.host, machine);
                self.recorder.claim(&self.source, machine)
            });
            if claim == Some(Claim::New) && after > 0 {
                (known, after) = (Some(place), after.saturating_sub(TAKEOVER_SECONDS));
                continue;
            }
            let Some((first, last)) = read.ticks.first().copied().zip(read.ticks.last().copied()) else {
                return Ok((Some(place), after));
            };
            let machine = read.machine.map(|machine| format!("machine/{machine}"));
            let sampled = machine.as_deref().filter(|_| claim != Some(Claim::OfAnother));
            let mut batches = split(&self.source, sampled, &place, &read.ticks, read.metrics);
            batches.extend(of_attempts(&place, read.operations));
            let since = place.base.saturating_add_unsigned(first);
            let on_machine = machine.map(|machine| (self.source.clone(), machine, since));
            let stored = self.recorder.write(batches, on_machine).await;
            stored.map_err(|error| Missed::Failed(error.to_string()))?;
            (known, after) = (Some(place), last);
            if last >= read.newest_tick {
                return Ok((known, after));
            }
        }
    }
}

/// Where to continue: after the newest stored second, if the process is still the same.
fn start(position: Position) -> (Option<Anchor>, u64) {
    let Some(anchor) = position.anchor else { return (None, 0) };
    let newest = position.newest.map_or(0, |newest| newest.saturating_sub(anchor.base));
    (Some(anchor), u64::try_from(newest).unwrap_or(0))
}

fn missed(error: PoolError) -> Missed {
    match error.status() {
        Some(404) => Missed::Unsampled,
        _ => Missed::Failed(error.to_string()),
    }
}
