//! `soak host`: a host that counts steps and writes a journal of what it really ran.

use crate::journal::{DriverClock, Journal, JournalEntry, What};
use crate::plan::Outcome;
use anyhow::Context as _;
use async_trait::async_trait;
use host_kit::{Context, Host, Work, WorkError};
use protocol::host::ResultDoc;
use protocol::{InstanceId, KindSpec, Summary};
use schemars::JsonSchema;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Arguments of `soak host`.
#[derive(clap::Args)]
pub struct HostArgs {
    /// Address and port to listen on; port 0 chooses a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// File for the journal of runs
    #[arg(long)]
    journal: PathBuf,
    /// Time of the journal's clock when the machine's monotonic clock was zero, in microseconds since 1970
    /// [default: from this process's own clock]
    #[arg(long, allow_negative_numbers = true)]
    zero: Option<i64>,
    /// Folder for the files of checkpoints; hosts may share it
    #[arg(long)]
    data: PathBuf,
    /// Number of operations that run at once
    #[arg(long, default_value_t = crate::plan::CAPACITY)]
    capacity: u32,
    /// File to write the URL to once it listens
    #[arg(long)]
    ready_file: PathBuf,
    /// Let runs end in the journal seconds after the host reported their end, to prove that lies are found
    #[arg(long, hide = true)]
    lying: bool,
}

/// Small buffers for the feed and for ended attempts, so that a server that reconnects late finds a gap.
const RING_CAPACITY: (usize, usize) = (120, 1 << 20);
const MAX_ENDED_KEPT: usize = 60;
/// Delay of ends in the journal of a lying host.
const LIE_DELAY: Duration = Duration::from_secs(4);

/// Runs the host until it is asked to stop or its parent process ends.
pub async fn host(args: HostArgs) -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).init();
    std::fs::create_dir_all(&args.data)?;
    let journal = Journal::open(&args.journal)
        .with_context(|| format!("cannot write the journal {}", args.journal.display()))?;
    let driver_clock = args.zero.map_or_else(DriverClock::of_this_process, DriverClock::of);
    let state =
        HostState { journal, driver_clock, instance: OnceLock::new(), data: args.data, lying: args.lying };
    let state = Arc::new(state);
    let host = Host::builder("soak-host", env!("CARGO_PKG_VERSION"))
        .capacity(args.capacity)
        .ring(RING_CAPACITY.0, RING_CAPACITY.1)
        .keep_ended(MAX_ENDED_KEPT)
        .work(Counting(state.clone(), COUNT))
        .work(Counting(state.clone(), SWEPT))
        .build()?;
    state.instance.set(host.instance()).expect("set once, here");
    let listener = TcpListener::bind(args.listen).await?;
    let url = format!("http://{}\n", listener.local_addr()?);
    // Before the host announces itself, because an unhandled signal would end it at once.
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let partial = args.ready_file.with_extension("partial");
    std::fs::write(&partial, url)?;
    std::fs::rename(&partial, &args.ready_file)?;
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            () = parent_gone() => {}
        }
        stopping.cancel();
    });
    host.serve(listener, stop).await?;
    Ok(())
}

/// Returns when standard input ends.
async fn parent_gone() {
    let mut input = tokio::io::stdin();
    let mut buffer = [0u8; 64];
    while matches!(input.read(&mut buffer).await, Ok(n) if n > 0) {}
}

#[derive(Clone, Deserialize, JsonSchema)]
struct Params {
    /// Identifies the start.
    mark: String,
    #[schemars(range(min = 1, max = 1000000))]
    steps: u64,
    /// Milliseconds per step.
    #[schemars(range(min = 0, max = 60000))]
    step_ms: u64,
    outcome: Outcome,
    /// Steps between checkpoints; 0 for none.
    #[schemars(range(min = 0, max = 1000000))]
    checkpoint_every: u64,
    /// Milliseconds it takes to stop.
    #[schemars(range(min = 0, max = 60000))]
    linger_ms: u64,
    /// Runs on a thread, which can't be aborted.
    on_thread: bool,
    /// Distinguishes the runs of a sweep.
    #[serde(default)]
    #[expect(dead_code, reason = "sweeps vary it; the work does not depend on it")]
    seed: u64,
}

/// State shared by all runs of a host.
struct HostState {
    journal: Journal,
    driver_clock: DriverClock,
    instance: OnceLock<InstanceId>,
    data: PathBuf,
    lying: bool,
}

impl HostState {
    fn write(&self, line: &JournalEntry) {
        if let Err(error) = self.journal.write(line) {
            // Without its journal, the host proves nothing.
            eprintln!("cannot write the journal: {error}");
            std::process::exit(3);
        }
    }
}

/// The kind, and its name for sweeps, which run only kinds they know.
const COUNT: &str = "soak.count";
const SWEPT: &str = "training.run";

