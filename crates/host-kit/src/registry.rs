//! Registry: the newest attempt of each operation, the slots, and the last ended operations.

use crate::ApiError;
use crate::attempt::{Attempt, FENCE_DEADLINE, Stop};
use crate::cancelled_starts::CancelledStarts;
use crate::checkpoint_store::CheckpointStore;
use crate::feed::Feed;
use crate::life::live;
use crate::work::{AnyWork, NotPrepared, Prepared};
use parking_lot::Mutex;
use protocol::host::PreviewParams;
use protocol::host::{CancelAck, CancelAttempt, HostOperation, HostOperations, StartAttempt};
use protocol::{KindName, KindSpec, OperationId, Preview, Problem, ProblemType, Time};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// Timeout of a work's `check`.
const CHECK_DEADLINE: Duration = Duration::from_secs(10);

/// Limits for ended operations.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keep {
    /// Number of operations.
    pub ended: usize,
    /// Total size of their results in bytes; the newest is kept even if it is larger.
    pub result_bytes: usize,
}

/// Attempts of a host.
pub(crate) struct Registry {
    feed: Arc<Feed>,
    works: HashMap<KindName, Arc<dyn AnyWork>>,
    capacity: u32,
    /// Largest number of parallel operations by kind, if limited.
    max_parallel: BTreeMap<KindName, u32>,
    keep: Keep,
    checkpoint_store: Option<Arc<CheckpointStore>>,
    held: Mutex<RegistryState>,
    /// One task per attempt.
    tasks: TaskTracker,
}

#[derive(Default)]
struct RegistryState {
    operations: HashMap<OperationId, Arc<Attempt>>,
    /// Oldest first, each still in `operations`.
    ended: VecDeque<(OperationId, usize)>,
    result_bytes: usize,
    /// Number of occupied slots.
    running: u32,
    running_by_kind: HashMap<KindName, u32>,
    cancelled_starts: CancelledStarts,
    /// The host is shutting down and accepts nothing more.
    closing: bool,
}

/// Result of a start.
pub(crate) enum Started {
    /// The attempt was accepted.
    New(HostOperation),
    /// It was already accepted before; nothing was started.
    Known(HostOperation),
}

impl Registry {
    pub fn new(
        feed: Arc<Feed>,
        works: HashMap<KindName, Arc<dyn AnyWork>>,
        capacity: u32,
        keep: Keep,
        checkpoint_store: Option<Arc<CheckpointStore>>,
    ) -> Self {
        let limit = |(kind, work): (&KindName, &Arc<dyn AnyWork>)| Some((kind.clone(), work.max_parallel()?));
        let max_parallel = works.iter().filter_map(limit).collect();
        Self {
            feed,
            works,
            capacity,
            max_parallel,
            keep,
            checkpoint_store,
            held: Mutex::default(),
            tasks: TaskTracker::new(),
        }
    }

