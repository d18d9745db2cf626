//! Engine as the server uses it: start, cancel, retry, resume; queries; the feed.

mod bands;
mod commands;
mod delete;
mod log_search;
mod queries;
mod scoped;

pub use log_search::LogQuery;
pub use scoped::Scoped;

use crate::baseline_cache::BaselineCache;
use crate::command::{Command, CoordinatorSender};
use crate::config::{EngineConfig, reconfigured};
use crate::coordinator::{Coordinator, Published};
use crate::error::{EngineError, OpenError};
use crate::feed::{Cursor, Feed, Frame};
use crate::forecast::Forecasts;
use crate::host_connection::HostConnection;
use crate::host_registry::{Entry, HostRegistry, LastSeen};
use crate::housekeeping;
use crate::kind_registry::KindRegistry;
use crate::scoped_feed::{ScopedFeeds, Sources};
use crate::secret_params::SecretParams;
use crate::store_reader::StoreReader;
use crate::tally::Tally;
use crate::view::{View, ViewChange};
use parking_lot::RwLock;
use pool::{Pool, PoolConfig, Requests, RouteMetrics};
use protocol::access::KindScope;
use protocol::api::{HostList, KindList};
use protocol::{Actor, HostName, InstanceId, KindName, Operation, OperationId, State, Time};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{Change, EventRecord, Filter, Store, StoreError, StoreFault, Writer};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Selection of operations for a bulk request.
#[derive(Clone, Debug)]
pub enum Which {
    These(Vec<OperationId>),
    /// All that a filter matches.
    Found(Box<Filter>),
}

/// Result of a bulk cancel.
#[derive(Debug, Default)]
pub struct CancelledOperations {
    /// Operations whose cancel was requested.
    pub requested: Vec<OperationId>,
    /// Operations that can't be cancelled, and why.
    pub refused: Vec<(OperationId, EngineError)>,
    /// Whether at least one request is not stored yet.
    pub not_stored: bool,
}

/// Result of a start.
#[derive(Clone, Debug)]
pub struct Started {
    pub operation: Operation,
    /// False if the same request was accepted before, by its idempotency key.
    pub new: bool,
}

/// Handle of an engine; clones share it.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
    /// Actor of this handle's requests, for the audit log.
    by: Arc<Actor>,
}

