//! What the engine does by itself: gives up hosts, retries, holds back, stops strays, deletes old operations.

use crate::stage::{Follower, PATIENCE, Stage, start, start_with, up};
use protocol::operation::AttemptOrigin;
use protocol::{ConditionKind, EventBody, FailureReason, KindName, OperationId, State};
use serde_json::json;
use signalbox_engine::{Denied, EngineError};
use signalbox_engine::{Engine, RetryPolicy, Which};
use std::time::Duration;
use store::{Filter, Keep, Store};

const LONG: u64 = 1_000_000;

fn count() -> KindName {
    "test.count".parse().unwrap()
}

fn policy(attempts: u32, pause: Duration, reasons: &[FailureReason]) -> RetryPolicy {
    RetryPolicy { attempts, pause, longest_pause: pause, resume: true, reasons: reasons.to_vec() }
}

/// A running operation, with its feed.
async fn running(engine: &Engine, params: serde_json::Value) -> (Follower, OperationId) {
    let mut feed = Follower::new(engine, 0);
    up(engine).await;
    let id = start(engine, params).await.id;
    feed.until(|o| o.id == id && o.state == State::Running).await;
    (feed, id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abandoned_work_is_stopped_when_its_host_reconnects_and_has_no_effect() {
    let stage = Stage::new(2).await;
    let flaky_connection = stage.flaky_connection().await;
    let engine = stage.engine_over(&flaky_connection, |_| {});
    let (mut feed, id) = running(&engine, json!({"steps": LONG})).await;
    let denied = engine.abandon(id, String::new()).await.unwrap_err();
    assert!(matches!(denied, EngineError::Denied(Denied::HostConnected)), "{denied:?}");
    flaky_connection.cut();
    feed.until(|o| o.id == id && o.condition.is_some()).await;
    let given_up = engine.abandon(id, "the rack burns".into()).await.unwrap();
    assert_eq!(given_up.state, State::Failed);
    assert_eq!(given_up.failure.unwrap().reason, FailureReason::Abandoned);
    assert_eq!(stage.host.running().await, 1, "the host knows nothing of it");
    flaky_connection.mend();
    stage.host.ended(id).await;
    assert_eq!(engine.operation(id).await.unwrap().operation.state, State::Failed);
    feed.assert_gapless();
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_is_silent_too_long_is_given_up_and_the_next_attempt_resumes() {
    let stage = Stage::new(2).await;
    let flaky_connection = stage.flaky_connection().await;
    let engine = stage.engine_over(&flaky_connection, |config| {
        config.rules.lost_after = Some(Duration::from_secs(1));
        let again = policy(2, Duration::from_millis(1), &[FailureReason::HostSilent]);
        config.rules.retry.insert(count(), again);
    });
    let mut feed = Follower::new(&engine, 0);
    up(&engine).await;
    let id = start(&engine, json!({"steps": LONG, "checkpoint": 3})).await.id;
    feed.until(|o| o.id == id && o.checkpoint.is_some()).await;
    flaky_connection.cut();
    let failed = feed.until(|o| o.id == id && o.state == State::Failed).await;
    assert_eq!(failed.failure.unwrap().reason, FailureReason::HostSilent);
    let queued = feed.until(|o| o.id == id && o.state == State::Queued).await;
    assert_eq!(queued.attempt, 2);
    flaky_connection.mend();
    feed.until(|o| o.id == id && o.attempt == 2 && o.state == State::Running).await;
    assert_eq!(stage.host.resumed_from(id), Some(json!(3)));
    assert_eq!(stage.host.running().await, 1, "the first attempt was stopped before the second began");
    engine.cancel(id, String::new()).await.unwrap();
    feed.until(|o| o.id == id && o.state == State::Cancelled).await;
    let attempts = engine.operation(id).await.unwrap().attempts;
    assert_eq!(attempts[1].origin, AttemptOrigin::Resume);
    feed.assert_gapless();
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pause_of_a_retry_survives_a_restart_and_can_be_cancelled() {
    let mut stage = Stage::new(2).await;
    let hour = Duration::from_secs(3_600);
    let with_retries = move |config: &mut signalbox_engine::EngineConfig| {
        config.rules.retry.insert(count(), policy(3, hour, &RetryPolicy::OF_HOSTS));
    };
    let engine = stage.engine_with(with_retries);
    let (mut feed, id) = running(&engine, json!({"steps": LONG})).await;
    stage.kill_host();
    stage.restart_host().await;
    let held = feed.until(|o| o.id == id && o.attempt == 2).await;
    assert_eq!((held.state, held.condition.unwrap().kind), (State::Queued, ConditionKind::Backoff));
    assert!(held.not_before.unwrap() > held.queued_at.unwrap());
    engine.close().await;
    drop(engine);

    let engine = stage.engine_with(with_retries);
    let mut feed = Follower::new(&engine, engine.feed().head());
    up(&engine).await;
    let other = start(&engine, json!({"steps": 3})).await;
    feed.until(|o| o.id == other.id && o.state == State::Succeeded).await;
    assert_eq!(engine.operation(id).await.unwrap().operation.state, State::Queued, "its pause is not over");
    assert_eq!(engine.cancel(id, String::new()).await.unwrap().state, State::Cancelled);
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_in_the_far_future_is_cut_to_its_policy_at_a_start() {
    let mut stage = Stage::new(2).await;
    let pausing = |pause: Duration| {
        move |config: &mut signalbox_engine::EngineConfig| {
            config.rules.retry.insert(count(), policy(3, pause, &RetryPolicy::OF_HOSTS));
        }
    };
    let engine = stage.engine_with(pausing(Duration::from_secs(3_600)));
    let (mut feed, id) = running(&engine, json!({"steps": LONG})).await;
    stage.kill_host();
    stage.restart_host().await;
    feed.until(|o| o.id == id && o.attempt == 2 && o.not_before.is_some()).await;
    engine.close().await;
    drop(engine);

    // An hour ahead of a policy of a millisecond, as if the clock had been set back by an hour.
    let engine = stage.engine_with(pausing(Duration::from_millis(1)));
    let mut feed = Follower::new(&engine, engine.feed().head());
    feed.until(|o| o.id == id && o.attempt == 2 && o.state == State::Running).await;
    engine.cancel(id, String::new()).await.unwrap();
    feed.until(|o| o.id == id && o.state == State::Cancelled).await;
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kind_never_exceeds_its_limit_on_hosts() {
    let stage = Stage::new(4).await;
    let engine = stage.engine_with(|config| {
        config.rules.limits.insert(count(), 1);
    });
    let (mut feed, first) = running(&engine, json!({"steps": LONG})).await;
    let second = start(&engine, json!({"steps": 3})).await.id;
    let waits = feed.until(|o| o.id == second && o.condition.is_some()).await.condition.unwrap();
    assert!(waits.message.contains("limit of parallel test.count operations (1)"), "{}", waits.message);
    engine.cancel(first, String::new()).await.unwrap();
    feed.until(|o| o.id == second && o.state == State::Succeeded).await;
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drained_host_finishes_its_work_and_takes_no_more_even_after_a_restart() {
    let stage = Stage::new(4).await;
    let engine = stage.engine();
    let (mut feed, first) = running(&engine, json!({"steps": LONG})).await;
    let name = "counter".parse().unwrap();
    assert!(engine.drain(name, true).await.unwrap().draining);
    let second = start(&engine, json!({"steps": 3})).await.id;
    let waits = feed.until(|o| o.id == second && o.condition.is_some()).await.condition.unwrap();
    assert!(waits.message.contains("Drained: "), "{}", waits.message);
    assert_eq!(engine.operation(first).await.unwrap().operation.state, State::Running);
    engine.close().await;
    drop(engine);
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, engine.feed().head());
    up(&engine).await;
    assert!(engine.hosts().hosts[0].draining);
    engine.drain("counter".parse().unwrap(), false).await.unwrap();
    feed.until(|o| o.id == second && o.state == State::Succeeded).await;
    let unknown = engine.drain("other".parse().unwrap(), true).await.unwrap_err();
    assert!(matches!(unknown, EngineError::HostNotFound(_)), "{unknown:?}");
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn higher_priorities_start_first_and_equal_ones_in_order() {
    let stage = Stage::new(1).await;
    let engine = stage.engine();
    let (mut feed, first) = running(&engine, json!({"steps": LONG})).await;
    let mut ids = Vec::new();
    for priority in [0, 0, 7] {
        ids.push(start_with(&engine, json!({"steps": 2}), priority).await.id);
    }
    engine.cancel(first, String::new()).await.unwrap();
    let mut order = Vec::new();
    while order.len() < 3 {
        order.push(feed.until(|o| o.id != first && o.state == State::Succeeded).await.id);
    }
    assert_eq!(order, [ids[2], ids[0], ids[1]]);
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bulk_cancel_by_id_or_filter_reports_each_rejection() {
    let stage = Stage::new(1).await;
    let engine = stage.engine();
    let (mut feed, first) = running(&engine, json!({"steps": LONG})).await;
    let done = engine.cancel(start(&engine, json!({"steps": 9})).await.id, String::new()).await.unwrap().id;
    let mut queued = Vec::new();
    for steps in [700_007, 700_007, 700_008] {
        queued.push(start(&engine, json!({"steps": steps})).await.id);
    }
    let of_77 = Filter { text: "to 700007".into(), ..Filter::default() };
    let mut outcome = engine.cancel_many(Which::Found(Box::new(of_77)), "wrong data".into()).await.unwrap();
    outcome.requested.sort();
    assert_eq!(outcome.requested, queued[..2]);
    let outcome =
        engine.cancel_many(Which::These(vec![first, done, queued[2]]), String::new()).await.unwrap();
    assert_eq!(outcome.requested, [first, queued[2]]);
    let (refused, why) = &outcome.refused[0];
    assert_eq!(*refused, done);
    assert!(matches!(why, EngineError::Denied(Denied::CancelEnded(State::Cancelled))), "{why:?}");
    feed.until(|o| o.id == first && o.state == State::Cancelled).await;
    assert_eq!(engine.cancel_many(Which::Found(Box::default()), String::new()).await.unwrap().requested, []);
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_on_a_host_whose_operation_has_ended_is_found_and_stopped() {
    let mut stage = Stage::new(2).await;
    let engine = stage.engine_with(|config| config.scan_every = Duration::from_millis(200));
    let (mut feed, id) = running(&engine, json!({"steps": LONG})).await;
    engine.cancel(id, String::new()).await.unwrap();
    feed.until(|o| o.id == id && o.state == State::Cancelled).await;
    // The same attempt again, as a delayed request to a host that no longer knows it.
    stage.kill_host();
    stage.restart_host().await;
    up(&engine).await;
    stage.host.start_by_hand(id, json!({"steps": LONG})).await;
    stage.host.ended(id).await;
    assert_eq!(engine.operation(id).await.unwrap().operation.state, State::Cancelled);
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ended_operations_are_kept_up_to_the_configured_number() {
    let stage = Stage::new(4).await;
    let keep = Keep { age: None, most: Some(2) };
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, 0);
    up(&engine).await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        let id = start(&engine, json!({"steps": 1})).await.id;
        feed.until(|o| o.id == id && o.state == State::Succeeded).await;
        ids.push(id);
    }
    engine.close().await;
    drop(engine);
    let head = feed.last();
    let engine = stage.engine_with(|config| config.rules.keep = keep);
    let mut feed = Follower::new(&engine, head);
    let forgotten = async {
        let mut deleted = Vec::new();
        while deleted.len() < 2 {
            if let EventBody::Deleted { id, state } = feed.next().await.body {
                assert_eq!(state, State::Succeeded);
                deleted.push(id);
            }
        }
        deleted
    };
    let deleted = tokio::time::timeout(PATIENCE, forgotten).await.expect("nothing was forgotten");
    assert_eq!(deleted, ids[..2]);
    assert!(engine.operation(ids[0]).await.is_err());
    assert!(engine.operation(ids[2]).await.is_ok() && engine.operation(ids[3]).await.is_ok());
    let succeeded = engine.snapshot().counts.into_iter().find(|c| c.state == State::Succeeded).unwrap();
    assert_eq!(succeeded.count, 2);
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_always_fails_on_the_host_is_given_up_with_the_hosts_message() {
    let stage = Stage::new(1).await;
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, 0);
    up(&engine).await;
    let faulty = start(&engine, json!({"steps": 1, "faulty": true})).await.id;
    let ended = feed.until(|o| o.id == faulty && o.state.ended()).await;
    let failure = ended.failure.unwrap();
    assert_eq!((ended.state, failure.reason), (State::Failed, FailureReason::Refused));
    assert!(failure.message.starts_with("counter rejected the operation: "), "{}", failure.message);
    assert!(failure.hint.contains("bug in the host"), "{}", failure.hint);
    // Its slot is free.
    let next = start(&engine, json!({"steps": 1})).await.id;
    feed.until(|o| o.id == next && o.state == State::Succeeded).await;
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_successful_run_calibrates_its_forecasts() {
    let stage = Stage::new(1).await;
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, 0);
    up(&engine).await;
    let run = start(&engine, json!({"steps": 3_000})).await.id;
    feed.until(|o| o.id == run && o.state == State::Succeeded).await;
    engine.close().await;
    drop(engine);
    let runs = stage.store().runs().unwrap();
    let [(kind, run)] = runs.as_slice() else { panic!("{runs:?}") };
    assert_eq!(*kind, count());
    assert!(!run.ratios.is_empty(), "{run:?}");
}
