//! Lifecycle of an operation: a pure function from (record, message) to (record, effects).
//!
//! Every change of an operation goes through [`step`]. It does no I/O and reads no clock, so its promises are tested
//! with any order of messages.
//!
//! An operation is *queued*; the coordinator chooses a host (*starting*) and sends it there; the host reports that it
//! runs (*running*), and its progress. A user may cancel it (*cancelling*), which only a report of the host completes.
//! When an attempt has ended, it never changes: later reports are recorded as late and have no effect. Another attempt
//! has the next number, and from then on only reports for that number count.

mod commands;
mod held;
mod host_events;
mod retry;

pub use held::HeldEnd;
pub use retry::RetryPolicy;

use crate::error::Denied;
use protocol::band::Fired;
use protocol::host::{HostEventBody, ResultDoc};
use protocol::operation::AttemptOrigin;
use protocol::receipt::Step;
use protocol::{
    Attempt, BandRule, Condition, ConditionKind, Failure, FailureReason, Forecast, HostName, InstanceId,
    KindName, LogLine, Operation, OperationId, Points, Progress, State, Time,
};
use serde_json::Value;

/// Operation as the coordinator holds it.
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    pub operation: Operation,
    /// Oldest first; the last one is current.
    pub attempts: Vec<Attempt>,
    /// Time at which a cancel was last sent that is not known to have arrived. The host's feed may confirm it before
    /// the response does.
    pub cancel_tried: Option<Time>,
    /// The host reported the end of the current attempt, as opposed to a host that was given up or has restarted.
    pub ended_by_host: bool,
    /// It has children that have not ended. The coordinator sets this before each message.
    pub children_run: bool,
    /// A child ended without success while this attempt was being cancelled, so the cancel cut it short.
    pub children_cut: bool,
    /// End of its own work, while it waits for its children.
    pub held_end: Option<HeldEnd>,
}

/// Everything that can happen to an operation.
#[derive(Clone, PartialEq, Debug)]
pub enum Message {
    /// The coordinator chose this host, in this process of it.
    Chosen { host: HostName, instance: InstanceId },
    /// The host has no slot, or the start certainly did not arrive: requeue.
    Declined,
    /// The host rejects the operation.
    Refused(Failure),
    /// The host got a cancel of the attempt before its start, and never starts it.
    CancelledBeforeStart,
    /// A user cancels it.
    Cancel { reason: String },
    /// The cancel is sent now; whether it arrives is unknown.
    CancelTried { at: Time },
    /// The host answered the cancel; both times are server time.
    CancelAnswered { sent: Time, acknowledged: Time },
    /// The cancel could not be delivered; it is repeated.
    CancelUndelivered { message: String },
    /// Report of the host's feed about an attempt, with its time as server time.
    Host { attempt: u32, at: Time, body: HostEventBody },
    /// The host no longer knows the current attempt.
    Lost(Failure),
    /// The process in which the current attempt ran has ended, and nothing of the work is left.
    Died(Failure),
    /// A child has ended without success while it is being cancelled.
    ChildCut,
    /// The last child has ended.
    ChildrenEnded,
    /// The host has been unreachable since this time.
    Silent { since: Time, message: String },
    /// The host is connected again.
    HostResponded,
    /// It can't leave the queue now, for this reason.
    Waiting { kind: ConditionKind, message: String },
    /// Files for resuming are being transferred to its host.
    TransferringCheckpoint { message: String },
    /// The host is connected, but the attempt has had no progress since this time, which is unusual.
    Stalled { since: Time, message: String },
    /// A user wants another attempt.
    Again { origin: AttemptOrigin },
    /// The retry policy wants another attempt, not before this time.
    Retry { origin: AttemptOrigin, not_before: Time, why: String },
    /// The clock jumped; its pause now ends at this time.
    HeldUntil(Time),
    /// A user abandons an attempt on an unreachable host.
    Abandon { reason: String },
    /// A user sets a rule, or removes it.
    Rule(Option<Box<BandRule>>),
    /// The series has been outside of the baseline for as long as the rule says, from this x on.
    BandLeft { from_x: f64, reason: String },
    /// There is a new forecast, or none any more.
    Forecast(Option<Forecast>),
}

/// Effect of a message.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// The operation changed; make it durable, then publish it.
    Changed,
    /// Only its progress changed.
    Progressed(Progress),
    Points(Vec<Points>),
    Log(Vec<LogLine>),
    Result(Box<ResultDoc>),
    /// Late report of an attempt that has ended, to be recorded.
    Late(String),
    /// Send the current attempt to its host.
    SendStart,
    /// Ask the host to stop the current attempt.
    SendCancel,
    /// Put it into the queue.
    Enqueue,
    /// Release its slot.
    Release,
}

impl Record {
    /// New operation with its first attempt.
    pub fn new(id: OperationId, kind: KindName, title: String, params: Value, now: Time) -> Self {
        let operation = Operation::queued(id, kind, title, params, now);
        Self::stored(operation, vec![queued_attempt(1, AttemptOrigin::Start, now)])
    }

