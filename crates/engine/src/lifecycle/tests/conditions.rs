//! Conditions of the server and of the host.

use super::*;

#[test]
fn unreachable_is_a_condition_and_not_a_state() {
    let mut record = running();
    step(&mut record, Message::Silent { since: t(3), message: "No word.".into() }, t(9)).unwrap();
    assert_eq!(record.operation.state, State::Running);
    assert_eq!(record.operation.condition.as_ref().unwrap().kind, ConditionKind::Unreachable);
    let effects = step(&mut record, event_of(1, HostEventBody::Log { lines: Vec::new() }), t(12)).unwrap();
    assert!(effects.contains(&Effect::Changed));
    assert_eq!(record.operation.condition, None);
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
    let effects = step(&mut record, event_of(1, HostEventBody::Progress { progress }), t(10)).unwrap();
    assert!(effects.contains(&Effect::Changed));
    assert_eq!(record.operation.condition, None);
}

#[test]
fn a_message_alone_does_not_end_a_stall() {
    let mut record = running();
    let at = |done: u64, message: &str| {
        let rate = Some(2.5);
        let progress = Progress { done, rate, message: message.into(), ..Progress::start(t(4)) };
        event_of(1, HostEventBody::Progress { progress })
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
    let report = |kind: Option<ConditionKind>| {
        let condition = kind.map(|kind| protocol::host::HostCondition { kind, message: "x".into() });
        event_of(1, HostEventBody::Condition { condition })
    };
    let mut record = running();
    let effects = step(&mut record, report(Some(ConditionKind::Paused)), t(3)).unwrap();
    assert_eq!(effects, [Effect::Changed]);
    assert_eq!(record.operation.condition.as_ref().unwrap().kind, ConditionKind::Paused);
    step(&mut record, report(None), t(4)).unwrap();
    assert_eq!(record.operation.condition, None);
}

#[test]
fn a_condition_of_a_host_reappears_when_the_host_reconnects() {
    let silent = || Message::Silent { since: t(3), message: "No word.".into() };
    let restarted = |record: &Record| Record::stored(record.operation.clone(), record.attempts.clone());
    let mut record = running();
    step(&mut record, condition_of(ConditionKind::Paused), t(3)).unwrap();
    step(&mut record, silent(), t(4)).unwrap();
    assert_eq!(shown(&record), Some(ConditionKind::Unreachable));
    // Also after a restart of the server.
    let mut record = restarted(&record);
    assert_eq!(step(&mut record, Message::HostResponded, t(5)).unwrap(), [Effect::Changed]);
    assert_eq!(shown(&record), Some(ConditionKind::Paused));
    // The host ended it meanwhile.
    step(&mut record, silent(), t(6)).unwrap();
    step(&mut record, event_of(1, HostEventBody::Condition { condition: None }), t(7)).unwrap();
    assert_eq!((shown(&record), &record.operation.host_condition), (None, &None));

    step(&mut record, Message::Cancel { reason: String::new() }, t(8)).unwrap();
    step(&mut record, condition_of(ConditionKind::Unstoppable), t(9)).unwrap();
    for (covers, uncovers) in [
        (silent(), Message::HostResponded),
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
fn a_condition_stored_by_an_earlier_version_belongs_to_the_host() {
    let mut record = running();
    step(&mut record, condition_of(ConditionKind::Paused), t(3)).unwrap();
    record.operation.host_condition = None;
    let mut record = Record::stored(record.operation, record.attempts);
    step(&mut record, Message::Silent { since: t(4), message: "x".into() }, t(4)).unwrap();
    step(&mut record, Message::HostResponded, t(5)).unwrap();
    assert_eq!(shown(&record), Some(ConditionKind::Paused));
}
