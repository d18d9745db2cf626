//! New attempts: retries, resumes and auto-cancel rules.

use super::*;

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
    step(&mut record, event_of(2, HostEventBody::Running), t(13)).unwrap();
    assert_eq!(record.operation.state, State::Running);
    assert_eq!(record.attempts.iter().map(|a| a.state).collect::<Vec<_>>(), [State::Failed, State::Running]);
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
    for (reported, shown) in
        [(None, Some(0.5)), (Some(0.0), Some(0.5)), (Some(0.6), Some(0.6)), (None, Some(0.6))]
    {
        step(&mut record, is_at(2, reported), t(8)).unwrap();
        assert_eq!(fraction(&record), shown);
    }
    // If unknown, the fraction of the previous attempt.
    let mut record = resumed(None);
    step(&mut record, chosen(), t(7)).unwrap();
    for (reported, shown) in [(None, 0.9), (Some(0.0), 0.9), (Some(0.95), 0.95)] {
        step(&mut record, is_at(2, reported), t(8)).unwrap();
        assert_eq!(fraction(&record), Some(shown));
    }
}

#[test]
fn the_fraction_falls_when_the_total_grows_or_the_count_restarts() {
    let mut record = running();
    let mut at = |done, total, fraction| {
        let progress = Progress { fraction, done, total: Some(total), ..Progress::start(t(4)) };
        step(&mut record, event_of(1, HostEventBody::Progress { progress }), t(4)).unwrap();
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
    assert_eq!(resumed.current().resumed_from, resumed.operation.checkpoint.as_ref().map(|c| c.note.clone()));
    step(&mut record, Message::Again { origin: AttemptOrigin::Retry }, t(10)).unwrap();
    assert_eq!(record.operation.checkpoint, None);
    step(&mut record, Message::Cancel { reason: String::new() }, t(11)).unwrap();
    let denied = step(&mut record, Message::Again { origin: AttemptOrigin::Resume }, t(12)).unwrap_err();
    assert_eq!(denied, Denied::NoCheckpoint);
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
fn impossible_rates_and_remaining_times_are_ignored() {
    let mut record = running();
    let mut report = |rate, eta_seconds| {
        let progress = Progress { rate, eta_seconds, ..Progress::start(t(4)) };
        step(&mut record, event_of(1, HostEventBody::Progress { progress }), t(4)).unwrap();
        record.operation.progress.as_ref().map(|p| (p.rate, p.eta_seconds))
    };
    assert_eq!(report(Some(-1.0), Some(-5.0)), Some((None, None)));
    assert_eq!(report(Some(f64::INFINITY), Some(f64::NAN)), Some((None, None)));
    assert_eq!(report(Some(0.0), Some(2.0)), Some((Some(0.0), Some(2.0))));
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

#[test]
fn the_cost_belongs_to_the_attempt_and_a_list_has_no_division_of_its_time() {
    let usage: protocol::ResourceUsage = serde_json::from_value(json!({
        "measured": "threads", "wall_seconds": 2, "cpu_seconds": 1.5,
        "time": {"on_cpu": 1.5, "cpu_wait": 0.5, "disk_wait": 0, "memory_wait": 0, "throttled": 0, "rest": 0, "unknown": 0},
    }))
    .unwrap();
    let mut record = running();
    let ended = HostEventBody::Ended {
        outcome: Outcome::Failed,
        failure: None,
        result: None,
        usage: Some(Box::new(usage.clone())),
    };
    step(&mut record, event_of(1, ended), t(9)).unwrap();
    assert_eq!(record.attempts[0].usage, Some(usage.clone()));
    assert_eq!(record.operation.usage, Some(protocol::ResourceUsage { time: None, ..usage }));
    step(&mut record, Message::Again { origin: AttemptOrigin::Retry }, t(20)).unwrap();
    assert_eq!((&record.operation.usage, &record.attempts[1].usage), (&None, &None));
    assert!(record.attempts[0].usage.is_some());
}
