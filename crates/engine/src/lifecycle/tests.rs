//! Promises of the lifecycle, for any order of messages.

use super::*;
use proptest::prelude::*;
use protocol::band::Like;
use protocol::host::Outcome;
use protocol::{Actor, Baseline, SetRule, Side};
use serde_json::json;

fn record() -> Record {
    let kind = KindName::new("data.load").unwrap();
    Record::new(OperationId::new(), kind, "MSFT 1h".into(), json!({}), Time::from_micros(1_000_000))
}

fn t(n: i64) -> Time {
    Time::from_micros(1_000_000 + n)
}

fn host_name() -> HostName {
    HostName::new("data-1").unwrap()
}

fn chosen() -> Message {
    Message::Chosen { host: host_name(), instance: InstanceId::new() }
}

fn says(attempt: u32, body: HostEventBody) -> Message {
    Message::Host { attempt, at: t(5), body }
}

fn ends(attempt: u32, outcome: Outcome) -> Message {
    says(attempt, HostEventBody::Ended { outcome, failure: None, result: None })
}

fn keeps(attempt: u32, fraction: Option<f64>) -> Message {
    let (note, files) = ("half".into(), vec![]);
    let checkpoint = protocol::Checkpoint { attempt, at: t(3), note, fraction, state: json!(5), files };
    says(attempt, HostEventBody::Checkpoint { checkpoint })
}

fn is_at(attempt: u32, fraction: Option<f64>) -> Message {
    let progress = Progress { fraction, ..Progress::start(t(4)) };
    says(attempt, HostEventBody::Progress { progress })
}

fn running() -> Record {
    let mut record = record();
    step(&mut record, chosen(), t(1)).unwrap();
    step(&mut record, says(1, HostEventBody::Running), t(2)).unwrap();
    assert_eq!(record.operation.state, State::Running);
    record
}

#[test]
fn a_late_success_does_not_revive_a_cancelled_operation() {
    let mut record = running();
    step(&mut record, Message::Cancel { reason: String::new() }, t(3)).unwrap();
    step(&mut record, ends(1, Outcome::Cancelled), t(9)).unwrap();
    assert_eq!(record.operation.state, State::Cancelled);
    let before = record.clone();
    let effects = step(&mut record, ends(1, Outcome::Succeeded), t(20)).unwrap();
    assert_eq!(effects, [Effect::Late("attempt 1: ended, succeeded".into())]);
    assert_eq!(record, before);
}

#[test]
fn an_operation_is_cancelled_only_after_its_host_confirmed_it() {
    let mut record = running();
    let effects = step(&mut record, Message::Cancel { reason: "no use".into() }, t(10)).unwrap();
    assert_eq!(effects, [Effect::Changed, Effect::SendCancel]);
    assert_eq!(record.operation.state, State::Cancelling);
    step(&mut record, Message::CancelAnswered { sent: t(11), acknowledged: t(12) }, t(13)).unwrap();
    step(&mut record, Message::Host { attempt: 1, at: t(14), body: HostEventBody::Stopped }, t(15)).unwrap();
    assert_eq!(record.operation.state, State::Cancelling);
    let body = HostEventBody::Ended { outcome: Outcome::Cancelled, failure: None, result: None };
    step(&mut record, Message::Host { attempt: 1, at: t(16), body }, t(17)).unwrap();
    assert_eq!(record.operation.state, State::Cancelled);
    let receipt = record.operation.receipt.unwrap();
    let steps: Vec<_> = Step::ALL.into_iter().map(|s| receipt.at(s).unwrap()).collect();
    assert_eq!(steps, [t(10), t(11), t(12), t(14), t(16)]);
}

#[test]
fn a_receipt_is_complete_even_if_the_feed_precedes_the_response() {
    let mut record = running();
    step(&mut record, Message::Cancel { reason: String::new() }, t(10)).unwrap();
    step(&mut record, Message::CancelTried { at: t(11) }, t(11)).unwrap();
    assert_eq!(record.operation.receipt.as_ref().unwrap().sent, None, "whether it arrives is not known yet");
    for body in [HostEventBody::Acknowledged, HostEventBody::Stopped] {
        step(&mut record, Message::Host { attempt: 1, at: t(12), body }, t(13)).unwrap();
    }
    let body = HostEventBody::Ended { outcome: Outcome::Cancelled, failure: None, result: None };
    step(&mut record, Message::Host { attempt: 1, at: t(14), body }, t(15)).unwrap();
    let receipt = record.operation.receipt.unwrap();
    assert_eq!(
        (receipt.sent, receipt.acknowledged, receipt.released),
        (Some(t(11)), Some(t(12)), Some(t(14)))
    );
    assert_eq!(record.attempts[0].receipt.as_ref().unwrap().sent, Some(t(11)));
}

#[test]
fn a_cancel_that_arrives_after_the_end_keeps_the_end() {
    let mut record = running();
    step(&mut record, Message::Cancel { reason: String::new() }, t(3)).unwrap();
    step(&mut record, ends(1, Outcome::Succeeded), t(9)).unwrap();
    assert_eq!(record.operation.state, State::Succeeded);
    let receipt = record.operation.receipt.unwrap();
    assert_eq!(receipt.released, None, "nothing was stopped by the cancel");
}