struct Shared {
    store: StoreReader,
    feed: Arc<Feed>,
    view: Arc<RwLock<View>>,
    kind_registry: Arc<KindRegistry>,
    coordinator: CoordinatorSender,
    pools: Vec<(HostName, Pool)>,
    bands: BaselineCache,
    scoped_feeds: ScopedFeeds,
    store_fault: watch::Receiver<StoreFault>,
    secret_params: SecretParams,
    instance: InstanceId,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Engine {
    /// Loads the state of the store and starts to connect to the hosts. Blocking while it reads the store; needs a
    /// tokio runtime.
    ///
    /// # Errors
    /// If the store can't be read or a host's configuration is invalid.
    pub fn open(store: Arc<dyn Store>, config: EngineConfig) -> Result<Self, OpenError> {
        let head = store.head()?;
        let mut unended = store.unended()?;
        let watched = bands::watched(&*store, &mut unended)?;
        let cursors = store.cursors()?;
        let counts = store.counts_by_kind()?;
        let lines = config.lines();
        if let Some(entry) = reconfigured(&store.configuration()?, &lines, Time::now()) {
            store.apply(&[Change::Configuration { lines }, Change::Audit(Box::new(entry))])?;
        }
        let tasks = TaskTracker::new();
        let reader = StoreReader::new(store.clone(), tasks.clone());
        let secret_params = SecretParams::new(config.secret_keys.clone(), reader.clone());
        secret_params.warn_of_missing_keys()?;
        let drained = store.drained()?;
        let mut forecasts = Forecasts::default();
        for (kind, run) in store.runs()? {
            forecasts.learn(&kind, run);
        }
        let ended = Filter {
            states: vec![State::Succeeded, State::Failed, State::Cancelled],
            limit: 200,
            ..Filter::default()
        };
        let mut recent_operation = store.page(&ended)?.operations;
        recent_operation.extend(unended.iter().map(|s| s.operation.clone()));

        let feed = Arc::new(Feed::new(head, config.ring));
        let view = Arc::new(RwLock::new(View::new(recent_operation, counts)));
        let (publishing_feed, publishing_view) = (feed.clone(), view.clone());
        let writer = Writer::start(store.clone(), move |batch: Vec<Published>| {
            let mut frames: Vec<Frame> = Vec::new();
            let (mut views, mut after) = (Vec::new(), Vec::new());
            for published in batch {
                frames.extend(published.frames);
                views.extend(published.views);
                after.extend(published.after);
            }
            publishing_feed.publish(frames, || {
                let mut view = publishing_view.write();
                views.into_iter().for_each(|change| view.apply(change));
            });
            after.into_iter().for_each(|then| then());
        })
        .map_err(OpenError::Thread)?;
        let store_fault = writer.store_fault();

        let keep = config.rules.keep;
        let (coordinator, commands) = mpsc::channel::<Command>(1_024);
        let kind_registry = Arc::new(KindRegistry::new(config.in_words, config.sets));
        let configured = config.hosts.iter().map(|host| host.name.clone()).collect();
        kind_registry.configured(configured, config.rules.limits.clone());
        let stop = CancellationToken::new();
        let mut host_registry = HostRegistry::default();
        let mut connections = Vec::new();
        let mut pools: Vec<(HostName, Pool)> = Vec::new();
        for host in config.hosts {
            if host_registry.get(&host.name).is_some() {
                return Err(OpenError::TwoHosts(host.name));
            }
            let pool_config = PoolConfig { routes: protocol::host::ROUTES, ..host.pool };
            let pool = Pool::new(&host.url, pool_config)
                .map_err(|source| OpenError::Host { name: host.name.clone(), source })?;
            let cursor = cursors.iter().find(|(name, _)| *name == host.name).map(|(_, c)| *c);
            let last_seen = LastSeen::default();
            let mut entry = Entry::new(host.name.clone(), pool.clone(), cursor, last_seen.clone());
            entry.draining = drained.contains(&host.name);
            entry.in_process = host.in_process;
            view.write().apply(ViewChange::Host(Box::new(entry.status())));
            host_registry.add(entry);
            pools.push((host.name.clone(), pool.clone()));
            connections.push(HostConnection {
                host: host.name,
                pool,
                coordinator: coordinator.clone(),
                last_seen,
                room: writer.room(),
                silence: config.silence,
                health_every: config.health_every,
                scan_every: config.scan_every,
                stop: stop.clone(),
                met: tokio::sync::Notify::new(),
                succeeded: tokio::sync::Notify::new(),
            });
        }
        let beginning = crate::coordinator::Beginning {
            head,
            unended,
            watched,
            host_registry,
            kind_registry: kind_registry.clone(),
            writer,
            sender: coordinator.clone(),
            store: reader.clone(),
            secret_params: secret_params.clone(),
            view: view.clone(),
            forecasts,
            rules: config.rules,
        };
        let coordinator_task = Coordinator::new(beginning, Time::now());
        tasks.spawn(coordinator_task.run(commands, stop.clone()));
        for link in connections {
            tasks.spawn(link.run());
        }
        tasks.spawn(housekeeping::tick(coordinator.clone(), stop.clone()));
        if keep.age.is_some() || keep.most.is_some() {
            tasks.spawn(housekeeping::delete_expired(
                reader.clone(),
                keep,
                coordinator.clone(),
                stop.clone(),
            ));
        }
        tasks.close();
        let instance = InstanceId::new();
        let shared = Shared {
            store: reader,
            feed,
            view,
            kind_registry,
            coordinator,
            pools,
            bands: BaselineCache::default(),
            scoped_feeds: ScopedFeeds::default(),
            store_fault,
            secret_params,
            instance,
            stop,
            tasks,
        };
        Ok(Self { shared: Arc::new(shared), by: Arc::new(Actor::signalbox()) })
    }

    /// Handle for another actor, who is named in the audit log.
    #[must_use]
    pub fn by(&self, actor: Actor) -> Self {
        Self { shared: self.shared.clone(), by: Arc::new(actor) }
    }

    /// The engine within a scope; `None` for all kinds.
    pub fn scoped(&self, scope: Option<&KindScope>) -> Scoped {
        let shared = &self.shared;
        let limited = scope.map(|scope| {
            let Shared { feed, view, kind_registry: kinds, tasks, stop, .. } = &**shared;
            shared.scoped_feeds.get(scope, &Sources { feed, view, kinds, tasks, stop })
        });
        Scoped::new(self.clone(), limited)
    }

    /// Kind of a stored operation.
    ///
    /// # Errors
    /// `Unreadable` if the store can't be read.
    pub(crate) async fn kind_of(&self, id: OperationId) -> Result<Option<KindName>, EngineError> {
        self.stored(move |store| store.kind_of(id)).await
    }

    /// Disconnects from the hosts, writes what is pending, and waits for queries. Operations continue on their hosts.
    pub async fn close(&self) {
        self.shared.stop.cancel();
        self.shared.tasks.wait().await;
    }

    /// Whether an operation is queued, running or being cancelled.
    pub fn is_active(&self, id: OperationId) -> bool {
        self.shared.view.read().operation(id).is_some_and(|operation| !operation.state.ended())
    }

    async fn stored_unless_live(&self, id: OperationId) -> Result<Option<Box<store::Stored>>, EngineError> {
        let live = self.shared.view.read().operation(id).is_some_and(|o| !o.state.ended());
        if live {
            return Ok(None);
        }
        Ok(self.stored(move |store| store.operation(id)).await?.map(Box::new))
    }

    pub fn kinds(&self) -> KindList {
        self.shared.kind_registry.list()
    }

    pub fn hosts(&self) -> HostList {
        HostList { hosts: self.shared.view.read().hosts() }
    }

    /// Requests to each configured host since the server started, by route.
    pub fn host_requests(&self) -> Vec<(HostName, Vec<RouteMetrics>)> {
        self.shared.pools.iter().map(|(name, pool)| (name.clone(), pool.requests())).collect()
    }

    /// Started and ended operations by kind, since the server started.
    pub fn tallies(&self) -> BTreeMap<KindName, Tally> {
        self.shared.view.read().tallies()
    }

    /// Requests to each configured host since the last call, for one caller that records them.
    pub fn take_host_requests(&self) -> Vec<(HostName, Requests)> {
        self.shared.pools.iter().map(|(name, pool)| (name.clone(), pool.take_requests())).collect()
    }

    /// Configured hosts that have not connected since the server started, so that their kinds are unknown.
    pub fn unmet_hosts(&self) -> Vec<HostName> {
        self.shared.kind_registry.unmet()
    }

    /// Whether and why nothing can be stored now.
    pub fn store_fault(&self) -> StoreFault {
        self.shared.store_fault.borrow().clone()
    }

    /// ID of this process of the server.
    pub fn instance(&self) -> InstanceId {
        self.shared.instance
    }

    /// The feed.
    pub fn feed(&self) -> &Arc<Feed> {
        &self.shared.feed
    }

    /// Reader that has everything up to `after`.
    pub fn follow(&self, after: u64, only: Option<OperationId>) -> Cursor {
        Cursor::new(self.shared.feed.clone(), after, only)
    }

    /// Events after `after` that are no longer in memory, from the store; `None` if the store no longer has them
    /// either.
    ///
    /// # Errors
    /// `Unreadable` if the store can't be read.
    pub async fn older_events(&self, after: u64) -> Result<Option<Vec<Frame>>, EngineError> {
        // The store is slightly ahead of the feed, because events are published once durable. A reader that got them
        // from here would have a position that the feed does not know yet.
        let head = self.shared.feed.at_head(|seq| seq);
        let events = self.stored(move |store| store.events(after, 1_000)).await?;
        let published = |events: Vec<EventRecord>| {
            events.iter().filter(|event| event.seq <= head).map(Frame::new).collect()
        };
        Ok(events.map(published))
    }

    async fn send_command(&self, command: Command) -> Result<(), EngineError> {
        self.shared.coordinator.send(command).await.map_err(|_| EngineError::Closing)
    }

    async fn stored<T: Send + 'static>(
        &self,
        query: impl FnOnce(&dyn Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let answer = self.shared.store.read(query).await;
        if let Err(EngineError::Unreadable(error)) = &answer {
            tracing::error!(%error, "can't read the database; the request fails");
        }
        answer
    }

    /// Refuses requests while nothing can be stored.
    fn storable(&self) -> Result<(), EngineError> {
        match self.store_fault() {
            None => Ok(()),
            Some(store_fault) => Err(EngineError::Unwritable(store_fault)),
        }
    }
}