    /// Accepts an attempt once: a second start with the same ID and attempt gets the first one.
    ///
    /// # Errors
    /// Unknown kind, invalid parameters, an attempt older than the known one, one that was cancelled before it arrived,
    /// one whose predecessor is still stopping, no free slot, the kind's limit, or a host that is shutting down.
    pub async fn start(self: &Arc<Self>, ask: StartAttempt) -> Result<Started, ApiError> {
        let work = self.work_of(&ask.kind)?;
        if ask.attempt == 0 {
            return Err(ApiError::new(
                ProblemType::BadRequest,
                "The attempt number is 0, but attempt numbers start at 1.",
            ));
        }
        if let Some(known) = self.held.lock().settle(ask.id, ask.attempt)? {
            return Ok(Started::Known(known.view()));
        }
        let abortable = work.abortable();
        let (prepared, spec) = prepare(work, ask.params).await?;

        let mut held = self.held.lock();
        // A request at the same time may have been faster.
        if let Some(known) = held.settle(ask.id, ask.attempt)? {
            return Ok(Started::Known(known.view()));
        }
        if held.closing {
            let why = "The host is shutting down and accepts no operations. Try another host, or try again when this host is back.";
            return Err(ApiError::new(ProblemType::Unavailable, why).retry_after(5));
        }
        if held.running >= self.capacity {
            let why = format!(
                "All slots of the host are in use: it runs {} in parallel. Try again when an operation has ended, or increase \
                 the host's capacity.",
                operations(self.capacity)
            );
            return Err(ApiError::new(ProblemType::HostFull, why).retry_after(1));
        }
        let of_kind = held.running_by_kind.get(&ask.kind).copied().unwrap_or(0);
        if let Some(most) = self.max_parallel.get(&ask.kind).filter(|most| of_kind >= **most) {
            let why = format!(
                "The host has reached its limit of parallel {} operations ({most}). Try again when one of these operations has ended.",
                ask.kind
            );
            return Err(ApiError::new(ProblemType::HostFull, why).retry_after(1));
        }
        let phases = u32::try_from(spec.phases.len()).unwrap_or(u32::MAX);
        let feed = Arc::clone(&self.feed);
        let attempt = Arc::new(Attempt::new(feed, ask.id, ask.attempt, ask.kind, phases, abortable));
        held.take(&attempt);
        // The response is what every client can rely on: the attempt was accepted.
        let accepted = attempt.view();
        tracing::info!(operation = %attempt.id, attempt = attempt.number, kind = %attempt.kind, "attempt accepted");
        let registry = Arc::clone(self);
        // What the attempt and its work log names them.
        let span = tracing::info_span!(
            parent: None,
            "attempt",
            operation = %attempt.id,
            attempt = attempt.number,
            kind = %attempt.kind,
        );
        // Inside the lock, because a shutdown that sees the attempt must be able to wait for its task.
        let living = async move {
            let checkpoint_store = registry.checkpoint_store.clone();
            let release = || registry.held.lock().release(&attempt.kind);
            live(&attempt, prepared, ask.resume_from, checkpoint_store, release).await;
            registry.held.lock().retire(&attempt, registry.keep);
        };
        self.tasks.spawn(living.instrument(span));
        Ok(Started::New(accepted))
    }

    /// Asks an attempt to stop. An attempt that is not here never starts, even if its start arrives later.
    ///
    /// # Errors
    /// If the operation or the attempt is not here, or a newer attempt is.
    pub fn cancel(&self, id: OperationId, ask: &CancelAttempt) -> Result<CancelAck, ApiError> {
        let attempt = {
            // One lock for check and note, so that a start comes before both or after both.
            let mut held = self.held.lock();
            let known = held.operations.get(&id).cloned();
            let here = known.as_ref().is_some_and(|known| {
                known.number > ask.attempt || (known.number == ask.attempt && !known.not_started())
            });
            if !here {
                held.cancelled_starts.note(id, ask.attempt);
            }
            known.filter(|known| here || known.number < ask.attempt).ok_or_else(|| self.unknown(id))?
        };
        if ask.attempt < attempt.number {
            let why = format!(
                "Attempt {} of operation {id} has ended: this host has attempt {}. Nothing was cancelled.",
                ask.attempt, attempt.number
            );
            return Err(ApiError::new(ProblemType::Conflict, why));
        }
        if ask.attempt > attempt.number {
            let why = format!(
                "This host has attempt {} of operation {id} and never received attempt {}.",
                attempt.number, ask.attempt
            );
            return Err(ApiError::new(ProblemType::NotFound, why));
        }
        tracing::info!(operation = %id, attempt = ask.attempt, reason = ask.reason, deadline_ms = ask.deadline_ms, "cancel requested");
        let stop = if ask.abandoned { Stop::Abandon } else { Stop::Cancel };
        let state = attempt.stop(stop, Duration::from_millis(ask.deadline_ms));
        Ok(CancelAck { state, now: Time::now() })
    }

    /// Newest attempt of an operation.
    ///
    /// # Errors
    /// If the host does not have it.
    pub fn find(&self, id: OperationId) -> Result<Arc<Attempt>, ApiError> {
        self.held.lock().operations.get(&id).cloned().ok_or_else(|| self.unknown(id))
    }

    fn unknown(&self, id: OperationId) -> ApiError {
        let why = format!(
            "This host has no operation {id}. Possible reasons: it ran on another host, this host has restarted since, \
             or it ended long ago. This host keeps the latest {} ended operations.",
            self.keep.ended
        );
        ApiError::new(ProblemType::NotFound, why)
    }

