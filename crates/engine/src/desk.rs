//! The desk: one task that owns every operation that has not ended, and through which every change goes.
//!
//! A command comes in; [`lifecycle::step`] says what follows; the desk numbers the events and hands the
//! changes to the store's writer together with what is to be told. Nothing is told, and no errand leaves,
//! before the writer has made it durable.

mod commands;
mod draft;
mod hosts;

pub(crate) use commands::{Command, DeskSender, NewOperation, Reply, StartReply};
pub(crate) use draft::Told;

use crate::catalogue::Catalogue;
use crate::errand::{self, Errand};
use crate::lifecycle::{self, Effect, Message, Record};
use crate::queue::Queues;
use crate::roster::Roster;
use draft::Draft;
use protocol::host::{CancelAttempt, StartAttempt};
use protocol::operation::AttemptOrigin;
use protocol::{EventBody, HostName, Operation, OperationId, Problem, ProblemType, State, Time};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use store::{Change, Commit, Stored, Writer};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// So many operations that ended last stay at hand, for retries and for late words.
const ENDED: usize = 512;
/// So many idempotency keys stay at hand; older ones are found in the store.
const KEYS: usize = 4_096;
/// So many commands go into one commit at most.
const COMMANDS: usize = 256;

/// An operation that has not ended.
struct Live {
    record: Record,
    /// The host that has it, while it counts against that host's places.
    on: Option<HostName>,
    /// The host said that it has the attempt.
    accepted: bool,
    /// The errand that starts it gave up without an answer.
    start_given_up: bool,
    /// A start errand is under way.
    starting: bool,
    /// Stops the errands of the attempt.
    stop: CancellationToken,
    /// No further try to start it is wanted.
    unwanted: CancellationToken,
}

impl Live {
    fn new(record: Record) -> Self {
        Self {
            record,
            on: None,
            accepted: false,
            start_given_up: false,
            starting: false,
            stop: CancellationToken::new(),
            unwanted: CancellationToken::new(),
        }
    }

    fn fresh_errands(&mut self) {
        self.stop.cancel();
        self.stop = CancellationToken::new();
        self.unwanted = CancellationToken::new();
        self.accepted = false;
        self.start_given_up = false;
        self.starting = false;
    }
}

pub(crate) struct Desk {
    live: HashMap<OperationId, Live>,
    ended: HashMap<OperationId, Record>,
    ended_order: VecDeque<OperationId>,
    queues: Queues,
    roster: Roster,
    catalogue: Arc<Catalogue>,
    keys: HashMap<String, (OperationId, String)>,
    keys_order: VecDeque<String>,
    /// Hosts whose feed was taken further in the commit that is being put together.
    moved: HashSet<HostName>,
    draft: Draft,
    writer: Writer<Told>,
    /// For errands.
    sender: DeskSender,
    cancel_deadline: Duration,
}

/// What a desk starts with.
pub(crate) struct Beginning {
    pub(crate) head: u64,
    pub(crate) unended: Vec<Stored>,
    pub(crate) roster: Roster,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) writer: Writer<Told>,
    pub(crate) sender: DeskSender,
    pub(crate) cancel_deadline: Duration,
}

impl Desk {
    pub(crate) fn new(beginning: Beginning, now: Time) -> Self {
        let mut desk = Self {
            live: HashMap::new(),
            ended: HashMap::new(),
            ended_order: VecDeque::new(),
            queues: Queues::default(),
            roster: beginning.roster,
            catalogue: beginning.catalogue,
            keys: HashMap::new(),
            keys_order: VecDeque::new(),
            moved: HashSet::new(),
            draft: Draft::new(beginning.head, tokio::runtime::Handle::current()),
            writer: beginning.writer,
            sender: beginning.sender,
            cancel_deadline: beginning.cancel_deadline,
        };
        for stored in beginning.unended {
            desk.take_up(stored, now);
        }
        for status in desk.roster.iter().map(crate::roster::Entry::status).collect::<Vec<_>>() {
            desk.draft.host(status, now);
        }
        desk.dispatch(now);
        desk
    }

