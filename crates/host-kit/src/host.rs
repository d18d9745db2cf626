//! A host: built from works, then served, then stopped in order.

use crate::Work;
use crate::access::Access;
use crate::feed::{Bounds, Feed};
use crate::health::Machine;
use crate::registry::{Keep, Registry};
use crate::routes;
use crate::shelf::Shelf;
use crate::work::{AnyWork, Typed};
use axum::Router;
use axum::serve::ListenerExt;
use protocol::{Form, InstanceId, KindName};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::future::IntoFuture;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// After the streams have ended, open connections have this long to finish.
const LINGER: Duration = Duration::from_secs(5);
/// Results of ended operations are held up to this, in bytes.
const RESULT_BYTES: usize = 64 * 1024 * 1024;

/// A service that runs operations and serves the host contract under `/host/v1`.
pub struct Host {
    shared: Arc<Shared>,
    router: Router,
    stop_grace: Duration,
}

/// What the routes work with.
pub(crate) struct Shared {
    pub name: String,
    pub version: String,
    pub capacity: u32,
    pub works: Vec<Arc<dyn AnyWork>>,
    pub registry: Arc<Registry>,
    pub feed: Arc<Feed>,
    pub shelf: Option<Arc<Shelf>>,
    pub machine: Machine,
    pub access: Arc<Access>,
    /// The longest silence of a stream.
    pub beat: Duration,
    /// Fires when the streams are to end.
    pub ending: CancellationToken,
}

/// What a host is made of; each setting has a value that does for most.
pub struct HostBuilder {
    name: String,
    version: String,
    capacity: u32,
    works: Vec<Arc<dyn AnyWork>>,
    access: Access,
    bounds: Bounds,
    keep: Keep,
    checkpoints: Option<PathBuf>,
    checkpoints_of: usize,
    beat: Duration,
    stop_grace: Duration,
}

/// Why a host could not be built: faults of its author, found before anybody uses it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    #[error("the host has no work; add one with HostBuilder::work")]
    NoWork,
    #[error("the host has a capacity of 0; set at least 1")]
    NoCapacity,
    #[error("the host's token is empty; omit it, or set one that can't be guessed")]
    EmptyToken,
    #[error("two works declare the kind {0}; each kind must be unique")]
    DuplicateKind(KindName),
    /// The params of a kind are more than a form can show.
    #[error("kind {kind} declares unsupported parameters: {what}")]
    BadSchema {
        /// The kind.
        kind: KindName,
        /// Which param, and what about it.
        what: String,
    },
}

impl HostBuilder {
    /// How many operations run at once; 4 when not said.
    pub fn capacity(mut self, capacity: u32) -> Self {
        self.capacity = capacity;
        self
    }

    /// Adds a kind of operation.
    pub fn work<W: Work>(mut self, work: W) -> Self {
        self.works.push(Arc::new(Typed(Arc::new(work))));
        self
    }

    /// Wants this token of every request; `None` (as when not said) wants none.
    pub fn token(mut self, token: Option<String>) -> Self {
        self.access.token = token;
        self
    }

    /// The origins of pages that may talk to the host directly, like `http://127.0.0.1:7200`; none when not
    /// said. Programs that are no browser are not asked for one.
    pub fn allowed_origins(mut self, origins: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.access.origins = origins.into_iter().map(Into::into).collect();
        self
    }

    /// How much of the feed is held for those who come back: at most so many events and bytes; 65,536 events and
    /// 32 MiB when not said.
    pub fn ring(mut self, events: usize, bytes: usize) -> Self {
        self.bounds = Bounds { events: events.max(1), bytes };
        self
    }

    /// The longest silence of a stream, after which it beats; 1 s when not said.
    pub fn beat(mut self, every: Duration) -> Self {
        self.beat = every.max(Duration::from_millis(10));
        self
    }

    /// How many ended operations are held with their results; 1,000 when not said, and never more than 64 MiB of
    /// results. A start that is repeated after its operation was forgotten runs again.
    pub fn keep_ended(mut self, operations: usize) -> Self {
        self.keep.ended = operations;
        self
    }

    /// The folder for files of checkpoints, its own and such as are brought to it; without one it keeps none. Made when
    /// it is first needed. They outlive the host's memory of the operation.
    pub fn checkpoints(mut self, folder: impl Into<PathBuf>) -> Self {
        self.checkpoints = Some(folder.into());
        self
    }