#[test]
fn a_new_attempt_ignores_events_of_the_previous_one() {
    let mut record = running();
    step(&mut record, ends(1, Outcome::Failed), t(9)).unwrap();
    step(&mut record, Message::Again { origin: AttemptOrigin::Retry }, t(10)).unwrap();
    assert_eq!((record.operation.state, record.operation.attempt), (State::Queued, 2));
    step(&mut record, chosen(), t(11)).unwrap();
    let before = record.clone();
    step(&mut record, ends(1, Outcome::Succeeded), t(12)).unwrap();
    assert_eq!(record, before);
    step(&mut record, says(2, HostEventBody::Running), t(13)).unwrap();
    assert_eq!(record.operation.state, State::Running);
    assert_eq!(record.attempts.iter().map(|a| a.state).collect::<Vec<_>>(), [State::Failed, State::Running]);
}

#[test]
fn unreachable_is_a_condition_and_not_a_state() {
    let mut record = running();
    step(&mut record, Message::Silent { since: t(3), message: "No word.".into() }, t(9)).unwrap();
    assert_eq!(record.operation.state, State::Running);
    assert_eq!(record.operation.condition.as_ref().unwrap().kind, ConditionKind::Unreachable);
    let effects = step(&mut record, says(1, HostEventBody::Log { lines: Vec::new() }), t(12)).unwrap();
    assert!(effects.contains(&Effect::Changed));
    assert_eq!(record.operation.condition, None);
}

#[test]
fn a_resumed_attempt_starts_at_its_checkpoint() {
    let fraction = |record: &Record| record.operation.progress.as_ref().and_then(|p| p.fraction);
    let resumed = |kept: Option<f64>| {
        let mut record = running();
        for message in [keeps(1, kept), is_at(1, Some(0.9)), is_at(1, Some(0.8))] {
            step(&mut record, message, t(4)).unwrap();
        }
        assert_eq!(fraction(&record), Some(0.9), "never backwards within an attempt");
        step(&mut record, ends(1, Outcome::Failed), t(5)).unwrap();
        step(&mut record, Message::Again { origin: AttemptOrigin::Resume }, t(6)).unwrap();
        record
    };
    let mut record = resumed(Some(0.5));
    assert_eq!(fraction(&record), Some(0.5), "in the line already");
    step(&mut record, chosen(), t(7)).unwrap();
    for (said, shown) in
        [(None, Some(0.5)), (Some(0.0), Some(0.5)), (Some(0.6), Some(0.6)), (None, Some(0.6))]
    {
        step(&mut record, is_at(2, said), t(8)).unwrap();
        assert_eq!(fraction(&record), shown);
    }
    // If unknown, the fraction of the previous attempt.
    let mut record = resumed(None);
    step(&mut record, chosen(), t(7)).unwrap();
    for (said, shown) in [(None, 0.9), (Some(0.0), 0.9), (Some(0.95), 0.95)] {
        step(&mut record, is_at(2, said), t(8)).unwrap();
        assert_eq!(fraction(&record), Some(shown));
    }
}

#[test]
fn the_fraction_falls_when_the_total_grows_or_the_count_restarts() {
    let mut record = running();
    let mut at = |done, total, fraction| {
        let progress = Progress { fraction, done, total: Some(total), ..Progress::start(t(4)) };
        step(&mut record, says(1, HostEventBody::Progress { progress }), t(4)).unwrap();
        record.operation.progress.as_ref().and_then(|p| p.fraction)
    };
    assert_eq!(at(10, 10, Some(1.0)), Some(1.0));
    assert_eq!(at(11, 40, Some(0.275)), Some(0.275), "more was found");
    assert_eq!(at(12, 40, Some(0.2)), Some(0.275), "within one count it never falls");
    assert_eq!(at(1, 40, None), None, "counted again, the whole is unknown");
}

#[test]
fn resume_needs_a_checkpoint_and_retry_drops_it() {
    let mut record = running();
    step(&mut record, keeps(1, Some(0.5)), t(3)).unwrap();
    step(&mut record, ends(1, Outcome::Failed), t(9)).unwrap();
    let mut resumed = record.clone();
    step(&mut resumed, Message::Again { origin: AttemptOrigin::Resume }, t(10)).unwrap();
    assert!(resumed.operation.checkpoint.is_some());
    step(&mut record, Message::Again { origin: AttemptOrigin::Retry }, t(10)).unwrap();
    assert_eq!(record.operation.checkpoint, None);
    step(&mut record, Message::Cancel { reason: String::new() }, t(11)).unwrap();
    let denied = step(&mut record, Message::Again { origin: AttemptOrigin::Resume }, t(12)).unwrap_err();
    assert_eq!(denied, Denied::NoCheckpoint);
}

