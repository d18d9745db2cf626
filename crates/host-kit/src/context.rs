//! What a work is given: its identity, its token, and the ways in which it reports.

use crate::WorkError;
use crate::attempt::Attempt;
use crate::report::short;
use crate::shelf::{KeepFile, Shelf, is_name};
use protocol::host::{HostCondition, HostEventBody};
use protocol::{Checkpoint, CheckpointFile, ConditionKind, LogLevel, OperationId, Time};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::watch;
use tokio::time::Instant;
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
    /// Where files of checkpoints are kept, and how many checkpoints of this attempt were.
    shelf: Option<Arc<Shelf>>,
    kept: AtomicU32,
    /// Dropped with the last clone: the host waits for it before it says that the work stopped.
    _gone: DropGuard,
}

/// A place to go on from, for [`Context::keep`].
#[derive(Debug)]
pub struct Place {
    note: String,
    state: Value,
    files: Vec<KeepFile>,
    fraction: Option<f64>,
}

impl Place {
    /// What is kept, for a person ("7 of 13 segments"), and what a later attempt needs to go on: at most 64 KiB of JSON.
    pub fn new(note: impl Into<String>, state: Value) -> Self {
        Self { note: note.into(), state, files: Vec::new(), fraction: None }
    }

    /// Files beside it.
    #[must_use]
    pub fn with(mut self, files: Vec<KeepFile>) -> Self {
        self.files = files;
        self
    }

    /// How far the whole is there, from 0 to 1: a later attempt stands there at first. Needed where that is not how far
    /// the progress says that it is; what is not a number says nothing.
    #[must_use]
    pub fn at(mut self, fraction: f64) -> Self {
        self.fraction = Some(fraction).filter(|f| f.is_finite()).map(|f| f.clamp(0.0, 1.0));
        self
    }
}

/// A checkpoint was not kept; what was kept before it still is.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    #[error(
        "the checkpoint has {bytes} bytes of JSON, over the limit of {CHECKPOINT_BYTES}; \
         store large data as a file"
    )]
    TooLarge {
        /// What it has.
        bytes: usize,
    },
    #[error("'{0}' is not a file name: use letters, digits, dots, dashes and underscores, at most 100")]
    Name(String),
    #[error("the host can't store files; set a folder with HostBuilder::checkpoints")]
    NoFolder,
    #[error("can't write its files: {0}")]
    Disk(#[from] std::io::Error),
}

impl From<CheckpointError> for WorkError {
    fn from(error: CheckpointError) -> Self {
        let hint = match error {
            CheckpointError::Disk(_) => "Check that the host's disk has free space and is writable.",
            _ => "This is a bug in the host.",
        };
        WorkError::failed(format!("The checkpoint could not be saved: {error}."), hint)
    }
}

