//! Placement: on hosts that are ready, and elsewhere if a host could not begin an operation.

use crate::stage::{self, Follower, Stage, TestHost, start, try_start, up};
use protocol::api::StartOperation;
use protocol::operation::AttemptOrigin;
use protocol::{ConditionKind, FailureReason, State};
use serde_json::json;
use signalbox_engine::EngineError;
use signalbox_engine::RetryPolicy;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_placed_on_a_host_before_it_is_ready() {
    let stage = Stage::new(2).await;
    stage.host.set_ready(false);
    let engine = stage.engine_with(|config| config.health_every = Duration::from_millis(50));
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    let id = start(&engine, json!({"steps": 3})).await.id;
    let waits = feed.until(|o| o.id == id && o.condition.is_some()).await;
    let condition = waits.condition.unwrap();
    assert_eq!((waits.state, condition.kind), (State::Queued, ConditionKind::NoHost));
    assert!(condition.message.contains("Not ready for test.count: counter"), "{}", condition.message);
    stage.host.set_ready(true);
    feed.until(|o| o.id == id && o.state == State::Succeeded).await;
    assert_eq!(stage.host.starts(id), 1);
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_that_one_host_could_not_begin_runs_on_another() {
    let stage = Stage::new(2).await;
    let other = TestHost::new(1).await;
    other.open_gate();
    let engine = stage.engine_with(|config| config.hosts.push(other.config("other")));
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    let mut ids = Vec::new();
    // More than the other host's slots: they wait for it, and do not fail on the host that can't begin them.
    for _ in 0..6 {
        ids.push(start(&engine, json!({"steps": 3, "needs_gate": true})).await.id);
    }
    for id in ids {
        let ended = loop {
            let known = engine.recent_operation(id).unwrap();
            if known.state.ended() {
                break known;
            }
            feed.until(|o| o.id == id).await;
        };
        assert_eq!((ended.state, ended.attempt), (State::Succeeded, 1), "{:?}", ended.failure);
        assert_eq!(ended.host.unwrap().as_str(), "other");
    }
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manual_retry_during_the_automatic_pause_starts_at_once() {
    let mut stage = Stage::new(2).await;
    let hour = Duration::from_secs(3_600);
    let engine = stage.engine_with(|config| {
        let reasons = vec![FailureReason::HostRestarted, FailureReason::HostLost];
        let policy = RetryPolicy { attempts: 3, pause: hour, longest_pause: hour, resume: true, reasons };
        config.rules.retry.insert("test.count".parse().unwrap(), policy);
    });
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    let id = start(&engine, json!({"steps": 1_000_000, "checkpoint": 3})).await.id;
    feed.until(|o| o.id == id && o.checkpoint.is_some()).await;
    stage.kill_host();
    stage.restart_host().await;
    let held = feed.until(|o| o.id == id && o.attempt == 2).await;
    assert_eq!(held.condition.unwrap().kind, ConditionKind::Backoff);
    let again = engine.again(id, AttemptOrigin::Resume).await.unwrap();
    assert_eq!((again.attempt, again.not_before), (2, None));
    feed.until(|o| o.id == id && o.attempt == 2 && o.state == State::Running).await;
    assert_eq!(stage.host.resumed_from(id), Some(json!(3)));
    engine.cancel(id, String::new()).await.unwrap();
    feed.until(|o| o.id == id && o.state == State::Cancelled).await;
    assert_eq!(engine.operation(id).await.unwrap().attempts.len(), 2);
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_is_rejected_temporarily_until_its_host_has_connected_once() {
    let stage = Stage::new(1).await;
    let flaky_connection = stage.flaky_connection().await;
    flaky_connection.cut();
    let engine = stage.engine_over(&flaky_connection, |_| {});
    let request =
        || StartOperation { kind: "test.count".parse().unwrap(), params: json!({"steps": 1}), priority: 0 };
    let refused = engine.start(request(), Some("key".into())).await.unwrap_err();
    let EngineError::KindNotKnownYet { missing, .. } = refused else { panic!("{refused:?}") };
    assert_eq!(missing[0].as_str(), "counter");
    assert_eq!(engine.unmet_hosts().len(), 1);
    flaky_connection.mend();
    up(&engine).await;
    assert!(engine.unmet_hosts().is_empty());
    assert!(engine.start(request(), Some("key".into())).await.unwrap().new);
    let unknown = try_start(&engine, "test.cuont", json!({})).await.unwrap_err();
    assert!(matches!(unknown, EngineError::UnknownKind { .. }), "{unknown:?}");
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operations_on_the_same_thing_run_one_after_another_without_taking_slots() {
    let stage = Stage::new(3).await;
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    let first = start(&engine, json!({"steps": 5, "gated": true, "abacus": "red"})).await.id;
    let second = start(&engine, json!({"steps": 3, "abacus": "red"})).await.id;
    let other = start(&engine, json!({"steps": 3, "abacus": "blue"})).await.id;
    let none = start(&engine, json!({"steps": 3})).await.id;
    let waits = feed.until(|o| o.id == second && o.condition.is_some()).await;
    let condition = waits.condition.unwrap();
    assert_eq!((waits.state, condition.kind), (State::Queued, ConditionKind::Waiting));
    assert!(
        condition.message.contains(&format!("Operation {first} (to 5) is using the same abacus")),
        "{condition:?}"
    );
    for id in [other, none] {
        until_succeeded(&engine, &mut feed, id).await;
    }
    assert_eq!(stage.host.starts(second), 0);
    // A restarted server knows who uses what.
    engine.close().await;
    drop((engine, feed));
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, engine.feed().head());
    stage::up(&engine).await;
    assert_eq!(engine.recent_operation(second).unwrap().state, State::Queued);
    stage.host.open_gate();
    until_succeeded(&engine, &mut feed, second).await;
    let [first, second] = [first, second].map(|id| engine.recent_operation(id).unwrap());
    assert!(first.ended_at.unwrap() <= second.started_at.unwrap(), "{first:?} {second:?}");
    engine.close().await;
}

async fn until_succeeded(engine: &signalbox_engine::Engine, feed: &mut Follower, id: protocol::OperationId) {
    while engine.recent_operation(id).unwrap().state != State::Succeeded {
        feed.until(|o| o.id == id).await;
    }
}