#[test]
fn only_unreachable_attempts_are_abandoned_and_none_is_called_stopped() {
    let mut record = running();
    let denied = step(&mut record, Message::Abandon { reason: String::new() }, t(3)).unwrap_err();
    assert_eq!(denied, Denied::HostConnected);
    step(&mut record, Message::Cancel { reason: String::new() }, t(4)).unwrap();
    step(&mut record, Message::CancelUndelivered { message: "x".into() }, t(5)).unwrap();
    let effects = step(&mut record, Message::Abandon { reason: "burnt".into() }, t(6)).unwrap();
    assert_eq!(effects, [Effect::Changed, Effect::Release]);
    assert_eq!(record.operation.state, State::Failed);
    assert_eq!(record.operation.failure.as_ref().unwrap().reason, FailureReason::Abandoned);
    let receipt = record.operation.receipt.as_ref().unwrap();
    assert_eq!((receipt.stopped, receipt.released), (None, None));
    let before = record.clone();
    step(&mut record, ends(1, Outcome::Succeeded), t(9)).unwrap();
    assert_eq!(record, before, "the fence is up");
}

#[test]
fn a_stall_ends_with_progress_and_has_no_forecast() {
    let mut record = running();
    step(&mut record, is_at(1, Some(0.25)), t(3)).unwrap();
    let at = t(4);
    let basis = protocol::ForecastBasis::Rate;
    let forecast = Forecast { made_at: at, ends_at: at, earliest: at, latest: at, basis, judged: 0 };
    step(&mut record, Message::Forecast(Some(forecast)), t(4)).unwrap();
    step(&mut record, Message::Stalled { since: t(3), message: "x".into() }, t(9)).unwrap();
    assert_eq!(record.operation.condition.as_ref().unwrap().kind, ConditionKind::Stalled);
    assert_eq!(record.operation.forecast, None);
    step(&mut record, is_at(1, Some(0.25)), t(10)).unwrap();
    assert_eq!(record.operation.condition.as_ref().unwrap().kind, ConditionKind::Stalled);
    let progress = Progress { fraction: Some(0.5), ..Progress::start(t(10)) };
    let effects = step(&mut record, says(1, HostEventBody::Progress { progress }), t(10)).unwrap();
    assert!(effects.contains(&Effect::Changed));
    assert_eq!(record.operation.condition, None);
}

#[test]
fn a_message_alone_does_not_end_a_stall() {
    let mut record = running();
    let at = |done: u64, message: &str| {
        let rate = Some(2.5);
        let progress = Progress { done, rate, message: message.into(), ..Progress::start(t(4)) };
        says(1, HostEventBody::Progress { progress })
    };
    let stalled = |record: &Record| {
        record.operation.condition.as_ref().is_some_and(|c| c.kind == ConditionKind::Stalled)
    };
    step(&mut record, at(3, "reading"), t(4)).unwrap();
    step(&mut record, Message::Stalled { since: t(4), message: "x".into() }, t(90)).unwrap();
    step(&mut record, at(3, "asking again"), t(91)).unwrap();
    assert!(stalled(&record));
    let progress = record.operation.progress.as_ref().unwrap();
    assert_eq!((progress.message.as_str(), progress.rate), ("asking again", None), "it has no rate");
    step(&mut record, at(4, "asking again"), t(92)).unwrap();
    assert!(!stalled(&record));
    assert_eq!(record.operation.progress.as_ref().unwrap().rate, Some(2.5));
}

#[test]
fn a_stalled_operation_has_no_forecast() {
    let mut record = running();
    let forecast = protocol::Forecast {
        made_at: t(3),
        ends_at: t(60),
        earliest: t(50),
        latest: t(90),
        basis: protocol::ForecastBasis::Rate,
        judged: 9,
    };
    step(&mut record, Message::Forecast(Some(forecast)), t(3)).unwrap();
    assert!(record.operation.forecast.is_some());
    step(&mut record, Message::Stalled { since: t(4), message: "x".into() }, t(90)).unwrap();
    assert_eq!(record.operation.forecast, None);
    step(&mut record, Message::Forecast(Some(forecast)), t(91)).unwrap();
    assert_eq!(record.operation.forecast, None);
}

#[test]
fn a_process_paused_by_a_signal_has_a_condition_until_it_continues() {
    let told = |kind: Option<ConditionKind>| {
        let condition = kind.map(|kind| protocol::host::HostCondition { kind, message: "x".into() });
        says(1, HostEventBody::Condition { condition })
    };
    let mut record = running();
    let effects = step(&mut record, told(Some(ConditionKind::Paused)), t(3)).unwrap();
    assert_eq!(effects, [Effect::Changed]);
    assert_eq!(record.operation.condition.as_ref().unwrap().kind, ConditionKind::Paused);
    step(&mut record, told(None), t(4)).unwrap();
    assert_eq!(record.operation.condition, None);
}

fn tells(kind: ConditionKind) -> Message {
    let condition = Some(protocol::host::HostCondition { kind, message: "x".into() });
    says(1, HostEventBody::Condition { condition })
}

fn shown(record: &Record) -> Option<ConditionKind> {
    record.operation.condition.as_ref().map(|condition| condition.kind)
}

