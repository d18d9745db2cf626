//! Environment of these tests: a store in its own folder, and a host that counts.

use super::covers;
use super::flaky_connection::FlakyConnection;
use async_trait::async_trait;
use host_kit::{Context, Host, Work, WorkError};
use parking_lot::Mutex;
use pool::PoolConfig;
use protocol::api::{HostLink, StartOperation};
use protocol::event::Skipped;
use protocol::host::{Artifact, Check, ResultDoc};
use protocol::{
    ConditionKind, Event, EventBody, KindSpec, Operation, OperationId, SeriesInfo, State, Summary,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use signalbox_engine::{Cursor, Engine, EngineConfig, HostConfig, Read};
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use store::{Sqlite, Store};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Timeout of waits; nothing takes nearly that long.
pub const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Deserialize, JsonSchema)]
struct Params {
    /// Number of steps to count.
    steps: u64,
    /// Wait before the last step until the gate is opened.
    #[serde(default)]
    gated: bool,
    /// Wait before this step until the gate is opened.
    #[serde(default)]
    hold_at: Option<u64>,
    /// Distance of its series above the step.
    #[serde(default)]
    lift: f64,
    /// Steps between checkpoints.
    #[serde(default)]
    checkpoint: Option<u64>,
    /// Keep position and sum in a file of the checkpoint.
    #[serde(default)]
    in_file: bool,
    /// A host that looks at these parameters fails.
    #[serde(default)]
    faulty: bool,
    /// Ignores its cancel, says that it can't be stopped, and succeeds when the gate is opened.
    #[serde(default)]
    deaf: bool,
    /// Path of an artifact in its result.
    #[serde(default)]
    artifact: Option<String>,
    /// Can't begin before the gate is opened.
    #[serde(default)]
    needs_gate: bool,
}

/// What a test sees of the work, across restarts of the host.
#[derive(Default)]
struct WorkLog {
    starts: HashMap<OperationId, u32>,
    resumed_from: HashMap<OperationId, Value>,
}

struct Count {
    gate: watch::Receiver<bool>,
    ready: watch::Receiver<bool>,
    seen: Arc<Mutex<WorkLog>>,
}

#[async_trait]
impl Work for Count {
    type Params = Params;

    fn kind(&self) -> KindSpec {
        KindSpec {
            name: "test.count".parse().unwrap(),
            title: "Count".into(),
            description: "Counts, a step a millisecond.".into(),
            summary: Summary("to {steps}".into()),
            params: host_kit::params_schema::<Params>(),
            phases: vec!["count".into()],
            series: vec![SeriesInfo {
                name: "steps".into(),
                title: "Steps".into(),
                unit: String::new(),
                x: "step".into(),
            }],
            resumable: true,
        }
    }

    fn check(&self, params: &Params) -> Result<(), Vec<protocol::FieldError>> {
        assert!(!params.faulty, "faulty");
        Ok(())
    }

    async fn health(&self) -> Vec<Check> {
        vec![Check { name: "abacus".into(), ok: *self.ready.borrow(), message: String::new() }]
    }

    async fn run(&self, ctx: Context, params: Params) -> Result<ResultDoc, WorkError> {
        if params.needs_gate && !*self.gate.borrow() {
            return Err(WorkError::NotStarted("The gate is closed.".into()));
        }
        {
            let mut seen = self.seen.lock();
            *seen.starts.entry(ctx.id()).or_default() += 1;
            if let Some(from) = ctx.resume_from() {
                seen.resumed_from.insert(ctx.id(), from.state.clone());
            }
        }
        ctx.phase(1, "count");
        ctx.set_total("steps", Some(params.steps));
        ctx.log(protocol::LogLevel::Info, format!("counting to {}", params.steps));
        let mut gate = self.gate.clone();
        if params.deaf {
            let mut gate = self.gate.clone();
            let opened = async move { drop(gate.wait_for(|open| *open).await) };
            tokio::pin!(opened);
            tokio::select! {
                () = &mut opened => {}
                () = ctx.token().cancelled() => {
                    ctx.condition(ConditionKind::Unstoppable, "It can't be stopped.");
                    opened.await;
                }
            }
            return Ok(ResultDoc { document: json!({}), ..ResultDoc::default() });
        }
        let file = ctx.resume_file("count.json").map(|path| std::fs::read(path).unwrap());
        let (done, mut sum): (u64, u64) =
            file.map_or((0, 0), |bytes| serde_json::from_slice(&bytes).unwrap());
        for step in done + 1..=params.steps {
            sum += step;
            ctx.check()?;
            if (params.gated && step == params.steps) || params.hold_at == Some(step) {
                gate.wait_for(|open| *open).await.map_err(|_| WorkError::Cancelled)?;
            }
            ctx.set_done(step);
            if step <= 100 {
                ctx.point("steps", step as f64, step as f64 + params.lift);
            }
            if params.checkpoint == Some(step) && params.in_file {
                let file = host_kit::SavedFile::bytes("count.json", json!([step, sum]).to_string());
                ctx.checkpoint_with(format!("{step} steps"), json!(step), vec![file]).unwrap();
            } else if params.checkpoint == Some(step) {
                ctx.checkpoint(format!("{step} steps"), json!(step)).unwrap();
            }
            tokio::select! {
                () = ctx.token().cancelled() => return Err(WorkError::Cancelled),
                () = tokio::time::sleep(Duration::from_millis(1)) => {}
            }
        }
        let document = match params.in_file {
            true => json!({"steps": params.steps, "sum": sum, "from": done}),
            false => json!({"steps": params.steps}),
        };
        let artifact = |path| Artifact {
            name: "counted".into(),
            media_type: "text/plain".into(),
            path,
            description: String::new(),
        };
        let artifacts = params.artifact.map(artifact).into_iter().collect();
        Ok(ResultDoc { document, artifacts, ..ResultDoc::default() })
    }
}