struct Counting(Arc<HostState>, &'static str);

#[async_trait]
impl Work for Counting {
    type Params = Params;

    fn kind(&self) -> KindSpec {
        KindSpec {
            name: self.1.parse().expect("valid kind name"),
            title: "Count".into(),
            description: "Counts steps, and records in a journal when it ran.".into(),
            summary: Summary("{mark}".into()),
            params: host_kit::params_schema::<Params>(),
            phases: Vec::new(),
            series: Vec::new(),
            resumable: true,
        }
    }

    async fn run(&self, ctx: Context, params: Params) -> Result<ResultDoc, WorkError> {
        let mut run = Run::begin(self.0.clone(), ctx, params)?;
        if run.params.on_thread {
            let counted = tokio::task::spawn_blocking(move || run.count_on_thread()).await;
            return counted.unwrap_or_else(|gone| std::panic::resume_unwind(gone.into_panic()));
        }
        run.count().await
    }
}

/// Run with its two journal lines. The second is written however it ends, even by a panic or an abort, and before the
/// context is dropped.
struct Run {
    state: Arc<HostState>,
    params: Params,
    step: u64,
    ctx: Context,
}

impl Run {
    fn begin(state: Arc<HostState>, ctx: Context, params: Params) -> Result<Self, WorkError> {
        let step = match ctx.resume_from() {
            None => 0,
            Some(checkpoint) => resume_step(&state.data, &ctx, &checkpoint.state)?,
        };
        let run = Self { state, params, step, ctx };
        run.state.write(&run.line(What::Begin));
        run.ctx.set_total("steps", Some(run.params.steps));
        Ok(run)
    }

    async fn count(&mut self) -> Result<ResultDoc, WorkError> {
        while self.step < self.params.steps {
            let cancelled = tokio::select! {
                () = self.ctx.token().cancelled() => true,
                () = tokio::time::sleep(Duration::from_millis(self.params.step_ms)) => false,
            };
            if cancelled {
                tokio::time::sleep(Duration::from_millis(self.params.linger_ms)).await;
                return Err(WorkError::Cancelled);
            }
            self.finish_step()?;
        }
        self.finish()
    }

    fn count_on_thread(&mut self) -> Result<ResultDoc, WorkError> {
        while self.step < self.params.steps {
            let next = Instant::now() + Duration::from_millis(self.params.step_ms);
            while Instant::now() < next {
                if self.ctx.check().is_err() {
                    #[expect(clippy::disallowed_methods, reason = "work on a blocking thread")]
                    std::thread::sleep(Duration::from_millis(self.params.linger_ms));
                    return Err(WorkError::Cancelled);
                }
                #[expect(clippy::disallowed_methods, reason = "work on a blocking thread")]
                std::thread::sleep(Duration::from_millis(2));
            }
            self.finish_step()?;
        }
        self.finish()
    }

    fn finish_step(&mut self) -> Result<(), WorkError> {
        self.step += 1;
        self.ctx.set_done(self.step);
        let every = self.params.checkpoint_every;
        if every > 0 && self.step.is_multiple_of(every) {
            let path = checkpoint_path(&self.state.data, &self.ctx);
            let partial = path.with_extension(format!("{}-{}", std::process::id(), self.ctx.attempt()));
            std::fs::write(&partial, self.step.to_string())
                .and_then(|()| std::fs::rename(&partial, &path))
                .map_err(|e| WorkError::failed(format!("The count could not be saved: {e}."), ""))?;
            let note = format!("{} of {} steps", self.step, self.params.steps);
            self.ctx.checkpoint(note, serde_json::json!({"step": self.step}))?;
        }
        Ok(())
    }

    fn finish(&self) -> Result<ResultDoc, WorkError> {
        match self.params.outcome {
            Outcome::Succeed => Ok(ResultDoc {
                document: serde_json::json!({"steps": self.step, "mark": self.params.mark}),
                ..ResultDoc::default()
            }),
            Outcome::Fail => Err(WorkError::failed("It failed as configured.", "Nothing to do.")),
            Outcome::Panic => panic!("it panicked as configured"),
        }
    }

    fn line(&self, what: What) -> JournalEntry {
        let instance = *self.state.instance.get().expect("set before the host is served");
        JournalEntry {
            id: self.ctx.id(),
            attempt: self.ctx.attempt(),
            pid: std::process::id(),
            instance,
            what,
            at: self.state.driver_clock.now().micros(),
            step: self.step,
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let (state, mut line) = (self.state.clone(), self.line(What::End));
        if !state.lying {
            return state.write(&line);
        }
        std::thread::spawn(move || {
            #[expect(clippy::disallowed_methods, reason = "on a thread of its own")]
            std::thread::sleep(LIE_DELAY);
            line.at = state.driver_clock.now().micros();
            state.write(&line);
        });
    }
}

fn checkpoint_path(data: &Path, ctx: &Context) -> PathBuf {
    data.join(format!("{}.count", ctx.id()))
}

/// Step to resume from. The file must be at least as new as the checkpoint; otherwise the checkpoint came too early.
fn resume_step(data: &Path, ctx: &Context, state: &serde_json::Value) -> Result<u64, WorkError> {
    let step = state["step"].as_u64().unwrap_or(0);
    let kept =
        std::fs::read_to_string(checkpoint_path(data, ctx)).ok().and_then(|text| text.parse::<u64>().ok());
    match kept {
        Some(kept) if kept >= step => Ok(step),
        kept => Err(WorkError::failed(
            format!("The checkpoint says step {step}, but the file has {kept:?}."),
            "This is a bug in the soak host.",
        )),
    }
}
