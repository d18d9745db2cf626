//! Start of a run: an existing run is found again, a stopped one resumed, otherwise a new one started.
//!
//! The run ID is ours, and is saved before the start request. So even without a response, a status check shows whether
//! the run was started, and nothing is started twice.

use super::{Outcome, Place, Run, Verdict, Vitals};
use crate::foreign::GoneOn;
use crate::look::{Position, Pulse, Stand};
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
pub(super) enum Begun {
    /// It runs, or has run, on the service.
    At(Place),
    /// It does not run.
    Not(Outcome),
    /// Cancelled during the start: it may be running.
    Unsure(Place),
}

impl Run {
    pub(super) async fn begin(&mut self, order: &Value) -> Begun {
        let foreign = &self.how.foreign;
        let Some(checkpoint) = self.ctx.resume_from() else {
            let id = format!("signalbox-{}-{}", self.ctx.id(), self.ctx.attempt());
            return self.start(order, id).await;
        };
        match Place::read(checkpoint, foreign.protocol(), foreign.base()) {
            Ok(place) => self.find(order, place).await,
            Err(why) => {
                Begun::Not(Err(WorkError::failed(why, "Resume it on that adapter, or retry from the start.")))
            }
        }
    }

    /// Finds a run again by its ID.
    async fn find(&mut self, order: &Value, place: Place) -> Begun {
        let since = Instant::now();
        let mut vitals = Vitals::new(seconds(self.how.timing.idle));
        loop {
            self.ctx.message(format!("Looking for run {}", place.id));
            let from = Position { first_epoch: place.first_epoch, ..Position::default() };
            let looked = tokio::select! {
                biased;
                () = self.ctx.token().cancelled() => return Begun::Unsure(place),
                looked = self.how.foreign.look(&place.id, from) => looked,
            };
            match looked {
                Ok(look) => match look.stand {
                    Stand::Running if matches!(look.pulse, Pulse::Bare | Pulse::Gone) => {
                        // Running only by its record: nothing survives a restart of the service.
                        if vitals.judge(&look, true) == Verdict::Lost {
                            return self.go_on(place, "it ended when the service restarted").await;
                        }
                    }
                    Stand::Running => {
                        self.ctx.log(
                            LogLevel::Info,
                            format!("Run {} is still running. Following it again.", place.id),
                        );
                        return self.at(Place { started: true, ..place });
                    }
                    Stand::Completed => {
                        self.ctx.log(
                            LogLevel::Info,
                            format!("Run {} completed in the meantime. Fetching its result.", place.id),
                        );
                        return Begun::At(Place { started: true, ..place });
                    }
                    Stand::Failed(why) | Stand::Stopped(why) => return self.go_on(place, &why).await,
                },
                Err(error) if error.status() == Some(404) && !place.started => {
                    self.ctx.log(LogLevel::Info, "The service does not know the run. Starting it now.");
                    return self.start(order, place.id).await;
                }
                Err(error) if error.status() == Some(404) => {
                    return self.go_on(place, "the service no longer knows it").await;
                }
                Err(error) if error.may_pass() && since.elapsed() < seconds(self.how.timing.silence) => {
                    self.ctx.message(format!("Looking for run {}: {error}", place.id));
                }
                Err(error) => return Begun::Not(Err(self.lost(&place, &error))),
            }
            if self.pause().await.is_err() {
                return Begun::Unsure(place);
            }
        }
    }

    /// Resumes an ended run, if the service supports it.
    async fn go_on(&mut self, place: Place, why: &str) -> Begun {
        let no_way =
            |what: String| Begun::Not(Err(WorkError::failed(what, "Retry to run it from the start.")));
        let gone_on = tokio::select! {
            biased;
            () = self.ctx.token().cancelled() => return Begun::Unsure(place),
            gone_on = self.how.foreign.go_on(&place.id) => gone_on,
        };
        match gone_on {
            None => {
                no_way(format!("Run {} has ended ({why}), and this service cannot resume runs.", place.id))
            }
            Some(Ok(GoneOn { id, first_epoch })) => {
                self.ctx.log(
                    LogLevel::Info,
                    format!("Run {} had ended ({why}). The service resumes it as {id}.", place.id),
                );
                self.at(Place { id, started: true, resumed: true, first_epoch, ..place })
            }
            Some(Err(error)) => no_way(format!(
                "Run {} has ended ({why}), and the service can't resume it: {error}.",
                place.id
            )),
        }
    }

