//! Coordinator: the task that owns all operations that have not ended. Every change goes through it.
//!
//! For each command, [`lifecycle::step`] returns what follows. The coordinator numbers the events and passes the
//! changes, with what is to be published, to the store's writer. Nothing is published, and no host request starts,
//! before the changes are durable.

mod children;
mod deletion;
mod dispatch;
mod exclusive;
mod hosts;
mod idempotency;
mod live;
mod liveness;
mod recent;
mod requests;
mod rules;
mod transaction;

pub(crate) use children::{PARENT_ENDED, PARENT_ENDED_BEFORE};
pub(crate) use rules::RuleWatch;
pub(crate) use transaction::Published;

use crate::clock_jump::ClockJumps;
use crate::command::{Command, CoordinatorSender};
use crate::config::Rules;
use crate::error::Denied;
use crate::forecast::{Forecasts, Prediction};
use crate::host_registry::{HostRegistry, PauseReason};
use crate::kind_registry::KindRegistry;
use crate::lifecycle::{self, Effect, Message, Record};
use crate::queue::Queues;
use crate::secret_params::SecretParams;
use crate::store_reader::StoreReader;
use crate::suspend::SuspendClock;
use crate::view::View;
use idempotency::IdempotencyKeys;
use live::Live;
use parking_lot::RwLock;
use protocol::{ConditionKind, EventBody, HostName, KindName, Operation, OperationId, State, Time};
use recent::{DeletedOperations, EndedOperations};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use store::{Change, Commit, Stored, Writer};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use transaction::Transaction;

/// Pause before a host that declined an operation is asked again, unless it says otherwise; also the longest such
/// pause.
const DECLINED_PAUSE: Duration = Duration::from_secs(1);
const MAX_DECLINED_PAUSE: Duration = Duration::from_secs(30);
/// Pause before a host that could not start an attempt is asked again.
const NOT_STARTED_PAUSE: Duration = Duration::from_secs(5);
/// Largest number of commands per commit.
const MAX_COMMANDS_PER_TURN: usize = 256;

pub(crate) struct Coordinator {
    live: HashMap<OperationId, Live>,
    ended: EndedOperations,
    deleted: DeletedOperations,
    queues: Queues,
    /// Number of operations on hosts by kind.
    placed: HashMap<KindName, u32>,
    host_registry: HostRegistry,
    kind_registry: Arc<KindRegistry>,
    forecasts: Forecasts,
    /// Operations that may have children and have not ended.
    parents: HashSet<OperationId>,
    /// State of auto-cancel rules, of operations that have not ended and of the last ended ones.
    watched: HashMap<OperationId, RuleWatch>,
    keys: IdempotencyKeys,
    /// Hosts whose feed position changes with the next commit.
    moved: HashSet<HostName>,
    transaction: Transaction,
    writer: Writer<Published>,
    /// Sender for host requests.
    sender: CoordinatorSender,
    /// Store for host requests that read.
    store: StoreReader,
    /// Secret parameters for the requests that start attempts.
    secret_params: SecretParams,
    /// Published state; also shows cancels that can't be stored yet.
    view: Arc<RwLock<View>>,
    rules: Rules,
    suspend: SuspendClock,
    clock_jump: ClockJumps,
}

/// State with which a coordinator starts.
pub(crate) struct Beginning {
    pub(crate) head: u64,
    pub(crate) unended: Vec<Stored>,
    pub(crate) watched: HashMap<OperationId, RuleWatch>,
    pub(crate) host_registry: HostRegistry,
    pub(crate) kind_registry: Arc<KindRegistry>,
    pub(crate) writer: Writer<Published>,
    pub(crate) sender: CoordinatorSender,
    pub(crate) store: StoreReader,
    pub(crate) secret_params: SecretParams,
    pub(crate) view: Arc<RwLock<View>>,
    pub(crate) forecasts: Forecasts,
    pub(crate) rules: Rules,
}

impl Coordinator {
    pub(crate) fn new(beginning: Beginning, now: Time) -> Self {
        let mut coordinator = Self {
            live: HashMap::new(),
            ended: EndedOperations::default(),
            deleted: DeletedOperations::default(),
            queues: Queues::default(),
            placed: HashMap::new(),
            host_registry: beginning.host_registry,
            kind_registry: beginning.kind_registry,
            forecasts: beginning.forecasts,
            parents: HashSet::new(),
            watched: beginning.watched,
            keys: IdempotencyKeys::default(),
            moved: HashSet::new(),
            transaction: Transaction::new(
                beginning.head,
                tokio::runtime::Handle::current(),
                beginning.writer.store_fault(),
            ),
            writer: beginning.writer,
            sender: beginning.sender,
            store: beginning.store,
            secret_params: beginning.secret_params,
            view: beginning.view,
            rules: beginning.rules,
            suspend: SuspendClock::new(Instant::now()),
            clock_jump: ClockJumps::new(),
        };
        for stored in beginning.unended {
            coordinator.adopt_stored(stored, now);
        }
        for status in
            coordinator.host_registry.iter().map(crate::host_registry::Entry::status).collect::<Vec<_>>()
        {
            coordinator.transaction.host(status, now);
        }
        coordinator.families(now);
        // The last stored points may fulfil a rule that was not applied before the server stopped.
        for id in coordinator.watched.keys().copied().collect::<Vec<_>>() {
            coordinator.apply_rule(id, now);
        }
        coordinator.dispatch(now);
        coordinator
    }

