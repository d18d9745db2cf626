//! Context of a work: its identity, its cancellation token, and its reports.

use crate::WorkError;
use crate::attempt::Attempt;
use crate::checkpoint_store::{CheckpointStore, SavedFile, is_name};
use crate::report::short;
use protocol::host::{HostCondition, HostEventBody};
use protocol::{Checkpoint, CheckpointFile, ConditionKind, LogLevel, Measured, OperationId, Time};
use resources::Reading;
use resources::usage::ThreadGuard;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Largest size of a checkpoint's state in bytes of JSON.
const CHECKPOINT_BYTES: usize = 64 * 1024;

/// An attempt, as its work sees it.
///
/// Clones are cheap and can be used from any thread; no call blocks. The attempt ends only when the last clone is
/// dropped, so give one to each thread that the work starts, and keep none longer than the work takes.
#[derive(Clone)]
pub struct Context {
    held: Arc<ContextState>,
}

/// State shared by all clones.
struct ContextState {
    attempt: Arc<Attempt>,
    resume_from: Option<Checkpoint>,
    /// Storage for files of checkpoints, and the number of checkpoints of this attempt.
    checkpoint_store: Option<Arc<CheckpointStore>>,
    kept: AtomicU32,
    /// Dropped with the last clone; until then, the host does not report that the work stopped.
    _gone: DropGuard,
}

/// Checkpoint for [`Context::save_checkpoint`].
#[derive(Debug)]
pub struct CheckpointBuilder {
    note: String,
    state: Value,
    files: Vec<SavedFile>,
    fraction: Option<f64>,
}

impl CheckpointBuilder {
    /// Creates a checkpoint: a note for users ("7 of 13 segments"), and the state that a later attempt needs to resume,
    /// at most 64 KiB of JSON.
    pub fn new(note: impl Into<String>, state: Value) -> Self {
        Self { note: note.into(), state, files: Vec::new(), fraction: None }
    }

    /// Adds files.
    #[must_use]
    pub fn with(mut self, files: Vec<SavedFile>) -> Self {
        self.files = files;
        self
    }

    /// Sets the fraction of the whole, 0 to 1, at which a later attempt begins. Needed if it differs from the progress;
    /// NaN is ignored.
    #[must_use]
    pub fn at(mut self, fraction: f64) -> Self {
        self.fraction = Some(fraction).filter(|f| f.is_finite()).map(|f| f.clamp(0.0, 1.0));
        self
    }
}