    /// Operation as loaded from the store.
    pub fn stored(mut operation: Operation, attempts: Vec<Attempt>) -> Self {
        let held_end = HeldEnd::of(&operation);
        // Earlier versions stored only the condition that was shown.
        if operation.host_condition.is_none() {
            let of_host =
                |c: &&Condition| matches!(c.kind, ConditionKind::Paused | ConditionKind::Unstoppable);
            operation.host_condition = operation.condition.as_ref().filter(of_host).cloned();
        }
        Self {
            operation,
            attempts,
            cancel_tried: None,
            ended_by_host: false,
            children_run: false,
            children_cut: false,
            held_end,
        }
    }

    /// The current attempt.
    pub fn current(&self) -> &Attempt {
        self.attempts.last().expect("a record always has at least one attempt")
    }

    fn current_mut(&mut self) -> &mut Attempt {
        self.attempts.last_mut().expect("a record always has at least one attempt")
    }

    /// Whether the current attempt resumes from a checkpoint.
    fn resumes(&self) -> bool {
        self.attempts.last().is_some_and(|attempt| attempt.origin == AttemptOrigin::Resume)
    }

    /// Fraction at that checkpoint, if known.
    fn resumes_at(&self) -> Option<f64> {
        let checkpoint = self.operation.checkpoint.as_ref().filter(|_| self.resumes())?;
        checkpoint.fraction.map(|fraction| fraction.clamp(0.0, 1.0))
    }

    /// Moves to a valid next state; anything else is a bug in this module.
    fn enter(&mut self, state: State) {
        debug_assert!(self.operation.state.may_become(state), "{} → {state}", self.operation.state);
        self.operation.state = state;
        self.current_mut().state = state;
        if state == State::Cancelling {
            // It does not end by its progress any more.
            self.operation.forecast = None;
            if let Some(progress) = &mut self.operation.progress {
                progress.eta_seconds = None;
            }
        }
    }

    fn end(&mut self, state: State, failure: Option<Failure>, at: Time) {
        self.enter(state);
        // An end is never before its start, whatever the clocks say.
        let at = self.operation.started_at.map_or(at, |started| at.max(started));
        self.operation.ended_at = Some(at);
        self.operation.condition = None;
        self.operation.host_condition = None;
        self.operation.forecast = None;
        self.operation.failure.clone_from(&failure);
        let receipt = self.operation.receipt.clone();
        let attempt = self.current_mut();
        attempt.ended_at = Some(at);
        attempt.failure = failure;
        attempt.receipt = receipt;
    }

    /// Requeues the attempt, of which nothing was begun.
    fn requeue(&mut self) -> Vec<Effect> {
        self.enter(State::Queued);
        self.ended_by_host = false;
        self.operation.host = None;
        self.operation.condition = None;
        self.operation.host_condition = None;
        self.operation.forecast = None;
        if self.operation.started_at.take().is_some() && !self.resumes() {
            self.operation.progress = None;
        }
        let attempt = self.current_mut();
        attempt.host = None;
        attempt.instance = None;
        attempt.started_at = None;
        attempt.usage = None;
        self.operation.usage = None;
        vec![Effect::Changed, Effect::Release, Effect::Enqueue]
    }

    fn note(&mut self, step: Step, at: Time) -> bool {
        // A host's report about a cancel proves that it arrived.
        if let Some(tried) = self.cancel_tried.take_if(|_| step > Step::Sent)
            && let Some(receipt) = &mut self.operation.receipt
        {
            receipt.note(Step::Sent, tried);
        }
        self.operation.receipt.as_mut().is_some_and(|receipt| receipt.note(step, at))
    }

    /// Whether the host reported that the work stopped, and has since restarted or forgotten the attempt, so that
    /// nothing of it is left.
    fn confirmed_stop(&self, lost: FailureReason) -> bool {
        matches!(lost, FailureReason::HostRestarted | FailureReason::HostLost)
            && self.operation.receipt.as_ref().is_some_and(|receipt| receipt.stopped.is_some())
    }

    /// Condition that the server set itself, if it is shown.
    fn own_condition(&self) -> Option<&Condition> {
        self.operation
            .condition
            .as_ref()
            .filter(|shown| self.operation.host_condition.as_ref() != Some(*shown))
    }

    /// Shows a condition of the server. One of the host is shown again after it.
    fn condition(&mut self, kind: ConditionKind, since: Time, message: String) -> Vec<Effect> {
        if self.own_condition().is_some_and(|c| c.kind == kind && c.message == message) {
            return Vec::new();
        }
        self.operation.condition = Some(Condition { kind, since, message });
        vec![Effect::Changed]
    }

    /// Whether it is stalled.
    fn is_stalled(&self) -> bool {
        self.operation.condition.as_ref().is_some_and(|c| c.kind == ConditionKind::Stalled)
    }