    /// Of how many operations files of checkpoints are kept at most; 1,000 when not said. Those of an operation that
    /// succeeded, or that the server forgot, go at once.
    pub fn keep_checkpoints(mut self, operations: usize) -> Self {
        self.checkpoints_of = operations;
        self
    }

    /// How long running work has to stop when the host shuts down, before it is aborted; 10 s when not said.
    pub fn stop_grace(mut self, grace: Duration) -> Self {
        self.stop_grace = grace;
        self
    }

    /// The host, not yet served.
    ///
    /// # Errors
    /// When what was given makes no host.
    ///
    /// # Panics
    /// When two works mount the same artifact route, as axum does.
    pub fn build(self) -> Result<Host, BuildError> {
        if self.works.is_empty() {
            return Err(BuildError::NoWork);
        }
        if self.capacity == 0 {
            return Err(BuildError::NoCapacity);
        }
        if self.access.token.as_ref().is_some_and(String::is_empty) {
            return Err(BuildError::EmptyToken);
        }
        let mut by_kind = HashMap::new();
        for work in &self.works {
            let spec = work.kind();
            if let Err(what) = Form::from_schema(&spec.params) {
                return Err(BuildError::BadSchema { kind: spec.name, what });
            }
            match by_kind.entry(spec.name) {
                Entry::Occupied(known) => return Err(BuildError::DuplicateKind(known.key().clone())),
                Entry::Vacant(free) => free.insert(Arc::clone(work)),
            };
        }
        let feed = Arc::new(Feed::new(InstanceId::new(), self.bounds));
        let shelf = self.checkpoints.map(|folder| Arc::new(Shelf::new(folder, self.checkpoints_of)));
        let registry = Registry::new(Arc::clone(&feed), by_kind, self.capacity, self.keep, shelf.clone());
        let shared = Arc::new(Shared {
            name: self.name,
            version: self.version,
            capacity: self.capacity,
            works: self.works,
            registry: Arc::new(registry),
            feed,
            shelf,
            machine: Machine::default(),
            access: Arc::new(self.access),
            beat: self.beat,
            ending: CancellationToken::new(),
        });
        let router = routes::router(&shared);
        Ok(Host { shared, router, stop_grace: self.stop_grace })
    }
}

impl Host {
    /// Begins a host of this name and version, as `about` gives them.
    pub fn builder(name: impl Into<String>, version: impl Into<String>) -> HostBuilder {
        HostBuilder {
            name: name.into(),
            version: version.into(),
            capacity: 4,
            works: Vec::new(),
            access: Access::default(),
            bounds: Bounds { events: 65_536, bytes: 32 * 1024 * 1024 },
            keep: Keep { ended: 1_000, result_bytes: RESULT_BYTES },
            checkpoints: None,
            checkpoints_of: 1_000,
            beat: Duration::from_secs(1),
            stop_grace: Duration::from_secs(10),
        }
    }

    /// This life of the host.
    pub fn instance(&self) -> InstanceId {
        self.shared.feed.instance()
    }

    /// The host contract as routes, for those who serve it themselves; they call [`Host::stop`] before they stop
    /// serving.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Serves the host until `shutdown` fires, then stops it in order: what runs ends, the streams end with the
    /// last event, the listener closes. A thread of a work that does not look at its context is left behind; it
    /// would also keep a tokio runtime from being dropped, so a host that has such work ends its process by
    /// `Runtime::shutdown_background` or `std::process::exit`.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(self, listener: TcpListener, shutdown: CancellationToken) -> std::io::Result<()> {
        let listener = listener.tap_io(|connection| {
            // Events are small and must not wait for each other.
            if let Err(error) = connection.set_nodelay(true) {
                tracing::debug!(%error, "can't set TCP_NODELAY on a connection");
            }
        });
        let ended = self.shared.ending.clone().cancelled_owned();
        let mut serving = pin!(
            axum::serve(listener, self.router().into_make_service())
                .with_graceful_shutdown(ended)
                .into_future()
        );
        let stopping = async {
            shutdown.cancelled().await;
            self.stop().await;
        };
        tokio::select! {
            served = &mut serving => return served,
            () = stopping => {}
        }
        match tokio::time::timeout(LINGER, serving).await {
            Ok(served) => served,
            Err(_) => {
                tracing::warn!("closing connections that are still open at shutdown");
                Ok(())
            }
        }
    }

    /// Takes nothing more, stops what runs and waits for its end, then ends the streams. What nobody asked to
    /// cancel ends as failed because the host stopped.
    pub async fn stop(&self) {
        self.shared.registry.stop(self.stop_grace).await;
        self.shared.ending.cancel();
    }
}
