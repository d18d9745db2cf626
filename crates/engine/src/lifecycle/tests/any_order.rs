//! Random messages in any order.

use super::*;

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
        outcome.prop_map(|outcome| HostEventBody::Ended {
            outcome,
            failure: None,
            result: None,
            usage: None
        }),
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
        1 => Just(Message::HostResponded),
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
        let mut slots = 0i32;
        for (n, (message, children_run)) in messages.into_iter().enumerate() {
            // The coordinator sends this only if it is true.
            record.children_run = children_run && !matches!(message, Message::ChildrenEnded);
            let before = record.clone();
            let chosen = matches!(message, Message::Chosen { .. });
            let is_requested = matches!(message, Message::Again { .. } | Message::Retry { .. });
            let host_reported = match &message {
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
            if from.ended() && !is_requested { prop_assert_eq!(&before, &record); }
            if to != from && to == State::Cancelled {
                let never_ran = from == State::Queued || before.operation.started_at.is_none();
                prop_assert!(host_reported || never_ran);
                // Nor while a child has not ended.
                prop_assert!(!record.children_run);
            }
            // An attempt is requeued only if nothing of it was begun.
            if from == State::Running && to == State::Queued { prop_assert!(requeued); }
            // Every change is published, and nothing else.
            let report = effects.contains(&Effect::Changed);
            if before.operation.state != record.operation.state { prop_assert!(report); }
            if chosen && report { slots += 1; }
            if effects.contains(&Effect::Release) && from != State::Queued { slots -= 1; }
            let holds_place = record.operation.state.on_host() && record.held_end.is_none();
            prop_assert_eq!(slots, i32::from(holds_place));
            // A condition that a host reported lasts until the host or the attempt ends it, and is shown unless the
            // server has one of its own.
            let (was, is) = (&before.operation.host_condition, &record.operation.host_condition);
            let by_host = matches!(&message, Message::Host { body: HostEventBody::Condition { .. }, .. });
            if was != is && !by_host { prop_assert!(is.is_none() && !holds_place); }
            if is.is_some() { prop_assert!(holds_place && record.operation.condition.is_some()); }
            if message == Message::HostResponded && is.is_some() {
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
