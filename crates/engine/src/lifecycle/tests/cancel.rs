//! Cancels: requests, confirmations and receipts.

use super::*;

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
    let body = HostEventBody::Ended { outcome: Outcome::Cancelled, failure: None, result: None, usage: None };
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
    let body = HostEventBody::Ended { outcome: Outcome::Cancelled, failure: None, result: None, usage: None };
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
fn a_delivered_cancel_keeps_the_condition_that_the_host_cannot_cancel() {
    let mut record = running();
    step(&mut record, Message::Cancel { reason: String::new() }, t(3)).unwrap();
    step(&mut record, condition_of(ConditionKind::CancelUndelivered), t(4)).unwrap();
    step(&mut record, Message::CancelAnswered { sent: t(5), acknowledged: t(5) }, t(6)).unwrap();
    assert_eq!(shown(&record), Some(ConditionKind::CancelUndelivered));
}

#[test]
fn an_unstoppable_attempt_stays_cancelling_and_can_be_abandoned() {
    let report = |kind, message: &str| {
        let condition = Some(protocol::host::HostCondition { kind, message: message.into() });
        event_of(1, HostEventBody::Condition { condition })
    };
    let mut record = running();
    step(&mut record, report(ConditionKind::Unstoppable, "too early"), t(3)).unwrap();
    assert_eq!(record.operation.condition, None, "nobody asked for its end");
    step(&mut record, Message::Cancel { reason: String::new() }, t(4)).unwrap();
    step(&mut record, report(ConditionKind::Backoff, "not a host's to say"), t(5)).unwrap();
    assert_eq!(record.operation.condition, None);
    let effects = step(&mut record, report(ConditionKind::Unstoppable, "it trains on"), t(6)).unwrap();
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
    let ended =
        HostEventBody::Ended { outcome: Outcome::Cancelled, failure: None, result: None, usage: None };
    let event_of = Message::Host { attempt: 1, at: t(10), body: ended };
    step(&mut record, event_of, t(10)).unwrap();
    let receipt = record.operation.receipt.clone().unwrap();
    assert_eq!((receipt.requested, receipt.released), (t(900), Some(t(900))));
    assert_eq!(record.operation.ended_at, Some(t(900)));
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
fn a_confirmed_stop_of_a_lost_host_counts_as_released() {
    let mut record = running();
    step(&mut record, Message::Cancel { reason: String::new() }, t(3)).unwrap();
    let mut unconfirmed = record.clone();
    step(&mut unconfirmed, Message::Lost(host_lost()), t(4)).unwrap();
    assert_eq!(unconfirmed.operation.state, State::Failed);
    step(&mut record, event_of(1, HostEventBody::Stopped), t(5)).unwrap();
    step(&mut record, Message::Lost(host_lost()), t(6)).unwrap();
    assert_eq!(record.operation.state, State::Cancelled);
}

#[test]
fn a_confirmed_cancel_counts_even_if_its_request_was_not_stored() {
    for acknowledged in [true, false] {
        let mut record = running();
        if acknowledged {
            step(&mut record, event_of(1, HostEventBody::Acknowledged), t(5)).unwrap();
            assert_eq!(record.operation.state, State::Cancelling);
        }
        step(&mut record, ends(1, Outcome::Cancelled), t(9)).unwrap();
        assert_eq!((record.operation.state, &record.operation.failure), (State::Cancelled, &None));
        let receipt = record.operation.receipt.unwrap();
        assert!(receipt.released.is_some() && receipt.reason.contains("had sent but not stored yet"));
    }
}

#[test]
fn a_cancelling_operation_has_no_remaining_time() {
    let at = t(4);
    let remaining = |record: &Record| {
        let operation = &record.operation;
        (operation.forecast, operation.progress.as_ref().and_then(|progress| progress.eta_seconds))
    };
    let report = || {
        let progress = Progress { fraction: Some(0.5), eta_seconds: Some(30.0), ..Progress::start(at) };
        event_of(1, HostEventBody::Progress { progress })
    };
    let mut record = running();
    step(&mut record, report(), at).unwrap();
    let basis = protocol::ForecastBasis::Rate;
    let forecast = Forecast { made_at: at, ends_at: at, earliest: at, latest: at, basis, judged: 0 };
    step(&mut record, Message::Forecast(Some(forecast)), at).unwrap();
    assert_eq!(remaining(&record), (Some(forecast), Some(30.0)));
    step(&mut record, Message::Cancel { reason: String::new() }, t(5)).unwrap();
    assert_eq!(remaining(&record), (None, None));
    step(&mut record, report(), t(6)).unwrap();
    assert_eq!(remaining(&record), (None, None), "its host still reports");
}