    /// Takes up an operation where the store has it, when the server starts.
    fn take_up(&mut self, stored: Stored, now: Time) {
        let Stored { operation, attempts } = stored;
        let (id, kind, host, state) =
            (operation.id, operation.kind.clone(), operation.host.clone(), operation.state);
        let mut live = Live::new(Record { operation, attempts, cancel_tried: None });
        if state == State::Queued {
            self.queues.push(&kind, id);
            self.live.insert(id, live);
            return;
        }
        let known = host.as_ref().and_then(|name| self.roster.get_mut(name));
        match (known, host) {
            (Some(entry), host) => {
                entry.assigned += 1;
                live.on = host;
                self.live.insert(id, live);
            }
            (None, host) => {
                self.live.insert(id, live);
                let name = host.map_or_else(|| "its host".to_owned(), |h| h.to_string());
                let message = format!(
                    "{name} is no longer in the configuration, so nothing is heard of it. \
                     Put the host back to hear how it goes on."
                );
                self.step(id, Message::Silent { since: now, message }, now);
            }
        }
    }

    /// Runs until nobody can send a command any more, or until told to stop.
    pub(crate) async fn run(mut self, mut commands: mpsc::Receiver<Command>, stop: CancellationToken) {
        self.commit();
        loop {
            let first = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                first = commands.recv() => first,
            };
            let Some(first) = first else { break };
            let now = Time::now();
            self.handle(first, now);
            for _ in 1..COMMANDS {
                let Ok(next) = commands.try_recv() else { break };
                self.handle(next, now);
            }
            self.commit();
        }
        for live in self.live.values() {
            live.stop.cancel();
        }
    }

    /// Hands everything that was put together to the writer.
    fn commit(&mut self) {
        for host in std::mem::take(&mut self.moved) {
            if let Some(cursor) = self.roster.get(&host).and_then(|entry| entry.cursor) {
                self.draft.change(Change::Cursor { host, cursor });
            }
        }
        if let Some((changes, then)) = self.draft.take()
            && self.writer.commit(Commit { changes, then }).is_err()
        {
            tracing::error!("the store's writer is gone; nothing more can be recorded");
        }
    }

    fn handle(&mut self, command: Command, now: Time) {
        match command {
            Command::Start { new, reply } => self.start(*new, reply, now),
            Command::Cancel { id, reason, ended, reply } => {
                self.wish(id, ended, Message::Cancel { reason }, reply, now);
            }
            Command::Again { id, origin, ended, reply } => {
                self.wish(id, ended, Message::Again { origin }, reply, now);
            }
            Command::Message { id, attempt, message } => {
                if self.is_current(id, attempt) {
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
            Command::Declined { id, attempt, retry_after } => self.declined(id, attempt, retry_after, now),
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
                // The link stopped meanwhile: then nobody follows.
                let _ = reply.send(after);
            }
            Command::HostEvents { host, instance, events } => self.host_events(&host, instance, events, now),
            Command::HostDown { host, why } => self.host_down(&host, why, now),
            Command::HostHealth { host, health, clock } => self.host_health(&host, *health, clock, now),
            Command::Tick => self.dispatch(now),
        }
    }

    fn is_current(&self, id: OperationId, attempt: u32) -> bool {
        self.live.get(&id).is_some_and(|live| live.record.operation.attempt == attempt)
    }

    fn start(&mut self, new: NewOperation, reply: StartReply, now: Time) {
        if let Some(key) = &new.key {
            if let Some((id, request)) = self.keys.get(key) {
                let answer = if *request == new.request {
                    let known = self.live.get(id).map(|l| &l.record).or_else(|| self.ended.get(id));
                    known.map(|r| (r.operation.clone(), false)).ok_or_else(key_elsewhere)
                } else {
                    Err(key_reused())
                };
                self.draft.reply(reply, answer);
                return;
            }
            self.remember_key(key.clone(), new.id, new.request.clone());
            let (key, request) = (key.clone(), new.request.clone());
            self.draft.change(Change::Key { key, id: new.id, request, at: now });
        }
        let record = Record::new(new.id, new.kind, new.title, new.params, now);
        self.live.insert(new.id, Live::new(record));
        self.effects(new.id, None, vec![Effect::Changed, Effect::Enqueue], now);
        self.dispatch(now);
        if let Some(live) = self.live.get(&new.id) {
            let operation = live.record.operation.clone();
            self.draft.reply(reply, Ok((operation, true)));
        }
    }

    fn remember_key(&mut self, key: String, id: OperationId, request: String) {
        self.keys.insert(key.clone(), (id, request));
        self.keys_order.push_back(key);
        while self.keys_order.len() > KEYS {
            if let Some(old) = self.keys_order.pop_front() {
                self.keys.remove(&old);
            }
        }
    }

    /// A person's wish about one operation, which may have ended long ago: then it comes along from the store.
    fn wish(
        &mut self,
        id: OperationId,
        ended: Option<Box<Stored>>,
        message: Message,
        reply: Reply,
        now: Time,
    ) {
        if !self.live.contains_key(&id) {
            let stored =
                ended.map(|s| Record { operation: s.operation, attempts: s.attempts, cancel_tried: None });
            let Some(mut record) = self.ended.get(&id).cloned().or(stored) else {
                let problem = Problem::new(
                    ProblemType::NotFound,
                    format!("There is no operation {id}. Look for it at /operations."),
                );
                self.draft.reply(reply, Err(problem));
                return;
            };
            let before = record.operation.state;
            match lifecycle::step(&mut record, message, now) {
                Err(denied) => self.draft.reply(reply, Err(Problem::new(ProblemType::Conflict, denied.0))),
                Ok(effects) => {
                    self.ended.remove(&id);
                    self.ended_order.retain(|other| *other != id);
                    let operation = record.operation.clone();
                    self.live.insert(id, Live::new(record));
                    self.effects(id, Some(before), effects, now);
                    self.dispatch(now);
                    let operation = self.live.get(&id).map_or(operation, |l| l.record.operation.clone());
                    self.draft.reply(reply, Ok(operation));
                }
            }
            return;
        }
        let cancel = matches!(message, Message::Cancel { .. });
        let Some(live) = self.live.get_mut(&id) else { return };
        if cancel {
            live.unwanted.cancel();
            if live.record.operation.state == State::Queued {
                let kind = live.record.operation.kind.clone();
                self.queues.remove(&kind, id);
            }
        }
        let answer = match self.try_step(id, message, now) {
            Err(denied) => Err(Problem::new(ProblemType::Conflict, denied.0)),
            Ok(operation) => Ok(operation),
        };
        self.dispatch(now);
        self.draft.reply(reply, answer);
    }

    fn declined(&mut self, id: OperationId, attempt: u32, retry_after: Option<Duration>, now: Time) {
        if !self.is_current(id, attempt) {
            return;
        }
        let wait = retry_after.unwrap_or(Duration::from_secs(1)).min(Duration::from_secs(30));
        if let Some(host) = self.live.get(&id).and_then(|l| l.on.clone())
            && let Some(entry) = self.roster.get_mut(&host)
        {
            entry.full_until = Some(now.plus_micros(wait.as_micros() as i64));
        }
        self.step(id, Message::Declined, now);
        self.dispatch(now);
        let desk = self.sender.clone();
        self.draft.later(async move {
            tokio::time::sleep(wait).await;
            let _ = desk.send(Command::Tick).await;
        });
    }

    fn cancel_unknown(&mut self, id: OperationId, attempt: u32, now: Time) {
        if !self.is_current(id, attempt) {
            return;
        }
        let Some(live) = self.live.get(&id) else { return };
        let message = if live.accepted || live.record.operation.started_at.is_some() {
            Message::Lost(lifecycle::host_lost())
        } else if live.start_given_up || !live.starting {
            // It never got there, and no try is under way.
            Message::Declined
        } else {
            return;
        };
        self.step(id, message, now);
        self.dispatch(now);
    }

    /// A message that is no person's wish.
    fn step(&mut self, id: OperationId, message: Message, now: Time) {
        if self.try_step(id, message, now).is_err() {
            tracing::error!(operation = %id, "a message that is nobody's wish was denied");
        }
    }

    fn try_step(
        &mut self,
        id: OperationId,
        message: Message,
        now: Time,
    ) -> Result<Operation, lifecycle::Denied> {
        if let Some(live) = self.live.get_mut(&id) {
            let before = live.record.operation.state;
            let effects = lifecycle::step(&mut live.record, message, now)?;
            self.effects(id, Some(before), effects, now);
        } else if let Some(record) = self.ended.get_mut(&id) {
            let effects = lifecycle::step(record, message, now)?;
            for effect in effects {
                if let Effect::Late(what) = effect {
                    let attempt = record.operation.attempt;
                    self.draft.event(EventBody::Late { id, attempt, what }, now);
                }
            }
        }
        let record = self.live.get(&id).map(|l| &l.record).or_else(|| self.ended.get(&id));
        record.map(|r| r.operation.clone()).ok_or_else(|| lifecycle::Denied("It is no longer there.".into()))
    }

    fn effects(&mut self, id: OperationId, mut before: Option<State>, effects: Vec<Effect>, now: Time) {
        for effect in effects {
            let Some(live) = self.live.get_mut(&id) else { return };
            let attempt = live.record.operation.attempt;
            match effect {
                Effect::Changed => {
                    self.draft.operation(&mut live.record, before, now);
                    before = Some(live.record.operation.state);
                }
                Effect::Progressed(progress) => {
                    self.draft.progress(&mut live.record.operation, progress, now);
                }
                Effect::Points(series) => {
                    self.draft.change(Change::Points { id, attempt, series: series.clone() });
                    self.draft.event(EventBody::Points { id, attempt, series }, now);
                }
                Effect::Log(lines) => {
                    self.draft.change(Change::Log { id, attempt, lines: lines.clone() });
                    self.draft.event(EventBody::Log { id, attempt, lines }, now);
                }
                Effect::Result(result) => self.draft.change(Change::Result { id, attempt, result }),
                Effect::Late(what) => self.draft.event(EventBody::Late { id, attempt, what }, now),
                Effect::Enqueue => {
                    let kind = live.record.operation.kind.clone();
                    self.queues.push(&kind, id);
                }
                Effect::Release => {
                    live.fresh_errands();
                    if let Some(host) = live.on.take()
                        && let Some(entry) = self.roster.get_mut(&host)
                    {
                        entry.assigned = entry.assigned.saturating_sub(1);
                    }
                }
                Effect::SendStart => self.send_start(id),
                Effect::SendCancel => self.send_cancel(id),
            }
        }
        if self.live.get(&id).is_some_and(|l| l.record.operation.state.ended())
            && let Some(live) = self.live.remove(&id)
        {
            live.stop.cancel();
            self.ended.insert(id, live.record);
            self.ended_order.push_back(id);
            while self.ended_order.len() > ENDED {
                if let Some(old) = self.ended_order.pop_front() {
                    self.ended.remove(&old);
                }
            }
        }
    }

    fn errand(&self, id: OperationId) -> Option<(Errand, &Live)> {
        let live = self.live.get(&id)?;
        let host = live.on.clone()?;
        let entry = self.roster.get(&host)?;
        let errand = Errand {
            desk: self.sender.clone(),
            pool: entry.pool.clone(),
            host,
            id,
            attempt: live.record.operation.attempt,
            stop: live.stop.clone(),
        };
        Some((errand, live))
    }

    fn send_start(&mut self, id: OperationId) {
        let Some((errand, live)) = self.errand(id) else { return };
        let operation = &live.record.operation;
        let resume = live.record.current().origin == AttemptOrigin::Resume;
        let body = StartAttempt {
            id,
            attempt: operation.attempt,
            kind: operation.kind.clone(),
            params: operation.params.clone(),
            resume_from: operation.checkpoint.clone().filter(|_| resume),
        };
        let unwanted = live.unwanted.clone();
        self.draft.later(errand::start(errand, body, unwanted));
        if let Some(live) = self.live.get_mut(&id) {
            live.starting = true;
            live.start_given_up = false;
        }
    }

    fn send_cancel(&mut self, id: OperationId) {
        let Some((errand, live)) = self.errand(id) else { return };
        let reason = live.record.operation.receipt.as_ref().map(|r| r.reason.clone()).unwrap_or_default();
        let deadline_ms = self.cancel_deadline.as_millis() as u64;
        let body = CancelAttempt { attempt: errand.attempt, reason, deadline_ms };
        let offset = self.roster.get(&errand.host).map(|e| e.offset).unwrap_or_default();
        self.draft.later(errand::cancel(errand, body, offset));
    }

    /// Gives those who wait to hosts that have a place.
    fn dispatch(&mut self, now: Time) {
        for kind in self.queues.kinds() {
            while let Some(id) = self.queues.first(&kind) {
                match self.roster.choose(&kind, now) {
                    Ok(entry) => {
                        let host = entry.name.clone();
                        let Some(instance) = entry.about.as_ref().map(|a| a.instance) else { break };
                        self.queues.pop(&kind);
                        let Some(live) = self.live.get_mut(&id) else { continue };
                        live.on = Some(host.clone());
                        if let Some(entry) = self.roster.get_mut(&host) {
                            entry.assigned += 1;
                        }
                        self.step(id, Message::Chosen { host, instance }, now);
                    }
                    Err(reason) => {
                        let (condition, message) = reason.clone();
                        for id in self.queues.tell(&kind, reason) {
                            let message = message.clone();
                            self.step(id, Message::Waiting { kind: condition, message }, now);
                        }
                        break;
                    }
                }
            }
        }
    }
}

pub(crate) fn key_reused() -> Problem {
    Problem::new(
        ProblemType::KeyReused,
        "This Idempotency-Key was used for another request before. Use a new key for a new operation.",
    )
}

fn key_elsewhere() -> Problem {
    Problem::new(
        ProblemType::Conflict,
        "This request was taken before; look for its operation at /operations.",
    )
}
