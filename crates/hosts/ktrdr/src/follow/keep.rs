//! Follows on past the deadline of a cancel.
//!
//! A host aborts a work that does not stop within the deadline of its cancel (5 s by default), and takes it for
//! cancelled once nothing holds its context any more. A stop over there takes up to 30 s. So the follower runs in a
//! task of its own that holds the context: an abort ends only the wait for it, and the attempt is over when the
//! follower says so. If the wait was aborted, `cancelled` is all that can come of it, and the follower must not let
//! go of the context before that is true: [`Outbox::hand`] tells it whether its own word still counts.

use host_kit::{Context, WorkError};
use protocol::host::ResultDoc;
use tokio::sync::oneshot;

type Outcome = Result<ResultDoc, WorkError>;

/// Where a follower hands in what became of its run.
pub(crate) struct Outbox(Option<oneshot::Sender<(Outcome, oneshot::Sender<()>)>>);

impl Outbox {
    /// Hands in an outcome; `true` when it counts. It does not when the wait was aborted, even at this moment:
    /// whoever waits answers in the same step in which it returns, and an abort can't come between.
    pub async fn hand(&mut self, outcome: Outcome) -> bool {
        let Some(outbox) = self.0.take() else { return false };
        let (taken, was_taken) = oneshot::channel();
        outbox.send((outcome, taken)).is_ok() && was_taken.await.is_ok()
    }
}

/// Runs a follower and waits for what it hands in.
pub(crate) async fn kept<F, Run>(ctx: Context, follower: F) -> Outcome
where
    F: FnOnce(Context, Outbox) -> Run,
    Run: Future<Output = ()> + Send + 'static,
{
    let (outbox, handed) = oneshot::channel();
    tokio::spawn(follower(ctx, Outbox(Some(outbox))));
    match handed.await {
        Ok((outcome, taken)) => {
            // Nothing is awaited from here on.
            let _ = taken.send(());
            outcome
        }
        Err(_) => Err(WorkError::failed(
            "The adapter broke off while it followed the run; what it followed may still be running.",
            "This is a fault of the adapter's code; its log says more. Resume finds the run again.",
        )),
    }
}
