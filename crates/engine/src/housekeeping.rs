//! Tasks that run as long as the engine does: the desk's second hand, and the forgetting of what is too old.

use crate::desk::{Command, DeskSender};
use crate::jumps::Belief;
use protocol::Time;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::{Keep, Store};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How often the desk looks at what time has done.
const TICK: Duration = Duration::from_secs(1);
/// How often it is looked for what is too old.
const FORGET_EVERY: Duration = Duration::from_secs(60);
/// So many operations are forgotten at once, and then the writer is left alone for a moment.
const AT_ONCE: u32 = 100;
const BREATH: Duration = Duration::from_millis(50);

/// Tells the desk that time goes by.
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

/// Forgets operations that are not to be kept, a few at a time, so that nobody waits for it.
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
            // The same ones again: they were not forgotten yet, or have another attempt by now.
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