    /// All operations, ordered by ID, and a position in the feed up to which all is included. Later events may be
    /// included, too; following the feed from there repeats them with the same outcome.
    pub fn list(&self) -> HostOperations {
        let seq = self.feed.head();
        let attempts: Vec<_> = self.held.lock().operations.values().cloned().collect();
        let mut operations: Vec<_> = attempts.iter().map(|attempt| attempt.view()).collect();
        operations.sort_unstable_by_key(|operation| operation.id);
        HostOperations { instance: self.feed.instance(), seq, operations, now: Time::now() }
    }

    /// Largest number of parallel operations by kind, if limited.
    pub fn max_parallel(&self) -> &BTreeMap<KindName, u32> {
        &self.max_parallel
    }

    /// Occupied and free slots.
    pub fn slots(&self) -> (u32, u32) {
        let running = self.held.lock().running;
        (running, self.capacity.saturating_sub(running))
    }

    /// Attempts that run.
    pub fn running(&self) -> Vec<Arc<Attempt>> {
        self.held.lock().operations.values().filter(|attempt| !attempt.ended()).cloned().collect()
    }

    /// Whether the host is shutting down.
    pub fn closing(&self) -> bool {
        self.held.lock().closing
    }

    /// Accepts nothing more, stops running work, and waits until all has ended, or slightly longer than `grace`. After
    /// that, tasks were aborted, and only threads that can't be stopped may remain. Their end is not reported; they end
    /// with the process.
    pub async fn stop(&self, grace: Duration) {
        let attempts: Vec<_> = {
            let mut held = self.held.lock();
            held.closing = true;
            held.operations.values().filter(|attempt| !attempt.ended()).cloned().collect()
        };
        for attempt in &attempts {
            attempt.stop(Stop::Host, grace);
        }
        self.tasks.close();
        if tokio::time::timeout(grace + Duration::from_secs(1), self.tasks.wait()).await.is_err() {
            for attempt in attempts.iter().filter(|attempt| !attempt.ended()) {
                tracing::warn!(operation = %attempt.id, attempt = attempt.number, kind = %attempt.kind, "work still running at shutdown: its thread does not check the context");
            }
        }
    }

    /// Preview of a kind with parameters.
    ///
    /// # Errors
    /// `UnknownKind`, `BadParams`, and `NotFound` for a kind without previews.
    pub(crate) async fn preview(&self, ask: PreviewParams) -> Result<Preview, ApiError> {
        let work = self.work_of(&ask.kind)?;
        let (preview, _) = checked(move || (work.prepare_preview(&ask.params), work.kind())).await?;
        let none = format!(
            "The kind {} does not support previews. Start an operation of this kind to see the result.",
            ask.kind
        );
        preview.await.ok_or_else(|| ApiError::new(ProblemType::NotFound, none))
    }

    fn work_of(&self, kind: &KindName) -> Result<Arc<dyn AnyWork>, ApiError> {
        self.works.get(kind).cloned().ok_or_else(|| {
            let mut kinds: Vec<_> = self.works.keys().map(KindName::as_str).collect();
            kinds.sort_unstable();
            let why = format!("This host does not support kind {kind}. Its kinds: {}.", kinds.join(", "));
            ApiError::new(ProblemType::UnknownKind, why)
        })
    }
}

impl RegistryState {
    /// The attempt, if it is here; `None` if older attempts do not prevent it.
    fn settle(&self, id: OperationId, number: u32) -> Result<Option<Arc<Attempt>>, ApiError> {
        let known = self.operations.get(&id);
        if let Some(known) = known.filter(|known| known.number == number && !known.not_started()) {
            return Ok(Some(Arc::clone(known)));
        }
        if self.cancelled_starts.has(id, number) {
            let why = format!(
                "Attempt {number} of operation {id} was cancelled before its start request arrived. Nothing was started."
            );
            return Err(ApiError::new(ProblemType::CancelledBeforeStart, why));
        }
        let Some(known) = known.filter(|known| known.number != number) else { return Ok(None) };
        if known.number > number {
            let why = format!(
                "Attempt {number} of operation {id} is older than attempt {}, which this host already has. \
                 Nothing was started.",
                known.number
            );
            return Err(ApiError::new(ProblemType::Conflict, why));
        }
        if known.ended() {
            return Ok(None);
        }
        known.stop(Stop::Fence, FENCE_DEADLINE);
        let why = format!(
            "Attempt {} of operation {id} is still running here. The host is stopping it, so that attempt {number} can \
             start. Try again when the older attempt has ended.",
            known.number
        );
        Err(ApiError::new(ProblemType::Conflict, why).retry_after(1))
    }