impl Context {
    pub(crate) fn new(
        attempt: Arc<Attempt>,
        resume_from: Option<Checkpoint>,
        shelf: Option<Arc<Shelf>>,
        gone: DropGuard,
    ) -> Self {
        let kept = AtomicU32::new(0);
        Self { held: Arc::new(Held { attempt, resume_from, shelf, kept, _gone: gone }) }
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

    /// Where a file of that checkpoint is, by the name that the work gave it; `None` when it is not there or no longer
    /// what was kept. Reads the whole file to know that: call it on a thread that may wait.
    pub fn resume_file(&self, name: &str) -> Option<PathBuf> {
        let checkpoint = self.held.resume_from.as_ref()?;
        let given =
            |file: &&CheckpointFile| file.name.split_once('-').is_some_and(|(_, given)| given == name);
        let file = checkpoint.files.iter().find(given)?;
        self.held.shelf.as_ref()?.find_whole(self.id(), checkpoint.attempt, file)
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
    /// before is forgotten: say [`Context::items`] anew. What is counted in a declared phase counts for its share of
    /// the whole; a phase that is not declared makes the whole unknown.
    pub fn phase(&self, index: u32, name: &str) {
        let name = short(name);
        self.held.attempt.report.measure(|meter, now| meter.phase(index, &name, now));
    }

    /// What is counted from here on, in the plural (`rows`), and how many there are if that is known. The count
    /// and the rate begin anew.
    pub fn items(&self, unit: &str, total: Option<u64>) {
        let unit = short(unit);
        // The count mostly follows at once, and says whether it goes on or begins anew.
        self.held.attempt.report.remark(|meter| meter.items(&unit, total, Instant::now()));
    }

    /// Corrects what is counted and how many there are. The count and the rate go on: for a total that grows.
    pub fn revise_items(&self, unit: &str, total: Option<u64>) {
        let unit = short(unit);
        self.held.attempt.report.measure(|meter, _| meter.revise_items(&unit, total));
    }

    /// How long the phases that the kind declares are, each relative to the others. Say it before the first phase;
    /// without it they are equal parts of the whole.
    pub fn phase_weights(&self, weights: &[f64]) {
        self.held.attempt.report.remark(|meter| meter.phase_weights(weights));
    }

    /// How many items are done, in all. Less than before begins the count anew, and how far the whole is becomes
    /// unknown: nobody knows how many more counts follow.
    pub fn done(&self, done: u64) {
        self.held.attempt.report.measure(|meter, now| meter.done(done, now));
    }

    /// What is being done now, in words for a person. Said before [`Context::done`], both go out as one.
    pub fn message(&self, text: impl Into<String>) {
        let text = short(&text.into());
        self.held.attempt.report.remark(|meter| meter.message(text));
    }

    /// How far the whole is, from 0 to 1, in place of done by total; `None` gives the word back to those. Within one
    /// count a lower fraction than before shows as the one before.
    pub fn fraction(&self, fraction: Option<f64>) {
        self.held.attempt.report.measure(|meter, _| meter.fraction(fraction));
    }

    /// A point of one of the kind's series, in rising x. A y that is no finite number is a gap in the curve, and the
    /// log says so.
    pub fn point(&self, series: &str, x: f64, y: f64) {
        self.held.attempt.report.point(series, x, y);
    }

    /// How many cancels were asked for so far, as it rises: who presses a second time wants the stop sent again.
    pub fn cancels(&self) -> watch::Receiver<u32> {
        self.held.attempt.cancels()
    }

    /// Reports a condition of a cancel: [`ConditionKind::CancelUndelivered`] or [`ConditionKind::Unstoppable`], with
    /// what it means and what happens next; or [`ConditionKind::Paused`]. Others are the server's to report, and ignored
    /// there.
    pub fn condition(&self, kind: ConditionKind, message: impl Into<String>) {
        let condition = Some(HostCondition { kind, message: short(&message.into()) });
        self.held.attempt.report.say(HostEventBody::Condition { condition });
    }

    /// The condition that was reported is over.
    pub fn clear_condition(&self) {
        self.held.attempt.report.say(HostEventBody::Condition { condition: None });
    }

    /// A line of the operation's log, cut at 8 KiB.
    pub fn log(&self, level: LogLevel, text: impl Into<String>) {
        self.held.attempt.report.log(level, &text.into());
    }

    /// Keeps a place from which a later attempt can go on, on this host or another. What it refers to must be safe on
    /// disk before, and be found by every host of the kind: else keep it with [`Context::checkpoint_with`].
    ///
    /// # Errors
    /// When the state has more than 64 KiB of JSON; nothing was kept then.
    pub fn checkpoint(&self, note: impl Into<String>, state: Value) -> Result<(), CheckpointError> {
        self.keep(Place::new(note, state))
    }

    /// The same with files beside the state, which are safe on disk before anybody is told. A host that goes on has them
    /// too, and finds them by [`Context::resume_file`]. Of an operation the newest two checkpoints keep their files.
    /// Call it on a thread that may wait: it writes them.
    ///
    /// # Errors
    /// When the state is too large, a name is none, the host has no folder for them, or they can't be written. The
    /// checkpoint before is still there.
    pub fn checkpoint_with(
        &self,
        note: impl Into<String>,
        state: Value,
        files: Vec<KeepFile>,
    ) -> Result<(), CheckpointError> {
        self.keep(Place::new(note, state).with(files))
    }

    /// The same of a place that says more of itself.
    ///
    /// # Errors
    /// As [`Context::checkpoint_with`].
    pub fn keep(&self, place: Place) -> Result<(), CheckpointError> {
        let Place { note, state, files, fraction } = place;
        if let Some(file) = files.iter().find(|file| !is_name(&file.name)) {
            return Err(CheckpointError::Name(file.name.chars().take(60).collect()));
        }
        let bytes = state.to_string().len();
        if bytes > CHECKPOINT_BYTES {
            return Err(CheckpointError::TooLarge { bytes });
        }
        let files = match files.is_empty() {
            true => Vec::new(),
            false => {
                let shelf = self.held.shelf.as_ref().ok_or(CheckpointError::NoFolder)?;
                let number = self.held.kept.fetch_add(1, Ordering::Relaxed) + 1;
                shelf.keep(self.id(), self.attempt(), number, files)?
            }
        };
        let (attempt, note) = (self.attempt(), short(&note));
        self.held.attempt.report.say_with(|far| {
            let fraction = fraction.or_else(|| far?.fraction);
            let checkpoint = Checkpoint { attempt, at: Time::now(), note, fraction, state, files };
            HostEventBody::Checkpoint { checkpoint }
        });
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
