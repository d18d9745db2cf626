//! Host: built from works, then served, then stopped in order.

use crate::Work;
use crate::access::Access;
use crate::checkpoint_store::CheckpointStore;
use crate::feed::Feed;
use crate::health::MachineMonitor;
use crate::registry::{Keep, Registry};
use crate::routes;
use crate::sampling::{Samples, Sampling};
use crate::shared::Shared;
use crate::tokens::HostTokens;
use crate::work::{AnyWork, Typed};
use axum::Router;
use axum::serve::ListenerExt;
use event_log::RingLimits;
use form::Form;
use http_wire::AccessLog;
use protocol::{InstanceId, KindName};
use resources::Folder;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::future::IntoFuture;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Time that open connections have to finish after the streams have ended.
const LINGER: Duration = Duration::from_secs(5);
/// Largest total size of the results of ended operations, in bytes.
const RESULT_BYTES: usize = 64 * 1024 * 1024;

/// Service that runs operations and serves the host contract under `/host/v1`.
pub struct Host {
    shared: Arc<Shared>,
    router: Router,
    stop_grace: Duration,
}

/// Builder of a host; each setting has a suitable default.
pub struct HostBuilder {
    name: String,
    version: String,
    capacity: u32,
    works: Vec<Arc<dyn AnyWork>>,
    access: Access,
    bounds: RingLimits,
    keep: Keep,
    checkpoints: Option<PathBuf>,
    checkpoints_of: usize,
    beat: Duration,
    stop_grace: Duration,
    access_log: AccessLog,
    sampling: bool,
    folders: Vec<Folder>,
}

/// Error when a host is built: a mistake of its author, found before it is used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// The host has no kind.
    #[error("the host has no work; add one with HostBuilder::work")]
    NoWork,
    /// The host has no slots.
    #[error("the host has a capacity of 0; set at least 1")]
    NoCapacity,
    /// The token is empty.
    #[error("the host's token is empty; omit it, or set one that can't be guessed")]
    EmptyToken,
    /// Two works have the same kind.
    #[error("two works declare the kind {0}; each kind must be unique")]
    DuplicateKind(KindName),
    /// The parameters of a kind can't be shown in a form.
    #[error("kind {kind} declares unsupported parameters: {what}")]
    BadSchema {
        /// The kind.
        kind: KindName,
        /// The parameter, and what is wrong with it.
        what: String,
    },
}

impl HostBuilder {
    /// Sets the number of slots; 4 by default.
    pub fn capacity(mut self, capacity: u32) -> Self {
        self.capacity = capacity;
        self
    }

    /// Adds a kind of operation.
    pub fn work<W: Work>(mut self, work: W) -> Self {
        self.works.push(Arc::new(Typed(Arc::new(work))));
        self
    }

    /// Sets a token that every request must have; none by default.
    pub fn token(self, token: Option<String>) -> Self {
        self.tokens(token.map(|token| HostTokens::new([token])))
    }

    /// Sets tokens, one of which every request must have; none by default. They can be replaced while the host runs.
    pub fn tokens(mut self, tokens: Option<HostTokens>) -> Self {
        self.access.tokens = tokens;
        self
    }

    /// Sets the origins of pages that may access the host directly, such as `http://127.0.0.1:7200`; none by default.
    /// Programs other than browsers send no origin.
    pub fn allowed_origins(mut self, origins: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.access.origins = origins.into_iter().map(Into::into).collect();
        self
    }

    /// Limits the part of the feed that is kept for reconnecting clients; 65,536 events and 32 MiB by default.
    pub fn ring(mut self, events: usize, bytes: usize) -> Self {
        self.bounds = RingLimits { events: events.max(1), bytes };
        self
    }

    /// Sets the interval of heartbeats in a silent stream; 1 s by default.
    pub fn beat(mut self, every: Duration) -> Self {
        self.beat = every.max(Duration::from_millis(10));
        self
    }

    /// Limits the number of ended operations kept with their results; 1,000 by default, and never more than 64 MiB of
    /// results. A start that is repeated after its operation was forgotten runs again.
    pub fn keep_ended(mut self, operations: usize) -> Self {
        self.keep.ended = operations;
        self
    }

    /// Sets the folder for files of checkpoints, both its own and transferred ones; without it, no files can be saved.
    /// Created when needed. The files remain when the host forgets the operation.
    pub fn checkpoints(mut self, folder: impl Into<PathBuf>) -> Self {
        self.checkpoints = Some(folder.into());
        self
    }

    /// Limits the number of operations with files of checkpoints; 1,000 by default. Files of operations that succeeded,
    /// or that the server deleted, are removed at once.
    pub fn keep_checkpoints(mut self, operations: usize) -> Self {
        self.checkpoints_of = operations;
        self
    }

    /// Sets the time that running work has to stop at shutdown, before it is aborted; 10 s by default.
    pub fn stop_grace(mut self, grace: Duration) -> Self {
        self.stop_grace = grace;
        self
    }

