//! Start of a run: an existing run is found again, a stopped one resumed, otherwise a new one started.
//!
//! The run ID is ours, and is saved before the start request. So even without a response, a status check shows whether
//! the run was started, and nothing is started twice.

use super::{Outcome, Run, RunLocation, RunMonitor, Verdict};
use crate::poll::{Position, RecordAccuracy, RunState};
use crate::remote_service::ResumeResponse;
use crate::timing::seconds;
use crate::wire::CallError;
use host_kit::WorkError;
use protocol::LogLevel;
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// After a cancel, a pending start gets this long to respond.
const START_GRACE: Duration = Duration::from_secs(1);

/// Result of a start.
pub(super) enum StartOutcome {
    /// It runs, or has run, on the service.
    At(RunLocation),
    /// It does not run.
    Not(Outcome),
    /// Cancelled during the start: it may be running.
    Unsure(RunLocation),
}

impl Run {
    pub(super) async fn begin(&mut self, order: &Value) -> StartOutcome {
        let remote_service = &self.how.remote_service;
        let Some(checkpoint) = self.ctx.resume_from() else {
            let id = format!("signalbox-{}-{}", self.ctx.id(), self.ctx.attempt());
            return self.start(order, id).await;
        };
        match RunLocation::read(checkpoint, remote_service.protocol(), remote_service.base()) {
            Ok(place) => self.find(order, place).await,
            Err(why) => StartOutcome::Not(Err(WorkError::failed(
                why,
                "Resume the operation on the adapter of that service, or retry from the start.",
            ))),
        }
    }

    /// Finds a run again by its ID.
    async fn find(&mut self, order: &Value, place: RunLocation) -> StartOutcome {
        let since = Instant::now();
        let mut run_monitor = RunMonitor::new(seconds(self.how.timing.idle));
        loop {
            self.ctx.message(format!("Looking for run {}", place.id));
            let from = Position { first_epoch: place.first_epoch, ..Position::default() };
            let polled = tokio::select! {
                biased;
                () = self.ctx.token().cancelled() => return StartOutcome::Unsure(place),
                polled = self.how.remote_service.poll(&place.id, from) => polled,
            };
            match polled {
                Ok(poll) => match poll.state {
                    RunState::Running
                        if matches!(poll.accuracy, RecordAccuracy::Bare | RecordAccuracy::Gone) =>
                    {
                        // Running only by its record: nothing survives a restart of the service.
                        if run_monitor.judge(&poll, true) == Verdict::Lost {
                            return self.resume_run(place, "the service was restarted").await;
                        }
                    }
                    RunState::Running => {
                        self.ctx.log(
                            LogLevel::Info,
                            format!("Run {} is still running. Following it again.", place.id),
                        );
                        return self.at(RunLocation { started: true, ..place });
                    }
                    RunState::Completed => {
                        self.ctx.log(
                            LogLevel::Info,
                            format!("Run {} completed in the meantime. Fetching its result.", place.id),
                        );
                        return StartOutcome::At(RunLocation { started: true, ..place });
                    }
                    RunState::Failed(why) | RunState::Stopped(why) => {
                        return self.resume_run(place, &why).await;
                    }
                },
                Err(error) if error.status() == Some(404) && !place.started => {
                    self.ctx.log(LogLevel::Info, "The service does not know the run. Starting it now.");
                    return self.start(order, place.id).await;
                }
                Err(error) if error.status() == Some(404) => {
                    return self.resume_run(place, "the service no longer knows it").await;
                }
                Err(error) if error.may_pass() && since.elapsed() < seconds(self.how.timing.silence) => {
                    self.ctx.message(format!("Looking for run {}: {error}", place.id));
                }
                Err(error) => return StartOutcome::Not(Err(self.lost(&place, &error))),
            }
            if self.pause().await.is_err() {
                return StartOutcome::Unsure(place);
            }
        }
    }

    /// Resumes an ended run, if the service supports it.
    async fn resume_run(&mut self, place: RunLocation, why: &str) -> StartOutcome {
        let no_way = |what: String| StartOutcome::Not(Err(WorkError::failed(what, "Retry from the start.")));
        let resume_response = tokio::select! {
            biased;
            () = self.ctx.token().cancelled() => return StartOutcome::Unsure(place),
            resume_response = self.how.remote_service.resume_run(&place.id) => resume_response,
        };
        match resume_response {
            None => {
                no_way(format!("Run {} has ended ({why}), and this service cannot resume runs.", place.id))
            }
            Some(Ok(ResumeResponse { id, first_epoch })) => {
                self.ctx.log(
                    LogLevel::Info,
                    format!("Run {} had ended ({why}). The service resumes this run as {id}.", place.id),
                );
                self.at(RunLocation { id, started: true, resumed: true, first_epoch, ..place })
            }
            Some(Err(error)) => no_way(format!(
                "Run {} has ended ({why}), and the service can't resume it: {error}.",
                place.id
            )),
        }
    }

