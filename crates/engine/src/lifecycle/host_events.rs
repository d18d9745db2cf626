//! Reports of hosts about attempts, and their effects.

use super::{Effect, Record};
use protocol::host::{HostCondition, HostEventBody, Outcome, ResultDoc};
use protocol::receipt::Step;
use protocol::{
    Condition, ConditionKind, Failure, FailureReason, KeyFigure, Progress, Receipt, ResourceUsage, State,
    Time,
};

/// The host's feed reported something about an attempt.
pub(super) fn host(
    record: &mut Record,
    attempt: u32,
    at: Time,
    body: HostEventBody,
    now: Time,
) -> Vec<Effect> {
    let state = record.operation.state;
    if attempt != record.operation.attempt || !state.on_host() {
        return match describe_late_event(&body) {
            Some(what) => vec![Effect::Late(format!("attempt {attempt}: {what}"))],
            None => Vec::new(),
        };
    }
    if record.held_end.is_some() {
        // Its own work has ended; further reports have no effect.
        return Vec::new();
    }
    let was_silent = record.clear(ConditionKind::Unreachable);
    record.operation.heard_at = Some(now);
    let mut effects = match body {
        HostEventBody::Running => {
            if record.operation.started_at.is_some() {
                Vec::new()
            } else {
                record.operation.started_at = Some(at);
                record.current_mut().started_at = Some(at);
                if state == State::Starting {
                    record.enter(State::Running);
                    record.clear(ConditionKind::TransferringCheckpoint);
                }
                vec![Effect::Changed]
            }
        }
        HostEventBody::Progress { mut progress } => {
            // Within one count, progress never decreases, whatever a host says, nor falls below the fraction at which
            // the attempt resumes: hosts count from 0 until they have found it.
            let before = record.operation.progress.as_ref().filter(|before| progress.continues(before));
            let before = before.and_then(|p| p.fraction);
            let least = before.into_iter().chain(record.resumes_at()).fold(0.0, f64::max);
            let new_fraction = progress.fraction.map(|f| f.clamp(0.0, 1.0).max(least));
            progress.fraction = new_fraction.or(Some(least).filter(|least| record.resumes() && *least > 0.0));
            // What can't be is not shown: the host may have counted backwards.
            let possible = |figure: &f64| figure.is_finite() && *figure >= 0.0;
            progress.rate = progress.rate.filter(possible);
            progress.eta_seconds = progress.eta_seconds.filter(possible);
            let step = record.operation.progress.as_ref().is_none_or(|before| steps_on(before, &progress));
            let ended_stall = step && record.clear(ConditionKind::Stalled);
            if record.is_stalled() {
                // The rate of its last step says nothing about the present.
                (progress.rate, progress.eta_seconds) = (None, None);
            }
            if state == State::Cancelling {
                progress.eta_seconds = None;
            }
            record.operation.progress = Some(progress.clone());
            let mut effects = vec![Effect::Progressed(progress)];
            if ended_stall {
                effects.insert(0, Effect::Changed);
            }
            effects
        }
        HostEventBody::Points { series } => vec![Effect::Points(series)],
        HostEventBody::Log { lines } => vec![Effect::Log(lines)],
        HostEventBody::Checkpoint { checkpoint } => {
            record.operation.checkpoint = Some(checkpoint);
            vec![Effect::Changed]
        }
        HostEventBody::Acknowledged => {
            if state != State::Cancelling {
                unstored_cancel(record, at);
            }
            let changed = record.note(Step::Acknowledged, at);
            if changed { vec![Effect::Changed] } else { Vec::new() }
        }
        HostEventBody::Stopped => {
            let changed = record.note(Step::Stopped, at);
            if changed { vec![Effect::Changed] } else { Vec::new() }
        }
        HostEventBody::Condition { condition } => apply_host_condition(record, condition, at),
        HostEventBody::Unknown => Vec::new(),
        HostEventBody::Ended { outcome, failure, result, usage } => {
            if let Some(usage) = usage {
                take_usage(record, *usage);
            }
            ended(record, outcome, failure, result, at)
        }
    };
    if was_silent && !effects.contains(&Effect::Changed) {
        effects.insert(0, Effect::Changed);
    }
    effects
}

