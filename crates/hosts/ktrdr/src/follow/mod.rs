//! Follows a run on an external service from its start, or from a resume, to its end.

mod begin;
mod cancel;
mod pace;
mod place;
mod report;
mod run_monitor;

pub(crate) use place::RunLocation;

use crate::outcome;
use crate::poll::{PollResult, RunState};
use crate::remote_service::RemoteService;
use crate::timing::{Timing, seconds};
use crate::wire::CallError;
use begin::StartOutcome;
use host_kit::{CancellationToken, Context, WorkError};
use pace::PollPace;
use protocol::host::ResultDoc;
use protocol::{Failure, FailureReason, LogLevel};
use report::Reporter;
use run_monitor::{RunMonitor, Verdict};
use serde_json::Value;
use std::sync::Arc;
use tokio::time::Instant;

type Outcome = Result<ResultDoc, WorkError>;

/// Shared settings of all runs of a work.
#[derive(Clone)]
pub(crate) struct Follow {
    pub remote_service: Arc<dyn RemoteService>,
    pub timing: Timing,
    /// Fires before the context's token when the adapter shuts down.
    pub leaving: CancellationToken,
    /// Limitations of the service, for the log.
    pub limits: &'static str,
    /// `training` or `backtest`, for the result.
    pub what: &'static str,
}

/// How following a run ended.
enum End {
    /// The run ended, or following it failed with an accurate message.
    Known(Outcome),
    /// A cancel or shutdown during the run.
    Stopped,
}

impl Follow {
    /// Starts a run on the service and follows it.
    ///
    /// The work is not abortable ([`host_kit::Work::abortable`]): after a cancel it ends as the service reports.
    pub async fn run(self, ctx: Context, order: Value) -> Outcome {
        let reporter = Reporter::new(&ctx, self.remote_service.unit(), &order);
        Run { how: self, ctx, reporter }.follow(order).await
    }
}

/// Followed run.
struct Run {
    how: Follow,
    ctx: Context,
    reporter: Reporter,
}

impl Run {
    async fn follow(mut self, order: Value) -> Outcome {
        self.ctx.log(LogLevel::Info, self.how.limits);
        let place = match self.begin(&order).await {
            StartOutcome::At(place) => place,
            StartOutcome::Not(outcome) => return outcome,
            StartOutcome::Unsure(place) => return self.stop(&place).await,
        };
        match self.watch(&place).await {
            End::Known(outcome) => outcome,
            End::Stopped => self.stop(&place).await,
        }
    }

