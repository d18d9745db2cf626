//! The engine as the server sees it: start, cancel, retry, resume; look things up; follow the feed.

mod bands;
mod delete;

use crate::activity;
use crate::catalogue::Catalogue;
use crate::config::{EngineConfig, reconfigured};
use crate::desk::{Command, Desk, DeskSender, NewOperation, Told, key_of_the_gone, key_reused};
use crate::downsample::downsample;
use crate::earlier::Bands;
use crate::feed::{Cursor, Feed, Frame};
use crate::forecast::Forecasts;
use crate::housekeeping;
use crate::lifecycle::Message;
use crate::link::Link;
use crate::roster::{Entry, LastWord, Roster};
use crate::view::{View, ViewChange};
use bytes::Bytes;
use parking_lot::RwLock;
use pool::{Pool, PoolError};
use protocol::activity::Activity;
use protocol::api::{
    AuditPage, CancelledMany, HostList, HostStatus, KindList, LogPage, OperationDetail, OperationPage,
    Refused, SeriesAnswer, Snapshot, StartOperation, StartWithRule,
};
use protocol::operation::AttemptOrigin;
use protocol::{
    Actor, FieldError, HostName, InstanceId, KindName, Operation, OperationId, Points, Problem, ProblemType,
    SetRule, State, Time,
};
use serde_json::Value;
use std::sync::Arc;
use store::{Change, EventRecord, Filter, Store, StoreError, Trouble, Writer};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Why an engine can't start.
#[derive(Debug, Error)]
pub enum EngineError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("host '{name}' can't be used: {source}")]
    Host { name: HostName, source: PoolError },
    #[error("the name '{0}' is given to two hosts; each needs its own")]
    TwoHosts(HostName),
    #[error("the operating system gives no thread for the store: {0}")]
    Thread(std::io::Error),
}

/// Which operations a wish for many is about.
#[derive(Clone, Debug)]
pub enum Which {
    These(Vec<OperationId>),
    /// All that it finds.
    Found(Filter),
}

/// What a start gave.
#[derive(Clone, Debug)]
pub struct Started {
    pub operation: Operation,
    /// False when the same request was taken before, by its idempotency key.
    pub new: bool,
}

/// A handle; clones share one engine.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
    /// Whose wishes come through this handle, for the audit.
    by: Arc<Actor>,
}