/// Serving host.
pub struct TestHost {
    /// Folder of its checkpoints, across restarts.
    folder: tempfile::TempDir,
    address: SocketAddr,
    capacity: u32,
    gate: watch::Sender<bool>,
    ready: watch::Sender<bool>,
    seen: Arc<Mutex<WorkLog>>,
    serving: JoinHandle<()>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl TestHost {
    pub async fn new(capacity: u32) -> Self {
        let (gate, ready) = (watch::Sender::new(false), watch::Sender::new(true));
        let seen = Arc::<Mutex<WorkLog>>::default();
        let folder = tempfile::tempdir().unwrap();
        let (runtime, serving, address) =
            serve("127.0.0.1:0", capacity, (&gate, &ready), &seen, folder.path()).await;
        Self { folder, address, capacity, gate, ready, seen, serving, runtime: Some(runtime) }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Configuration entry for it.
    pub fn config(&self, name: &str) -> HostConfig {
        HostConfig {
            name: name.parse().unwrap(),
            url: format!("http://{}", self.address),
            pool: PoolConfig::default(),
            configured_at: None,
            in_process: false,
        }
    }

    /// Files of an operation's checkpoints on this host.
    pub fn files(&self, id: OperationId) -> Vec<std::path::PathBuf> {
        let Ok(attempts) = std::fs::read_dir(self.folder.path().join(id.to_string())) else {
            return Vec::new();
        };
        let files = attempts.flat_map(|attempt| std::fs::read_dir(attempt.unwrap().path()).unwrap());
        files.map(|file| file.unwrap().path()).collect()
    }

    /// Ends it like `kill -9`.
    pub fn kill(&mut self) {
        self.serving.abort();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    /// Sets the health that it reports.
    pub fn set_ready(&self, ready: bool) {
        self.ready.send_replace(ready);
    }

    pub fn open_gate(&self) {
        self.gate.send_replace(true);
    }

    pub fn starts(&self, id: OperationId) -> u32 {
        self.seen.lock().starts.get(&id).copied().unwrap_or(0)
    }

    pub fn resumed_from(&self, id: OperationId) -> Option<Value> {
        self.seen.lock().resumed_from.get(&id).cloned()
    }

    async fn list(&self) -> protocol::host::HostOperations {
        let pool = pool::Pool::new(&format!("http://{}", self.address), PoolConfig::default()).unwrap();
        pool.get("/host/v1/operations").await.unwrap()
    }

    /// Starts an operation directly on the host, without the server.
    pub async fn start_by_hand(&self, id: OperationId, params: Value) {
        let pool = pool::Pool::new(&format!("http://{}", self.address), PoolConfig::default()).unwrap();
        let body = json!({"id": id, "attempt": 1, "kind": "test.count", "params": params});
        let started = pool.post::<_, Value>("/host/v1/operations", &body, pool::Repeat::Never).await;
        assert_eq!(started.unwrap().0, 202);
    }

    /// Number of its running operations, as it reports itself.
    pub async fn running(&self) -> usize {
        let ended = protocol::host::HostState::Ended;
        self.list().await.operations.iter().filter(|o| o.state != ended).count()
    }

    /// Waits until its own feed reports that an operation has ended.
    pub async fn ended(&self, id: OperationId) {
        let pool = pool::Pool::new(&format!("http://{}", self.address), PoolConfig::default()).unwrap();
        let mut stream = pool.stream("/host/v1/events?after=0", None, PATIENCE, PATIENCE).await.unwrap();
        loop {
            let message = stream.next().await.unwrap().unwrap();
            if let Ok(event) = serde_json::from_str::<protocol::host::HostEvent>(&message.data)
                && event.id == id
                && matches!(event.body, protocol::host::HostEventBody::Ended { .. })
            {
                return;
            }
        }
    }
}

/// Serves on its own runtime, which can be torn down like a process: at any time, without notice.
async fn serve(
    listen: &str,
    capacity: u32,
    (gate, ready): (&watch::Sender<bool>, &watch::Sender<bool>),
    seen: &Arc<Mutex<WorkLog>>,
    folder: &std::path::Path,
) -> (tokio::runtime::Runtime, JoinHandle<()>, SocketAddr) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let work = Count { gate: gate.subscribe(), ready: ready.subscribe(), seen: seen.clone() };
    let (listen, folder) = (listen.to_owned(), folder.to_owned());
    let (tell, released) = tokio::sync::oneshot::channel();
    let serving = runtime.spawn(async move {
        let host = Host::builder("counter", "1").capacity(capacity).work(work).checkpoints(folder);
        let host = host.build().unwrap();
        // A killed host may keep the port for a moment.
        let bound = async {
            loop {
                let socket = tokio::net::TcpSocket::new_v4().unwrap();
                socket.set_reuseaddr(true).unwrap();
                if socket.bind(listen.parse().unwrap()).is_ok()
                    && let Ok(listener) = socket.listen(64)
                {
                    return listener;
                }
                tokio::task::yield_now().await;
            }
        };
        let listener: TcpListener = tokio::time::timeout(PATIENCE, bound).await.unwrap();
        tell.send(listener.local_addr().unwrap()).unwrap();
        host.serve(listener, CancellationToken::new()).await.unwrap();
    });
    let address = released.await.unwrap();
    (runtime, serving, address)
}

/// Store and host; engines come and go.
pub struct Stage {
    folder: tempfile::TempDir,
    pub host: TestHost,
}

impl Stage {
    pub async fn new(capacity: u32) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), host: TestHost::new(capacity).await }
    }

    /// Engine on the store as the last one left it.
    pub fn engine(&self) -> Engine {
        self.engine_with(|_| {})
    }

    /// Same, with a changed configuration.
    pub fn engine_with(&self, configure: impl FnOnce(&mut EngineConfig)) -> Engine {
        self.engine_to(self.host.address, configure)
    }

    /// Same, over a connection that can be cut.
    pub fn engine_over(
        &self,
        flaky_connection: &FlakyConnection,
        configure: impl FnOnce(&mut EngineConfig),
    ) -> Engine {
        self.engine_to(flaky_connection.address, configure)
    }

    /// Store of a server that was closed.
    pub fn store(&self) -> Sqlite {
        Sqlite::open(&self.folder.path().join("signalbox.db")).unwrap()
    }

    pub async fn flaky_connection(&self) -> FlakyConnection {
        FlakyConnection::to(self.host.address).await
    }

    /// Same, with another address for its host.
    pub fn engine_at(&self, address: SocketAddr, configure: impl FnOnce(&mut EngineConfig)) -> Engine {
        self.engine_to(address, configure)
    }

    /// Same, on a store of the test.
    pub fn engine_on(&self, store: Arc<dyn Store>, configure: impl FnOnce(&mut EngineConfig)) -> Engine {
        self.open(store, self.host.address, configure)
    }

    fn engine_to(&self, address: SocketAddr, configure: impl FnOnce(&mut EngineConfig)) -> Engine {
        self.open(Arc::new(self.store()), address, configure)
    }

    fn open(
        &self,
        store: Arc<dyn Store>,
        address: SocketAddr,
        configure: impl FnOnce(&mut EngineConfig),
    ) -> Engine {
        let host = HostConfig {
            name: "counter".parse().unwrap(),
            url: format!("http://{address}"),
            pool: PoolConfig::default(),
            configured_at: None,
            in_process: false,
        };
        let mut config = EngineConfig {
            hosts: vec![host],
            silence: Duration::from_millis(2_500),
            ..EngineConfig::default()
        };
        configure(&mut config);
        Engine::open(store, config).unwrap()
    }

    /// Ends the host like `kill -9`.
    pub fn kill_host(&mut self) {
        self.host.kill();
    }

    /// Restarts the host on the same port.
    pub async fn restart_host(&mut self) {
        let listen = self.host.address.to_string();
        let (runtime, serving, _) = serve(
            &listen,
            self.host.capacity,
            (&self.host.gate, &self.host.ready),
            &self.host.seen,
            self.host.folder.path(),
        )
        .await;
        self.host.runtime = Some(runtime);
        self.host.serving = serving;
    }
}