    /// Starts a run. Waits while the service is busy.
    async fn start(&mut self, order: &Value, id: String) -> Begun {
        let foreign = std::sync::Arc::clone(&self.how.foreign);
        let place = Place {
            protocol: foreign.protocol().to_owned(),
            service: foreign.base().to_owned(),
            id,
            started: false,
            resumed: false,
            first_epoch: 0,
        };
        if let Err(too_large) = self.ctx.checkpoint(place.note(), place.state()) {
            return Begun::Not(Err(too_large.into()));
        }
        let since = Instant::now();
        loop {
            let mut starting = foreign.start(&place.id, order);
            let answer = tokio::select! {
                biased;
                () = self.ctx.token().cancelled() => {
                    // Its response is the fastest way to know whether the run started.
                    match tokio::time::timeout(START_GRACE, starting).await {
                        Ok(Ok(id)) => return Begun::Unsure(Place { id, started: true, ..place.clone() }),
                        Ok(Err(error)) if sure(&error) => return Begun::Not(Err(WorkError::Cancelled)),
                        Ok(Err(_)) | Err(_) => return Begun::Unsure(place.clone()),
                    }
                }
                answer = &mut starting => answer,
            };
            drop(starting);
            match answer {
                Ok(id) => return self.at(Place { id, started: true, ..place }),
                Err(error) if error.status() == Some(503) => {
                    let waited = since.elapsed();
                    if waited >= seconds(self.how.timing.queue) {
                        return Begun::Not(Err(WorkError::failed(
                            format!(
                                "The service at {} has no free slot: it is busy with a run from another client. ({error})",
                                foreign.base()
                            ),
                            "Wait for that run to end or stop it on the service, then retry. The adapter's 'timing.queue' sets how long a start waits.",
                        )));
                    }
                    self.ctx.message(format!(
                        "Waiting for a free slot: the service is busy with another client's run ({} s)",
                        waited.as_secs()
                    ));
                    if self.pause().await.is_err() {
                        return Begun::Not(Err(WorkError::Cancelled));
                    }
                }
                Err(error) if error.status() == Some(409) => {
                    self.ctx.log(
                        LogLevel::Info,
                        format!("The service already has run {}. Following it.", place.id),
                    );
                    return self.at(Place { started: true, ..place });
                }
                // Another service may have capacity, or this one later.
                Err(error @ CallError::Unreached { .. }) => {
                    return Begun::Not(Err(WorkError::NotStarted(format!("{error}."))));
                }
                Err(error) if sure(&error) => {
                    return Begun::Not(Err(WorkError::failed(
                        format!("Cannot start the run: {error}."),
                        "Check that the service is up and accepts the strategy, symbols and dates, then retry.",
                    )));
                }
                Err(error) => return self.asked_without_answer(place, &error).await,
            }
        }
    }

    /// Checks whether the run started after a start request without a response.
    async fn asked_without_answer(&mut self, place: Place, error: &CallError) -> Begun {
        self.ctx.log(
            LogLevel::Warn,
            format!("No response to the start ({error}). Checking whether the run started."),
        );
        let looked = tokio::select! {
            biased;
            () = self.ctx.token().cancelled() => return Begun::Unsure(place),
            looked = self.how.foreign.look(&place.id, Position::default()) => looked,
        };
        match looked {
            Ok(_) => self.at(Place { started: true, ..place }),
            Err(unseen) => Begun::Not(Err(WorkError::failed(
                format!(
                    "Unknown whether run {} started: {error}. The status check failed: {unseen}.",
                    place.id
                ),
                "Resume checks again, and starts the run only if it does not exist.",
            ))),
        }
    }

    fn at(&self, place: Place) -> Begun {
        match self.ctx.checkpoint(place.note(), place.state()) {
            Ok(()) => Begun::At(place),
            Err(too_large) => Begun::Not(Err(too_large.into())),
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
        CallError::Unreached { .. } => true,
        CallError::Refused { status, .. } => *status != 500 && *status != 409,
        CallError::NoAnswer { .. } | CallError::Unreadable { .. } => false,
    }
}
