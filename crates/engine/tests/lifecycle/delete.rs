//! Deletion of ended operations: one, many, and with children.

use crate::stage::{self, Follower, PATIENCE, Stage, start};
use protocol::api::{Deleted, StartOperation};
use protocol::operation::AttemptOrigin;
use protocol::{Action, EventBody, OperationId, State};
use serde_json::json;
use signalbox_engine::EngineError;
use signalbox_engine::{Engine, Which};
use std::collections::HashSet;
use store::Filter;

const LONG: u64 = 1_000_000;

async fn child(engine: &Engine, parent: OperationId, steps: u64, key: &str) -> OperationId {
    let request =
        StartOperation { kind: "test.count".parse().unwrap(), params: json!({"steps": steps}), priority: 0 };
    engine.start_child(parent, request, key.to_owned()).await.unwrap().operation.id
}

async fn ended(engine: &Engine, feed: &mut Follower, steps: u64) -> OperationId {
    let id = start(engine, json!({"steps": steps})).await.id;
    feed.until(|o| o.id == id && o.state.ended()).await;
    id
}

/// Waits until all of them are reported as deleted.
async fn until_forgotten(feed: &mut Follower, ids: &[OperationId]) {
    let mut waited_for: HashSet<_> = ids.iter().copied().collect();
    let outcome = async {
        while !waited_for.is_empty() {
            if let EventBody::Deleted { id, .. } = feed.next().await.body {
                waited_for.remove(&id);
            }
        }
    };
    tokio::time::timeout(PATIENCE, outcome).await.expect("others came, what was waited for did not");
}

