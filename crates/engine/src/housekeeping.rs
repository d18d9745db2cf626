//! Background tasks: tick of the desk, and retention.

use crate::desk::{Command, DeskSender};
use crate::jumps::Belief;
use protocol::Time;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{Keep, Store};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// Interval of ticks.
const TICK: Duration = Duration::from_secs(1);
/// Interval of retention.
const FORGET_EVERY: Duration = Duration::from_secs(60);
/// Operations deleted at once, before a pause for the writer.
const AT_ONCE: u32 = 100;
const BREATH: Duration = Duration::from_millis(50);

/// Sends ticks to the desk.
pub(crate) async fn tick(desk: DeskSender, stop: CancellationToken) {
    let mut every = tokio::time::interval(TICK);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = every.tick() => {}
        }
        if desk.send(Command::Tick).await.is_err() {
            return;
        }
    }
}

/// Deletes operations that exceed retention, a few at a time, so that nothing has to wait.
pub(crate) async fn forget(store: Arc<dyn Store>, keep: Keep, desk: DeskSender, stop: CancellationToken) {
    let mut every = tokio::time::interval(FORGET_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut belief = Belief::new(Time::now(), Instant::now());
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = every.tick() => {}
        }
        let now = belief.look(Time::now(), Instant::now());
        let mut last = Vec::new();
        loop {
            let reader = store.clone();
            let found = tokio::task::spawn_blocking(move || reader.too_old(keep, now, AT_ONCE)).await;
            let ended = match found {
                Ok(Ok(ended)) => ended,
                Ok(Err(error)) => {
                    tracing::warn!(%error, "can't look for expired operations");
                    break;
                }
                Err(_) => return,
            };
            // Same operations again: not deleted yet, or retried in the meantime.
            if ended.is_empty() || ended == last {
                break;
            }
            tracing::info!(count = ended.len(), "deleting expired operations");
            last.clone_from(&ended);
            if desk.send(Command::Forget { ended }).await.is_err() {
                return;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(BREATH) => {}
            }
        }
    }
}
