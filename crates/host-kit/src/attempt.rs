//! Attempt on this host: its state, its stop and its end.
//!
//! Lock order: registry, attempt, report.

use crate::feed::Feed;
use crate::report::Report;
use crate::usage::UsageMeter;
use crate::work_error::WorkError;
use bytes::Bytes;
use parking_lot::Mutex;
use protocol::host::{HostEventBody, HostOperation, HostState, Outcome, ResultDoc};
use protocol::{Failure, FailureReason, KindName, OperationId};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Largest size of a result in bytes of JSON.
const RESULT_BYTES: usize = 256 * 1024;
/// Time that an older attempt, which must make way, has to stop before it is aborted.
pub(crate) const FENCE_DEADLINE: Duration = Duration::from_secs(10);
/// Longest deadline; longer ones are shortened to it.
const MAX_CANCEL_DEADLINE: Duration = Duration::from_secs(366 * 24 * 3600);

/// Attempt of an operation, from its acceptance on.
pub(crate) struct Attempt {
    pub id: OperationId,
    pub number: u32,
    pub kind: KindName,
    /// Cancelled when the work is to stop.
    pub token: CancellationToken,
    pub report: Report,
    /// Resources that it uses.
    pub usage: UsageMeter,
    status: Mutex<AttemptStatus>,
    /// Time at which the work is aborted.
    deadline: watch::Sender<Option<Instant>>,
    /// Whether the deadline of a cancel aborts the work.
    abortable: bool,
    /// Number of cancels requested.
    cancels: watch::Sender<u32>,
}

/// State of an attempt.
struct AttemptStatus {
    state: HostState,
    outcome: Option<Outcome>,
    /// Result document as JSON.
    result: Option<Bytes>,
    /// The server requested the stop, which makes it a cancel.
    requested: bool,
    /// The host is shutting down.
    host_stops: bool,
}

/// Reason for stopping an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Cancel by the server.
    Cancel,
    /// Start of a newer attempt by the server.
    Fence,
    /// The server has abandoned the attempt.
    Abandon,
    /// Shutdown of the host.
    Host,
}

/// End of an attempt.
pub(crate) enum Ending {
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
            usage: UsageMeter::default(),
            status: Mutex::new(AttemptStatus {
                state: HostState::Accepted,
                outcome: None,
                result: None,
                requested: false,
                host_stops: false,
            }),
            deadline: watch::channel(None).0,
            abortable,
            cancels: watch::channel(0).0,
        }
    }

    /// Number of cancels requested, as it increases.
    pub fn cancels(&self) -> watch::Receiver<u32> {
        self.cancels.subscribe()
    }

    /// View for the host contract.
    pub fn view(&self) -> HostOperation {
        let status = self.status.lock();
        HostOperation {
            id: self.id,
            attempt: self.number,
            kind: self.kind.clone(),
            state: status.state,
            outcome: status.outcome,
            progress: self.report.last_progress(),
        }
    }

    pub fn ended(&self) -> bool {
        self.status.lock().state == HostState::Ended
    }

    /// Whether it ended before anything of it was begun, so that it may be started again with the same number.
    pub fn not_started(&self) -> bool {
        self.status.lock().outcome == Some(Outcome::NotStarted)
    }

    /// Outcome, and result document as JSON; `None` while it has not ended.
    pub fn result(&self) -> Option<(Outcome, Option<Bytes>)> {
        let status = self.status.lock();
        status.outcome.map(|outcome| (outcome, status.result.clone()))
    }

    /// Size of its result in memory.
    pub fn result_bytes(&self) -> usize {
        self.status.lock().result.as_ref().map_or(0, Bytes::len)
    }

    /// Asks the work to stop, and aborts it after `within` if an abort ends it or nobody waits for its end. If asked
    /// again, it is the same stop, and the earlier deadline counts. Returns the new state.
    pub fn stop(&self, why: Stop, within: Duration) -> HostState {
        let deadline = Instant::now() + within.min(MAX_CANCEL_DEADLINE);
        let state = {
            let mut status = self.status.lock();
            if status.state == HostState::Ended {
                return HostState::Ended;
            }
            status.state = HostState::Stopping;
            match why {
                Stop::Host => status.host_stops = true,
                Stop::Cancel | Stop::Fence | Stop::Abandon if status.requested => {}
                Stop::Cancel | Stop::Fence | Stop::Abandon => {
                    status.requested = true;
                    self.report.record(HostEventBody::Acknowledged);
                }
            }
            status.state
        };
        if self.abortable || why != Stop::Cancel {
            self.deadline.send_modify(|at| *at = Some(at.map_or(deadline, |at| at.min(deadline))));
        }
        self.cancels.send_modify(|requested| *requested += 1);
        self.token.cancel();
        state
    }

    /// Time at which the work is aborted, as it changes; `None` while it is not to stop, or not abortable.
    pub fn deadline(&self) -> watch::Receiver<Option<Instant>> {
        self.deadline.subscribe()
    }

    /// Goes from accepted to running, unless it is to stop.
    pub fn begin(&self) -> bool {
        let mut status = self.status.lock();
        if status.state != HostState::Accepted {
            return false;
        }
        status.state = HostState::Running;
        self.report.record(HostEventBody::Running);
        true
    }

    /// Reports the end.
    pub fn end(&self, ending: Ending) -> Outcome {
        let mut status = self.status.lock();
        let (outcome, failure, result) = match ending {
            Ending::Succeeded { result, json } => {
                status.result = Some(json);
                (Outcome::Succeeded, None, Some(result))
            }
            Ending::Failed(failure) => (Outcome::Failed, Some(failure), None),
            Ending::Cancelled => (Outcome::Cancelled, None, None),
            Ending::NotStarted(message) => {
                let failure = Failure { reason: FailureReason::Refused, message, hint: String::new() };
                (Outcome::NotStarted, Some(failure), None)
            }
        };
        status.state = HostState::Ended;
        status.outcome = Some(outcome);
        let usage = self.usage.total(Instant::now()).map(Box::new);
        self.report.record(HostEventBody::Ended { outcome, failure, result, usage });
        outcome
    }

    /// Ending of a work that stopped without a result, by the reason for the stop.
    pub fn stopped(&self) -> Ending {
        let status = self.status.lock();
        if status.requested {
            Ending::Cancelled
        } else if status.host_stops {
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

    /// Ending of a work by what its task returned.
    pub fn ending(&self, joined: Result<Result<ResultDoc, WorkError>, JoinError>) -> Ending {
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
            // A cancelled attempt that was not started counts as cancelled.
            Ok(Err(WorkError::NotStarted(_))) if self.status.lock().requested => Ending::Cancelled,
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