    /// Ends a condition of the server.
    fn clear(&mut self, kind: ConditionKind) -> bool {
        let found = self.own_condition().is_some_and(|c| c.kind == kind);
        if found {
            self.operation.condition.clone_from(&self.operation.host_condition);
        }
        found
    }
}

/// Applies a message to the record and returns the effects.
///
/// # Errors
/// A user request that the state does not allow; nothing was changed. Messages of hosts never fail: unexpected ones are
/// late.
pub fn step(record: &mut Record, message: Message, now: Time) -> Result<Vec<Effect>, Denied> {
    let state = record.operation.state;
    match message {
        Message::Cancel { reason } => return commands::cancel(record, reason, now),
        Message::Abandon { reason } => return commands::abandon(record, &reason, now),
        Message::Again { origin } => return commands::again(record, origin, now),
        Message::Rule(rule) => return commands::rule(record, rule),
        Message::Retry { origin, not_before, why } => {
            return commands::retry(record, origin, not_before, why, now);
        }
        Message::Host { attempt, at, body } => return Ok(host_events::host(record, attempt, at, body, now)),
        _ if state.ended() => return Ok(Vec::new()),
        // Its own work has ended; only its children count.
        ref other
            if record.held_end.is_some() && !matches!(other, Message::ChildrenEnded | Message::ChildCut) =>
        {
            return Ok(Vec::new());
        }
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
        // The host never had it or refuses it, so the cancel is fulfilled.
        Message::Declined | Message::Refused(_) | Message::CancelledBeforeStart
            if state == State::Cancelling && record.operation.started_at.is_none() =>
        {
            record.cancel_tried = None;
            commands::finish_cancel(record, now)
        }
        Message::CancelledBeforeStart if state == State::Starting => {
            host_events::unstored_cancel(record, now);
            commands::finish_cancel(record, now)
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
            changed |= record.clear(ConditionKind::CancelUndelivered);
            if changed { vec![Effect::Changed] } else { Vec::new() }
        }
        Message::CancelUndelivered { message } if state == State::Cancelling => {
            let known = record.own_condition().filter(|c| c.kind == ConditionKind::CancelUndelivered);
            let since = known.map_or(now, |c| c.since);
            record.condition(ConditionKind::CancelUndelivered, since, message)
        }
        Message::BandLeft { from_x, reason } if matches!(state, State::Starting | State::Running) => {
            let (attempt, at) = (record.operation.attempt, now);
            match record.operation.rule.as_mut().filter(|rule| rule.is_armed()) {
                Some(rule) => rule.fired = Some(Fired { attempt, at, from_x }),
                None => return Ok(Vec::new()),
            }
            return commands::cancel(record, reason, now);
        }
        Message::Lost(failure) if state == State::Cancelling && record.confirmed_stop(failure.reason) => {
            commands::finish_cancel(record, now)
        }
        Message::Died(_) if state == State::Cancelling => commands::finish_cancel(record, now),
        Message::Lost(failure) | Message::Died(failure) if state.on_host() => {
            record.conclude(State::Failed, Some(failure), now)
        }
        Message::ChildCut if state == State::Cancelling => record.cut_short(),
        Message::ChildrenEnded => match record.held_end.take() {
            None => Vec::new(),
            Some(held) => {
                record.children_run = false;
                let mut effects = record.conclude(held.state, held.failure, now);
                // The slot was already released.
                effects.retain(|effect| *effect != Effect::Release);
                effects
            }
        },
        Message::Silent { since, message } if state.on_host() => {
            // An undelivered cancel already implies this.
            match record.own_condition() {
                Some(c) if c.kind == ConditionKind::CancelUndelivered => Vec::new(),
                _ => record.condition(ConditionKind::Unreachable, since, message),
            }
        }
        Message::TransferringCheckpoint { message } if state == State::Starting => {
            record.condition(ConditionKind::TransferringCheckpoint, now, message)
        }
        Message::Stalled { since, message }
            if state == State::Running && record.operation.condition.is_none() =>
        {
            // A stalled attempt has no rate and no forecast.
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
        Message::HostResponded if record.clear(ConditionKind::Unreachable) => vec![Effect::Changed],
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
        resumed_from: None,
        usage: None,
    }
}

/// Failure of an attempt whose host was unreachable for too long.
pub fn host_silent(host: Option<&HostName>, waited: &str) -> Failure {
    let host = host.map_or("its host", HostName::as_str);
    Failure {
        reason: FailureReason::HostSilent,
        message: format!(
            "Lost contact with {host} for {waited}, so this attempt failed. The work may still be running there; if {host} reconnects, the server asks it to stop the work."
        ),
        hint:
            "Check the host on the Hosts page; then retry or resume. The new attempt may run on another host."
                .into(),
    }
}

/// Failure of an attempt that its host no longer knows.
pub fn host_lost() -> Failure {
    Failure {
        reason: FailureReason::HostLost,
        message: "The host no longer knows the operation, so its outcome is unknown.".into(),
        hint: "Check the host's log, then retry or resume.".into(),
    }
}

#[cfg(test)]
mod tests;