impl Drop for TestHost {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits until the engine is connected to the host and knows its health, and so places work on it.
pub async fn up(engine: &Engine) {
    let mut feed = Follower::new(engine, engine.feed().head());
    while engine.hosts().hosts.iter().any(|h| h.link != HostLink::Up || h.health.is_none()) {
        feed.next().await;
    }
}

pub async fn try_start(
    engine: &Engine,
    kind: &str,
    params: Value,
) -> Result<Operation, signalbox_engine::EngineError> {
    let request = StartOperation { kind: kind.parse().unwrap(), params, priority: 0 };
    engine.start(request, None).await.map(|s| s.operation)
}

pub async fn start_with(engine: &Engine, params: Value, priority: i8) -> Operation {
    let request = StartOperation { kind: "test.count".parse().unwrap(), params, priority };
    engine.start(request, None).await.unwrap().operation
}

pub async fn start(engine: &Engine, params: Value) -> Operation {
    try_start(engine, "test.count", params).await.unwrap()
}

/// Reader of the feed that records it.
pub struct Follower {
    cursor: Cursor,
    ready: std::collections::VecDeque<Event>,
    read: Vec<u64>,
    skips: Vec<Skipped>,
    from: u64,
}

impl Follower {
    pub fn new(engine: &Engine, after: u64) -> Self {
        let cursor = engine.follow(after, None);
        Self { cursor, ready: Default::default(), read: Vec::new(), skips: Vec::new(), from: after }
    }

