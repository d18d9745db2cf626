//! Cancel of a run.
//!
//! Two loops run in parallel. One sends the stop with backoff until the service accepts it, and again for each further
//! cancel request. The other polls the run until nothing of it is running any more; only then it is cancelled. Until
//! then the operation keeps its slot, and a condition explains the state.

use super::{End, Outcome, Pace, Place, Run};
use crate::foreign::Foreign;
use crate::look::{Look, Pulse, Stand};
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
struct Stops {
    sent: Mutex<Sent>,
    news: Notify,
}

#[derive(Default)]
struct Sent {
    /// Time of the last accepted stop.
    answered: Option<Instant>,
    /// Error of the last rejected stop.
    trouble: Option<String>,
    /// The record already says cancelled, so another stop changes nothing.
    recorded: bool,
}

/// State of a run whose stop is not confirmed.
struct Unconfirmed {
    kind: ConditionKind,
    text: String,
    /// Delay until the condition is reported.
    after: Duration,
}

impl Run {
    /// Stops the run, unless the adapter is shutting down. Returns a confirmed outcome, or a failure that says that it
    /// is unknown.
    pub(super) async fn stop(mut self, place: &Place) -> Outcome {
        if self.how.leaving.is_cancelled() {
            return Err(self.left(place));
        }
        self.ctx
            .message("Stop requested. Waiting for the service's status to confirm that nothing is running");
        let mut presses = self.ctx.cancels();
        presses.borrow_and_update();
        self.reporter.found(place);
        self.read_last_figures(place).await;
        let stops = Arc::new(Stops::default());
        let sender = Sender {
            foreign: Arc::clone(&self.how.foreign),
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
    async fn read_last_figures(&mut self, place: &Place) {
        if self.how.foreign.unit() != "epochs" || !place.started {
            return;
        }
        let look = self.how.foreign.look(&place.id, self.reporter.position());
        if let Ok(Ok(look)) = tokio::time::timeout(LAST_FIGURES_TIMEOUT, look).await {
            self.reporter.tell(&self.ctx, &look);
        }
    }

    /// Polls until nothing of the run is left.
    async fn confirm(&mut self, place: &Place, stops: &Stops) -> Outcome {
        let since = Instant::now();
        let confirm = seconds(self.how.timing.confirm);
        let mut pace = Pace::new(&self.how.timing);
        let mut shown: Option<(ConditionKind, String)> = None;
        let mut logged: Option<ConditionKind> = None;
        loop {
            let looked = tokio::select! {
                biased;
                looked = self.how.foreign.look(&place.id, self.reporter.position()) => looked,
                // A poll from before the response can hang while a new one does not.
                () = stops.news.notified() => {
                    shown = None;
                    continue;
                }
            };
            let unconfirmed = match looked {
                Ok(look) if look.stand.over() => return self.stopped(place, &look).await,
                Ok(look) => {
                    self.reporter.tell(&self.ctx, &look);
                    stops.sent.lock().recorded = look.pulse == Pulse::RunsOn;
                    self.still_runs(place, &look, &stops.sent.lock())
                }
                Err(error) if error.status() == Some(404) && place.started => {
                    self.ctx.log(
                        LogLevel::Warn,
                        format!("The service no longer knows {} after the stop request: {error}", place.id),
                    );
                    return Err(self.lost(place, &error));
                }
                Err(error) if !place.started => {
                    if since.elapsed() >= confirm {
                        return Err(self.never_known(place, &error));
                    }
                    let text = format!("No response to the start of {}: {error}", place.id);
                    Unconfirmed { kind: ConditionKind::CancelUndelivered, text, after: confirm }
                }
                Err(error) => {
                    let base = self.how.foreign.base();
                    let text = format!(
                        "The service at {base} does not report whether {} stopped: {error}. Checking and sending the \
                         stop again until it responds.",
                        place.id
                    );
                    Unconfirmed {
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
    fn still_runs(&self, place: &Place, look: &Look, sent: &Sent) -> Unconfirmed {
        let (base, id) = (self.how.foreign.base(), &place.id);
        let confirm = seconds(self.how.timing.confirm);
        if look.pulse == Pulse::RunsOn {
            let text = format!(
                "The service at {base} can't stop it: its record of {id} says cancelled, but the training continues. \
                 It keeps its slot until the training ends. To stop it now, restart the service."
            );
            return Unconfirmed { kind: ConditionKind::Unstoppable, text, after: RECORD_GRACE.min(confirm) };
        }
        match (&sent.answered, &sent.trouble) {
            (Some(_), _) => {
                let text = format!(
                    "The service at {base} accepted the stop of {id}, but it is still running. It keeps its slot until \
                     the run ends. Sending the stop again meanwhile."
                );
                Unconfirmed { kind: ConditionKind::Unstoppable, text, after: confirm }
            }
            (None, Some(trouble)) => {
                let text = format!(
                    "The service at {base} did not accept the stop of {id}: {trouble}. Sending it again until it does. \
                     The run continues meanwhile."
                );
                Unconfirmed { kind: ConditionKind::CancelUndelivered, text, after: Duration::ZERO }
            }
            (None, None) => {
                let text = format!("The service at {base} has not responded to the stop of {id} yet.");
                Unconfirmed { kind: ConditionKind::CancelUndelivered, text, after: RECORD_GRACE.min(confirm) }
            }
        }
    }

    /// Handles a poll that shows the run has ended.
    async fn stopped(&mut self, place: &Place, look: &Look) -> Outcome {
        self.reporter.tell(&self.ctx, look);
        match &look.stand {
            Stand::Stopped(why) => {
                self.ctx.log(
                    LogLevel::Info,
                    format!("The service confirms that {} is no longer running: {why}", place.id),
                );
                Err(WorkError::Cancelled)
            }
            // It ended by itself before the stop took effect.
            _ => match self.ended(place, look).await {
                End::Known(outcome) => outcome,
                End::Stopped => Err(WorkError::Cancelled),
            },
        }
    }

    /// Failure if it can't be determined whether the run ever started.
    fn never_known(&self, place: &Place, error: &CallError) -> WorkError {
        let base = self.how.foreign.base();
        WorkError::failed(
            format!(
                "The cancel is not confirmed, and the run may still be running at {base}: no response to the start of \
                 {}, and the status check failed: {error}.",
                place.id
            ),
            "Check the service itself. Resume follows the run again if it exists.",
        )
    }
}

/// Sender of the stop.
struct Sender {
    foreign: Arc<dyn Foreign>,
    ctx: Context,
    id: String,
    stops: Arc<Stops>,
    backoff: Backoff,
}

impl Sender {
    /// Sends the stop until it is accepted, again for each cancel request, and again while an accepted one has no
    /// effect.
    async fn send(self, mut presses: watch::Receiver<u32>) -> Infallible {
        let mut backoff = self.backoff;
        let mut logged = String::new();
        loop {
            let answer = self.foreign.stop(&self.id, "cancelled in Signalbox").await;
            let (text, level, wait) = match answer {
                Ok(()) => {
                    // This response covers cancel requests that arrived meanwhile.
                    presses.borrow_and_update();
                    *self.stops.sent.lock() = Sent { answered: Some(Instant::now()), ..Sent::default() };
                    backoff.reset();
                    let text =
                        "The service accepted the stop. Waiting for its status to confirm it.".to_owned();
                    (text, LogLevel::Info, RESEND_ANSWERED_PAUSE)
                }
                Err(error) => {
                    let error = error.to_string();
                    let text = format!("The stop was not accepted ({error}). Sending it again.");
                    self.stops.sent.lock().trouble = Some(error);
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
