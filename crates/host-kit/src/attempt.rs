//! One attempt on this host: where it stands, how it is asked to stop, and its way from the first line of its
//! work to the moment at which all that it held is free again.
//!
//! A lock of an attempt is taken after the registry's and before its report's, never the other way round.

use crate::Context;
use crate::feed::Feed;
use crate::report::Report;
use crate::shelf::Shelf;
use crate::work::{Prepared, WorkError};
use bytes::Bytes;
use parking_lot::Mutex;
use protocol::host::{HostEventBody, HostOperation, HostState, Outcome, ResultDoc};
use protocol::{Checkpoint, Failure, FailureReason, KindName, LogLevel, OperationId};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The most bytes of JSON that a result may have.
const RESULT_BYTES: usize = 256 * 1024;
/// After the work returned, parts of it may live for so long before its log says that they do.
const STRAGGLE: Duration = Duration::from_secs(5);
/// An older attempt that has to make way is asked for so long before it is aborted.
pub(crate) const FENCE_DEADLINE: Duration = Duration::from_secs(10);
/// Deadlines beyond this are drawn to it.
const LONGEST_DEADLINE: Duration = Duration::from_secs(366 * 24 * 3600);

/// One try at an operation, from its acceptance on.
pub(crate) struct Attempt {
    pub id: OperationId,
    pub number: u32,
    pub kind: KindName,
    /// Fires when the work is to stop.
    pub token: CancellationToken,
    pub report: Report,
    stand: Mutex<Stand>,
    /// When asking ends and the work is aborted.
    deadline: watch::Sender<Option<Instant>>,
    /// Whether the deadline of a cancel aborts the work.
    abortable: bool,
    /// How many cancels were asked for.
    cancels: watch::Sender<u32>,
}

/// Where an attempt stands.
struct Stand {
    state: HostState,
    outcome: Option<Outcome>,
    /// The result document, as JSON.
    result: Option<Bytes>,
    /// The server asked for the stop: that makes it a cancel.
    asked: bool,
    /// The host shuts down.
    host_stops: bool,
}

/// Who wants an attempt to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The server, by a cancel.
    Cancel,
    /// The server, by the start of a newer attempt.
    Fence,
    /// The server, which no longer waits for its end.
    Abandon,
    /// The host, which shuts down.
    Host,
}

/// How an attempt ends.
enum Ending {
    Succeeded { result: ResultDoc, json: Bytes },
    Failed(Failure),
    Cancelled,
    NotStarted(String),
}

impl Attempt {
    pub fn new(
        feed: Arc<Feed>,
        id: OperationId,
        number: u32,
        kind: KindName,
        phases: u32,
        abortable: bool,
    ) -> Self {
        Self {
            id,
            number,
            kind,
            token: CancellationToken::new(),
            report: Report::new(feed, id, number, phases, Instant::now()),
            stand: Mutex::new(Stand {
                state: HostState::Accepted,
                outcome: None,
                result: None,
                asked: false,
                host_stops: false,
            }),
            deadline: watch::channel(None).0,
            abortable,
            cancels: watch::channel(0).0,
        }
    }

    /// How many cancels were asked for, as it rises.
    pub fn cancels(&self) -> watch::Receiver<u32> {
        self.cancels.subscribe()
    }

    /// As the host contract shows it.
    pub fn view(&self) -> HostOperation {
        let stand = self.stand.lock();
        HostOperation {
            id: self.id,
            attempt: self.number,
            kind: self.kind.clone(),
            state: stand.state,
            outcome: stand.outcome,
            progress: self.report.told(),
        }
    }

    pub fn ended(&self) -> bool {
        self.stand.lock().state == HostState::Ended
    }

    /// It ended before anything of it was begun: it may be started once more under its number.
    pub fn not_started(&self) -> bool {
        self.stand.lock().outcome == Some(Outcome::NotStarted)
    }

    /// The outcome and the result document as JSON; `None` while it has not ended.
    pub fn result(&self) -> Option<(Outcome, Option<Bytes>)> {
        let stand = self.stand.lock();
        stand.outcome.map(|outcome| (outcome, stand.result.clone()))
    }

    /// What its result costs in memory.
    pub fn result_bytes(&self) -> usize {
        self.stand.lock().result.as_ref().map_or(0, Bytes::len)
    }