fn counted(engine: &Engine, state: State) -> u64 {
    engine.snapshot().counts.into_iter().find(|c| c.state == state).unwrap().count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_is_published_and_survives_a_restart() {
    let stage = Stage::new(2).await;
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    let long = start(&engine, json!({"steps": LONG})).await.id;
    let refused = engine.delete(long).await.unwrap_err();
    assert!(matches!(refused, EngineError::NotEnded(_)), "{refused:?}");
    let id = ended(&engine, &mut feed, 3).await;
    assert_eq!(engine.delete(id).await.unwrap().deleted, 1);
    until_forgotten(&mut feed, &[id]).await;
    assert!(matches!(engine.operation(id).await.unwrap_err(), EngineError::OperationNotFound(_)));
    assert!(matches!(engine.delete(id).await.unwrap_err(), EngineError::OperationNotFound(_)));
    assert!(matches!(
        engine.again(id, AttemptOrigin::Retry).await.unwrap_err(),
        EngineError::OperationNotFound(_)
    ));
    assert_eq!(counted(&engine, State::Succeeded), 0);
    assert!(engine.snapshot().operations.iter().all(|o| o.id != id));
    // The audit entries remain, and the newest one describes it.
    let check = async |engine: &Engine| {
        let entries = engine.audit(store::AuditFilter::default(), 50).await.unwrap().entries;
        let deletes: Vec<_> = entries.iter().filter(|e| e.action == Action::Delete).collect();
        assert_eq!(deletes.len(), 1, "what is refused is no entry: {entries:?}");
        assert_eq!((deletes[0].operation, deletes[0].detail.as_str()), (Some(id), "test.count to 3"));
        assert!(entries.iter().any(|e| e.operation == Some(id) && e.action == Action::Start), "{entries:?}");
    };
    check(&engine).await;
    engine.cancel(long, String::new()).await.unwrap();
    feed.until(|o| o.id == long && o.state.ended()).await;
    feed.assert_gapless();
    engine.close().await;
    drop(engine);
    let engine = stage.engine();
    assert!(matches!(engine.operation(id).await.unwrap_err(), EngineError::OperationNotFound(_)));
    check(&engine).await;
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_key_of_a_deleted_operation_starts_nothing() {
    let stage = Stage::new(2).await;
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    let request =
        StartOperation { kind: "test.count".parse().unwrap(), params: json!({"steps": 2}), priority: 0 };
    let key = || Some("order-7".to_owned());
    let id = engine.start(request.clone(), key()).await.unwrap().operation.id;
    feed.until(|o| o.id == id && o.state.ended()).await;
    engine.delete(id).await.unwrap();
    assert!(matches!(engine.start(request.clone(), key()).await.unwrap_err(), EngineError::KeyOfDeleted));
    engine.close().await;
    drop(engine);
    // Also after a restart.
    let engine = stage.engine();
    assert!(matches!(engine.start(request.clone(), key()).await.unwrap_err(), EngineError::KeyOfDeleted));
    let other = StartOperation { params: json!({"steps": 3}), ..request };
    assert!(matches!(engine.start(other, key()).await.unwrap_err(), EngineError::KeyReused));
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bulk_deletion_by_filter_or_id_skips_operations_that_have_not_ended() {
    let stage = Stage::new(4).await;
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    let long = start(&engine, json!({"steps": LONG})).await.id;
    feed.until(|o| o.id == long && o.state == State::Running).await;
    let mut ids = Vec::new();
    for steps in [7, 7, 8, 9] {
        ids.push(ended(&engine, &mut feed, steps).await);
    }
    let of_7 = Filter::parse([("param.steps", "7")]).unwrap();
    let would = engine.delete_many(Which::Found(Box::new(of_7.clone())), None, true).await.unwrap();
    assert_eq!((would.deleted, would.refused), (2, 0));
    // An operation that ends after the count is kept until it is counted.
    let later = ended(&engine, &mut feed, 7).await;
    let outcome = engine.delete_many(Which::Found(Box::new(of_7)), would.until, false).await.unwrap();
    assert_eq!((outcome.deleted, outcome.refused, outcome.until), (2, 0, None));
    until_forgotten(&mut feed, &ids[..2]).await;
    // Listed twice counts once; deleted and running ones are refused.
    let named = vec![ids[2], ids[2], ids[0], long];
    let outcome = engine.delete_many(Which::These(named), None, false).await.unwrap();
    assert_eq!((outcome.deleted, outcome.refused), (1, 2));
    assert_eq!(engine.operation(later).await.unwrap().operation.state, State::Succeeded);
    let outcome = engine.delete_many(Which::Found(Box::default()), None, false).await.unwrap();
    assert_eq!((outcome.deleted, outcome.refused), (2, 0));
    assert_eq!(counted(&engine, State::Succeeded), 0);
    assert_eq!(engine.operation(long).await.unwrap().operation.state, State::Running);
    // One entry for operations deleted together names each of them.
    let entries = engine.audit(store::AuditFilter::default(), 50).await.unwrap().entries;
    let named = |detail: &str| ids[..2].iter().all(|id| detail.contains(&format!("{id} test.count to 7")));
    let both = entries.iter().filter(|e| e.detail.starts_with("2 operations"));
    assert!(both.clone().any(|e| named(&e.detail)), "{:?}", both.collect::<Vec<_>>());
    feed.assert_gapless();
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn children_are_deleted_with_their_parent_once() {
    let stage = Stage::new(4).await;
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    let parent = start(&engine, json!({"steps": LONG})).await.id;
    let mut family = Vec::new();
    for n in 0..3 {
        family.push(child(&engine, parent, 1, &format!("{n}")).await);
    }
    for id in &family {
        let state = engine.operation(*id).await.unwrap().operation.state;
        if !state.ended() {
            feed.until(|o| o.id == *id && o.state.ended()).await;
        }
    }
    // One of them may be deleted alone before.
    assert_eq!(engine.delete(family[0]).await.unwrap().deleted, 1);
    engine.cancel(parent, String::new()).await.unwrap();
    feed.until(|o| o.id == parent && o.state.ended()).await;
    family.push(parent);
    let would = engine.delete_many(Which::These(vec![family[1], parent]), None, true).await.unwrap();
    let outcome = engine.delete_many(Which::These(vec![family[1], parent]), None, false).await.unwrap();
    assert_eq!(outcome, Deleted { until: None, ..would }, "a dry run says what comes of it");
    assert_eq!((outcome.deleted, outcome.refused), (3, 0));
    until_forgotten(&mut feed, &family[1..]).await;
    feed.assert_gapless();
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parent_with_a_running_child_is_not_deleted() {
    let stage = Stage::new(4).await;
    let flaky_connection = stage.flaky_connection().await;
    let engine = stage.engine_over(&flaky_connection, |_| {});
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    let parent = start(&engine, json!({"steps": LONG})).await.id;
    let run = child(&engine, parent, LONG, "one").await;
    feed.until_running(&[parent, run]).await;
    flaky_connection.cut();
    feed.until(|o| o.id == parent && o.condition.is_some()).await;
    engine.abandon(parent, String::new()).await.unwrap();
    // Its cancel waits for the host.
    let refused = engine.delete(parent).await.unwrap_err();
    assert!(matches!(refused, EngineError::ChildrenNotEnded(1)), "{refused:?}");
    let outcome = engine.delete_many(Which::These(vec![parent]), None, false).await.unwrap();
    assert_eq!((outcome.deleted, outcome.refused), (0, 1));
    flaky_connection.mend();
    feed.until(|o| o.id == run && o.state.ended()).await;
    assert_eq!(engine.delete(parent).await.unwrap().deleted, 2);
    until_forgotten(&mut feed, &[run, parent]).await;
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abandoned_and_deleted_work_is_stopped_when_its_host_reconnects() {
    let stage = Stage::new(2).await;
    let flaky_connection = stage.flaky_connection().await;
    let engine = stage.engine_over(&flaky_connection, |_| {});
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    let id = start(&engine, json!({"steps": LONG})).await.id;
    feed.until(|o| o.id == id && o.state == State::Running).await;
    flaky_connection.cut();
    feed.until(|o| o.id == id && o.condition.is_some()).await;
    engine.abandon(id, String::new()).await.unwrap();
    engine.delete(id).await.unwrap();
    until_forgotten(&mut feed, &[id]).await;
    assert_eq!(stage.host.running().await, 1);
    flaky_connection.mend();
    stage.host.ended(id).await;
    engine.close().await;
}
