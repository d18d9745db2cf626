//! Child operations end with their parent.

use crate::stage::{self, Follower, Stage, start};
use protocol::api::StartOperation;
use protocol::operation::AttemptOrigin;
use protocol::{Action, OperationId, State, Via};
use serde_json::json;
use signalbox_engine::Engine;
use signalbox_engine::EngineError;
use std::collections::HashSet;
use store::Filter;

pub async fn child(engine: &Engine, parent: OperationId, steps: u64, key: &str) -> OperationId {
    let request =
        StartOperation { kind: "test.count".parse().unwrap(), params: json!({"steps": steps}), priority: 0 };
    engine.start_child(parent, request, key.to_owned()).await.unwrap().operation.id
}

async fn until_cancelled(feed: &mut Follower, ids: &[OperationId]) {
    let mut waited_for: HashSet<_> = ids.iter().copied().collect();
    while !waited_for.is_empty() {
        let ended = feed.until(|o| waited_for.contains(&o.id) && o.state.ended()).await;
        assert_eq!(ended.state, State::Cancelled);
        waited_for.remove(&ended.id);
    }
}

/// Parent with one child, both cancelled while running.
async fn cancelled_family(engine: &Engine, feed: &mut Follower) -> (OperationId, OperationId) {
    let parent = start(engine, json!({"steps": 1_000_000})).await.id;
    let one = child(engine, parent, 1_000_000, "one").await;
    feed.until_running(&[parent, one]).await;
    engine.cancel(parent, String::new()).await.unwrap();
    until_cancelled(feed, &[parent, one]).await;
    (parent, one)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_includes_running_and_queued_children_but_no_ended_ones() {
    let stage = Stage::new(2).await;
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    let parent = start(&engine, json!({"steps": 1_000_000})).await.id;
    let short = child(&engine, parent, 2, "short").await;
    feed.until(|o| o.id == short && o.state == State::Succeeded).await;
    let running = child(&engine, parent, 1_000_000, "running").await;
    let waiting = child(&engine, parent, 1_000_000, "waiting").await;
    let other = start(&engine, json!({"steps": 1_000_000})).await.id;
    feed.until(|o| o.id == running && o.state == State::Running).await;
    // With the same key, it exists once.
    assert_eq!(child(&engine, parent, 1_000_000, "running").await, running);

    engine.cancel(parent, "enough".into()).await.unwrap();
    until_cancelled(&mut feed, &[parent, running, waiting]).await;
    assert_eq!(engine.operation(short).await.unwrap().operation.state, State::Succeeded);
    assert!(!engine.operation(other).await.unwrap().operation.state.ended());
    let audit = engine.operation(waiting).await.unwrap().audit;
    let cancel = audit.iter().find(|entry| entry.action == Action::Cancel).unwrap();
    assert_eq!(cancel.by.via, Via::Signalbox);
    assert!(cancel.detail.contains(&parent.short()), "{}", cancel.detail);
    let filter = Filter { parent: Some(parent), limit: 50, ..Filter::default() };
    let mut found: Vec<_> = engine.page(filter).await.unwrap().operations.iter().map(|o| o.id).collect();
    found.sort();
    assert_eq!(found, [short, running, waiting]);
    engine.cancel(other, String::new()).await.unwrap();

    let request =
        StartOperation { kind: "test.count".parse().unwrap(), params: json!({"steps": 1}), priority: 0 };
    let refused = engine.start_child(parent, request, "late".into()).await.unwrap_err();
    assert!(matches!(refused, EngineError::ParentEnding(_)), "{refused:?}");
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_parent_cancels_its_children_even_across_a_restart() {
    let mut stage = Stage::new(4).await;
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    let parent = start(&engine, json!({"steps": 1_000_000})).await.id;
    let waiting = child(&engine, parent, 1_000_000, "one").await;
    feed.until_running(&[parent, waiting]).await;
    engine.close().await;
    drop(engine);
    // A restarted server knows parents and children from the store.
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, engine.feed().head());
    stage::up(&engine).await;
    let second = child(&engine, parent, 1_000_000, "two").await;
    feed.until(|o| o.id == second && o.state == State::Running).await;
    engine.cancel(parent, String::new()).await.unwrap();
    until_cancelled(&mut feed, &[parent, waiting, second]).await;

    // A parent that finally fails: its host is killed and restarts.
    let parent = start(&engine, json!({"steps": 1_000_000})).await.id;
    feed.until(|o| o.id == parent && o.state == State::Running).await;
    engine.drain("counter".parse().unwrap(), true).await.unwrap();
    let queued = child(&engine, parent, 1, "three").await;
    stage.kill_host();
    stage.restart_host().await;
    feed.until(|o| o.id == parent && o.state == State::Failed).await;
    until_cancelled(&mut feed, &[queued]).await;
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_retried_by_a_user_continues_without_its_parent_across_a_restart() {
    let stage = Stage::new(4).await;
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    let (_, one) = cancelled_family(&engine, &mut feed).await;
    engine.again(one, AttemptOrigin::Retry).await.unwrap();
    feed.until_running(&[one]).await;
    engine.close().await;
    drop(engine);

    let engine = stage.engine();
    stage::up(&engine).await;
    let known = engine.operation(one).await.unwrap();
    assert_eq!(known.operation.state, State::Running);
    assert!(known.audit.iter().filter(|entry| entry.action == Action::Cancel).count() == 1);
    engine.cancel(one, String::new()).await.unwrap();
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retried_parent_cancels_its_children_again_and_a_rejected_start_frees_its_key() {
    let stage = Stage::new(4).await;
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    let (parent, one) = cancelled_family(&engine, &mut feed).await;
    let request = StartOperation {
        kind: "test.count".parse().unwrap(),
        params: json!({"steps": 1_000_000}),
        priority: 0,
    };
    let refused = engine.start_child(parent, request, "late".into()).await.unwrap_err();
    assert!(matches!(refused, EngineError::ParentEnding(_)), "{refused:?}");

    engine.again(parent, AttemptOrigin::Retry).await.unwrap();
    engine.again(one, AttemptOrigin::Retry).await.unwrap();
    let late = child(&engine, parent, 1_000_000, "late").await;
    feed.until_running(&[parent, one, late]).await;
    engine.cancel(parent, String::new()).await.unwrap();
    until_cancelled(&mut feed, &[parent, one, late]).await;
    engine.close().await;
}
