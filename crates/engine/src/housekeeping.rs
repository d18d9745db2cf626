//! Background tasks: tick of the coordinator, and retention.

use crate::clock_jump::TrustedTime;
use crate::command::{Command, CoordinatorSender, DeletionCandidate};
use crate::error::EngineError;
use crate::store_reader::StoreReader;
use protocol::{OperationId, Time};
use std::time::Duration;
use store::{Keep, Store, StoreError};
use tokio::time::Instant;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// Interval of ticks.
const TICK_INTERVAL: Duration = Duration::from_secs(1);
/// Interval of retention.
const RETENTION_INTERVAL: Duration = Duration::from_secs(60);
/// Operations deleted at once, before a pause for the writer.
const AT_ONCE: u32 = 100;
const DELETE_PAUSE: Duration = Duration::from_millis(50);

/// Sends ticks to the coordinator.
pub(crate) async fn tick(coordinator: CoordinatorSender, stop: CancellationToken) {
    let mut every = tokio::time::interval(TICK_INTERVAL);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = every.tick() => {}
        }
        if coordinator.send(Command::Tick).await.is_err() {
            return;
        }
    }
}

/// Deletes operations that exceed retention, a few at a time, so that nothing has to wait.
pub(crate) async fn delete_expired(
    store: StoreReader,
    keep: Keep,
    coordinator: CoordinatorSender,
    stop: CancellationToken,
) {
    let mut every = tokio::time::interval(RETENTION_INTERVAL);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut trusted = TrustedTime::new(Time::now(), Instant::now());
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = every.tick() => {}
        }
        let now = trusted.tick(Time::now(), Instant::now());
        let mut last = Vec::new();
        loop {
            let candidates = match store.read(move |store| expired(store, keep, now)).await {
                Ok(candidates) => candidates,
                Err(EngineError::Closing) => return,
                Err(error) => {
                    tracing::warn!(%error, "can't look for expired operations; retrying later");
                    break;
                }
            };
            // Same operations again: not deleted yet, or retried in the meantime.
            let ids: Vec<OperationId> = candidates.iter().map(|one| one.id).collect();
            if ids.is_empty() || ids == last {
                break;
            }
            tracing::info!(count = ids.len(), "deleting expired operations");
            last = ids;
            if coordinator.send(Command::DeleteExpired { candidates }).await.is_err() {
                return;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(DELETE_PAUSE) => {}
            }
        }
    }
}

/// The next operations that exceed retention.
fn expired(store: &dyn Store, keep: Keep, now: Time) -> Result<Vec<DeletionCandidate>, StoreError> {
    let mut candidates = Vec::new();
    for ended in store.too_old(keep, now, AT_ONCE)? {
        candidates.extend(store.operation(ended.id)?.map(|stored| DeletionCandidate::from(stored.operation)));
    }
    Ok(candidates)
}
