//! The life of an operation: one pure function from (record, message) to (record, effects).
//!
//! Everything that changes an operation goes through [`step`]. It does no I/O and reads no clock, so that its
//! promises can be tested over any order of messages.
//!
//! The story it tells: an operation is *queued*; the desk chooses a host (*starting*) and hands it over; the
//! host says that it runs (*running*) and how it goes on. A person may ask for its end (*cancelling*), which
//! only the host's own word completes. However it ends, the attempt is over for good: what its host says
//! afterwards is noted as late and changes nothing. Another attempt has the next number, and only that number
//! is listened to from then on.

mod held;
mod retry;
mod wishes;
mod words;

pub use held::HeldEnd;
pub use retry::RetryPolicy;

use protocol::band::Fired;
use protocol::host::{HostEventBody, ResultDoc};
use protocol::operation::AttemptOrigin;
use protocol::receipt::Step;
use protocol::{
    Attempt, BandRule, Condition, ConditionKind, Failure, FailureReason, Forecast, HostName, InstanceId,
    KindName, LogLine, Operation, OperationId, Points, Progress, State, Time,
};
use serde_json::Value;

/// An operation as the desk holds it.
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    pub operation: Operation,
    /// Oldest first; the last one is current.
    pub attempts: Vec<Attempt>,
    /// When the cancel last went out, not known yet to have arrived. The host's feed may tell of it before the
    /// answer does.
    pub cancel_tried: Option<Time>,
    /// The current attempt ended by its host's own word, and not because the host was given up or has another life.
    pub ended_by_host: bool,
    /// Operations that it started have not ended. The desk looks before each message.
    pub children_run: bool,
    /// How its own work ended, while its end waits for that of what it started.
    pub held_end: Option<HeldEnd>,
}

/// What can happen to an operation.
#[derive(Clone, PartialEq, Debug)]
pub enum Message {
    /// The desk gives it to a host, in this life of the host.
    Chosen { host: HostName, instance: InstanceId },
    /// The host has no place, or surely never got it: back into the queue.
    Declined,
    /// The host will not run it as it is.
    Refused(Failure),
    /// The host was asked to cancel the attempt before its start came, and never starts it.
    CancelledBeforeStart,
    /// A person wants it to end.
    Cancel { reason: String },
    /// The cancel goes out at this moment; whether it arrives is not known.
    CancelTried { at: Time },
    /// The host answered the cancel: sent then, acknowledged then, both by the server's clock.
    CancelAnswered { sent: Time, acknowledged: Time },
    /// The cancel could not be delivered; it is repeated.
    CancelUndelivered { message: String },
    /// The host's feed said this of an attempt, at this moment by the server's clock.
    Host { attempt: u32, at: Time, body: HostEventBody },
    /// The host no longer knows the current attempt.
    Lost(Failure),
    /// The last operation that it started has ended.
    ChildrenEnded,
    /// The host can't be heard since then.
    Silent { since: Time, message: String },
    /// The host is heard again.
    Heard,
    /// It can't leave the queue just now, for this reason.
    Waiting { kind: ConditionKind, message: String },
    /// What it is to go on from has to be brought to its host first.
    Carrying { message: String },
    /// The host is heard, and of this attempt there was no progress since then, which is unusual.
    Stalled { since: Time, message: String },
    /// A person wants another attempt.
    Again { origin: AttemptOrigin },
    /// The kind's policy wants another attempt, not before that moment.
    Retry { origin: AttemptOrigin, not_before: Time, why: String },
    /// The clock jumped: its pause is over at that moment now.
    HeldUntil(Time),
    /// A person gives up an attempt whose host can't be heard.
    Abandon { reason: String },
    /// A person sets a rule, or takes it away.
    Rule(Option<Box<BandRule>>),
    /// Its curve has been out of the band for as long as its rule says, from that x on.
    BandLeft { from_x: f64, reason: String },
    /// When it will end was thought over anew.
    Forecast(Option<Forecast>),
}