    /// Polls until the run ends or must stop.
    async fn watch(&mut self, place: &RunLocation) -> End {
        self.reporter.found(place);
        let mut pace = PollPace::new(&self.how.timing);
        let mut run_monitor = RunMonitor::new(seconds(self.how.timing.idle));
        let mut answered_at = Instant::now();
        loop {
            let polled = tokio::select! {
                biased;
                () = self.ctx.token().cancelled() => return End::Stopped,
                polled = self.how.remote_service.poll(&place.id, self.reporter.position()) => polled,
            };
            let wait = match polled {
                Ok(poll) => {
                    answered_at = Instant::now();
                    let moved = self.reporter.report_poll(&self.ctx, &poll);
                    if poll.state.over() {
                        return self.ended(place, &poll).await;
                    }
                    match run_monitor.judge(&poll, self.reporter.position().moved) {
                        Verdict::Runs => {}
                        Verdict::Doubtful => self.ctx.message(
                            "The service reports the run as running but shows no activity. Checking whether the service restarted",
                        ),
                        Verdict::Lost => return End::Known(Err(self.ended_unseen(place).await)),
                    }
                    pace.after(moved)
                }
                Err(error)
                    if error.may_pass() && answered_at.elapsed() < seconds(self.how.timing.silence) =>
                {
                    let silent = answered_at.elapsed().as_secs();
                    self.ctx.message(format!("No valid response for {silent} s ({error}). Retrying"));
                    pace.slowest()
                }
                Err(error) => return End::Known(Err(self.lost(place, &error))),
            };
            tokio::select! {
                biased;
                () = self.ctx.token().cancelled() => return End::Stopped,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Failure of a run that the service reports as running, although nothing runs: the service was restarted, or
    /// ignored an accepted request.
    async fn ended_unseen(&self, place: &RunLocation) -> WorkError {
        let base = self.how.remote_service.base();
        let id = &place.id;
        if place.resumed && !self.reporter.position().moved {
            // Otherwise its record would say running forever.
            let cleared = self.how.remote_service.stop(id, "the run is not active").await;
            if let Err(error) = cleared {
                self.ctx.log(LogLevel::Warn, format!("Cannot clear the record of run {id}: {error}"));
            }
            // Backtests have no such path.
            let (why, hint) = match self.how.what {
                "training" => (
                    " The service can only resume runs that were started with a path to the strategy on its own machine.",
                    "Retry from the start. Set 'strategy_path' so that later runs can be resumed.",
                ),
                _ => ("", "See the log of the service, then retry from the start."),
            };
            return WorkError::failed(
                format!(
                    "The service at {base} accepted the request to resume run {id}, but then nothing ran.{why}"
                ),
                hint,
            );
        }
        Failure {
            reason: FailureReason::HostRestarted,
            message: format!(
                "The service at {base} was restarted, which ended run {id}: the service still reports it as running, \
                 but nothing runs."
            ),
            hint: "Resume to continue from the service's last checkpoint, if it has one, or retry from the start."
                .to_owned(),
        }
        .into()
    }

    /// Maps the end of a run on the service.
    async fn ended(&mut self, place: &RunLocation, poll: &PollResult) -> End {
        let words = |what: &str, why: &str| format!("Run {} {what} on the service: {why}", place.id);
        End::Known(match &poll.state {
            RunState::Running => return End::Stopped,
            RunState::Completed => self.result(place, poll).await,
            RunState::Failed(why) => Err(WorkError::failed(
                words("failed", why),
                "See the log of the service. Retry from the start, or resume if the service supports it.",
            )),
            RunState::Stopped(why) => Err(WorkError::failed(
                words("was stopped by someone else", why),
                "Another client cancelled the run, or the service was shut down. Resume if the service supports it.",
            )),
        })
    }

    async fn result(&mut self, place: &RunLocation, poll: &PollResult) -> Outcome {
        let mut pace = PollPace::new(&self.how.timing);
        let polled_at = Instant::now();
        loop {
            let error = match self.how.remote_service.result(&place.id, poll).await {
                Ok(response) => {
                    self.reporter.complete(&self.ctx);
                    let epochs = self.reporter.epochs_done();
                    return Ok(outcome::of_run(
                        self.how.remote_service.as_ref(),
                        self.how.what,
                        &place.id,
                        epochs,
                        poll,
                        response,
                    ));
                }
                Err(error) => error,
            };
            // 400 "not completed yet" is transient.
            let passes = error.may_pass() || error.status() == Some(400);
            let patient = polled_at.elapsed() <= seconds(self.how.timing.poll);
            if !passes || !patient || self.how.leaving.is_cancelled() {
                return Err(WorkError::failed(
                    format!(
                        "Run {} completed on the service, but fetching its result failed: {error}.",
                        place.id
                    ),
                    "Resume fetches the result again, without another run.",
                ));
            }
            tokio::time::sleep(pace.after(false)).await;
        }
    }

    /// Failure if the end of a run can't be determined.
    fn lost(&self, place: &RunLocation, error: &CallError) -> WorkError {
        let base = self.how.remote_service.base();
        match error.status() {
            Some(404) => WorkError::failed(
                format!(
                    "The service at {base} no longer knows run {}: it was restarted, or the run was deleted. ({error})",
                    place.id
                ),
                "A restart of the service ends its runs. Retry from the start, or resume if the service kept a checkpoint.",
            ),
            _ => WorkError::failed(
                format!("Lost contact with run {}, which may still be running at {base}: {error}.", place.id),
                "Check that the service is running and responds. Resume finds the run again without starting a second one.",
            ),
        }
    }

    /// Failure of a run that is left running because the adapter shuts down.
    fn left(&self, place: &RunLocation) -> WorkError {
        Failure {
            reason: FailureReason::HostStopped,
            message: format!(
                "The adapter was shut down. Run {} continues at {}. No stop was requested.",
                place.id,
                self.how.remote_service.base()
            ),
            hint: "Resume follows the run again, or fetches its result if the run has ended.".to_owned(),
        }
        .into()
    }
}
