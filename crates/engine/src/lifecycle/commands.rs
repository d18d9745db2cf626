//! User requests, and automatic retries.

use super::{Effect, Record, queued_attempt};
use crate::error::Denied;
use protocol::operation::AttemptOrigin;
use protocol::receipt::Step;
use protocol::{
    BandRule, Condition, ConditionKind, Failure, FailureReason, HostName, Progress, Receipt, State, Time,
};

/// Ends a cancelled attempt of which nothing is left.
pub(super) fn finish_cancel(record: &mut Record, at: Time) -> Vec<Effect> {
    record.note(Step::Stopped, at);
    record.conclude(State::Cancelled, None, at)
}

/// A user cancels it.
pub(super) fn cancel(record: &mut Record, reason: String, now: Time) -> Result<Vec<Effect>, Denied> {
    let number = record.operation.attempt;
    match record.operation.state {
        State::Queued => {
            record.operation.receipt = Some(Receipt::requested(number, reason, now));
            record.operation.not_before = None;
            if record.children_run {
                record.enter(State::Cancelling);
            }
            Ok(finish_cancel(record, now))
        }
        State::Starting | State::Running => {
            record.operation.receipt = Some(Receipt::requested(number, reason, now));
            record.enter(State::Cancelling);
            record.clear(ConditionKind::TransferringCheckpoint);
            Ok(vec![Effect::Changed, Effect::SendCancel])
        }
        // If pressed twice, the first cancel counts. The host is asked again, unless a request is pending.
        State::Cancelling if record.cancel_tried.is_some() => Ok(Vec::new()),
        State::Cancelling => Ok(vec![Effect::SendCancel]),
        ended => Err(Denied::CancelEnded(ended)),
    }
}

/// A user sets a rule, or removes it.
pub(super) fn rule(record: &mut Record, rule: Option<Box<BandRule>>) -> Result<Vec<Effect>, Denied> {
    let state = record.operation.state;
    if state.ended() {
        return Err(Denied::RuleEnded(Some(state)));
    }
    if rule.is_some() && state == State::Cancelling {
        return Err(Denied::BeingCancelled);
    }
    record.operation.rule = rule.map(|rule| *rule);
    Ok(vec![Effect::Changed])
}

/// A user abandons an attempt whose host is unreachable or can't stop it. Nothing says that the work has stopped: the
/// attempt fails, reports for its number no longer count, and its host is told to drop it.
pub(super) fn abandon(record: &mut Record, reason: &str, now: Time) -> Result<Vec<Effect>, Denied> {
    let operation = &record.operation;
    if operation.state.ended() {
        return Err(Denied::AbandonEnded(operation.state));
    }
    if record.held_end.is_some() {
        return Err(Denied::EndsWithChildren);
    }
    let condition = operation.condition.as_ref().filter(|_| operation.state.on_host()).map(|c| c.kind);
    let host = operation.host.as_ref().map_or("its host", HostName::as_str);
    let reason = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
    let message = match condition {
        Some(ConditionKind::CancelUndelivered) => format!(
            "Abandoned{reason} while the cancel request was not delivered. The work may still be running on {host}; as soon as {host} can be reached, the server asks it to stop the work."
        ),
        Some(ConditionKind::Unreachable) => format!(
            "Abandoned{reason} while {host} was unreachable. The work may still be running there; when {host} reconnects, the server asks it to stop the work."
        ),
        Some(ConditionKind::Unstoppable) => format!(
            "Abandoned{reason} while {host} could not stop it, or had not confirmed the stop. The work may still be running there; its result is ignored."
        ),
        _ => return Err(Denied::HostConnected),
    };
    let failure = Failure {
        reason: FailureReason::Abandoned,
        message,
        hint: "Retry or resume the operation. The new attempt may run on another host.".into(),
    };
    record.end(State::Failed, Some(failure), now);
    Ok(vec![Effect::Changed, Effect::Release])
}

/// A user wants another attempt.
pub(super) fn again(record: &mut Record, origin: AttemptOrigin, now: Time) -> Result<Vec<Effect>, Denied> {
    let operation = &mut record.operation;
    let pausing = operation.state == State::Queued && operation.not_before.is_some();
    if !operation.state.ended() && !pausing {
        return Err(Denied::AttemptNotEnded(operation.state));
    }
    if operation.state == State::Succeeded {
        return Err(Denied::Succeeded);
    }
    if origin == AttemptOrigin::Resume && operation.checkpoint.is_none() {
        return Err(Denied::NoCheckpoint);
    }
    if origin != AttemptOrigin::Resume {
        operation.checkpoint = None;
        operation.progress = None;
    }
    if pausing {
        // It replaces the automatic one.
        operation.not_before = None;
        operation.condition = None;
        record.current_mut().origin = origin;
    } else {
        requeue(record, origin, now);
    }
    let checkpoint = record.operation.checkpoint.as_ref().filter(|_| record.resumes());
    let resumed_from = checkpoint.map(|checkpoint| checkpoint.note.clone());
    record.current_mut().resumed_from = resumed_from;
    // If unknown, it is the fraction of the previous attempt until the host reports.
    if let Some(fraction) = record.resumes_at() {
        record.operation.progress = Some(Progress { fraction: Some(fraction), ..Progress::start(now) });
    }
    Ok(vec![Effect::Changed, Effect::Enqueue])
}

/// Queues the next attempt.
fn requeue(record: &mut Record, origin: AttemptOrigin, now: Time) {
    let operation = &mut record.operation;
    record.cancel_tried = None;
    record.ended_by_host = false;
    record.held_end = None;
    record.children_cut = false;
    operation.state = State::Queued;
    operation.queued_at = Some(now);
    operation.not_before = None;
    operation.attempt += 1;
    operation.host = None;
    operation.started_at = None;
    operation.ended_at = None;
    operation.heard_at = None;
    operation.receipt = None;
    operation.usage = None;
    operation.condition = None;
    operation.host_condition = None;
    operation.failure = None;
    // A rule applies to the next attempt, too, from its first point; a rule that has fired is spent.
    operation.rule = operation.rule.take().filter(|rule| rule.fired.is_none());
    if let Some(rule) = &mut operation.rule {
        rule.outside = 0;
    }
    let number = operation.attempt;
    record.attempts.push(queued_attempt(number, origin, now));
}

/// The retry policy makes another attempt of a failed operation.
pub(super) fn retry(
    record: &mut Record,
    origin: AttemptOrigin,
    not_before: Time,
    why: String,
    now: Time,
) -> Result<Vec<Effect>, Denied> {
    if record.operation.state != State::Failed {
        return Err(Denied::NotFailed(record.operation.state));
    }
    let effects = again(record, origin, now)?;
    if not_before > now {
        record.operation.not_before = Some(not_before);
        record.operation.condition =
            Some(Condition { kind: ConditionKind::Backoff, since: now, message: why });
    }
    Ok(effects)
}