#[test]
fn a_condition_of_a_host_reappears_when_the_host_reconnects() {
    let silent = || Message::Silent { since: t(3), message: "No word.".into() };
    let restarted = |record: &Record| Record::stored(record.operation.clone(), record.attempts.clone());
    let mut record = running();
    step(&mut record, tells(ConditionKind::Paused), t(3)).unwrap();
    step(&mut record, silent(), t(4)).unwrap();
    assert_eq!(shown(&record), Some(ConditionKind::Unreachable));
    // Also after a restart of the server.
    let mut record = restarted(&record);
    assert_eq!(step(&mut record, Message::Heard, t(5)).unwrap(), [Effect::Changed]);
    assert_eq!(shown(&record), Some(ConditionKind::Paused));
    // The host ended it meanwhile.
    step(&mut record, silent(), t(6)).unwrap();
    step(&mut record, says(1, HostEventBody::Condition { condition: None }), t(7)).unwrap();
    assert_eq!((shown(&record), &record.operation.host_condition), (None, &None));

    step(&mut record, Message::Cancel { reason: String::new() }, t(8)).unwrap();
    step(&mut record, tells(ConditionKind::Unstoppable), t(9)).unwrap();
    for (covers, uncovers) in [
        (silent(), Message::Heard),
        (
            Message::CancelUndelivered { message: "x".into() },
            Message::CancelAnswered { sent: t(9), acknowledged: t(9) },
        ),
    ] {
        step(&mut record, covers, t(10)).unwrap();
        assert_ne!(shown(&record), Some(ConditionKind::Unstoppable));
        record = restarted(&record);
        step(&mut record, uncovers, t(11)).unwrap();
        assert_eq!(shown(&record), Some(ConditionKind::Unstoppable));
    }
    step(&mut record, Message::Abandon { reason: String::new() }, t(12)).unwrap();
    assert_eq!((record.operation.state, &record.operation.host_condition), (State::Failed, &None));
}

#[test]
fn a_delivered_cancel_keeps_the_condition_that_the_host_cannot_cancel() {
    let mut record = running();
    step(&mut record, Message::Cancel { reason: String::new() }, t(3)).unwrap();
    step(&mut record, tells(ConditionKind::CancelUndelivered), t(4)).unwrap();
    step(&mut record, Message::CancelAnswered { sent: t(5), acknowledged: t(5) }, t(6)).unwrap();
    assert_eq!(shown(&record), Some(ConditionKind::CancelUndelivered));
}

#[test]
fn a_condition_stored_by_an_earlier_version_belongs_to_the_host() {
    let mut record = running();
    step(&mut record, tells(ConditionKind::Paused), t(3)).unwrap();
    record.operation.host_condition = None;
    let mut record = Record::stored(record.operation, record.attempts);
    step(&mut record, Message::Silent { since: t(4), message: "x".into() }, t(4)).unwrap();
    step(&mut record, Message::Heard, t(5)).unwrap();
    assert_eq!(shown(&record), Some(ConditionKind::Paused));
}

#[test]
fn an_unstoppable_attempt_stays_cancelling_and_can_be_abandoned() {
    let told = |kind, message: &str| {
        let condition = Some(protocol::host::HostCondition { kind, message: message.into() });
        says(1, HostEventBody::Condition { condition })
    };
    let mut record = running();
    step(&mut record, told(ConditionKind::Unstoppable, "too early"), t(3)).unwrap();
    assert_eq!(record.operation.condition, None, "nobody asked for its end");
    step(&mut record, Message::Cancel { reason: String::new() }, t(4)).unwrap();
    step(&mut record, told(ConditionKind::Backoff, "not a host's to say"), t(5)).unwrap();
    assert_eq!(record.operation.condition, None);
    let effects = step(&mut record, told(ConditionKind::Unstoppable, "it trains on"), t(6)).unwrap();
    assert_eq!(effects, [Effect::Changed], "it keeps its slot");
    assert_eq!(record.operation.state, State::Cancelling);
    let mut abandoned = record.clone();
    step(&mut abandoned, Message::Abandon { reason: String::new() }, t(7)).unwrap();
    let failure = abandoned.operation.failure.unwrap();
    assert_eq!(failure.reason, FailureReason::Abandoned);
    assert!(failure.message.contains("could not stop it"), "{}", failure.message);
    step(&mut record, ends(1, Outcome::Succeeded), t(9)).unwrap();
    assert_eq!(record.operation.state, State::Succeeded, "it ends by what really ended");
}

#[test]
fn a_repeated_cancel_is_sent_to_the_host_again() {
    let mut record = running();
    let press = || Message::Cancel { reason: String::new() };
    step(&mut record, press(), t(3)).unwrap();
    step(&mut record, Message::CancelTried { at: t(4) }, t(4)).unwrap();
    assert_eq!(step(&mut record, press(), t(5)).unwrap(), [], "it is still being asked");
    step(&mut record, Message::CancelAnswered { sent: t(4), acknowledged: t(6) }, t(6)).unwrap();
    let before = record.operation.clone();
    assert_eq!(step(&mut record, press(), t(7)).unwrap(), [Effect::SendCancel]);
    assert_eq!(record.operation, before, "the first one counts");
}

#[test]
fn a_cancel_across_a_clock_change_ends_at_the_time_of_its_receipt() {
    let mut record = running();
    step(&mut record, Message::Cancel { reason: String::new() }, t(900)).unwrap();
    let ended = HostEventBody::Ended { outcome: Outcome::Cancelled, failure: None, result: None };
    let says = Message::Host { attempt: 1, at: t(10), body: ended };
    step(&mut record, says, t(10)).unwrap();
    let receipt = record.operation.receipt.clone().unwrap();
    assert_eq!((receipt.requested, receipt.released), (t(900), Some(t(900))));
    assert_eq!(record.operation.ended_at, Some(t(900)));
}

