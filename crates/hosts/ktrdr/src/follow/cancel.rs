//! The end of a run that is asked for from here. A stop is asked for once; `cancelled` is said only when a look
//! shows that nothing runs any more.

use super::{End, Pace, Place, Run};
use crate::look::{Look, Stand};
use crate::timing::seconds;
use crate::wire::CallError;
use host_kit::WorkError;
use protocol::LogLevel;
use std::time::Duration;
use tokio::time::Instant;

/// For so long after a stop its confirmation is looked for as often as while things move.
const EAGER: Duration = Duration::from_secs(30);
/// A run whose start was never answered is told as not known after this.
const UNSURE: Duration = Duration::from_secs(2);

/// What came of asking for the stop.
enum Asked {
    /// It was said, whatever the answer.
    Once,
    /// Nothing was sent: it can be said again.
    NotYet,
}

impl Run {
    /// Stops the run, unless the adapter merely shuts down, and hands in what became of it. Comes back only when
    /// that is true, or when it is told as not known.
    pub(super) async fn stop(mut self, place: &Place) {
        if self.how.leaving.is_cancelled() {
            let left = self.left(place);
            self.outbox.hand(Err(left)).await;
            return;
        }
        self.ctx.message("Asked to stop; waits until the service's status says that nothing runs any more");
        let since = Instant::now();
        let mut asked = self.ask(place).await;
        let mut pace = Pace::new(&self.how.timing);
        let mut told = false;
        let mut said = String::new();
        let confirm = seconds(self.how.timing.confirm);
        // What may never have started is told as not known before a usual deadline of a cancel has passed.
        let limit = if place.started { confirm } else { confirm.min(UNSURE) };
        loop {
            let looked = self.how.foreign.look(&place.id, self.teller.next()).await;
            let unknown = match looked {
                Ok(look) if look.stand.over() => return self.stopped(place, &look).await,
                Ok(_) => format!("{} was asked to stop and still says that it runs", place.id),
                Err(error) if error.status() == Some(404) => {
                    if place.started || (told && since.elapsed() >= confirm) {
                        return self.forgotten(place, &error).await;
                    }
                    format!(
                        "the start of {} was not answered, and the service does not know it so far",
                        place.id
                    )
                }
                Err(error) => {
                    format!("{} was asked to stop, and nothing confirms that it did: {error}", place.id)
                }
            };
            if (since.elapsed() >= limit || self.how.leaving.is_cancelled())
                && !std::mem::replace(&mut told, true)
                && self.unconfirmed(&unknown).await
            {
                return;
            }
            if said != unknown {
                self.ctx.message(format!("Not confirmed: {unknown}"));
                said = unknown;
            }
            if matches!(asked, Asked::NotYet) {
                asked = self.ask(place).await;
            }
            let wait = if since.elapsed() < EAGER { pace.after(true) } else { pace.slowest() };
            tokio::select! {
                () = self.how.leaving.cancelled(), if !told => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Says it once.
    async fn ask(&self, place: &Place) -> Asked {
        match self.how.foreign.stop(&place.id, "cancelled in Signalbox").await {
            Ok(()) => {
                self.ctx
                    .log(LogLevel::Info, "The service answered that it stops. Its status has the last word.");
                Asked::Once
            }
            Err(CallError::Unreached { .. }) => Asked::NotYet,
            Err(error) => {
                self.ctx.log(
                    LogLevel::Warn,
                    format!("{error}. The stop is not said a second time; the status is watched."),
                );
                Asked::Once
            }
        }
    }

    /// A look shows that it is over.
    async fn stopped(mut self, place: &Place, look: &Look) {
        self.teller.tell(&self.ctx, look);
        let outcome = match &look.stand {
            Stand::Stopped(why) => {
                self.ctx.log(
                    LogLevel::Info,
                    format!("The service confirms that {} no longer runs: {why}", place.id),
                );
                Err(WorkError::Cancelled)
            }
            // It was quicker than the stop, either way.
            _ => match self.ended(place, look).await {
                End::Known(outcome) => outcome,
                End::Stopped => Err(WorkError::Cancelled),
            },
        };
        let completed = outcome.is_ok();
        if !self.outbox.hand(outcome).await && completed {
            self.ctx.log(
                LogLevel::Warn,
                "The run had completed before the stop took effect. Resume takes its result.",
            );
        }
    }

    /// The service does not know it any more: nothing can be confirmed.
    async fn forgotten(mut self, place: &Place, error: &CallError) {
        let lost = self.lost(place, error);
        self.ctx.log(
            LogLevel::Warn,
            format!("The service forgot {} while it was asked to stop: {error}", place.id),
        );
        self.outbox.hand(Err(lost)).await;
    }

    /// Tells that nothing is confirmed; `false` when that can't be told any more, because the host took the attempt
    /// for aborted: then it must be waited for.
    async fn unconfirmed(&mut self, unknown: &str) -> bool {
        let base = self.how.foreign.base().to_owned();
        let failed = WorkError::failed(
            format!("The cancel is not confirmed, and the run may still be running at {base}: {unknown}."),
            "Look at the service itself. Resume follows the run again, if it is there.",
        );
        let handed = self.outbox.hand(Err(failed)).await;
        if !handed {
            let text = "The deadline of the cancel has passed and the stop is not confirmed. The operation stays \
                        in 'cancelling' until the service says that the run ended.";
            self.ctx.log(LogLevel::Warn, text);
        }
        handed
    }
}