/// What follows from a message.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// The operation changed: make it durable, then tell.
    Changed,
    /// Only its progress did.
    Progressed(Progress),
    Points(Vec<Points>),
    Log(Vec<LogLine>),
    Result(Box<ResultDoc>),
    /// A word of an attempt that is over, for the record.
    Late(String),
    /// Hand the current attempt to its host.
    SendStart,
    /// Ask the host to stop the current attempt.
    SendCancel,
    /// It waits for a host.
    Enqueue,
    /// Its place on the host is free.
    Release,
}

/// A person's wish that can't be had, in words for the person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Denied(pub String);

impl Record {
    /// An operation that was just accepted, with its first attempt.
    pub fn new(id: OperationId, kind: KindName, title: String, params: Value, now: Time) -> Self {
        let operation = Operation::queued(id, kind, title, params, now);
        Self::stored(operation, vec![queued_attempt(1, AttemptOrigin::Start, now)])
    }

    /// An operation as the store has it.
    pub fn stored(operation: Operation, attempts: Vec<Attempt>) -> Self {
        let held_end = HeldEnd::of(&operation);
        Self { operation, attempts, cancel_tried: None, ended_by_host: false, children_run: false, held_end }
    }

    /// The attempt that counts.
    pub fn current(&self) -> &Attempt {
        self.attempts.last().expect("a record always has at least one attempt")
    }

    fn current_mut(&mut self) -> &mut Attempt {
        self.attempts.last_mut().expect("a record always has at least one attempt")
    }

    /// Whether the current attempt goes on from a checkpoint.
    fn goes_on(&self) -> bool {
        self.attempts.last().is_some_and(|attempt| attempt.origin == AttemptOrigin::Resume)
    }

    /// How far the whole was at that checkpoint, where that is known.
    fn goes_on_at(&self) -> Option<f64> {
        let checkpoint = self.operation.checkpoint.as_ref().filter(|_| self.goes_on())?;
        checkpoint.fraction.map(|fraction| fraction.clamp(0.0, 1.0))
    }

    /// Moves to a state that may follow; anything else is a fault of this module.
    fn enter(&mut self, state: State) {
        debug_assert!(self.operation.state.may_become(state), "{} → {state}", self.operation.state);
        self.operation.state = state;
        self.current_mut().state = state;
    }

    fn end(&mut self, state: State, failure: Option<Failure>, at: Time) {
        self.enter(state);
        // An end is never before its beginning, whatever the clocks say.
        let at = self.operation.started_at.map_or(at, |started| at.max(started));
        self.operation.ended_at = Some(at);
        self.operation.condition = None;
        self.operation.forecast = None;
        self.operation.failure.clone_from(&failure);
        let receipt = self.operation.receipt.clone();
        let attempt = self.current_mut();
        attempt.ended_at = Some(at);
        attempt.failure = failure;
        attempt.receipt = receipt;
    }

    /// Back into the queue: nothing of the attempt was begun.
    fn requeue(&mut self) -> Vec<Effect> {
        self.enter(State::Queued);
        self.ended_by_host = false;
        self.operation.host = None;
        self.operation.condition = None;
        self.operation.forecast = None;
        if self.operation.started_at.take().is_some() && !self.goes_on() {
            self.operation.progress = None;
        }
        let attempt = self.current_mut();
        attempt.host = None;
        attempt.instance = None;
        attempt.started_at = None;
        vec![Effect::Changed, Effect::Release, Effect::Enqueue]
    }

    fn note(&mut self, step: Step, at: Time) -> bool {
        // What the host says of a cancel proves that it arrived.
        if let Some(tried) = self.cancel_tried.take_if(|_| step > Step::Sent)
            && let Some(receipt) = &mut self.operation.receipt
        {
            receipt.note(Step::Sent, tried);
        }
        self.operation.receipt.as_mut().is_some_and(|receipt| receipt.note(step, at))
    }