#[test]
fn an_automatic_retry_waits_and_can_be_cancelled_meanwhile() {
    let mut record = running();
    step(&mut record, Message::Lost(host_lost()), t(9)).unwrap();
    let retry = Message::Retry { origin: AttemptOrigin::Retry, not_before: t(99), why: "soon".into() };
    step(&mut record, retry, t(9)).unwrap();
    assert_eq!((record.operation.state, record.operation.not_before), (State::Queued, Some(t(99))));
    // The clock was set back.
    assert_eq!(step(&mut record, Message::HeldUntil(t(9)), t(1)).unwrap(), [Effect::Changed]);
    assert_eq!(record.operation.not_before, Some(t(9)));
    assert_eq!(record.operation.condition.as_ref().unwrap().kind, ConditionKind::Backoff);
    step(&mut record, Message::Cancel { reason: String::new() }, t(10)).unwrap();
    assert_eq!(record.operation.state, State::Cancelled);
}

fn rule() -> Box<BandRule> {
    let wanted = SetRule { series: "loss".into(), side: Side::Above, points: 3 };
    let baseline = Baseline {
        series: "loss".into(),
        like: Like::SameTitle,
        runs: Vec::new(),
        needed: 5,
        band: None,
        why: String::new(),
    };
    Box::new(BandRule::new(wanted, &baseline, Actor::signalbox(), t(0)))
}

fn band_left() -> Message {
    Message::BandLeft { from_x: 4.0, reason: "loss was above".into() }
}

#[test]
fn a_rule_cancels_once_and_does_not_apply_to_the_next_attempt() {
    let mut record = running();
    assert_eq!(step(&mut record, band_left(), t(3)).unwrap(), [], "without a rule");
    step(&mut record, Message::Rule(Some(rule())), t(4)).unwrap();
    let effects = step(&mut record, band_left(), t(5)).unwrap();
    assert_eq!(effects, [Effect::Changed, Effect::SendCancel]);
    assert_eq!(record.operation.receipt.as_ref().unwrap().reason, "loss was above");
    let fired = record.operation.rule.as_ref().unwrap().fired;
    assert_eq!(fired, Some(Fired { attempt: 1, at: t(5), from_x: 4.0 }));
    assert_eq!(step(&mut record, band_left(), t(6)).unwrap(), []);
    let denied = step(&mut record, Message::Rule(Some(rule())), t(6)).unwrap_err();
    assert_eq!(denied, Denied::BeingCancelled);
    step(&mut record, ends(1, Outcome::Cancelled), t(7)).unwrap();
    assert!(step(&mut record, Message::Rule(None), t(8)).is_err());
    step(&mut record, Message::Again { origin: AttemptOrigin::Retry }, t(9)).unwrap();
    assert_eq!(record.operation.rule, None);
}

#[test]
fn an_unused_rule_applies_to_the_next_attempt_with_a_new_count() {
    let mut record = running();
    step(&mut record, Message::Rule(Some(Box::new(BandRule { outside: 2, ..*rule() }))), t(3)).unwrap();
    step(&mut record, Message::Lost(host_lost()), t(4)).unwrap();
    assert_eq!(step(&mut record, band_left(), t(5)).unwrap(), [], "what has ended is not cancelled");
    step(&mut record, Message::Again { origin: AttemptOrigin::Retry }, t(6)).unwrap();
    assert_eq!(record.operation.rule.as_ref().unwrap().outside, 0);
    assert_eq!(step(&mut record, band_left(), t(7)).unwrap(), [], "nor what waits");
}

#[test]
fn a_cancelled_parent_waits_until_its_last_child_has_ended() {
    let mut record = running();
    record.children_run = true;
    step(&mut record, Message::Cancel { reason: String::new() }, t(3)).unwrap();
    let effects = step(&mut record, ends(1, Outcome::Cancelled), t(5)).unwrap();
    assert_eq!(effects, [Effect::Changed, Effect::Release], "its slot is free");
    assert_eq!(record.operation.state, State::Cancelling);
    assert_eq!(record.operation.condition.as_ref().unwrap().kind, ConditionKind::ChildrenRunning);
    let receipt = record.operation.receipt.as_ref().unwrap();
    assert_eq!((receipt.stopped, receipt.released), (Some(t(5)), None));
    // Its host restarts: its own work has ended, the children's has not.
    let before = record.clone();
    assert_eq!(step(&mut record, Message::Lost(host_lost()), t(6)).unwrap(), []);
    assert_eq!(record, before);
    let denied = step(&mut record, Message::Abandon { reason: String::new() }, t(7)).unwrap_err();
    assert_eq!(denied, Denied::EndsWithChildren);
    assert_eq!(step(&mut record, Message::ChildrenEnded, t(8)).unwrap(), [Effect::Changed]);
    assert_eq!(record.operation.state, State::Cancelled);
    assert_eq!(record.operation.receipt.as_ref().unwrap().released, Some(t(8)));
    assert_eq!(record.operation.ended_at, Some(t(8)));
}