    /// Asks the work to stop, and aborts it after `within` where an abort ends it, or where nobody waits for its end.
    /// Asked again it is the same stop, and the earlier deadline counts. Says where the attempt then stands.
    pub fn stop(&self, why: Stop, within: Duration) -> HostState {
        let deadline = Instant::now() + within.min(LONGEST_DEADLINE);
        let state = {
            let mut stand = self.stand.lock();
            if stand.state == HostState::Ended {
                return HostState::Ended;
            }
            stand.state = HostState::Stopping;
            match why {
                Stop::Host => stand.host_stops = true,
                Stop::Cancel | Stop::Fence | Stop::Abandon if stand.asked => {}
                Stop::Cancel | Stop::Fence | Stop::Abandon => {
                    stand.asked = true;
                    self.report.say(HostEventBody::Acknowledged);
                }
            }
            stand.state
        };
        if self.abortable || why != Stop::Cancel {
            self.deadline.send_modify(|at| *at = Some(at.map_or(deadline, |at| at.min(deadline))));
        }
        self.cancels.send_modify(|asked| *asked += 1);
        self.token.cancel();
        state
    }

    /// From accepted to running, unless it is already to stop.
    fn begin(&self) -> bool {
        let mut stand = self.stand.lock();
        if stand.state != HostState::Accepted {
            return false;
        }
        stand.state = HostState::Running;
        self.report.say(HostEventBody::Running);
        true
    }

    fn end(&self, ending: Ending) -> Outcome {
        let mut stand = self.stand.lock();
        let (outcome, failure, result) = match ending {
            Ending::Succeeded { result, json } => {
                stand.result = Some(json);
                (Outcome::Succeeded, None, Some(result))
            }
            Ending::Failed(failure) => (Outcome::Failed, Some(failure), None),
            Ending::Cancelled => (Outcome::Cancelled, None, None),
            Ending::NotStarted(message) => {
                let failure = Failure { reason: FailureReason::Refused, message, hint: String::new() };
                (Outcome::NotStarted, Some(failure), None)
            }
        };
        stand.state = HostState::Ended;
        stand.outcome = Some(outcome);
        self.report.say(HostEventBody::Ended { outcome, failure, result });
        outcome
    }

    /// The ending of a work that stopped without a result, by who asked for that.
    fn stopped(&self) -> Ending {
        let stand = self.stand.lock();
        if stand.asked {
            Ending::Cancelled
        } else if stand.host_stops {
            Ending::Failed(Failure {
                reason: FailureReason::HostStopped,
                message: "The host shut down during the run, and stopped the work.".into(),
                hint: "Start the host again, then retry the operation, or resume it if it has a checkpoint."
                    .into(),
            })
        } else {
            Ending::Failed(Failure {
                reason: FailureReason::Work,
                message: "The work reported that it was cancelled, but no cancel was requested.".into(),
                hint: "This is a bug in the host. Please report it to its author.".into(),
            })
        }
    }

    fn ending(&self, joined: Result<Result<ResultDoc, WorkError>, JoinError>) -> Ending {
        match joined {
            Ok(Ok(result)) => {
                let json = match serde_json::to_vec(&result) {
                    Ok(json) if json.len() <= RESULT_BYTES => json,
                    Ok(json) => {
                        return unusable_result(format!(
                            "has {} bytes of JSON, over the limit of {RESULT_BYTES}",
                            json.len()
                        ));
                    }
                    Err(e) => return unusable_result(format!("can't be serialized as JSON: {e}")),
                };
                Ending::Succeeded { result, json: Bytes::from(json) }
            }
            Ok(Err(WorkError::Cancelled)) => self.stopped(),
            Ok(Err(WorkError::Failed(failure))) => Ending::Failed(failure),
            // Then it stays away.
            Ok(Err(WorkError::NotStarted(_))) if self.stand.lock().asked => Ending::Cancelled,
            Ok(Err(WorkError::NotStarted(why))) => Ending::NotStarted(why),
            Err(gone) if gone.is_cancelled() => self.stopped(),
            Err(panic) => Ending::Failed(Failure {
                reason: FailureReason::Panic,
                message: format!("The work panicked: {}", panic_message(panic)),
                hint:
                    "This is a bug in the host. Please report it to its author. A retry may fail in the same \
                       way."
                        .into(),
            }),
        }
    }
}

