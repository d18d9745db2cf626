//! Parents and their children.

use super::*;

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
    let figures = vec![protocol::KeyFigure::new("Sharpe", 0.5, "")];
    let result = protocol::host::ResultDoc { document: json!({}), figures, ..Default::default() };
    let ends = |outcome| {
        let result = (outcome == Outcome::Succeeded).then(|| result.clone());
        event_of(1, HostEventBody::Ended { outcome, failure: None, result, usage: None })
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
        assert_eq!(whole.operation.figures.is_empty(), outcome != Outcome::Succeeded);
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
            assert!(!operation.has_result && operation.figures.is_empty());
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
