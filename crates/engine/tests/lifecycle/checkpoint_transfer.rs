//! Resuming on another host than the one that made the checkpoint: its files are transferred first.

use crate::stage::{Follower, PATIENCE, Stage, TestHost, start, up};
use protocol::operation::AttemptOrigin;
use protocol::{ConditionKind, FailureReason, HostName, Operation, OperationId, State};
use serde_json::json;
use signalbox_engine::Engine;
use store::Keep;

const STEPS: u64 = 60;

fn params() -> serde_json::Value {
    json!({"steps": STEPS, "gated": true, "checkpoint": 20, "in_file": true})
}

fn name(name: &str) -> HostName {
    name.parse().unwrap()
}

/// Two hosts, the second drained, and an operation that was cancelled on the first after its checkpoint.
async fn cancelled(stage: &Stage, other: &TestHost) -> (Engine, Follower, OperationId) {
    let engine = stage.engine_with(|config| config.hosts.push(other.config("other")));
    let mut feed = Follower::new(&engine, 0);
    up(&engine).await;
    engine.drain(name("other"), true).await.unwrap();
    let id = start(&engine, params()).await.id;
    let kept = feed.until(|o| o.id == id && o.checkpoint.is_some()).await;
    let files = kept.checkpoint.unwrap().files;
    assert_eq!((files.len(), files[0].name.as_str()), (1, "000001-count.json"));
    engine.cancel(id, String::new()).await.unwrap();
    feed.until(|o| o.id == id && o.state == State::Cancelled).await;
    engine.drain(name("other"), false).await.unwrap();
    (engine, feed, id)
}

async fn resumed(engine: &Engine, feed: &mut Follower, id: OperationId) -> Operation {
    engine.again(id, AttemptOrigin::Resume).await.unwrap();
    feed.until(|o| o.id == id && o.attempt == 2 && o.state.ended()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_of_a_drained_host_is_resumed_elsewhere_with_the_same_result() {
    let (stage, other) = (Stage::new(2).await, TestHost::new(2).await);
    let (engine, mut feed, id) = cancelled(&stage, &other).await;
    engine.drain(name("counter"), true).await.unwrap();
    stage.host.open_gate();
    other.open_gate();
    engine.again(id, AttemptOrigin::Resume).await.unwrap();
    let on_its_way =
        |o: &Operation| o.condition.as_ref().is_some_and(|c| c.kind == ConditionKind::TransferringCheckpoint);
    let carried = feed.until(|o| o.id == id && on_its_way(o)).await;
    assert_eq!(carried.state, State::Starting);
    let text = carried.condition.unwrap().message;
    assert!(text.starts_with("Transferring the checkpoint from counter: 1 file"), "{text}");
    let begun = feed.until(|o| o.id == id && o.attempt == 2 && o.started_at.is_some()).await;
    assert_eq!(begun.condition, None);
    let ended = feed.until(|o| o.id == id && o.attempt == 2 && o.state.ended()).await;
    assert_eq!(ended.state, State::Succeeded, "{:?}", ended.failure);
    assert_eq!(ended.host, Some(name("other")));
    let document = engine.operation(id).await.unwrap().result.unwrap().document;
    assert_eq!(document, json!({"steps": STEPS, "sum": STEPS * (STEPS + 1) / 2, "from": 20}));
    assert_eq!(
        other.files(id),
        Vec::<std::path::PathBuf>::new(),
        "what is done needs no place to go on from"
    );
    feed.assert_gapless();
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resume_prefers_the_host_that_has_the_checkpoint() {
    let (stage, other) = (Stage::new(2).await, TestHost::new(2).await);
    let (engine, mut feed, id) = cancelled(&stage, &other).await;
    stage.host.open_gate();
    // The first host has more load than the second.
    let busy = start(&engine, json!({"steps": 1_000_000})).await.id;
    feed.until(|o| o.id == busy && o.state == State::Running).await;
    let ended = resumed(&engine, &mut feed, id).await;
    assert_eq!((ended.state, ended.host), (State::Succeeded, Some(name("counter"))));
    assert_eq!(other.starts(id), 0);
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_corrupted_checkpoint_fails_the_resume_with_a_reason() {
    let (stage, other) = (Stage::new(2).await, TestHost::new(2).await);
    let (engine, mut feed, id) = cancelled(&stage, &other).await;
    engine.drain(name("counter"), true).await.unwrap();
    std::fs::write(&stage.host.files(id)[0], "[99,1]").unwrap();
    let ended = resumed(&engine, &mut feed, id).await;
    let failure = ended.failure.unwrap();
    assert_eq!((ended.state, failure.reason), (State::Failed, FailureReason::CheckpointAway));
    assert!(failure.message.contains("SHA-256") && failure.message.contains("counter"), "{failure:?}");
    assert_eq!((other.starts(id), other.files(id).len()), (0, 0));
    // It can be resumed again: the checkpoint is still known.
    assert!(ended.checkpoint.is_some());
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_checkpoint_fails_the_resume_with_a_reason() {
    let (stage, other) = (Stage::new(2).await, TestHost::new(2).await);
    let (engine, mut feed, id) = cancelled(&stage, &other).await;
    engine.drain(name("counter"), true).await.unwrap();
    std::fs::remove_file(&stage.host.files(id)[0]).unwrap();
    let failure = resumed(&engine, &mut feed, id).await.failure.unwrap();
    assert_eq!(failure.reason, FailureReason::CheckpointAway);
    assert!(failure.message.contains("no longer has"), "{failure:?}");
    assert_eq!(other.starts(id), 0);
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resume_that_waits_for_the_checkpoint_of_a_dead_host_can_be_cancelled() {
    let (mut stage, other) = (Stage::new(2).await, TestHost::new(2).await);
    let (engine, mut feed, id) = cancelled(&stage, &other).await;
    engine.drain(name("counter"), true).await.unwrap();
    stage.kill_host();
    engine.again(id, AttemptOrigin::Resume).await.unwrap();
    feed.until(|o| o.id == id && o.attempt == 2 && o.state == State::Starting).await;
    engine.cancel(id, String::new()).await.unwrap();
    let ended = feed.until(|o| o.id == id && o.attempt == 2 && o.state.ended()).await;
    assert_eq!(ended.state, State::Cancelled);
    assert_eq!(other.starts(id), 0);
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleting_an_operation_removes_its_files_on_the_host() {
    let (stage, other) = (Stage::new(2).await, TestHost::new(2).await);
    let (engine, _feed, id) = cancelled(&stage, &other).await;
    assert_eq!(stage.host.files(id).len(), 1);
    engine.delete(id).await.unwrap();
    // The host is told after the response.
    files_are_removed(&stage, id).await;
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retention_removes_the_files_on_the_host() {
    let (stage, other) = (Stage::new(2).await, TestHost::new(2).await);
    let (engine, _feed, id) = cancelled(&stage, &other).await;
    engine.close().await;
    drop(engine);
    assert_eq!(stage.host.files(id).len(), 1);
    let engine = stage.engine_with(|config| {
        config.hosts.push(other.config("other"));
        config.rules.keep = Keep { age: None, most: Some(0) };
    });
    files_are_removed(&stage, id).await;
    engine.close().await;
}

async fn files_are_removed(stage: &Stage, id: OperationId) {
    let removed = async {
        while !stage.host.files(id).is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, removed).await.expect("the files stayed");
}