/// Takes an attempt from its acceptance to its end. `release` gives its place on the host back.
pub(crate) async fn live(
    attempt: &Arc<Attempt>,
    work: Prepared,
    resume_from: Option<Checkpoint>,
    shelf: Option<Arc<Shelf>>,
    release: impl FnOnce(),
) {
    let ending = if attempt.begin() {
        tokio::select! {
            joined = work_and_leave(attempt, work, resume_from, shelf.clone()) => attempt.ending(joined),
            never = attempt.report.trail() => match never {},
        }
    } else {
        drop(work);
        attempt.stopped()
    };
    if matches!(ending, Ending::Cancelled) {
        attempt.report.say(HostEventBody::Stopped);
    }
    if let (Ending::Succeeded { .. }, Some(shelf)) = (&ending, shelf) {
        // What is done needs no place to go on from.
        let id = attempt.id;
        if tokio::task::spawn_blocking(move || shelf.forget(id)).await.is_err() {
            tracing::error!(operation = %id, "can't remove checkpoint files");
        }
    }
    // Before the end is told: who hears of it may count on the place at once.
    release();
    let outcome = attempt.end(ending);
    tracing::info!(operation = %attempt.id, attempt = attempt.number, kind = %attempt.kind, ?outcome, "attempt ended");
}

/// Runs the work until its task is gone and nothing holds its context any more.
async fn work_and_leave(
    attempt: &Arc<Attempt>,
    work: Prepared,
    resume_from: Option<Checkpoint>,
    shelf: Option<Arc<Shelf>>,
) -> Result<Result<ResultDoc, WorkError>, JoinError> {
    let gone = CancellationToken::new();
    let context = Context::new(Arc::clone(attempt), resume_from, shelf, gone.clone().drop_guard());
    let mut task = tokio::spawn(async move { work(context).await });
    let joined = join(attempt, &mut task).await;
    // Threads that the work left behind hear that it is over.
    attempt.token.cancel();
    if tokio::time::timeout(STRAGGLE, gone.cancelled()).await.is_err() {
        attempt.report.log(
            LogLevel::Warn,
            "The work returned, but a thread that it started is still running and can't be stopped. The operation \
             ends, and frees its slot on the host, when that thread ends.",
        );
        tracing::warn!(operation = %attempt.id, attempt = attempt.number, kind = %attempt.kind, "waiting for threads of the work");
        gone.cancelled().await;
    }
    joined
}

/// Waits for the work, and aborts it when the deadline of a stop has passed.
async fn join(
    attempt: &Attempt,
    task: &mut JoinHandle<Result<ResultDoc, WorkError>>,
) -> Result<Result<ResultDoc, WorkError>, JoinError> {
    let mut deadline = attempt.deadline.subscribe();
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
                tracing::warn!(operation = %attempt.id, attempt = attempt.number, kind = %attempt.kind, "the work did not stop in time; aborting it");
                task.abort();
                // It is gone only now: an abort takes effect at the work's next await.
                return task.await;
            }
            _ = deadline.changed() => {}
        }
    }
}

fn unusable_result(what: String) -> Ending {
    Ending::Failed(Failure {
        reason: FailureReason::Work,
        message: format!("The work succeeded, but its result {what}."),
        hint: "This is a bug in the host: large data belongs in an artifact.".into(),
    })
}

fn panic_message(panic: JoinError) -> String {
    let payload = panic.into_panic();
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::Bounds;
    use protocol::InstanceId;
    use tokio::sync::oneshot;

    /// An attempt of a work that runs on another service and succeeds when it is let, and its outcome when it ends.
    fn elsewhere() -> (Arc<Attempt>, oneshot::Sender<()>, JoinHandle<Option<Outcome>>) {
        let feed = Arc::new(Feed::new(InstanceId::new(), Bounds { events: 1_000, bytes: 1 << 20 }));
        let kind = KindName::new("test.elsewhere").unwrap();
        let attempt = Arc::new(Attempt::new(feed, OperationId::new(), 1, kind, 0, false));
        let (open, gate) = oneshot::channel();
        let work: Prepared = Box::new(move |ctx| {
            Box::pin(async move {
                let _held = ctx;
                let _ = gate.await;
                Ok(ResultDoc { document: serde_json::json!({}), artifacts: vec![], tags: vec![] })
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
    async fn a_work_that_runs_elsewhere_ends_as_it_says_and_not_by_the_deadline_of_a_cancel() {
        let (attempt, open, living) = elsewhere();
        tokio::task::yield_now().await;
        assert_eq!(attempt.stop(Stop::Cancel, Duration::ZERO), HostState::Stopping);
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!(attempt.view().state, HostState::Stopping);
        open.send(()).unwrap();
        assert_eq!(living.await.unwrap(), Some(Outcome::Succeeded));
    }

    #[tokio::test(start_paused = true)]
    async fn a_work_that_runs_elsewhere_is_aborted_when_nobody_waits_for_it() {
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
