//! Life of an attempt, from its acceptance until everything that it held is released.

use crate::Context;
use crate::attempt::{Attempt, Ending};
use crate::checkpoint_store::CheckpointStore;
use crate::work::Prepared;
use crate::work_error::WorkError;
use protocol::host::{HostEventBody, ResultDoc};
use protocol::{Checkpoint, LogLevel};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// Time after the work has returned from which its log says that parts of it are still running.
const STRAGGLE: Duration = Duration::from_secs(5);

/// Runs an attempt from its acceptance to its end. `release` frees its slot.
pub(crate) async fn live(
    attempt: &Arc<Attempt>,
    work: Prepared,
    resume_from: Option<Checkpoint>,
    checkpoint_store: Option<Arc<CheckpointStore>>,
    release: impl FnOnce(),
) {
    let ending = if attempt.begin() {
        tokio::select! {
            joined = work_and_leave(attempt, work, resume_from, checkpoint_store.clone()) => attempt.ending(joined),
            never = attempt.report.flush_loop() => match never {},
        }
    } else {
        drop(work);
        attempt.stopped()
    };
    if matches!(ending, Ending::Cancelled) {
        attempt.report.record(HostEventBody::Stopped);
    }
    if let (Ending::Succeeded { .. }, Some(checkpoint_store)) = (&ending, checkpoint_store) {
        // A succeeded operation needs no checkpoint files.
        let id = attempt.id;
        if tokio::task::spawn_blocking(move || checkpoint_store.forget(id)).await.is_err() {
            tracing::error!(
                "can't remove the checkpoint files of a succeeded operation; they stay on this host"
            );
        }
    }
    // Before the end is reported, because a client may rely on the free slot at once.
    release();
    let outcome = attempt.end(ending);
    tracing::info!(?outcome, "attempt ended");
}

/// Runs the work until its task has ended and nothing holds its context any more.
async fn work_and_leave(
    attempt: &Arc<Attempt>,
    work: Prepared,
    resume_from: Option<Checkpoint>,
    checkpoint_store: Option<Arc<CheckpointStore>>,
) -> Result<Result<ResultDoc, WorkError>, JoinError> {
    let gone = CancellationToken::new();
    let context = Context::new(Arc::clone(attempt), resume_from, checkpoint_store, gone.clone().drop_guard());
    let mut task = tokio::spawn(async move { work(context).await }.in_current_span());
    let joined = join(attempt, &mut task).await;
    // Tells remaining threads of the work to stop.
    attempt.token.cancel();
    if tokio::time::timeout(STRAGGLE, gone.cancelled()).await.is_err() {
        attempt.report.log(
            LogLevel::Warn,
            "The work returned, but a thread that it started is still running and can't be stopped. The operation \
             ends, and frees its slot on the host, when that thread ends.",
        );
        tracing::warn!("waiting for threads of the work");
        gone.cancelled().await;
    }
    joined
}

/// Waits for the work, and aborts it at the deadline of a stop.
async fn join(
    attempt: &Attempt,
    task: &mut JoinHandle<Result<ResultDoc, WorkError>>,
) -> Result<Result<ResultDoc, WorkError>, JoinError> {
    let mut deadline = attempt.deadline();
    loop {
        let at = *deadline.borrow_and_update();
        let past = async {
            match at {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            joined = &mut *task => return joined,
            () = past => {
                tracing::warn!("the work did not stop in time; aborting it");
                task.abort();
                // An abort takes effect at the work's next await, so its end must be awaited, too.
                return task.await;
            }
            _ = deadline.changed() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::Stop;
    use crate::feed::Feed;
    use event_log::RingLimits;
    use protocol::host::{HostState, Outcome};
    use protocol::{InstanceId, KindName, OperationId};
    use tokio::sync::oneshot;

    /// Attempt of a work that runs on another service and succeeds when told, and its outcome when it ends.
    fn elsewhere() -> (Arc<Attempt>, oneshot::Sender<()>, JoinHandle<Option<Outcome>>) {
        let feed = Arc::new(Feed::new(InstanceId::new(), RingLimits { events: 1_000, bytes: 1 << 20 }));
        let kind = KindName::new("test.elsewhere").unwrap();
        let attempt = Arc::new(Attempt::new(feed, OperationId::new(), 1, kind, 0, false));
        let (open, gate) = oneshot::channel();
        let work: Prepared = Box::new(move |ctx| {
            Box::pin(async move {
                let _held = ctx;
                let _ = gate.await;
                Ok(ResultDoc { document: serde_json::json!({}), ..ResultDoc::default() })
            })
        });
        let ours = Arc::clone(&attempt);
        let living = tokio::spawn(async move {
            live(&ours, work, None, None, || {}).await;
            ours.result().map(|(outcome, _)| outcome)
        });
        (attempt, open, living)
    }

    #[tokio::test(start_paused = true)]
    async fn remote_work_ends_with_its_own_result_and_not_at_the_cancel_deadline() {
        let (attempt, open, living) = elsewhere();
        tokio::task::yield_now().await;
        assert_eq!(attempt.stop(Stop::Cancel, Duration::ZERO), HostState::Stopping);
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!(attempt.view().state, HostState::Stopping);
        open.send(()).unwrap();
        assert_eq!(living.await.unwrap(), Some(Outcome::Succeeded));
    }

    #[tokio::test(start_paused = true)]
    async fn remote_work_is_aborted_when_it_is_abandoned() {
        for why in [Stop::Abandon, Stop::Fence, Stop::Host] {
            let (attempt, _open, living) = elsewhere();
            tokio::task::yield_now().await;
            attempt.stop(Stop::Cancel, Duration::ZERO);
            let presses = attempt.cancels();
            assert_eq!(*presses.borrow(), 1);
            attempt.stop(why, Duration::from_secs(5));
            assert_eq!(*presses.borrow(), 2);
            assert_eq!(living.await.unwrap(), Some(Outcome::Cancelled), "{why:?}");
        }
    }
}