/// Whether the second progress advances from the first; a new message alone does not.
fn steps_on(before: &Progress, after: &Progress) -> bool {
    let place = |p: &Progress| (p.fraction, p.done, p.phase.as_ref().map(|phase| phase.index));
    place(before) != place(after)
}

/// A host reports a condition, or its end. Hosts may report only conditions of cancels and of stopped processes. They
/// report each once, so it is kept until they end it, whatever is shown meanwhile.
fn apply_host_condition(record: &mut Record, condition: Option<HostCondition>, at: Time) -> Vec<Effect> {
    const OF_CANCELS: [ConditionKind; 2] = [ConditionKind::CancelUndelivered, ConditionKind::Unstoppable];
    match condition {
        Some(HostCondition { kind, message })
            if (OF_CANCELS.contains(&kind) && record.operation.state == State::Cancelling)
                || (kind == ConditionKind::Paused && record.operation.state.on_host()) =>
        {
            let operation = &mut record.operation;
            let known = operation.host_condition.as_ref().filter(|c| c.kind == kind);
            let since = known.map_or(at, |c| c.since);
            let reported = Some(Condition { kind, since, message });
            let changed = operation.host_condition != reported || operation.condition != reported;
            operation.condition.clone_from(&reported);
            operation.host_condition = reported;
            if changed { vec![Effect::Changed] } else { Vec::new() }
        }
        Some(_) => Vec::new(),
        None => match record.operation.host_condition.take() {
            None => Vec::new(),
            Some(over) => {
                record.operation.condition.take_if(|shown| *shown == over);
                vec![Effect::Changed]
            }
        },
    }
}

/// Stores the cost of the current attempt. The division of its time is for its own page, not for lists.
fn take_usage(record: &mut Record, usage: ResourceUsage) {
    record.operation.usage = Some(ResourceUsage { time: None, ..usage.clone() });
    record.current_mut().usage = Some(usage);
}

fn ended(
    record: &mut Record,
    outcome: Outcome,
    failure: Option<Failure>,
    result: Option<ResultDoc>,
    at: Time,
) -> Vec<Effect> {
    let mut effects = Vec::new();
    let cut_short = outcome == Outcome::Succeeded && record.is_cut_short(State::Succeeded, None);
    // A result of children that were cancelled is none.
    if let Some(result) = result.filter(|_| !cut_short) {
        record.operation.has_result = true;
        record.operation.figures = KeyFigure::kept(&result.figures);
        for tag in &result.tags {
            if !record.operation.tags.contains(tag) {
                record.operation.tags.push(tag.clone());
            }
        }
        effects.push(Effect::Result(Box::new(result)));
    }
    let cancelling = record.operation.state == State::Cancelling;
    record.ended_by_host = true;
    let ended = match outcome {
        // Nothing of it was begun, so the cancel is fulfilled.
        Outcome::Cancelled | Outcome::NotStarted if cancelling => super::commands::finish_cancel(record, at),
        Outcome::Cancelled => {
            unstored_cancel(record, at);
            super::commands::finish_cancel(record, at)
        }
        Outcome::NotStarted => record.requeue(),
        Outcome::Succeeded => record.conclude(State::Succeeded, None, at),
        Outcome::Failed => {
            let failure = failure.unwrap_or_else(|| Failure {
                reason: FailureReason::Work,
                message: "The host reported a failure without a reason.".into(),
                hint: "Check the log of the operation and of the host.".into(),
            });
            record.conclude(State::Failed, Some(failure), at)
        }
    };
    effects.extend(ended);
    effects
}

/// The host confirms a cancel that is unknown here: it was sent while nothing could be stored, and the server stopped
/// before it could be. Hosts confirm only cancels that they received.
pub(super) fn unstored_cancel(record: &mut Record, at: Time) {
    let reason = "The host confirmed a cancel that the server had sent but not stored yet.".to_owned();
    record.operation.receipt = Some(Receipt::requested(record.operation.attempt, reason, at));
    record.enter(State::Cancelling);
}

/// Text of a late report, if it is worth recording.
fn describe_late_event(body: &HostEventBody) -> Option<String> {
    match body {
        HostEventBody::Running => Some("running".into()),
        HostEventBody::Ended { outcome, .. } => Some(format!("ended, {outcome:?}").to_lowercase()),
        HostEventBody::Stopped => Some("stopped".into()),
        _ => None,
    }
}
