//! Environment of these tests: a store in its own folder, and a host that counts.

mod count;
mod follower;

pub use follower::Follower;

use super::flaky_connection::FlakyConnection;
use count::{Count, WorkLog};
use host_kit::Host;
use parking_lot::Mutex;
use pool::PoolConfig;
use protocol::api::{HostLink, StartOperation};
use protocol::{Operation, OperationId};
use serde_json::{Value, json};
use signalbox_engine::{Engine, EngineConfig, HostConfig};
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

    /// Secrets that its attempts of an operation got.
    pub fn tokens(&self, id: OperationId) -> Vec<String> {
        self.seen.lock().tokens.get(&id).cloned().unwrap_or_default()
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

    /// Contents of the files of the database, with its write-ahead log.
    pub fn database_files(&self) -> Vec<Vec<u8>> {
        let files = std::fs::read_dir(self.folder.path()).unwrap();
        files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
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