struct Shared {
    store: Arc<dyn Store>,
    feed: Arc<Feed>,
    view: Arc<RwLock<View>>,
    catalogue: Arc<Catalogue>,
    desk: DeskSender,
    pools: Vec<(HostName, Pool)>,
    bands: Bands,
    trouble: watch::Receiver<Trouble>,
    instance: InstanceId,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Engine {
    /// Picks up where the store is and begins to talk to the hosts. Blocks while it reads the store; call it
    /// within a tokio runtime.
    ///
    /// # Errors
    /// When the store can't be read or a host is configured wrongly.
    pub fn open(store: Arc<dyn Store>, config: EngineConfig) -> Result<Self, EngineError> {
        let head = store.head()?;
        let mut unended = store.unended()?;
        let watched = bands::watched(&*store, &mut unended)?;
        let cursors = store.cursors()?;
        let counts = store.counts()?;
        let lines = config.lines();
        if let Some(entry) = reconfigured(&store.configuration()?, &lines, Time::now()) {
            store.apply(&[Change::Configuration { lines }, Change::Audit(Box::new(entry))])?;
        }
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
        let mut at_hand = store.page(&ended)?.operations;
        at_hand.extend(unended.iter().map(|s| s.operation.clone()));

        let feed = Arc::new(Feed::new(head, config.ring));
        let view = Arc::new(RwLock::new(View::new(at_hand, counts)));
        let (told_feed, told_view) = (feed.clone(), view.clone());
        let writer = Writer::start(store.clone(), move |batch: Vec<Told>| {
            let mut frames: Vec<Frame> = Vec::new();
            let (mut views, mut after) = (Vec::new(), Vec::new());
            for told in batch {
                frames.extend(told.frames);
                views.extend(told.views);
                after.extend(told.after);
            }
            told_feed.publish(frames, || {
                let mut view = told_view.write();
                views.into_iter().for_each(|change| view.apply(change));
            });
            after.into_iter().for_each(|then| then());
        })
        .map_err(EngineError::Thread)?;
        let trouble = writer.trouble();

        let keep = config.rules.keep;
        let (desk, commands) = mpsc::channel::<Command>(1_024);
        let catalogue = Arc::new(Catalogue::default());
        catalogue.configured(config.hosts.len(), config.rules.limits.clone());
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let mut roster = Roster::default();
        let mut links = Vec::new();
        let mut pools: Vec<(HostName, Pool)> = Vec::new();
        for host in config.hosts {
            if roster.get(&host.name).is_some() {
                return Err(EngineError::TwoHosts(host.name));
            }
            let pool = Pool::new(&host.url, host.pool)
                .map_err(|source| EngineError::Host { name: host.name.clone(), source })?;
            let cursor = cursors.iter().find(|(name, _)| *name == host.name).map(|(_, c)| *c);
            let last_word = LastWord::default();
            let mut entry = Entry::new(host.name.clone(), pool.clone(), cursor, last_word.clone());
            entry.draining = drained.contains(&host.name);
            view.write().apply(ViewChange::Host(Box::new(entry.status())));
            roster.add(entry);
            pools.push((host.name.clone(), pool.clone()));
            links.push(Link {
                host: host.name,
                pool,
                desk: desk.clone(),
                last_word,
                silence: config.silence,
                health_every: config.health_every,
                scan_every: config.scan_every,
                stop: stop.clone(),
            });
        }
        let beginning = crate::desk::Beginning {
            head,
            unended,
            watched,
            roster,
            catalogue: catalogue.clone(),
            writer,
            sender: desk.clone(),
            store: store.clone(),
            forecasts,
            rules: config.rules,
        };
        let at_desk = Desk::new(beginning, Time::now());
        tasks.spawn(at_desk.run(commands, stop.clone()));
        for link in links {
            tasks.spawn(link.run());
        }
        tasks.spawn(housekeeping::tick(desk.clone(), stop.clone()));
        if keep.age.is_some() || keep.most.is_some() {
            tasks.spawn(housekeeping::forget(store.clone(), keep, desk.clone(), stop.clone()));
        }
        tasks.close();
        let instance = InstanceId::new();
        let shared = Shared {
            store,
            feed,
            view,
            catalogue,
            desk,
            pools,
            bands: Bands::default(),
            trouble,
            instance,
            stop,
            tasks,
        };
        Ok(Self { shared: Arc::new(shared), by: Arc::new(Actor::signalbox()) })
    }

    /// The same engine in somebody's hands: what is done through this handle is theirs in the audit.
    #[must_use]
    pub fn by(&self, actor: Actor) -> Self {
        Self { shared: self.shared.clone(), by: Arc::new(actor) }
    }

    /// Stops talking to hosts and writes what is left. Operations go on where they are.
    pub async fn close(&self) {
        self.shared.stop.cancel();
        self.shared.tasks.wait().await;
    }

    /// Starts an operation: checked, durable, and given to a host if one has a place.
    ///
    /// # Errors
    /// `UnknownKind`, `BadParams` with a message for each param, `KeyReused`, or `Unavailable` while nothing
    /// can be stored. Nothing was started then.
    pub async fn start(&self, request: StartOperation, key: Option<String>) -> Result<Started, Problem> {
        self.start_under(None, request, None, key).await
    }

    /// As [`Engine::start`], with a rule that holds from the first point on.
    ///
    /// # Errors
    /// Also `BadParams` for a rule that can't be.
    pub async fn start_with_rule(
        &self,
        request: StartWithRule,
        key: Option<String>,
    ) -> Result<Started, Problem> {
        let StartWithRule { start, rule } = request;
        if let Some(rule) = &rule {
            bands::check(rule)?;
        }
        self.start_under(None, start, rule, key).await
    }

    /// As [`Engine::start`], for an operation that belongs to another: when that is cancelled, or fails for good,
    /// so is this.
    ///
    /// # Errors
    /// Also `Conflict` when the parent has ended or is being cancelled.
    pub async fn start_child(
        &self,
        parent: OperationId,
        request: StartOperation,
        key: String,
    ) -> Result<Started, Problem> {
        self.start_under(Some(parent), request, None, Some(key)).await
    }

    /// The params of a kind as its host would get them.
    ///
    /// # Errors
    /// `UnknownKind`, or `BadParams` with a message for each param.
    pub fn check(&self, kind: &KindName, params: &Value) -> Result<Value, Problem> {
        self.shared.catalogue.check(kind, params).map(|(params, _)| params)
    }

    /// An operation as it was told last, if it is at hand: one that has not ended always is.
    pub fn at_hand(&self, id: OperationId) -> Option<Operation> {
        self.shared.view.read().operation(id).cloned()
    }

    async fn start_under(
        &self,
        parent: Option<OperationId>,
        start: StartOperation,
        rule: Option<SetRule>,
        key: Option<String>,
    ) -> Result<Started, Problem> {
        self.storable()?;
        let request = StartWithRule { start, rule };
        let wanted = serde_json::to_string(&request)
            .map_err(|e| Problem::new(ProblemType::BadRequest, e.to_string()))?;
        if let Some(key) = key.clone()
            && let Some((id, before)) = self.stored(move |store| store.key(&key)).await?
        {
            if before != wanted {
                return Err(key_reused());
            }
            return match self.operation(id).await {
                Ok(detail) => Ok(Started { operation: detail.operation, new: false }),
                Err(gone) if gone.kind == ProblemType::NotFound => Err(key_of_the_gone()),
                Err(problem) => Err(problem),
            };
        }
        let StartWithRule { start: request, rule } = request;
        let (params, title) = self.shared.catalogue.check(&request.kind, &request.params)?;
        let id = OperationId::new();
        let title = if title.is_empty() { id.short() } else { title };
        let priority = request.priority;
        if !(-100..=100).contains(&priority) {
            let error = FieldError::new("priority", "A priority is a whole number from -100 to 100.");
            let problem = Problem::new(ProblemType::BadParams, error.message.clone());
            return Err(problem.with_fields(vec![error]));
        }
        let kind = request.kind;
        let rule = match rule {
            None => None,
            Some(rule) => {
                let of = Operation::queued(id, kind.clone(), title.clone(), Value::Null, Time::now());
                let envelope = self.read_envelope(&of, rule.series.clone(), true).await?;
                Some((rule, envelope))
            }
        };
        let new =
            Box::new(NewOperation { id, kind, title, params, priority, parent, key, request: wanted, rule });
        let (reply, answer) = oneshot::channel();
        self.tell(Command::Start { new, by: self.by.clone(), reply }).await?;
        let (operation, new) = answer.await.map_err(|_| closing())??;
        Ok(Started { operation, new })
    }

    /// Asks for an operation's end; answers when the request is durable, not when it is fulfilled.
    ///
    /// # Errors
    /// `NotFound`, or `Conflict` when it has ended.
    pub async fn cancel(&self, id: OperationId, reason: String) -> Result<Operation, Problem> {
        self.wish(id, Message::Cancel { reason }).await
    }

    /// Gives up an attempt whose host can't be heard: it fails, and nothing that comes of it counts any more.
    ///
    /// # Errors
    /// `NotFound`, or `Conflict` when it has ended or its host can be heard.
    pub async fn abandon(&self, id: OperationId, reason: String) -> Result<Operation, Problem> {
        self.wish(id, Message::Abandon { reason }).await
    }

    /// Makes another attempt at an operation that failed or was cancelled.
    ///
    /// # Errors
    /// `NotFound`, or `Conflict` when its state does not allow it or there is no checkpoint to resume from.
    pub async fn again(&self, id: OperationId, origin: AttemptOrigin) -> Result<Operation, Problem> {
        self.wish(id, Message::Again { origin }).await
    }

    async fn wish(&self, id: OperationId, wish: Message) -> Result<Operation, Problem> {
        self.storable()?;
        let ended = self.stored_unless_live(id).await?;
        let ruled = ended.as_ref().is_some_and(|stored| stored.operation.rule.is_some());
        let band = if ruled { self.stored(move |store| store.rule_band(id)).await? } else { None };
        let band = band.map(|kept| Arc::new(kept.envelope));
        let (reply, answer) = oneshot::channel();
        self.tell(Command::Wish { id, wish, by: self.by.clone(), ended, band, reply }).await?;
        answer.await.map_err(|_| closing())?
    }

    /// Asks for the end of many: those named, or all that a filter finds and that have not ended. Answers when
    /// every request is durable.
    ///
    /// # Errors
    /// `Unavailable` when nothing can be stored.
    pub async fn cancel_many(&self, which: Which, reason: String) -> Result<CancelledMany, Problem> {
        self.storable()?;
        let ids = match which {
            Which::These(ids) => ids,
            Which::Found(filter) => self.found(filter, |state| !state.ended()).await?,
        };
        // All wishes go in before the first answer is waited for, so that they share a commit.
        let mut answers = Vec::with_capacity(ids.len());
        let mut told = CancelledMany::default();
        for id in ids {
            let ended = self.stored_unless_live(id).await?;
            let (reply, answer) = oneshot::channel();
            let wish = Message::Cancel { reason: reason.clone() };
            self.tell(Command::Wish { id, wish, by: self.by.clone(), ended, band: None, reply }).await?;
            answers.push((id, answer));
        }
        for (id, answer) in answers {
            match answer.await.map_err(|_| closing())? {
                Ok(_) => told.asked.push(id),
                Err(problem) => told.refused.push(Refused { id, why: problem.detail }),
            }
        }
        Ok(told)
    }

    /// All that a filter finds in the states that are wanted, page by page.
    async fn found(
        &self,
        mut filter: Filter,
        wanted: impl Fn(&State) -> bool,
    ) -> Result<Vec<OperationId>, Problem> {
        if filter.states.is_empty() {
            filter.states = State::ALL.to_vec();
        }
        filter.states.retain(wanted);
        if filter.states.is_empty() {
            return Ok(Vec::new());
        }
        filter.limit = 500;
        let mut ids = Vec::new();
        loop {
            let page = {
                let filter = filter.clone();
                self.stored(move |store| store.page(&filter)).await?
            };
            ids.extend(page.operations.iter().map(|o| o.id));
            match page.next {
                Some(next) => filter.after = Some(next),
                None => return Ok(ids),
            }
        }
    }

    /// Lets a host take no new work, or take it again. What it has goes on to its end. Holds over restarts.
    ///
    /// # Errors
    /// `NotFound` when no host of that name is configured.
    pub async fn drain(&self, host: HostName, on: bool) -> Result<HostStatus, Problem> {
        self.storable()?;
        let (reply, answer) = oneshot::channel();
        self.tell(Command::Drain { host, on, by: self.by.clone(), reply }).await?;
        answer.await.map_err(|_| closing())?
    }

    async fn stored_unless_live(&self, id: OperationId) -> Result<Option<Box<store::Stored>>, Problem> {
        let live = self.shared.view.read().operation(id).is_some_and(|o| !o.state.ended());
        if live {
            return Ok(None);
        }
        Ok(self.stored(move |store| store.operation(id)).await?.map(Box::new))
    }

    /// Everything the page shows, and the seq it is true at.
    pub fn snapshot(&self) -> Snapshot {
        let shared = &self.shared;
        shared.feed.at_head(|seq| {
            let view = shared.view.read();
            Snapshot {
                seq,
                now: Time::now(),
                server: shared.instance,
                version: env!("CARGO_PKG_VERSION").to_owned(),
                operations: view.operations(),
                counts: view.counts(),
                hosts: view.hosts(),
            }
        })
    }

    /// One operation with its attempts, result and the names of its curves.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn operation(&self, id: OperationId) -> Result<OperationDetail, Problem> {
        let seq = self.shared.feed.head();
        let found = self
            .stored(move |store| {
                let Some(stored) = store.operation(id)? else { return Ok(None) };
                let result = if stored.operation.has_result { store.result(id)? } else { None };
                let series = store.points(id, stored.operation.attempt)?;
                let audit = store.audit(Some(id), None, AUDIT_SHOWN)?;
                Ok(Some((stored, result, series, audit)))
            })
            .await?;
        let (stored, result, series, audit) = found.ok_or_else(|| not_found(id))?;
        let mut operation = stored.operation;
        // How many points are out of its band is stored with the operation only when something else changes.
        if let Some(rule) = operation.rule.as_mut()
            && let Some(now) = self.at_hand(id).and_then(|live| live.rule)
            && (rule.set_at, rule.fired) == (now.set_at, now.fired)
        {
            rule.outside = now.outside;
        }
        Ok(OperationDetail {
            operation,
            attempts: stored.attempts,
            result,
            series: series.into_iter().map(|s| s.name).collect(),
            audit: audit.into_iter().rev().map(|(_, entry)| entry).collect(),
            seq,
        })
    }