    fn take(&mut self) -> bool {
        match self.cursor.read() {
            Read::Frames { frames, skipped, .. } => {
                self.skips.extend(skipped);
                self.read.extend(frames.iter().map(|f| f.seq));
                self.ready.extend(frames.iter().map(|f| f.event().unwrap()));
                true
            }
            Read::Nothing => false,
            other => panic!("{other:?}"),
        }
    }

    pub async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return event;
            }
            if !self.take() {
                tokio::time::timeout(PATIENCE, self.cursor.changed()).await.expect("nothing came for long");
            }
        }
    }

    /// Reads what is left in the feed of a closed engine.
    pub fn read_rest(&mut self) {
        while self.take() {}
    }

    pub fn last(&self) -> u64 {
        self.read.last().copied().unwrap_or(self.from)
    }

    /// Waits for the first published operation that matches. The timeout also applies while other events arrive.
    pub async fn until(&mut self, fits: impl Fn(&Operation) -> bool) -> Operation {
        let released = async {
            loop {
                if let EventBody::Operation { operation } = self.next().await.body
                    && fits(&operation)
                {
                    return *operation;
                }
            }
        };
        tokio::time::timeout(PATIENCE, released).await.expect("others came, what was waited for did not")
    }

    /// Waits until all of them run, in any order.
    pub async fn until_running(&mut self, ids: &[OperationId]) {
        let mut waited_for: HashSet<_> = ids.iter().copied().collect();
        while !waited_for.is_empty() {
            let runs = self.until(|o| o.state == State::Running && waited_for.contains(&o.id)).await;
            waited_for.remove(&runs.id);
        }
    }

    /// States of an operation from here to its end, without repetitions.
    pub async fn states_until_ended(&mut self, id: OperationId) -> Vec<State> {
        let mut states: Vec<State> = Vec::new();
        loop {
            let state = self.until(|o| o.id == id).await.state;
            if states.last() != Some(&state) {
                states.push(state);
            }
            if state.ended() {
                return states;
            }
        }
    }

    /// Asserts that each number came once, and that missing ones were reported as skipped.
    pub fn assert_gapless(&self) {
        assert!(self.read.windows(2).all(|w| w[0] < w[1]), "an event came twice");
        let read: HashSet<u64> = self.read.iter().copied().collect();
        let missing: Vec<u64> =
            (self.from + 1..=self.last()).filter(|s| !read.contains(s) && !covers(&self.skips, *s)).collect();
        assert_eq!(missing, Vec::<u64>::new(), "events are missing");
    }
}