    /// Its host said that the work stopped, and is in another life now or has forgotten it: nothing is left of it.
    fn confirmed_stop(&self, lost: FailureReason) -> bool {
        matches!(lost, FailureReason::HostRestarted | FailureReason::HostLost)
            && self.operation.receipt.as_ref().is_some_and(|receipt| receipt.stopped.is_some())
    }

    fn condition(&mut self, kind: ConditionKind, since: Time, message: String) -> Vec<Effect> {
        let same = self.operation.condition.as_ref().is_some_and(|c| c.kind == kind && c.message == message);
        if same {
            return Vec::new();
        }
        self.operation.condition = Some(Condition { kind, since, message });
        vec![Effect::Changed]
    }

    /// Whether it stands still.
    fn is_stalled(&self) -> bool {
        self.operation.condition.as_ref().is_some_and(|c| c.kind == ConditionKind::Stalled)
    }

    fn clear(&mut self, kinds: &[ConditionKind]) -> bool {
        let found = self.operation.condition.as_ref().is_some_and(|c| kinds.contains(&c.kind));
        if found {
            self.operation.condition = None;
        }
        found
    }
}

/// Applies a message. What changed is in the record; what follows is returned.
///
/// # Errors
/// A person's wish that does not fit the state; nothing was changed. Messages from hosts never fail: what
/// does not fit is late.
pub fn step(record: &mut Record, message: Message, now: Time) -> Result<Vec<Effect>, Denied> {
    let state = record.operation.state;
    match message {
        Message::Cancel { reason } => return wishes::cancel(record, reason, now),
        Message::Abandon { reason } => return wishes::abandon(record, &reason, now),
        Message::Again { origin } => return wishes::again(record, origin, now),
        Message::Rule(rule) => return wishes::rule(record, rule),
        Message::Retry { origin, not_before, why } => {
            return wishes::retry(record, origin, not_before, why, now);
        }
        Message::Host { attempt, at, body } => return Ok(words::host(record, attempt, at, body, now)),
        _ if state.ended() => return Ok(Vec::new()),
        // Its own work has ended before; only the last operation that it started is waited for.
        ref other if record.held_end.is_some() && *other != Message::ChildrenEnded => return Ok(Vec::new()),
        _ => {}
    }
    let effects = match message {
        Message::Chosen { host, instance } if state == State::Queued => {
            record.enter(State::Starting);
            record.operation.host = Some(host.clone());
            record.operation.condition = None;
            record.operation.not_before = None;
            let attempt = record.current_mut();
            attempt.host = Some(host);
            attempt.instance = Some(instance);
            vec![Effect::Changed, Effect::SendStart]
        }
        Message::Declined if state == State::Starting => record.requeue(),
        // The host never had it, or won't have it: the wish to cancel is fulfilled.
        Message::Declined | Message::Refused(_) | Message::CancelledBeforeStart
            if state == State::Cancelling && record.operation.started_at.is_none() =>
        {
            record.cancel_tried = None;
            wishes::finish_cancel(record, now)
        }
        Message::CancelledBeforeStart if state == State::Starting => {
            words::unstored_cancel(record, now);
            wishes::finish_cancel(record, now)
        }
        Message::Refused(failure) if matches!(state, State::Queued | State::Starting) => {
            record.end(State::Failed, Some(failure), now);
            vec![Effect::Changed, Effect::Release]
        }
        Message::CancelTried { at } if state == State::Cancelling => {
            record.cancel_tried = Some(at);
            Vec::new()
        }
        Message::CancelAnswered { sent, acknowledged } if state == State::Cancelling => {
            let mut changed = record.note(Step::Sent, sent);
            changed |= record.note(Step::Acknowledged, acknowledged);
            changed |= record.clear(&[ConditionKind::CancelUndelivered]);
            if changed { vec![Effect::Changed] } else { Vec::new() }
        }
        Message::CancelUndelivered { message } if state == State::Cancelling => {
            let since = record
                .operation
                .condition
                .as_ref()
                .filter(|c| c.kind == ConditionKind::CancelUndelivered)
                .map_or(now, |c| c.since);
            record.condition(ConditionKind::CancelUndelivered, since, message)
        }
        Message::BandLeft { from_x, reason } if matches!(state, State::Starting | State::Running) => {
            let (attempt, at) = (record.operation.attempt, now);
            match record.operation.rule.as_mut().filter(|rule| rule.is_armed()) {
                Some(rule) => rule.fired = Some(Fired { attempt, at, from_x }),
                None => return Ok(Vec::new()),
            }
            return wishes::cancel(record, reason, now);
        }
        Message::Lost(failure) if state == State::Cancelling && record.confirmed_stop(failure.reason) => {
            wishes::finish_cancel(record, now)
        }
        Message::Lost(failure) if state.on_host() => record.conclude(State::Failed, Some(failure), now),
        Message::ChildrenEnded => match record.held_end.take() {
            None => Vec::new(),
            Some(held) => {
                record.children_run = false;
                let mut effects = record.conclude(held.state, held.failure, now);
                // It was given back before.
                effects.retain(|effect| *effect != Effect::Release);
                effects
            }
        },
        Message::Silent { since, message } if state.on_host() => {
            // An undelivered cancel says the same and more.
            match &record.operation.condition {
                Some(c) if c.kind == ConditionKind::CancelUndelivered => Vec::new(),
                _ => record.condition(ConditionKind::NoWord, since, message),
            }
        }
        Message::Carrying { message } if state == State::Starting => {
            record.condition(ConditionKind::Carrying, now, message)
        }
        Message::Stalled { since, message }
            if state == State::Running && record.operation.condition.is_none() =>
        {
            // What does not move has no rate, and its end can't be forecast.
            record.operation.forecast = None;
            if let Some(progress) = &mut record.operation.progress {
                (progress.rate, progress.eta_seconds) = (None, None);
            }
            record.condition(ConditionKind::Stalled, since, message)
        }
        Message::Forecast(forecast) if state.on_host() => {
            record.operation.forecast = forecast.filter(|_| !record.is_stalled());
            Vec::new()
        }
        Message::HeldUntil(until) if state == State::Queued && record.operation.not_before.is_some() => {
            record.operation.not_before = Some(until);
            vec![Effect::Changed]
        }
        Message::Heard if record.clear(&[ConditionKind::NoWord]) => vec![Effect::Changed],
        Message::Waiting { kind, message } if state == State::Queued => record.condition(kind, now, message),
        _ => Vec::new(),
    };
    Ok(effects)
}

fn queued_attempt(number: u32, origin: AttemptOrigin, now: Time) -> Attempt {
    Attempt {
        number,
        origin,
        state: State::Queued,
        host: None,
        instance: None,
        created_at: now,
        started_at: None,
        ended_at: None,
        failure: None,
        receipt: None,
    }
}

/// Nothing was heard of the host for longer than is waited for.
pub fn host_silent(host: Option<&HostName>, waited: &str) -> Failure {
    let host = host.map_or("its host", HostName::as_str);
    Failure {
        reason: FailureReason::HostSilent,
        message: format!(
            "Lost contact with {host} for {waited}, so this attempt failed. It may still be running there; if \
             {host} reconnects, it is told to stop the work."
        ),
        hint: "Check it on the Hosts page; then retry or resume, which may use another host.".into(),
    }
}

/// The host no longer knows an attempt that it had.
pub fn host_lost() -> Failure {
    Failure {
        reason: FailureReason::HostLost,
        message: "The host no longer knows the operation, so its outcome is unknown.".into(),
        hint: "Check the host's log, then retry or resume.".into(),
    }
}

#[cfg(test)]
mod tests;