/// Error when a checkpoint is not saved; the one before remains.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The JSON of the checkpoint is too large.
    #[error(
        "the checkpoint has {bytes} bytes of JSON, over the limit of {CHECKPOINT_BYTES}; \
         store large data as a file"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The name of a file is invalid.
    #[error(
        "'{0}' is not a valid file name: use at most 100 letters, digits, dots, dashes and underscores, and do not start with a dot"
    )]
    Name(String),
    /// The host has no folder for files.
    #[error("the host can't store files; set a folder with HostBuilder::checkpoints")]
    NoFolder,
    /// A file could not be written.
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
        checkpoint_store: Option<Arc<CheckpointStore>>,
        gone: DropGuard,
    ) -> Self {
        let kept = AtomicU32::new(0);
        Self { held: Arc::new(ContextState { attempt, resume_from, checkpoint_store, kept, _gone: gone }) }
    }

    /// ID of the operation.
    pub fn id(&self) -> OperationId {
        self.held.attempt.id
    }

    /// Number of this attempt, from 1.
    pub fn attempt(&self) -> u32 {
        self.held.attempt.number
    }

    /// Checkpoint to resume from; `None` means to begin from the start.
    pub fn resume_from(&self) -> Option<&Checkpoint> {
        self.held.resume_from.as_ref()
    }

    /// Path of a file of that checkpoint, by the name that the work gave it; `None` if it is missing or was changed.
    /// Reads the whole file to verify it: call it on a thread that may block.
    pub fn resume_file(&self, name: &str) -> Option<PathBuf> {
        let checkpoint = self.held.resume_from.as_ref()?;
        let given =
            |file: &&CheckpointFile| file.name.split_once('-').is_some_and(|(_, given)| given == name);
        let file = checkpoint.files.iter().find(given)?;
        self.held.checkpoint_store.as_ref()?.find_whole(self.id(), checkpoint.attempt, file)
    }

    /// Token that is cancelled when the work is to stop, for `select!`.
    pub fn token(&self) -> &CancellationToken {
        &self.held.attempt.token
    }

    /// Checks whether to continue, for loops: cheap enough for each row.
    ///
    /// # Errors
    /// [`WorkError::Cancelled`] once the work is to stop.
    pub fn check(&self) -> Result<(), WorkError> {
        if self.token().is_cancelled() { Err(WorkError::Cancelled) } else { Ok(()) }
    }

    /// Enters a phase, counted from 1; the kind declares how many there are. Resets the count: call
    /// [`Context::set_total`] again. A declared phase contributes its share of the whole; an undeclared one makes the
    /// whole unknown.
    pub fn phase(&self, index: u32, name: &str) {
        let name = short(name);
        self.held.attempt.report.measure(|meter, now| meter.phase(index, &name, now));
    }

    /// Sets what is counted from here on, in the plural (`rows`), and the total if known. Resets count and rate.
    pub fn set_total(&self, unit: &str, total: Option<u64>) {
        let unit = short(unit);
        // The count usually follows at once, and shows whether it continues or restarts.
        self.held.attempt.report.update(|meter| meter.items(&unit, total, Instant::now()));
    }

    /// Corrects unit and total without resetting count and rate, for a total that grows.
    pub fn revise_total(&self, unit: &str, total: Option<u64>) {
        let unit = short(unit);
        self.held.attempt.report.measure(|meter, _| meter.revise_items(&unit, total));
    }

    /// Sets the relative durations of the declared phases. Call it before the first phase; otherwise they are equal
    /// parts.
    pub fn phase_weights(&self, weights: &[f64]) {
        self.held.attempt.report.update(|meter| meter.phase_weights(weights));
    }

    /// Sets the number of items done in total. A lower number than before restarts the count and makes the whole
    /// unknown, because more restarts may follow.
    pub fn set_done(&self, done: u64) {
        self.held.attempt.report.measure(|meter, now| meter.done(done, now));
    }

    /// Sets a message for users about the current activity. Set before [`Context::set_done`], both are sent together.
    pub fn message(&self, text: impl Into<String>) {
        let text = short(&text.into());
        self.held.attempt.report.update(|meter| meter.message(text));
    }

    /// Sets the fraction of the whole, 0 to 1, instead of done by total; `None` returns to that. Within one count, it
    /// never decreases.
    pub fn fraction(&self, fraction: Option<f64>) {
        self.held.attempt.report.measure(|meter, _| meter.fraction(fraction));
    }

    /// Adds a point to one of the kind's series, with rising x. A y that is not finite is a gap in the series, with a
    /// line in the log.
    pub fn point(&self, series: &str, x: f64, y: f64) {
        self.held.attempt.report.point(series, x, y);
    }

    /// Number of cancels requested so far, as it increases: a second one asks to send the stop again.
    pub fn cancels(&self) -> watch::Receiver<u32> {
        self.held.attempt.cancels()
    }

    /// Reports a condition of a cancel, [`ConditionKind::CancelUndelivered`] or [`ConditionKind::Unstoppable`], with
    /// what it means and what happens next; or [`ConditionKind::Paused`]. The server ignores others from hosts.
    pub fn condition(&self, kind: ConditionKind, message: impl Into<String>) {
        let condition = Some(HostCondition { kind, message: short(&message.into()) });
        self.held.attempt.report.record(HostEventBody::Condition { condition });
    }

    /// Ends the reported condition.
    pub fn clear_condition(&self) {
        self.held.attempt.report.record(HostEventBody::Condition { condition: None });
    }

    /// Writes a line to the operation's log, cut at 8 KiB.
    pub fn log(&self, level: LogLevel, text: impl Into<String>) {
        self.held.attempt.report.log(level, &text.into());
    }

    /// Saves a checkpoint from which a later attempt can resume, on this host or another. Data that it refers to must
    /// be safe on disk before, and available on every host of the kind; otherwise use [`Context::checkpoint_with`].
    ///
    /// # Errors
    /// If the state has more than 64 KiB of JSON; nothing was saved then.
    pub fn checkpoint(&self, note: impl Into<String>, state: Value) -> Result<(), CheckpointError> {
        self.save_checkpoint(CheckpointBuilder::new(note, state))
    }

    /// Same, with files, which are safe on disk before the checkpoint is reported. A host that resumes gets them, too,
    /// and finds them with [`Context::resume_file`]. The latest two checkpoints of an operation keep their files. Call
    /// it on a thread that may block.
    ///
    /// # Errors
    /// If the state is too large, a name is invalid, the host has no folder for files, or they can't be written. The
    /// previous checkpoint remains.
    pub fn checkpoint_with(
        &self,
        note: impl Into<String>,
        state: Value,
        files: Vec<SavedFile>,
    ) -> Result<(), CheckpointError> {
        self.save_checkpoint(CheckpointBuilder::new(note, state).with(files))
    }

    /// Same, for a checkpoint with more details.
    ///
    /// # Errors
    /// Like [`Context::checkpoint_with`].
    pub fn save_checkpoint(&self, place: CheckpointBuilder) -> Result<(), CheckpointError> {
        let CheckpointBuilder { note, state, files, fraction } = place;
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
                let checkpoint_store =
                    self.held.checkpoint_store.as_ref().ok_or(CheckpointError::NoFolder)?;
                let number = self.held.kept.fetch_add(1, Ordering::Relaxed) + 1;
                checkpoint_store.keep(self.id(), self.attempt(), number, files)?
            }
        };
        let (attempt, note) = (self.attempt(), short(&note));
        self.held.attempt.report.record_with(|far| {
            let fraction = fraction.or_else(|| far?.fraction);
            let checkpoint = Checkpoint { attempt, at: Time::now(), note, fraction, state, files };
            HostEventBody::Checkpoint { checkpoint }
        });
        Ok(())
    }

    /// Counts the CPU time and the waits of the current thread as those of the operation, until the returned guard is
    /// dropped. Call it first on each thread that the work starts: what is not counted is missing in the operation's
    /// cost. A work that never calls it, nor [`Context::report_usage`], has an unknown cost.
    ///
    /// ```
    /// # use signalbox_host_kit::Context;
    /// fn train(ctx: &Context) {
    ///     let _measured = ctx.measure_thread();
    ///     // …
    /// }
    /// ```
    pub fn measure_thread(&self) -> Option<ThreadGuard> {
        self.held.attempt.usage.enter_thread(Instant::now())
    }

    /// Runs a future, and counts the time of its polls as the operation's. Functions that it runs on other threads
    /// count, too, if they are made by [`crate::counted`].
    pub async fn measured<F: Future>(&self, work: F) -> F::Output {
        let usage = &self.held.attempt.usage;
        usage.begin_threads(Instant::now());
        crate::measured::measured(usage.threads.clone(), work).await
    }

    /// Reports counters of the work's resources, for work in processes of its own. Call it right after its start, about
    /// once a second, and at its end. Leave unknown counters out.
    pub fn report_usage(&self, measured: Measured, reading: Reading) {
        self.held.attempt.usage.report(measured, reading, Instant::now());
    }

    /// Seconds since the attempt began: the x of series over time.
    pub fn elapsed_seconds(&self) -> f64 {
        self.held.attempt.report.started_at().elapsed().as_secs_f64()
    }

    /// Items per second, averaged over the last 3 s; `None` until enough was counted.
    pub fn unit_rate(&self) -> Option<f64> {
        self.held.attempt.report.rate()
    }
}
