//! Cancels at bad times: while the start is on its way, while nothing can be stored, while children continue.

use crate::children::child;
use crate::full_store::FullStore;
use crate::held_requests::HeldRequests;
use crate::stage::{self, Follower, Stage, start};
use protocol::api::StartOperation;
use protocol::operation::AttemptOrigin;
use protocol::{ConditionKind, FailureReason, Operation, OperationId, State};
use serde_json::{Value, json};
use signalbox_engine::{Denied, EngineError};
use signalbox_engine::{Engine, EngineConfig};
use std::sync::Arc;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_404_before_the_start_was_accepted_is_not_a_lost_attempt() {
    let stage = Stage::new(2).await;
    let proxy = HeldRequests::to(stage.host.address(), true).await;
    let engine = stage.engine_at(proxy.address, |_| {});
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    let id = start(&engine, json!({"steps": 1_000_000})).await.id;
    proxy.until(|passed| passed.starts == 1).await;
    engine.cancel(id, String::new()).await.unwrap();
    proxy.until(|passed| passed.cancels == 1).await;
    // The start is accepted and the work runs before the response to the cancel arrives.
    proxy.let_starts_pass();
    feed.until(|o| o.id == id && o.started_at.is_some()).await;
    proxy.let_not_found_pass();
    let ended = feed.until(|o| o.id == id && o.state.ended()).await;
    assert_eq!((ended.state, ended.failure), (State::Cancelled, None));
    assert_eq!(stage.host.running().await, 0);
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_arrives_after_its_cancel_never_runs() {
    let stage = Stage::new(2).await;
    let proxy = HeldRequests::to(stage.host.address(), false).await;
    let engine = stage.engine_at(proxy.address, |_| {});
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    let id = start(&engine, json!({"steps": 1_000_000})).await.id;
    proxy.until(|passed| passed.starts == 1).await;
    engine.cancel(id, String::new()).await.unwrap();
    // A second cancel means that the first was answered.
    proxy.until(|passed| passed.cancels >= 2).await;
    assert_eq!(
        engine.recent_operation(id).unwrap().state,
        State::Cancelling,
        "its start is still on its way"
    );
    proxy.let_starts_pass();
    let ended = feed.until(|o| o.id == id && o.state.ended()).await;
    assert_eq!((ended.state, ended.started_at), (State::Cancelled, None));
    assert_eq!(stage.host.starts(id), 0);
    // The next attempt is not affected.
    engine.again(id, AttemptOrigin::Retry).await.unwrap();
    feed.until(|o| o.id == id && o.attempt == 2 && o.state == State::Running).await;
    engine.cancel(id, String::new()).await.unwrap();
    feed.until(|o| o.id == id && o.attempt == 2 && o.state == State::Cancelled).await;
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parent_is_cancelled_when_its_last_child_has_ended() {
    let stage = Stage::new(2).await;
    let flaky_connection = stage.flaky_connection().await;
    let other = stage::TestHost::new(2).await;
    let engine = stage.engine_over(&flaky_connection, |config| config.hosts.push(other.config("other")));
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    // The parent is on one host, its child on the other, which falls silent.
    engine.drain("counter".parse().unwrap(), true).await.unwrap();
    let parent = start(&engine, json!({"steps": 1_000_000})).await.id;
    feed.until_running(&[parent]).await;
    engine.drain("counter".parse().unwrap(), false).await.unwrap();
    engine.drain("other".parse().unwrap(), true).await.unwrap();
    let one = child(&engine, parent, 1_000_000, "one").await;
    feed.until_running(&[one]).await;
    flaky_connection.cut();
    feed.until(|o| o.id == one && o.condition.is_some()).await;
    engine.cancel(parent, String::new()).await.unwrap();
    let waits =
        feed.until(|o| o.condition.as_ref().is_some_and(|c| c.kind == ConditionKind::ChildrenRunning)).await;
    assert_eq!((waits.id, waits.state), (parent, State::Cancelling));
    assert_eq!(waits.receipt.unwrap().released, None);
    // No child is retried in the meantime.
    assert!(!engine.recent_operation(one).unwrap().state.ended());
    engine.close().await;
    drop(engine);

    // A restart of the server does not end it before them, either.
    let engine = stage.engine_over(&flaky_connection, |config| config.hosts.push(other.config("other")));
    let mut feed = Follower::new(&engine, engine.feed().head());
    assert_eq!(engine.recent_operation(parent).unwrap().state, State::Cancelling);
    flaky_connection.mend();
    let child_ended = feed.until(|o| o.id == one && o.state.ended()).await;
    assert_eq!(child_ended.state, State::Cancelled);
    let parent_ended = feed.until(|o| o.id == parent && o.state.ended()).await;
    assert_eq!(parent_ended.state, State::Cancelled);
    let released = parent_ended.receipt.unwrap().released.unwrap();
    assert!(released >= child_ended.ended_at.unwrap());
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_is_not_retried_while_its_parent_is_cancelling() {
    let stage = Stage::new(3).await;
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    // It stops only when the gate is opened.
    let parent = start(&engine, json!({"steps": 1_000_000, "hold_at": 1})).await.id;
    let one = child(&engine, parent, 1_000_000, "one").await;
    feed.until_running(&[parent, one]).await;
    engine.cancel(one, String::new()).await.unwrap();
    feed.until(|o| o.id == one && o.state == State::Cancelled).await;
    engine.cancel(parent, String::new()).await.unwrap();
    let refused = engine.again(one, AttemptOrigin::Retry).await.unwrap_err();
    assert!(matches!(refused, EngineError::Denied(Denied::ParentBeingCancelled)), "{refused:?}");
    stage.host.open_gate();
    feed.until(|o| o.id == parent && o.state == State::Cancelled).await;
    engine.again(one, AttemptOrigin::Retry).await.unwrap();
    feed.until(|o| o.id == one && o.state == State::Running).await;
    engine.cancel(one, String::new()).await.unwrap();
    feed.until(|o| o.id == one && o.state == State::Cancelled).await;
    engine.close().await;
}

/// Parent that ignores its cancel, with one running child. Nothing is aborted.
async fn unresponsive_parent(
    engine: &Engine,
    feed: &mut Follower,
    child_params: Value,
) -> (OperationId, OperationId) {
    stage::up(engine).await;
    let parent = start(engine, json!({"steps": 1, "deaf": true})).await.id;
    let request = StartOperation { kind: "test.count".parse().unwrap(), params: child_params, priority: 0 };
    let one = engine.start_child(parent, request, "one".into()).await.unwrap().operation.id;
    feed.until_running(&[parent, one]).await;
    (parent, one)
}

fn patient(config: &mut EngineConfig) {
    config.rules.cancel_deadline = Duration::from_secs(3_600);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parent_that_succeeds_after_its_children_were_cancelled_ends_cancelled() {
    let stage = Stage::new(2).await;
    let engine = stage.engine_with(patient);
    let mut feed = Follower::new(&engine, 0);
    let (parent, one) = unresponsive_parent(&engine, &mut feed, json!({"steps": 1_000_000})).await;
    engine.cancel(parent, String::new()).await.unwrap();
    feed.until(|o| o.id == one && o.state == State::Cancelled).await;
    stage.host.open_gate();
    let ended = feed.until(|o| o.id == parent && o.state.ended()).await;
    assert_eq!((ended.state, ended.has_result), (State::Cancelled, false));
    let receipt = ended.receipt.unwrap();
    assert!(receipt.stopped.is_some() && receipt.released.is_some());
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parent_whose_children_all_succeeded_first_succeeds() {
    let stage = Stage::new(2).await;
    let engine = stage.engine_with(patient);
    let mut feed = Follower::new(&engine, 0);
    let (parent, one) = unresponsive_parent(&engine, &mut feed, json!({"steps": 1, "deaf": true})).await;
    engine.cancel(parent, String::new()).await.unwrap();
    stage.host.open_gate();
    let ends = [feed.until(|o| o.state.ended()).await, feed.until(|o| o.state.ended()).await];
    for id in [parent, one] {
        let ended = ends.iter().find(|o| o.id == id).unwrap();
        assert_eq!((ended.state, ended.has_result), (State::Succeeded, true));
    }
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_is_complete_when_the_process_has_died() {
    for in_process in [true, false] {
        let mut stage = Stage::new(2).await;
        let engine = stage.engine_with(|config| {
            patient(config);
            config.hosts[0].in_process = in_process;
        });
        let mut feed = Follower::new(&engine, 0);
        stage::up(&engine).await;
        let id = start(&engine, json!({"steps": 1, "deaf": true})).await.id;
        feed.until_running(&[id]).await;
        engine.cancel(id, String::new()).await.unwrap();
        feed.until(|o| o.condition.as_ref().is_some_and(|c| c.kind == ConditionKind::Unstoppable)).await;
        stage.kill_host();
        stage.restart_host().await;
        let ended = feed.until(|o| o.id == id && o.state.ended()).await;
        if in_process {
            assert_eq!((ended.state, ended.failure), (State::Cancelled, None));
        } else {
            assert_eq!(ended.failure.unwrap().reason, FailureReason::HostRestarted);
        }
        engine.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unstoppable_attempt_can_be_abandoned_even_after_a_silence_of_its_host() {
    let stage = Stage::new(2).await;
    let flaky_connection = stage.flaky_connection().await;
    let engine = stage.engine_over(&flaky_connection, patient);
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    let id = start(&engine, json!({"steps": 1, "deaf": true})).await.id;
    feed.until_running(&[id]).await;
    engine.cancel(id, String::new()).await.unwrap();
    let has = |o: &Operation, kind| o.id == id && o.condition.as_ref().is_some_and(|c| c.kind == kind);
    feed.until(|o| has(o, ConditionKind::Unstoppable)).await;
    flaky_connection.cut();
    feed.until(|o| has(o, ConditionKind::Unreachable) || has(o, ConditionKind::CancelUndelivered)).await;
    engine.close().await;
    drop(engine);

    // The host reported it once, to the server before.
    let engine = stage.engine_over(&flaky_connection, patient);
    let mut feed = Follower::new(&engine, engine.feed().head());
    flaky_connection.mend();
    feed.until(|o| has(o, ConditionKind::Unstoppable)).await;
    stage::up(&engine).await;
    let abandoned = engine.abandon(id, String::new()).await.unwrap();
    assert_eq!(abandoned.failure.unwrap().reason, FailureReason::Abandoned);
    engine.close().await;
}

/// Operation that runs while nothing can be stored.
struct FullDiskRun {
    stage: Stage,
    store: FullStore,
    engine: Engine,
    feed: Follower,
    id: OperationId,
}

async fn running_on_a_full_disk() -> FullDiskRun {
    let stage = Stage::new(2).await;
    let store = FullStore::new(stage.store());
    let engine = stage.engine_on(Arc::new(store.clone()), |_| {});
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    let id = start(&engine, json!({"steps": 1_000_000})).await.id;
    feed.until(|o| o.id == id && o.state == State::Running).await;
    store.fill();
    FullDiskRun { stage, store, engine, feed, id }
}

/// Starts the server again and waits for the end of the operation, which has to be a cancel.
async fn ends_cancelled_after_a_restart(stage: &Stage, id: OperationId) -> Operation {
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, engine.feed().head());
    let ended = feed.until(|o| o.id == id && o.state.ended()).await;
    assert_eq!((ended.state, &ended.failure), (State::Cancelled, &None));
    engine.close().await;
    ended
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_on_a_full_disk_stops_the_work_at_once_and_is_stored_later() {
    let FullDiskRun { stage, store, engine, mut feed, id } = running_on_a_full_disk().await;
    let answer = engine.cancel(id, "it fills the disk".into()).await.unwrap();
    let receipt = answer.receipt.unwrap();
    assert!(receipt.not_stored && receipt.reason == "it fills the disk");
    assert_eq!(answer.state, State::Running, "no state is told that is not stored");
    stage.host.ended(id).await;
    assert_eq!(stage.host.running().await, 0);
    let shown = engine.operation(id).await.unwrap().operation;
    assert!(shown.receipt.unwrap().not_stored);
    // If pressed twice, it is the same cancel.
    assert!(engine.cancel(id, String::new()).await.unwrap().receipt.unwrap().not_stored);
    let refused = stage::try_start(&engine, "test.count", json!({"steps": 1})).await.unwrap_err();
    assert!(matches!(refused, EngineError::Unwritable(_)), "{refused:?}");
    store.free();
    let ended = feed.until(|o| o.id == id && o.state.ended()).await;
    assert_eq!(ended.state, State::Cancelled);
    let receipt = ended.receipt.unwrap();
    assert!(!receipt.not_stored && receipt.released.is_some());
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_cancelled_before_a_crash_on_a_full_disk_is_cancelled() {
    let FullDiskRun { stage, store, engine, id, .. } = running_on_a_full_disk().await;
    assert!(engine.cancel(id, String::new()).await.unwrap().receipt.unwrap().not_stored);
    stage.host.ended(id).await;
    // What waits to be stored is lost with this server.
    engine.close().await;
    drop(engine);
    drop(store);

    ends_cancelled_after_a_restart(&stage, id).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_cancelled_before_a_crash_on_a_full_disk_ends_cancelled() {
    let stage = Stage::new(2).await;
    let store = FullStore::new(stage.store());
    let proxy = HeldRequests::to(stage.host.address(), false).await;
    let engine = stage.engine_on(Arc::new(store.clone()), |config| {
        config.hosts[0].url = format!("http://{}", proxy.address);
    });
    stage::up(&engine).await;
    let id = start(&engine, json!({"steps": 1_000_000})).await.id;
    proxy.until(|passed| passed.starts == 1).await;
    store.fill();
    assert!(engine.cancel(id, String::new()).await.unwrap().receipt.unwrap().not_stored);
    // A second cancel means that the host answered the first.
    proxy.until(|passed| passed.cancels >= 2).await;
    engine.close().await;
    drop(engine);
    drop(store);

    let ended = ends_cancelled_after_a_restart(&stage, id).await;
    assert!(ended.receipt.is_some_and(|receipt| receipt.released.is_some()));
    assert_eq!(stage.host.starts(id), 0);
}