#[test]
fn a_parent_that_returns_because_of_cancelled_children_is_cancelled() {
    let result = protocol::host::ResultDoc { document: json!({}), artifacts: vec![], tags: vec![] };
    let ends = |outcome| {
        let result = (outcome == Outcome::Succeeded).then(|| result.clone());
        says(1, HostEventBody::Ended { outcome, failure: None, result })
    };
    for outcome in [Outcome::Succeeded, Outcome::Failed] {
        let mut record = running();
        step(&mut record, Message::ChildCut, t(2)).unwrap();
        record.children_cut = false;
        step(&mut record, Message::Cancel { reason: String::new() }, t(3)).unwrap();
        // All children had ended by themselves.
        let mut whole = record.clone();
        step(&mut whole, ends(outcome), t(5)).unwrap();
        assert_ne!(whole.operation.state, State::Cancelled);
        assert_eq!(whole.operation.has_result, outcome == Outcome::Succeeded);
        // Its own end comes before that of a child,
        let mut held = record.clone();
        held.children_run = true;
        step(&mut held, ends(outcome), t(5)).unwrap();
        assert_eq!(step(&mut held, Message::ChildCut, t(6)).unwrap(), [Effect::Changed]);
        let mut held = Record::stored(held.operation, held.attempts);
        step(&mut held, Message::ChildrenEnded, t(7)).unwrap();
        // or after it.
        assert_eq!(step(&mut record, Message::ChildCut, t(4)).unwrap(), []);
        let effects = step(&mut record, ends(outcome), t(5)).unwrap();
        assert_eq!(effects, [Effect::Changed, Effect::Release]);
        for record in [record, held] {
            let operation = record.operation;
            assert_eq!((operation.state, operation.failure), (State::Cancelled, None));
            assert!(!operation.has_result);
            let receipt = operation.receipt.unwrap();
            assert_eq!(receipt.stopped, Some(t(5)));
            assert!(receipt.released.is_some());
        }
    }
}

#[test]
fn a_host_failure_is_not_mistaken_for_cancelled_children() {
    let mut record = running();
    step(&mut record, Message::Cancel { reason: String::new() }, t(3)).unwrap();
    step(&mut record, Message::ChildCut, t(4)).unwrap();
    step(&mut record, Message::Lost(host_lost()), t(5)).unwrap();
    assert_eq!(record.operation.state, State::Failed);
}

#[test]
fn an_attempt_that_died_with_its_process_is_cancelled_only_if_requested() {
    let failure = Failure { reason: FailureReason::HostRestarted, ..host_lost() };
    let mut record = running();
    let mut unwanted = record.clone();
    step(&mut record, Message::Died(failure.clone()), t(4)).unwrap();
    assert_eq!(record.operation.state, State::Failed);
    step(&mut unwanted, Message::Cancel { reason: String::new() }, t(3)).unwrap();
    step(&mut unwanted, Message::Died(failure), t(4)).unwrap();
    let operation = unwanted.operation;
    assert_eq!((operation.state, operation.failure), (State::Cancelled, None));
    let receipt = operation.receipt.unwrap();
    assert_eq!((receipt.stopped, receipt.released), (Some(t(4)), Some(t(4))));
}

#[test]
fn impossible_rates_and_remaining_times_are_ignored() {
    let mut record = running();
    let mut told = |rate, eta_seconds| {
        let progress = Progress { rate, eta_seconds, ..Progress::start(t(4)) };
        step(&mut record, says(1, HostEventBody::Progress { progress }), t(4)).unwrap();
        record.operation.progress.as_ref().map(|p| (p.rate, p.eta_seconds))
    };
    assert_eq!(told(Some(-1.0), Some(-5.0)), Some((None, None)));
    assert_eq!(told(Some(f64::INFINITY), Some(f64::NAN)), Some((None, None)));
    assert_eq!(told(Some(0.0), Some(2.0)), Some((Some(0.0), Some(2.0))));
}

#[test]
fn a_parent_cancelled_in_the_queue_waits_for_earlier_children() {
    let mut record = running();
    step(&mut record, Message::Lost(host_lost()), t(3)).unwrap();
    let retry = Message::Retry { origin: AttemptOrigin::Retry, not_before: t(99), why: "soon".into() };
    step(&mut record, retry, t(4)).unwrap();
    record.children_run = true;
    step(&mut record, Message::Cancel { reason: String::new() }, t(5)).unwrap();
    assert_eq!((record.operation.state, record.operation.not_before), (State::Cancelling, None));
    // Also after a restart of the server.
    let mut taken_up = Record::stored(record.operation.clone(), record.attempts.clone());
    assert_eq!(taken_up.held_end, record.held_end);
    step(&mut taken_up, Message::ChildrenEnded, t(6)).unwrap();
    assert_eq!(taken_up.operation.state, State::Cancelled);
}

#[test]
fn a_confirmed_stop_of_a_lost_host_counts_as_released() {
    let mut record = running();
    step(&mut record, Message::Cancel { reason: String::new() }, t(3)).unwrap();
    let mut unconfirmed = record.clone();
    step(&mut unconfirmed, Message::Lost(host_lost()), t(4)).unwrap();
    assert_eq!(unconfirmed.operation.state, State::Failed);
    step(&mut record, says(1, HostEventBody::Stopped), t(5)).unwrap();
    step(&mut record, Message::Lost(host_lost()), t(6)).unwrap();
    assert_eq!(record.operation.state, State::Cancelled);
}

