//! What a work is given: its identity, its token, and the ways in which it reports.

use crate::WorkError;
use crate::attempt::Attempt;
use crate::report::short;
use protocol::host::HostEventBody;
use protocol::{Checkpoint, LogLevel, OperationId, Time};
use serde_json::Value;
use std::sync::Arc;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The most bytes of JSON that the state of a checkpoint may have.
const CHECKPOINT_BYTES: usize = 64 * 1024;

/// One attempt, as the work that does it sees it.
///
/// A clone is cheap and can be used from any thread; every call is quick and blocks nobody. The attempt is over
/// only when the last clone is dropped, so hand one to each thread that the work starts and keep none longer
/// than the work takes.
#[derive(Clone)]
pub struct Context {
    held: Arc<Held>,
}

/// What lives as long as any clone does.
struct Held {
    attempt: Arc<Attempt>,
    resume_from: Option<Checkpoint>,
    /// Dropped with the last clone: the host waits for it before it says that the work stopped.
    _gone: DropGuard,
}

/// The state of a checkpoint was too large; what was kept before it still is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the checkpoint has {bytes} bytes of JSON and at most {most} can be kept; \
     write what is large to a file and keep its name"
)]
pub struct CheckpointTooLarge {
    /// What it has.
    pub bytes: usize,
    /// What it may have.
    pub most: usize,
}

impl From<CheckpointTooLarge> for WorkError {
    fn from(error: CheckpointTooLarge) -> Self {
        WorkError::failed(
            format!("The work could not keep its place: {error}."),
            "This is a fault of the host.",
        )
    }
}

impl Context {
    pub(crate) fn new(attempt: Arc<Attempt>, resume_from: Option<Checkpoint>, gone: DropGuard) -> Self {
        Self { held: Arc::new(Held { attempt, resume_from, _gone: gone }) }
    }

    /// The operation.
    pub fn id(&self) -> OperationId {
        self.held.attempt.id
    }

    /// Which try at it this is, from 1.
    pub fn attempt(&self) -> u32 {
        self.held.attempt.number
    }

    /// What an earlier attempt left to go on from; `None` means from the beginning.
    pub fn resume_from(&self) -> Option<&Checkpoint> {
        self.held.resume_from.as_ref()
    }

    /// Fires when the work is to stop, for `select!`.
    pub fn token(&self) -> &CancellationToken {
        &self.held.attempt.token
    }

    /// Whether to go on, for loops: cheap enough for each row.
    ///
    /// # Errors
    /// [`WorkError::Cancelled`] once the work is to stop.
    pub fn check(&self) -> Result<(), WorkError> {
        if self.token().is_cancelled() { Err(WorkError::Cancelled) } else { Ok(()) }
    }

    /// Enters a phase, counted from 1; how many there are comes from the kind. What was counted in the phase
    /// before is forgotten: say [`Context::items`] anew.
    pub fn phase(&self, index: u32, name: &str) {
        let name = short(name);
        self.held.attempt.report.measure(|meter, now| meter.phase(index, &name, now));
    }

    /// What is counted from here on, in the plural (`rows`), and how many there are if that is known. The count
    /// and the rate begin anew.
    pub fn items(&self, unit: &str, total: Option<u64>) {
        let unit = short(unit);
        self.held.attempt.report.measure(|meter, now| meter.items(&unit, total, now));
    }

    /// How many items are done, in all.
    pub fn done(&self, done: u64) {
        self.held.attempt.report.measure(|meter, now| meter.done(done, now));
    }

    /// What is being done now, in words for a person. Said before [`Context::done`], both go out as one.
    pub fn message(&self, text: impl Into<String>) {
        let text = short(&text.into());
        self.held.attempt.report.remark(|meter| meter.message(text));
    }

    /// How far the whole is, from 0 to 1, in place of done by total; `None` gives the word back to those. What
    /// was once told is never taken back: a lower fraction than before shows as the one before. A kind that
    /// counts in several phases does well to say this itself.
    pub fn fraction(&self, fraction: Option<f64>) {
        self.held.attempt.report.measure(|meter, _| meter.fraction(fraction));
    }

    /// A point of one of the kind's series, in rising x. What is not a finite number is left out, and the log
    /// says so.
    pub fn point(&self, series: &str, x: f64, y: f64) {
        self.held.attempt.report.point(series, x, y);
    }

    /// A line of the operation's log, cut at 8 KiB.
    pub fn log(&self, level: LogLevel, text: impl Into<String>) {
        self.held.attempt.report.log(level, &text.into());
    }

    /// Keeps a place from which a later attempt can go on. What it refers to must be safe on disk before.
    ///
    /// # Errors
    /// When the state has more than 64 KiB of JSON; nothing was kept then.
    pub fn checkpoint(&self, note: impl Into<String>, state: Value) -> Result<(), CheckpointTooLarge> {
        let bytes = state.to_string().len();
        if bytes > CHECKPOINT_BYTES {
            return Err(CheckpointTooLarge { bytes, most: CHECKPOINT_BYTES });
        }
        let checkpoint =
            Checkpoint { attempt: self.attempt(), at: Time::now(), note: short(&note.into()), state };
        self.held.attempt.report.say(HostEventBody::Checkpoint { checkpoint });
        Ok(())
    }

    /// Seconds since the attempt began: the x of series over time.
    pub fn elapsed_seconds(&self) -> f64 {
        self.held.attempt.report.began().elapsed().as_secs_f64()
    }

    /// Items per second, smoothed over the last few seconds; `None` until enough was counted.
    pub fn unit_rate(&self) -> Option<f64> {
        self.held.attempt.report.rate()
    }
}
