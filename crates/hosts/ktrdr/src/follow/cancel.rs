//! Cancel of a run.
//!
//! Two loops run in parallel. One sends the stop with backoff until the service accepts it, and again for each further
//! cancel request. The other polls the run until nothing of it is running any more; only then it is cancelled. Until
//! then the operation keeps its slot, and a condition explains the state.

use super::{End, Outcome, PollPace, Run, RunLocation};
use crate::poll::{PollResult, RecordAccuracy, RunState};
use crate::remote_service::RemoteService;
use crate::timing::seconds;
use crate::wire::CallError;
use backoff::Backoff;
use host_kit::{Context, WorkError};
use parking_lot::Mutex;
use protocol::{ConditionKind, LogLevel};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// Period after a stop in which its confirmation is polled at the fast rate.
const EAGER: Duration = Duration::from_secs(30);
/// Timeout for reading the last metrics before a stop.
const LAST_FIGURES_TIMEOUT: Duration = Duration::from_millis(250);
/// Initial pause before a rejected stop is sent again. Doubles each time.
const RESEND_PAUSE: Duration = Duration::from_secs(1);
const MAX_RESEND_PAUSE: Duration = Duration::from_secs(30);
/// Pause before an accepted stop is sent again, if the record still says that the run continues.
const RESEND_ANSWERED_PAUSE: Duration = Duration::from_secs(15);
/// Grace period for a service whose record says cancelled while the run continues.
const RECORD_GRACE: Duration = Duration::from_secs(5);

/// State of the stops, with a notification of each response.
#[derive(Default)]
struct StopState {
    sent: Mutex<Sent>,
    news: Notify,
}

#[derive(Default)]
struct Sent {
    /// Time of the last accepted stop.
    answered: Option<Instant>,
    /// Error of the last rejected stop.
    problem: Option<String>,
    /// The record already says cancelled, so another stop changes nothing.
    recorded: bool,
}

/// State of a run whose stop is not confirmed.
struct UnconfirmedStop {
    kind: ConditionKind,
    text: String,
    /// Delay until the condition is reported.
    after: Duration,
}

impl Run {
    /// Stops the run, unless the adapter is shutting down. Returns a confirmed outcome, or a failure that says that it
    /// is unknown.
    pub(super) async fn stop(mut self, place: &RunLocation) -> Outcome {
        if self.how.leaving.is_cancelled() {
            return Err(self.left(place));
        }
        self.ctx
            .message("Stop requested. Waiting for the service's status to confirm that nothing is running");
        let mut presses = self.ctx.cancels();
        presses.borrow_and_update();
        self.reporter.found(place);
        self.read_last_figures(place).await;
        let stops = Arc::new(StopState::default());
        let sender = Sender {
            remote_service: Arc::clone(&self.how.remote_service),
            ctx: self.ctx.clone(),
            id: place.id.clone(),
            stops: Arc::clone(&stops),
            backoff: Backoff::new(RESEND_PAUSE.min(seconds(self.how.timing.slowest)), MAX_RESEND_PAUSE),
        };
        let leaving = self.how.leaving.clone();
        tokio::select! {
            biased;
            outcome = self.confirm(place, &stops) => outcome,
            never = sender.send(presses) => match never {},
            () = leaving.cancelled() => Err(self.left(place)),
        }
    }

    /// Some services drop unread metrics after a stop.
    async fn read_last_figures(&mut self, place: &RunLocation) {
        if self.how.remote_service.unit() != "epochs" || !place.started {
            return;
        }
        let poll = self.how.remote_service.poll(&place.id, self.reporter.position());
        if let Ok(Ok(poll)) = tokio::time::timeout(LAST_FIGURES_TIMEOUT, poll).await {
            self.reporter.report_poll(&self.ctx, &poll);
        }
    }