    /// Sets whether each request is logged at level info; off by default.
    pub fn access_log(mut self, on: bool) -> Self {
        self.access_log = if on { AccessLog::On } else { AccessLog::Off };
        self
    }

    /// Sets whether the host samples the resources of its machine and its process once a second while it is served; on
    /// by default. Switch it off for a host whose work runs elsewhere: another machine's load would be shown as its
    /// own.
    pub fn sampling(mut self, on: bool) -> Self {
        self.sampling = on;
        self
    }

    /// Adds a folder whose free space is sampled, under a name such as `data`.
    pub fn watch_folder(mut self, name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        self.folders.push(Folder { name: name.into(), path: path.into() });
        self
    }

    /// Builds the host, which is not served yet.
    ///
    /// # Errors
    /// If the settings are invalid.
    ///
    /// # Panics
    /// If two works mount the same artifact route, as in axum.
    pub fn build(self) -> Result<Host, BuildError> {
        if self.works.is_empty() {
            return Err(BuildError::NoWork);
        }
        if self.capacity == 0 {
            return Err(BuildError::NoCapacity);
        }
        if self.access.tokens.as_ref().is_some_and(HostTokens::are_incomplete) {
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
        let checkpoint_store =
            self.checkpoints.map(|folder| Arc::new(CheckpointStore::new(folder, self.checkpoints_of)));
        let registry =
            Registry::new(Arc::clone(&feed), by_kind, self.capacity, self.keep, checkpoint_store.clone());
        let shared = Arc::new(Shared {
            name: self.name,
            version: self.version,
            capacity: self.capacity,
            works: self.works,
            registry: Arc::new(registry),
            feed,
            checkpoint_store,
            machine: self.sampling.then(MachineMonitor::default),
            sampling: match self.sampling {
                true => Sampling::On(Samples::new(self.folders)),
                false => Sampling::Off,
            },
            access: Arc::new(self.access),
            beat: self.beat,
            ending: CancellationToken::new(),
        });
        let router = http_wire::traced_host(routes::router(&shared), self.access_log);
        Ok(Host { shared, router, stop_grace: self.stop_grace })
    }
}

impl Host {
    /// Builder of a host with this name and version, which `about` reports.
    pub fn builder(name: impl Into<String>, version: impl Into<String>) -> HostBuilder {
        HostBuilder {
            name: name.into(),
            version: version.into(),
            capacity: 4,
            works: Vec::new(),
            access: Access::default(),
            bounds: RingLimits::default(),
            keep: Keep { ended: 1_000, result_bytes: RESULT_BYTES },
            checkpoints: None,
            checkpoints_of: 1_000,
            beat: Duration::from_secs(1),
            stop_grace: Duration::from_secs(10),
            access_log: AccessLog::Off,
            sampling: true,
            folders: Vec::new(),
        }
    }

    /// ID of this process of the host.
    pub fn instance(&self) -> InstanceId {
        self.shared.feed.instance()
    }

    /// Routes of the host contract, for programs that serve them themselves; they must call [`Host::stop`] before they
    /// stop serving.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Serves the host until `shutdown` is cancelled, then stops it in order: running work ends, the streams end with
    /// the last event, the listener closes. A thread of a work that does not check its context is left behind. It would
    /// also keep a tokio runtime from being dropped, so a host with such work must end its process with
    /// `Runtime::shutdown_background` or `std::process::exit`.
    ///
    /// # Errors
    /// If the listener fails.
    pub async fn serve(self, listener: TcpListener, shutdown: CancellationToken) -> std::io::Result<()> {
        let listener = listener.tap_io(|connection| {
            // Events are small and must not wait for each other.
            if let Err(error) = connection.set_nodelay(true) {
                tracing::debug!(%error, "can't set TCP_NODELAY on a connection");
            }
        });
        let ended = self.shared.ending.clone().cancelled_owned();
        let mut serving = pin!(
            axum::serve(listener, self.router().into_make_service_with_connect_info::<SocketAddr>())
                .with_graceful_shutdown(ended)
                .into_future()
        );
        let stopping = async {
            shutdown.cancelled().await;
            self.stop().await;
        };
        let sampling = async {
            if let Sampling::On(samples) = &self.shared.sampling {
                samples.run(&self.shared.registry, &self.shared.ending).await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            served = &mut serving => return served,
            () = stopping => {}
            () = sampling => {}
        }
        match tokio::time::timeout(LINGER, serving).await {
            Ok(served) => served,
            Err(_) => {
                tracing::warn!("closing connections that are still open at shutdown");
                Ok(())
            }
        }
    }

    /// Accepts nothing more, stops running work and waits for its end, then ends the streams. Work that was not
    /// cancelled ends as failed because the host stopped.
    pub async fn stop(&self) {
        self.shared.registry.stop(self.stop_grace).await;
        self.shared.ending.cancel();
    }
}