    /// Gives an attempt its slot.
    fn take(&mut self, attempt: &Arc<Attempt>) {
        self.running += 1;
        *self.running_by_kind.entry(attempt.kind.clone()).or_default() += 1;
        if self.operations.insert(attempt.id, Arc::clone(attempt)).is_some() {
            // The older attempt may not be among the ended ones yet.
            if let Some(at) = self.ended.iter().position(|(id, _)| *id == attempt.id) {
                let (_, bytes) = self.ended.remove(at).expect("position returns a valid index");
                self.result_bytes -= bytes;
            }
        }
    }

    /// Releases the slot of an attempt of this kind.
    fn release(&mut self, kind: &KindName) {
        self.running -= 1;
        if let Some(running) = self.running_by_kind.get_mut(kind) {
            *running -= 1;
        }
    }

    /// Adds an attempt to the ended ones, and forgets the oldest beyond the limits.
    fn retire(&mut self, attempt: &Arc<Attempt>, keep: Keep) {
        if !self.operations.get(&attempt.id).is_some_and(|newest| Arc::ptr_eq(newest, attempt)) {
            return;
        }
        let bytes = attempt.result_bytes();
        self.ended.push_back((attempt.id, bytes));
        self.result_bytes += bytes;
        while self.ended.len() > keep.ended || (self.result_bytes > keep.result_bytes && self.ended.len() > 1)
        {
            let Some((oldest, bytes)) = self.ended.pop_front() else { break };
            self.result_bytes -= bytes;
            self.operations.remove(&oldest);
        }
    }
}

/// Reads and checks parameters on a blocking thread.
async fn prepare(
    work: Arc<dyn AnyWork>,
    params: serde_json::Value,
) -> Result<(Prepared, KindSpec), ApiError> {
    checked(move || (work.prepare(&params), work.kind())).await
}

/// Runs reading and checking of parameters on a blocking thread, with a timeout.
async fn checked<T: Send + 'static>(
    prepare: impl FnOnce() -> (Result<T, NotPrepared>, KindSpec) + Send + 'static,
) -> Result<(T, KindSpec), ApiError> {
    let preparing = tokio::task::spawn_blocking(prepare);
    match tokio::time::timeout(CHECK_DEADLINE, preparing).await {
        Ok(Ok((Ok(prepared), spec))) => Ok((prepared, spec)),
        Ok(Ok((Err(NotPrepared::Fields(fields)), _))) => {
            let mut why: Vec<_> = fields.iter().map(|field| field.message.as_str()).collect();
            why.dedup();
            let problem = Problem::new(ProblemType::BadParams, why.join(" "));
            Err(problem.with_fields(fields).into())
        }
        Ok(Ok((Err(NotPrepared::Schema(what)), spec))) => {
            let why = format!(
                "The parameter schema of kind {} is not supported: {what}. This is a bug in the host.",
                spec.name
            );
            Err(ApiError::new(ProblemType::Internal, why))
        }
        Ok(Err(_)) => {
            let why = "The parameter check panicked. This is a bug in the host; see its log.";
            Err(ApiError::new(ProblemType::Internal, why))
        }
        Err(_) => {
            let why = format!(
                "The parameter check did not finish within {} s. A file or service that it reads may hang; see the host's health.",
                CHECK_DEADLINE.as_secs()
            );
            Err(ApiError::new(ProblemType::Timeout, why))
        }
    }
}

fn operations(n: u32) -> String {
    if n == 1 { "1 operation".to_owned() } else { format!("{n} operations") }
}