    /// Polls until nothing of the run is left.
    async fn confirm(&mut self, place: &RunLocation, stops: &StopState) -> Outcome {
        let since = Instant::now();
        let confirm = seconds(self.how.timing.confirm);
        let mut pace = PollPace::new(&self.how.timing);
        let mut shown: Option<(ConditionKind, String)> = None;
        let mut logged: Option<ConditionKind> = None;
        loop {
            let polled = tokio::select! {
                biased;
                polled = self.how.remote_service.poll(&place.id, self.reporter.position()) => polled,
                // A poll from before the response can hang while a new one does not.
                () = stops.news.notified() => {
                    shown = None;
                    continue;
                }
            };
            let unconfirmed = match polled {
                Ok(poll) if poll.state.over() => return self.stopped(place, &poll).await,
                Ok(poll) => {
                    self.reporter.report_poll(&self.ctx, &poll);
                    stops.sent.lock().recorded = poll.accuracy == RecordAccuracy::RunsOn;
                    self.still_runs(place, &poll, &stops.sent.lock())
                }
                Err(error) if error.status() == Some(404) && place.started => {
                    self.ctx.log(
                        LogLevel::Warn,
                        format!(
                            "The service no longer knows run {} after the stop request: {error}",
                            place.id
                        ),
                    );
                    return Err(self.lost(place, &error));
                }
                Err(error) if !place.started => {
                    if since.elapsed() >= confirm {
                        return Err(self.never_known(place, &error));
                    }
                    let text = format!(
                        "No response to the start request for run {}, and the status check failed: {error}",
                        place.id
                    );
                    UnconfirmedStop { kind: ConditionKind::CancelUndelivered, text, after: confirm }
                }
                Err(error) => {
                    let base = self.how.remote_service.base();
                    let text = format!(
                        "The service at {base} does not report whether run {} stopped: {error}. The adapter checks \
                         again and repeats the stop request until the service responds.",
                        place.id
                    );
                    UnconfirmedStop {
                        kind: ConditionKind::CancelUndelivered,
                        text,
                        after: RECORD_GRACE.min(confirm),
                    }
                }
            };
            let now = (unconfirmed.kind, unconfirmed.text);
            if since.elapsed() >= unconfirmed.after && shown.as_ref() != Some(&now) {
                self.ctx.condition(now.0, now.1.clone());
                if logged.replace(now.0) != Some(now.0) {
                    self.ctx.log(LogLevel::Warn, format!("Not cancelled yet. {}", now.1));
                }
                shown = Some(now);
            }
            let wait = if since.elapsed() < EAGER { pace.after(true) } else { pace.slowest() };
            tokio::select! {
                // The server clears the condition on another cancel, so it is reported again.
                () = stops.news.notified() => shown = None,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// State of a run that still runs after a stop request.
    fn still_runs(&self, place: &RunLocation, poll: &PollResult, sent: &Sent) -> UnconfirmedStop {
        let (base, id) = (self.how.remote_service.base(), &place.id);
        let confirm = seconds(self.how.timing.confirm);
        if poll.accuracy == RecordAccuracy::RunsOn {
            let text = format!(
                "The service at {base} can't stop run {id}: it reports the run as cancelled, but the run continues. \
                 The operation keeps its slot until the run ends. To stop the run now, restart the service."
            );
            return UnconfirmedStop {
                kind: ConditionKind::Unstoppable,
                text,
                after: RECORD_GRACE.min(confirm),
            };
        }
        match (&sent.answered, &sent.problem) {
            (Some(_), _) => {
                let text = format!(
                    "The service at {base} accepted the stop request for run {id}, but the run is still active. The \
                     operation keeps its slot until the run ends. The adapter repeats the stop request."
                );
                UnconfirmedStop { kind: ConditionKind::Unstoppable, text, after: confirm }
            }
            (None, Some(problem)) => {
                let text = format!(
                    "The service at {base} did not accept the stop request for run {id}: {problem}. The adapter \
                     repeats the stop request, and the run continues meanwhile."
                );
                UnconfirmedStop { kind: ConditionKind::CancelUndelivered, text, after: Duration::ZERO }
            }
            (None, None) => {
                let text =
                    format!("The service at {base} has not responded to the stop request for run {id} yet.");
                UnconfirmedStop {
                    kind: ConditionKind::CancelUndelivered,
                    text,
                    after: RECORD_GRACE.min(confirm),
                }
            }
        }
    }

    /// Handles a poll that shows the run has ended.
    async fn stopped(&mut self, place: &RunLocation, poll: &PollResult) -> Outcome {
        self.reporter.report_poll(&self.ctx, poll);
        match &poll.state {
            RunState::Stopped(why) => {
                self.ctx.log(
                    LogLevel::Info,
                    format!("The service confirms that run {} is no longer running: {why}", place.id),
                );
                Err(WorkError::Cancelled)
            }
            // It ended by itself before the stop took effect.
            _ => match self.ended(place, poll).await {
                End::Known(outcome) => outcome,
                End::Stopped => Err(WorkError::Cancelled),
            },
        }
    }

    /// Failure if it can't be determined whether the run ever started.
    fn never_known(&self, place: &RunLocation, error: &CallError) -> WorkError {
        let base = self.how.remote_service.base();
        WorkError::failed(
            format!(
                "The cancel is not confirmed, and the run may still be running at {base}: no response to the start \
                 request for run {}, and the status check failed: {error}.",
                place.id
            ),
            "Check the service itself. Resume follows the run again if it exists.",
        )
    }
}

/// Sender of the stop.
struct Sender {
    remote_service: Arc<dyn RemoteService>,
    ctx: Context,
    id: String,
    stops: Arc<StopState>,
    backoff: Backoff,
}

impl Sender {
    /// Sends the stop until it is accepted, again for each cancel request, and again while an accepted one has no
    /// effect.
    async fn send(self, mut presses: watch::Receiver<u32>) -> Infallible {
        let mut backoff = self.backoff;
        let mut logged = String::new();
        loop {
            let answer = self.remote_service.stop(&self.id, "cancelled in Signalbox").await;
            let (text, level, wait) = match answer {
                Ok(()) => {
                    // This response covers cancel requests that arrived meanwhile.
                    presses.borrow_and_update();
                    *self.stops.sent.lock() = Sent { answered: Some(Instant::now()), ..Sent::default() };
                    backoff.reset();
                    let text =
                        "The service accepted the stop request. Waiting for its status to confirm the end."
                            .to_owned();
                    (text, LogLevel::Info, RESEND_ANSWERED_PAUSE)
                }
                Err(error) => {
                    let error = error.to_string();
                    let text =
                        format!("The service did not accept the stop request ({error}). Sending it again.");
                    self.stops.sent.lock().problem = Some(error);
                    (text, LogLevel::Warn, backoff.next_ceiling())
                }
            };
            if text != logged {
                self.ctx.log(level, text.clone());
                logged = text;
            }
            self.stops.news.notify_one();
            loop {
                tokio::select! {
                    biased;
                    pressed = presses.changed() => match pressed {
                        Ok(()) => break,
                        Err(_) => std::future::pending().await,
                    },
                    () = tokio::time::sleep(wait) => if !self.stops.sent.lock().recorded { break },
                }
            }
        }
    }
}