#[test]
fn a_confirmed_cancel_counts_even_if_its_request_was_not_stored() {
    for acknowledged in [true, false] {
        let mut record = running();
        if acknowledged {
            step(&mut record, says(1, HostEventBody::Acknowledged), t(5)).unwrap();
            assert_eq!(record.operation.state, State::Cancelling);
        }
        step(&mut record, ends(1, Outcome::Cancelled), t(9)).unwrap();
        assert_eq!((record.operation.state, &record.operation.failure), (State::Cancelled, &None));
        let receipt = record.operation.receipt.unwrap();
        assert!(receipt.released.is_some() && receipt.reason.contains("before it could be stored"));
    }
}

#[test]
fn an_attempt_that_its_host_could_not_begin_is_requeued_with_its_number() {
    let mut record = running();
    step(&mut record, is_at(1, Some(0.0)), t(3)).unwrap();
    let effects = step(&mut record, ends(1, Outcome::NotStarted), t(4)).unwrap();
    assert_eq!(effects, [Effect::Changed, Effect::Release, Effect::Enqueue]);
    let operation = &record.operation;
    assert_eq!((operation.state, operation.attempt, operation.started_at), (State::Queued, 1, None));
    assert_eq!((&operation.host, &operation.progress), (&None, &None));
    // An operation that is being cancelled has nothing to resume.
    let mut record = running();
    step(&mut record, Message::Cancel { reason: String::new() }, t(3)).unwrap();
    step(&mut record, ends(1, Outcome::NotStarted), t(4)).unwrap();
    assert_eq!(record.operation.state, State::Cancelled);
}

#[test]
fn a_manual_retry_replaces_the_pending_automatic_one() {
    let mut record = running();
    step(&mut record, keeps(1, Some(0.5)), t(3)).unwrap();
    step(&mut record, Message::Lost(host_lost()), t(9)).unwrap();
    let retry = Message::Retry { origin: AttemptOrigin::Resume, not_before: t(99), why: "soon".into() };
    step(&mut record, retry, t(9)).unwrap();
    let mut resumed = record.clone();
    let again = Message::Again { origin: AttemptOrigin::Resume };
    assert_eq!(step(&mut resumed, again, t(10)).unwrap(), [Effect::Changed, Effect::Enqueue]);
    assert_eq!((resumed.operation.not_before, &resumed.operation.condition), (None, &None));
    assert!(resumed.operation.checkpoint.is_some());
    step(&mut record, Message::Again { origin: AttemptOrigin::Retry }, t(10)).unwrap();
    assert_eq!((record.operation.attempt, record.attempts.len()), (2, 2), "no further attempt");
    assert_eq!(record.current().origin, AttemptOrigin::Retry);
    assert_eq!((&record.operation.checkpoint, &record.operation.progress), (&None, &None));
    // When it is queued normally, there is no pause to skip.
    step(&mut record, Message::Again { origin: AttemptOrigin::Retry }, t(11)).unwrap_err();
}

fn any_condition() -> impl Strategy<Value = protocol::host::HostCondition> {
    let kind = prop_oneof![
        Just(ConditionKind::Paused),
        Just(ConditionKind::Unstoppable),
        Just(ConditionKind::CancelUndelivered)
    ];
    kind.prop_map(|kind| protocol::host::HostCondition { kind, message: "x".into() })
}