    /// Starts a run. Waits while the service is busy.
    async fn start(&mut self, order: &Value, id: String) -> StartOutcome {
        let remote_service = std::sync::Arc::clone(&self.how.remote_service);
        let place = RunLocation {
            protocol: remote_service.protocol().to_owned(),
            service: remote_service.base().to_owned(),
            id,
            started: false,
            resumed: false,
            first_epoch: 0,
        };
        if let Err(too_large) = self.ctx.checkpoint(place.note(), place.state()) {
            return StartOutcome::Not(Err(too_large.into()));
        }
        let since = Instant::now();
        loop {
            let mut starting = remote_service.start(&place.id, order);
            let answer = tokio::select! {
                biased;
                () = self.ctx.token().cancelled() => {
                    // Its response is the fastest way to know whether the run started.
                    match tokio::time::timeout(START_GRACE, starting).await {
                        Ok(Ok(id)) => return StartOutcome::Unsure(RunLocation { id, started: true, ..place.clone() }),
                        Ok(Err(error)) if sure(&error) => return StartOutcome::Not(Err(WorkError::Cancelled)),
                        Ok(Err(_)) | Err(_) => return StartOutcome::Unsure(place.clone()),
                    }
                }
                answer = &mut starting => answer,
            };
            drop(starting);
            match answer {
                Ok(id) => return self.at(RunLocation { id, started: true, ..place }),
                Err(error) if error.status() == Some(503) => {
                    let waited = since.elapsed();
                    if waited >= seconds(self.how.timing.queue) {
                        return StartOutcome::Not(Err(WorkError::failed(
                            format!(
                                "The service at {} has no free slot: it is busy with a run from another client. ({error})",
                                remote_service.base()
                            ),
                            "Wait until that run ends, or stop it on the service, then retry. To wait longer for a free slot, raise 'timing.queue' of the adapter.",
                        )));
                    }
                    self.ctx.message(format!(
                        "Waiting for a free slot: the service is busy with another client's run ({} s)",
                        waited.as_secs()
                    ));
                    if self.pause().await.is_err() {
                        return StartOutcome::Not(Err(WorkError::Cancelled));
                    }
                }
                Err(error) if error.status() == Some(409) => {
                    self.ctx.log(
                        LogLevel::Info,
                        format!("The service already has run {}. Following it.", place.id),
                    );
                    return self.at(RunLocation { started: true, ..place });
                }
                // Another service may have capacity, or this one later.
                Err(error @ (CallError::Unreached { .. } | CallError::Untrusted { .. })) => {
                    return StartOutcome::Not(Err(WorkError::NotStarted(format!("{error}."))));
                }
                Err(error) if sure(&error) => {
                    return StartOutcome::Not(Err(WorkError::failed(
                        format!("Cannot start the run: {error}."),
                        "Check that the service is up and accepts the strategy, symbols and dates, then retry.",
                    )));
                }
                Err(error) => return self.start_unanswered(place, &error).await,
            }
        }
    }

    /// Checks whether the run started after a start request without a response.
    async fn start_unanswered(&mut self, place: RunLocation, error: &CallError) -> StartOutcome {
        self.ctx.log(
            LogLevel::Warn,
            format!("No response to the start request ({error}). Checking whether the run started."),
        );
        let polled = tokio::select! {
            biased;
            () = self.ctx.token().cancelled() => return StartOutcome::Unsure(place),
            polled = self.how.remote_service.poll(&place.id, Position::default()) => polled,
        };
        match polled {
            Ok(_) => self.at(RunLocation { started: true, ..place }),
            Err(unseen) => StartOutcome::Not(Err(WorkError::failed(
                format!(
                    "Unknown whether run {} started: {error}. The status check failed: {unseen}.",
                    place.id
                ),
                "Resume checks again, and starts the run only if it does not exist.",
            ))),
        }
    }

    fn at(&self, place: RunLocation) -> StartOutcome {
        match self.ctx.checkpoint(place.note(), place.state()) {
            Ok(()) => StartOutcome::At(place),
            Err(too_large) => StartOutcome::Not(Err(too_large.into())),
        }
    }

    /// Pauses between two tries.
    async fn pause(&self) -> Result<(), WorkError> {
        let wait = seconds(self.how.timing.slowest.min(1.0));
        tokio::select! {
            biased;
            () = self.ctx.token().cancelled() => Err(WorkError::Cancelled),
            () = tokio::time::sleep(wait) => Ok(()),
        }
    }
}

/// Whether the error guarantees that nothing was started.
fn sure(error: &CallError) -> bool {
    match error {
        CallError::Unreached { .. } | CallError::Untrusted { .. } => true,
        CallError::Refused { status, .. } => *status != 500 && *status != 409,
        CallError::NoAnswer { .. } | CallError::Unreadable { .. } => false,
    }
}