    /// A page of operations, newest first.
    ///
    /// # Errors
    /// `Unavailable` when the store can't be read.
    pub async fn page(&self, filter: Filter) -> Result<OperationPage, Problem> {
        let page = self.stored(move |store| store.page(&filter)).await?;
        Ok(OperationPage { operations: page.operations, next: page.next.map(|id| id.to_string()) })
    }

    /// Curves of the current attempt, each with at most `points` points, between two values of x.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn series(
        &self,
        id: OperationId,
        names: Vec<String>,
        range: (Option<f64>, Option<f64>),
        points: usize,
    ) -> Result<SeriesAnswer, Problem> {
        let seq = self.shared.feed.head();
        let found = self
            .stored(move |store| {
                let Some(stored) = store.operation(id)? else { return Ok(None) };
                Ok(Some(store.points(id, stored.operation.attempt)?))
            })
            .await?;
        let found = found.ok_or_else(|| not_found(id))?;
        let mut downsampled = false;
        let wanted = |s: &Points| names.is_empty() || names.contains(&s.name);
        let series = found.into_iter().filter(wanted).map(|mut s| {
            let (from, to) = (range.0.unwrap_or(f64::MIN), range.1.unwrap_or(f64::MAX));
            s.points.retain(|p| p.0 >= from && p.0 <= to);
            let (points, fewer) = downsample(&s.points, points);
            downsampled |= fewer;
            Points { name: s.name, points }
        });
        let series = series.collect();
        Ok(SeriesAnswer { series, downsampled, seq })
    }

    /// The last `limit` log lines of an attempt (the current one when `None`) before line `before`.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn logs(
        &self,
        id: OperationId,
        attempt: Option<u32>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<LogPage, Problem> {
        let seq = self.shared.feed.head();
        let found = self
            .stored(move |store| {
                let Some(stored) = store.operation(id)? else { return Ok(None) };
                let attempt = attempt.unwrap_or(stored.operation.attempt);
                Ok(Some((attempt, store.logs(id, attempt, before, limit)?)))
            })
            .await?;
        let (attempt, lines) = found.ok_or_else(|| not_found(id))?;
        Ok(LogPage { attempt, lines, seq })
    }

    /// What an artifact of the newest result holds, asked of the host that made it; `query` goes along.
    ///
    /// # Errors
    /// `NotFound`, or `HostAway` when the host can't be reached.
    pub async fn artifact(
        &self,
        id: OperationId,
        name: &str,
        query: &str,
    ) -> Result<(String, Bytes), Problem> {
        let detail = self.operation(id).await?;
        let artifact = detail.result.iter().flat_map(|r| &r.artifacts).find(|a| a.name == name);
        let Some(artifact) = artifact else {
            let detail =
                format!("Operation {id} has no artifact '{name}'. Its result names those that it has.");
            return Err(Problem::new(ProblemType::NotFound, detail));
        };
        let host = detail.operation.host.clone();
        let pool = self.shared.pools.iter().find(|(n, _)| Some(n) == host.as_ref()).map(|(_, pool)| pool);
        let (Some(pool), Some(host)) = (pool, host) else {
            let detail = "The host that made it is no longer in the configuration. Put it back to see this.";
            return Err(Problem::new(ProblemType::HostAway, detail));
        };
        let plain = artifact.path.starts_with("/host/v1/artifacts/") && !artifact.path.contains("..");
        if !plain {
            return Err(Problem::new(
                ProblemType::Internal,
                format!("{host} gave the artifact a path outside of its artifacts; it is not asked for."),
            ));
        }
        let path =
            if query.is_empty() { artifact.path.clone() } else { format!("{}?{query}", artifact.path) };
        pool.get_bytes(&path).await.map_err(|error| match error {
            PoolError::Status { problem: Some(value), .. } => serde_json::from_value(*value.clone())
                .unwrap_or_else(|_| Problem::new(ProblemType::HostAway, value.to_string())),
            error => Problem::new(ProblemType::HostAway, format!("{host} did not give it: {error}")),
        })
    }

    /// Who did what, newest first: with one operation or with everything, before entry `before`.
    ///
    /// # Errors
    /// `Unavailable` when the store can't be read.
    pub async fn audit(
        &self,
        operation: Option<OperationId>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<AuditPage, Problem> {
        let limit = limit.clamp(1, 500);
        let mut found = self.stored(move |store| store.audit(operation, before, limit + 1)).await?;
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let next = found.last().filter(|_| more).map(|(n, _)| *n);
        Ok(AuditPage { entries: found.into_iter().map(|(_, entry)| entry).collect(), next })
    }

    /// What ended in the last 24 hours, beside what is usual.
    ///
    /// # Errors
    /// `Unavailable` when the store can't be read.
    pub async fn activity(&self) -> Result<Activity, Problem> {
        let now = Time::now();
        let tallies = self.stored(move |store| store.tallies(activity::wanted(now))).await?;
        Ok(activity::activity(&tallies, now))
    }

    pub fn kinds(&self) -> KindList {
        self.shared.catalogue.list()
    }

    pub fn hosts(&self) -> HostList {
        HostList { hosts: self.shared.view.read().hosts() }
    }

    /// Why nothing can be stored just now, if so.
    pub fn trouble(&self) -> Trouble {
        self.shared.trouble.borrow().clone()
    }

    /// One life of this server.
    pub fn instance(&self) -> InstanceId {
        self.shared.instance
    }

    /// The feed, for its head and for those who follow.
    pub fn feed(&self) -> &Arc<Feed> {
        &self.shared.feed
    }

    /// A reader who has everything up to `after`.
    pub fn follow(&self, after: u64, only: Option<OperationId>) -> Cursor {
        Cursor::new(self.shared.feed.clone(), after, only)
    }

    /// Events after `after` that the ring no longer holds, from the store; `None` when they are gone there, too.
    ///
    /// # Errors
    /// `Unavailable` when the store can't be read.
    pub async fn older_events(&self, after: u64) -> Result<Option<Vec<Frame>>, Problem> {
        // The store is a little ahead of the feed: what is durable is told next. A reader who had it from here
        // already would stand at a place that the feed does not know yet.
        let head = self.shared.feed.at_head(|seq| seq);
        let events = self.stored(move |store| store.events(after, 1_000)).await?;
        let told = |events: Vec<EventRecord>| {
            events.iter().filter(|event| event.seq <= head).map(Frame::new).collect()
        };
        Ok(events.map(told))
    }

    async fn tell(&self, command: Command) -> Result<(), Problem> {
        self.shared.desk.send(command).await.map_err(|_| closing())
    }

    async fn stored<T: Send + 'static>(
        &self,
        query: impl FnOnce(&dyn Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        let store = self.shared.store.clone();
        let answer = tokio::task::spawn_blocking(move || query(&*store)).await;
        match answer {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(error)) => {
                tracing::error!(%error, "the store can't be read");
                Err(Problem::new(ProblemType::Unavailable, format!("The store can't be read: {error}.")))
            }
            Err(_) => Err(closing()),
        }
    }

    /// Nothing is accepted that could not be kept.
    fn storable(&self) -> Result<(), Problem> {
        match self.trouble() {
            None => Ok(()),
            Some(trouble) => Err(Problem::new(
                ProblemType::Unavailable,
                format!("Nothing can be stored just now, so nothing new is accepted: {trouble}."),
            )),
        }
    }
}

/// What of the audit comes along with an operation.
const AUDIT_SHOWN: u32 = 200;

fn not_found(id: OperationId) -> Problem {
    Problem::new(ProblemType::NotFound, format!("There is no operation {id}. Look for it at /operations."))
}

fn closing() -> Problem {
    Problem::new(ProblemType::Unavailable, "The server is stopping. Try again when it is back.")
}