/// Any message, of any attempt, at any time.
fn any_message() -> impl Strategy<Value = Message> {
    let outcome = prop_oneof![
        Just(Outcome::Succeeded),
        Just(Outcome::Failed),
        Just(Outcome::Cancelled),
        Just(Outcome::NotStarted)
    ];
    let body = prop_oneof![
        Just(HostEventBody::Running),
        Just(HostEventBody::Stopped),
        Just(HostEventBody::Acknowledged),
        (0.0f64..1.2).prop_map(|f| HostEventBody::Progress {
            progress: Progress { fraction: Some(f), ..Progress::start(t(0)) }
        }),
        outcome.prop_map(|outcome| HostEventBody::Ended { outcome, failure: None, result: None }),
        proptest::option::of(any_condition()).prop_map(|condition| HostEventBody::Condition { condition }),
    ];
    let failure = Failure { reason: FailureReason::HostLost, message: "x".into(), hint: String::new() };
    prop_oneof![
        3 => Just(chosen()),
        1 => Just(Message::Declined),
        1 => Just(Message::Refused(failure.clone())),
        1 => Just(Message::CancelledBeforeStart),
        2 => Just(Message::Cancel { reason: String::new() }),
        1 => (0i64..50).prop_map(|n| Message::CancelAnswered { sent: t(n), acknowledged: t(n + 1) }),
        1 => (0i64..50).prop_map(|n| Message::CancelTried { at: t(n) }),
        1 => Just(Message::CancelUndelivered { message: "x".into() }),
        6 => (1u32..4, -50i64..50, body).prop_map(|(attempt, at, body)| Message::Host { attempt, at: t(at), body }),
        1 => Just(Message::Lost(failure.clone())),
        1 => Just(Message::Died(failure)),
        1 => Just(Message::ChildCut),
        1 => Just(Message::ChildrenEnded),
        1 => Just(Message::Silent { since: t(0), message: "x".into() }),
        1 => Just(Message::Heard),
        2 => Just(Message::Again { origin: AttemptOrigin::Retry }),
        1 => (0i64..90).prop_map(|n| Message::Retry {
            origin: AttemptOrigin::Retry, not_before: t(n), why: "x".into()
        }),
        1 => (0i64..90).prop_map(|n| Message::HeldUntil(t(n))),
        1 => Just(Message::Abandon { reason: String::new() }),
        1 => Just(Message::Stalled { since: t(0), message: "x".into() }),
        1 => any::<bool>().prop_map(|on| Message::Rule(on.then(rule))),
        1 => Just(band_left()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn the_rules_hold_for_all_messages_in_any_order(
        messages in proptest::collection::vec((any_message(), proptest::bool::weighted(0.3)), 0..60),
    ) {
        let mut record = record();
        let mut ends_of_attempts: Vec<(u32, State)> = Vec::new();
        // Slots: taken when a host is chosen, and released exactly once.
        let mut places = 0i32;
        for (n, (message, children_run)) in messages.into_iter().enumerate() {
            // The coordinator sends this only if it is true.
            record.children_run = children_run && !matches!(message, Message::ChildrenEnded);
            let before = record.clone();
            let chosen = matches!(message, Message::Chosen { .. });
            let asked = matches!(message, Message::Again { .. } | Message::Retry { .. });
            let host_said = match &message {
                Message::Host { attempt, body: HostEventBody::Ended { outcome: Outcome::Cancelled | Outcome::NotStarted, .. }, .. } => *attempt == before.operation.attempt,
                Message::Host { attempt, body: HostEventBody::Ended { .. }, .. } => {
                    before.children_cut && *attempt == before.operation.attempt
                }
                Message::Died(_) => true,
                // It was already reported, and was the last information needed.
                Message::ChildrenEnded => before.held_end.is_some(),
                Message::Lost(_) => before.operation.receipt.as_ref().is_some_and(|receipt| receipt.stopped.is_some()),
                _ => false,
            };
            let requeued = matches!(&message, Message::Host { body: HostEventBody::Ended { outcome: Outcome::NotStarted, .. }, .. });
            let effects = step(&mut record, message.clone(), t(n as i64)).unwrap_or_default();
            let (from, to) = (before.operation.state, record.operation.state);
            // Every transition is valid; starting may pass through running unseen.
            prop_assert!(from == to || from.may_become(to), "{from} → {to}");
            // An ended attempt never changes; only a user request makes another one.
            if from.ended() && !asked { prop_assert_eq!(&before, &record); }
            if to != from && to == State::Cancelled {
                let never_ran = from == State::Queued || before.operation.started_at.is_none();
                prop_assert!(host_said || never_ran);
                // Nor while a child has not ended.
                prop_assert!(!record.children_run);
            }
            // An attempt is requeued only if nothing of it was begun.
            if from == State::Running && to == State::Queued { prop_assert!(requeued); }
            // Every change is published, and nothing else.
            let told = effects.contains(&Effect::Changed);
            if before.operation.state != record.operation.state { prop_assert!(told); }
            if chosen && told { places += 1; }
            if effects.contains(&Effect::Release) && from != State::Queued { places -= 1; }
            let holds_place = record.operation.state.on_host() && record.held_end.is_none();
            prop_assert_eq!(places, i32::from(holds_place));
            // A condition that a host reported lasts until the host or the attempt ends it, and is shown unless the
            // server has one of its own.
            let (was, is) = (&before.operation.host_condition, &record.operation.host_condition);
            let by_host = matches!(&message, Message::Host { body: HostEventBody::Condition { .. }, .. });
            if was != is && !by_host { prop_assert!(is.is_none() && !holds_place); }
            if is.is_some() { prop_assert!(holds_place && record.operation.condition.is_some()); }
            if message == Message::Heard && is.is_some() {
                let silent = record.operation.condition.as_ref().is_some_and(|c| c.kind == ConditionKind::Unreachable);
                prop_assert!(!silent);
            }
            // Progress never decreases within an attempt.
            let fraction = |r: &Record| r.operation.progress.as_ref().and_then(|p| p.fraction);
            if before.operation.attempt == record.operation.attempt && !requeued
                && let (Some(a), Some(b)) = (fraction(&before), fraction(&record)) { prop_assert!(a <= b && b <= 1.0); }
            if let Some(receipt) = &record.operation.receipt {
                let times: Vec<_> = Step::ALL.into_iter().filter_map(|s| receipt.at(s)).collect();
                prop_assert!(times.windows(2).all(|w| w[0] <= w[1]));
            }
            // Attempts are numbered from 1, and ended ones keep their history.
            prop_assert_eq!(record.attempts.len(), record.operation.attempt as usize);
            for (number, state) in &ends_of_attempts { prop_assert_eq!(record.attempts[*number as usize - 1].state, *state); }
            if to.ended() && !from.ended() { ends_of_attempts.push((record.operation.attempt, to)); }
        }
    }
}