    /// Loads a stored operation when the server starts.
    fn adopt_stored(&mut self, stored: Stored, now: Time) {
        let Stored { operation, attempts } = stored;
        let (id, kind, host, state) =
            (operation.id, operation.kind.clone(), operation.host.clone(), operation.state);
        let mut live = Live::new(Record::stored(operation, attempts));
        if state == State::Queued {
            self.live.insert(id, live);
            self.limit_pause(id, now);
            self.enqueue(id, now);
            return;
        }
        if live.record.held_end.is_some() {
            self.live.insert(id, live);
            return;
        }
        let known = host.as_ref().and_then(|name| self.host_registry.get_mut(name));
        match (known, host) {
            (Some(entry), host) => {
                entry.take(&kind);
                *self.placed.entry(kind).or_default() += 1;
                live.on = host;
                self.live.insert(id, live);
            }
            (None, host) => {
                self.live.insert(id, live);
                let name = host.map_or_else(|| "its host".to_owned(), |h| h.to_string());
                let message = format!(
                    "{name} is no longer in the configuration, so this operation can't be tracked. \
                     Add the host again to track it."
                );
                self.step(id, Message::Silent { since: now, message }, now);
            }
        }
    }

    /// Runs until there are no senders or it is told to stop.
    pub(crate) async fn run(mut self, mut commands: mpsc::Receiver<Command>, stop: CancellationToken) {
        self.commit();
        loop {
            let first = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                first = commands.recv() => first,
            };
            let Some(first) = first else { break };
            let (now, jumped) = self.clock_jump.tick();
            if let Some(by) = jumped {
                self.clock_jumped(by, now);
            }
            self.handle(first, now);
            for _ in 1..MAX_COMMANDS_PER_TURN {
                let Ok(next) = commands.try_recv() else { break };
                self.handle(next, now);
            }
            self.commit();
        }
        for live in self.live.values() {
            live.stop.cancel();
        }
    }

    /// Passes the prepared changes to the writer.
    fn commit(&mut self) {
        for host in std::mem::take(&mut self.moved) {
            if let Some(cursor) = self.host_registry.get(&host).and_then(|entry| entry.cursor) {
                self.transaction.change(Change::Cursor { host, cursor });
            }
        }
        if let Some((changes, then)) = self.transaction.take()
            && self.writer.commit(Commit { changes, then }).is_err()
        {
            tracing::error!(
                "the database writer has stopped; no change can be stored until the server restarts"
            );
        }
    }

    fn handle(&mut self, command: Command, now: Time) {
        match command {
            Command::Alerts(alerts) => self.transaction.alerts(alerts, now),
            Command::Start { new, by, reply } => self.start(*new, &by, reply, now),
            Command::Request { id, request, by, ended, band, reply } => {
                self.request(id, (ended, band), request, &by, reply, now);
            }
            Command::Rule { id, rule, by, reply } => self.rule(id, rule, &by, reply, now),
            Command::Message { id, attempt, message } => {
                if self.is_current(id, attempt) {
                    self.note_response(id, &message);
                    self.step(id, message, now);
                    self.dispatch(now);
                }
            }
            Command::Accepted { id, attempt } => {
                if self.is_current(id, attempt)
                    && let Some(live) = self.live.get_mut(&id)
                {
                    live.accepted = true;
                    live.starting = false;
                }
            }
            Command::Declined { id, attempt, retry_after } => {
                let wait = retry_after.unwrap_or(DECLINED_PAUSE).min(MAX_DECLINED_PAUSE);
                self.declined(id, attempt, PauseReason::Full, wait, now);
            }
            Command::Undelivered { id, attempt } => {
                self.declined(id, attempt, PauseReason::Undelivered, DECLINED_PAUSE, now);
            }
            Command::StartGivenUp { id, attempt } => {
                if self.is_current(id, attempt)
                    && let Some(live) = self.live.get_mut(&id)
                {
                    live.start_given_up = true;
                    live.starting = false;
                }
            }
            Command::CancelUnknown { id, attempt } => self.cancel_unknown(id, attempt, now),
            Command::HostUp { host, about, list, clock, reset, reply } => {
                let after = self.host_up(&host, *about, &list, clock, reset, now);
                // The link may have stopped in the meantime.
                let _ = reply.send(after);
            }
            Command::HostOffers { host, about } => self.host_offers(&host, *about, now),
            Command::HostEvents { host, instance, events } => self.host_events(&host, instance, events, now),
            Command::HostDown { host, why } => self.host_down(&host, why, now),
            Command::HostHealth { host, health, clock } => self.host_health(&host, *health, clock, now),
            Command::HostHealthUnknown { host } => self.health_unknown(&host, now),
            Command::HostHolds { host, instance, list } => self.host_holds(&host, instance, &list, now),
            Command::Drain { host, on, by, reply } => self.drain(&host, on, &by, reply, now),
            Command::DeleteExpired { candidates } => self.delete_expired(candidates, now),
            Command::Delete { families, by, reply } => self.delete(families, &by, reply, now),
            Command::Dispatch => self.dispatch(now),
            Command::Tick => self.tick(now),
        }
    }

    fn is_current(&self, id: OperationId, attempt: u32) -> bool {
        self.live.get(&id).is_some_and(|live| live.record.operation.attempt == attempt)
    }

    /// Applies a message that is not a user request.
    fn step(&mut self, id: OperationId, message: Message, now: Time) {
        if self.try_step(id, message, now).is_err() {
            tracing::error!(operation = %id, "an internal message was rejected; the operation keeps its state");
        }
    }

    fn try_step(&mut self, id: OperationId, message: Message, now: Time) -> Result<Operation, Denied> {
        let waits = self.waits_for_children(id);
        if let Some(live) = self.live.get_mut(&id) {
            live.record.children_run = waits;
            let before = live.record.operation.state;
            let effects = lifecycle::step(&mut live.record, message, now)?;
            self.effects(id, Some(before), effects, now);
        } else if let Some(record) = self.ended.get_mut(id) {
            let effects = lifecycle::step(record, message, now)?;
            for effect in effects {
                if let Effect::Late(what) = effect {
                    let attempt = record.operation.attempt;
                    self.transaction.event(EventBody::Late { id, attempt, what }, now);
                }
            }
        }
        let record = self.live.get(&id).map(|l| &l.record).or_else(|| self.ended.get(id));
        record.map(|r| r.operation.clone()).ok_or(Denied::NoLongerExists)
    }

    fn effects(&mut self, id: OperationId, mut before: Option<State>, effects: Vec<Effect>, now: Time) {
        if effects.is_empty() {
            return;
        }
        for effect in effects {
            let Some(live) = self.live.get_mut(&id) else { return };
            let attempt = live.record.operation.attempt;
            match effect {
                Effect::Changed => {
                    self.transaction.operation(&mut live.record, before, now);
                    before = Some(live.record.operation.state);
                }
                Effect::Progressed(progress) => {
                    live.pace.step(&progress, now);
                    let operation = &live.record.operation;
                    let stalled =
                        operation.condition.as_ref().is_some_and(|c| c.kind == ConditionKind::Stalled);
                    let prediction = if stalled {
                        Prediction::Unchanged
                    } else {
                        self.forecasts.predict(operation, &mut live.track, now)
                    };
                    let forecast = match prediction {
                        Prediction::New(forecast) => Some(forecast),
                        Prediction::Unchanged | Prediction::Withdrawn => None,
                    };
                    if forecast.is_some() {
                        live.record.operation.forecast = forecast;
                    }
                    self.transaction.progress(&mut live.record.operation, progress, forecast, now);
                    // An event of progress can't withdraw a forecast.
                    if prediction == Prediction::Withdrawn && live.record.operation.forecast.take().is_some()
                    {
                        let state = live.record.operation.state;
                        self.transaction.operation(&mut live.record, Some(state), now);
                    }
                }
                Effect::Points(series) => {
                    let outside = self.judge(id, &series);
                    self.transaction.change(Change::Points { id, attempt, series: series.clone() });
                    self.transaction.points(id, attempt, series, outside, now);
                }
                Effect::Log(lines) => {
                    self.transaction.change(Change::Log { id, attempt, lines: lines.clone() });
                    self.transaction.event(EventBody::Log { id, attempt, lines }, now);
                }
                Effect::Result(result) => self.transaction.change(Change::Result { id, attempt, result }),
                Effect::Late(what) => self.transaction.event(EventBody::Late { id, attempt, what }, now),
                Effect::Enqueue => self.enqueue(id, now),
                Effect::Release => self.release(id),
                Effect::SendStart => self.send_start(id, now),
                Effect::SendCancel => self.send_cancel(id),
            }
        }
        self.apply_rule(id, now);
        if self.parents.contains(&id)
            && self.live.get(&id).is_some_and(|l| l.record.operation.state == State::Cancelling)
        {
            self.cancel_children(id, now);
        }
        if self.live.get(&id).is_some_and(|l| l.record.operation.state.ended())
            && let Some(live) = self.live.remove(&id)
        {
            live.stop.cancel();
            self.learn(&live);
            let (parent, state) = (live.record.operation.parent, live.record.operation.state);
            let retry = self.rules.retry.get(&live.record.operation.kind).and_then(|p| p.next(&live.record));
            for dropped in self.ended.add(live.record) {
                self.watched.remove(&dropped);
            }
            match retry {
                // It is retried, so its children continue.
                Some((origin, pause)) => self.retry(id, origin, pause, now),
                None => {
                    if self.parents.remove(&id) {
                        self.cancel_children(id, now);
                    }
                }
            }
            if let Some(parent) = parent {
                self.child_ended(parent, state, now);
            }
        }
    }
}
