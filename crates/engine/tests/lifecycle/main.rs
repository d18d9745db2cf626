//! Engine with a real store and real hosts on free ports: start, follow, cancel, restart, silence.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod bands;
mod cancel;
mod checkpoint_transfer;
mod children;
mod delete;
mod flaky_connection;
mod full_store;
mod held_requests;
mod liveness;
mod older;
mod placing;
mod secrets;
mod stage;

use protocol::event::Skipped;
use protocol::operation::AttemptOrigin;
use protocol::receipt::Step;
use protocol::{ConditionKind, EventBody, FailureReason, State};
use serde_json::json;
use signalbox_engine::{Denied, EngineError};
use stage::{Follower, Stage, start};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_runs_to_its_end_and_every_step_is_in_the_feed() {
    let stage = Stage::new(2).await;
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    let operation = start(&engine, json!({"steps": 20})).await;
    let states = feed.states_until_ended(operation.id).await;
    assert_eq!(states, [State::Queued, State::Starting, State::Running, State::Succeeded]);
    let detail = engine.operation(operation.id).await.unwrap();
    assert_eq!(detail.operation.progress.as_ref().unwrap().fraction, Some(1.0));
    assert_eq!(detail.result.unwrap().document, json!({"steps": 20}));
    assert_eq!(detail.series, ["steps"]);
    assert_eq!(engine.logs(operation.id, None, None, 10).await.unwrap().lines[0].text, "counting to 20");
    feed.assert_gapless();
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_stops_the_work_and_its_receipt_has_every_step_in_order() {
    let stage = Stage::new(2).await;
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    let operation = start(&engine, json!({"steps": 1_000_000})).await;
    feed.until(|o| o.id == operation.id && o.state == State::Running).await;
    let answer = engine.cancel(operation.id, "no use".into()).await.unwrap();
    assert_eq!(answer.state, State::Cancelling);
    let states = feed.states_until_ended(operation.id).await;
    assert_eq!(states, [State::Cancelling, State::Cancelled]);
    let receipt = engine.operation(operation.id).await.unwrap().operation.receipt.unwrap();
    let times: Vec<_> = Step::ALL.into_iter().map(|s| receipt.at(s).unwrap()).collect();
    assert!(times.windows(2).all(|w| w[0] <= w[1]), "{receipt:?}");
    assert_eq!(stage.host.running().await, 0);
    let again = engine.cancel(operation.id, String::new()).await.unwrap_err();
    assert!(matches!(again, EngineError::Denied(Denied::CancelEnded(State::Cancelled))), "{again:?}");
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_without_a_slot_waits_and_starts_as_soon_as_one_is_free() {
    let stage = Stage::new(1).await;
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    let first = start(&engine, json!({"steps": 1_000_000})).await;
    let second = start(&engine, json!({"steps": 3})).await;
    let third = start(&engine, json!({"steps": 3})).await;
    let waiting = feed.until(|o| o.id == second.id && o.condition.is_some()).await;
    assert_eq!(waiting.condition.unwrap().kind, ConditionKind::Waiting);
    // A queued operation that is cancelled never runs.
    assert_eq!(engine.cancel(second.id, String::new()).await.unwrap().state, State::Cancelled);
    engine.cancel(first.id, String::new()).await.unwrap();
    feed.until(|o| o.id == third.id && o.state == State::Succeeded).await;
    let never_ran = engine.operation(second.id).await.unwrap().operation;
    assert_eq!((never_ran.started_at, never_ran.state), (None, State::Cancelled));
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invalid_artifact_path_is_reported_as_a_fault_of_its_host() {
    let stage = Stage::new(1).await;
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    let id = start(&engine, json!({"steps": 1, "artifact": "/host/v1/about"})).await.id;
    feed.until(|o| o.id == id && o.state == State::Succeeded).await;
    let refused = engine.artifact(id, "counted", "").await.unwrap_err();
    let EngineError::ArtifactPathInvalid { host, path } = refused else { panic!("{refused:?}") };
    assert_eq!((host.as_str(), path.as_str()), ("counter", "/host/v1/about"));
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invalid_params_start_nothing_and_each_is_explained() {
    let stage = Stage::new(1).await;
    let engine = stage.engine();
    stage::up(&engine).await;
    let head = engine.feed().head();
    let refused = stage::try_start(&engine, "test.count", json!({"stepz": 3})).await.unwrap_err();
    let EngineError::InvalidParams(fields) = refused else { panic!("{refused:?}") };
    let fields: Vec<_> = fields.iter().map(|f| f.field.as_str()).collect();
    assert_eq!(fields, ["stepz", "steps"]);
    let refused = stage::try_start(&engine, "test.cuont", json!({})).await.unwrap_err();
    let EngineError::UnknownKind { known, .. } = refused else { panic!("{refused:?}") };
    assert!(known.iter().any(|kind| kind.as_str() == "test.count"), "{known:?}");
    let operations = engine.snapshot().operations;
    assert!(operations.is_empty());
    assert!(engine.feed().head() >= head);
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_idempotency_key_starts_one_operation() {
    let stage = Stage::new(4).await;
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    let request = || protocol::api::StartOperation {
        kind: "test.count".parse().unwrap(),
        params: json!({"steps": 2}),
        priority: 0,
    };
    let key = || Some("order-7".to_owned());
    let both = tokio::join!(engine.start(request(), key()), engine.start(request(), key()));
    let (a, b) = (both.0.unwrap(), both.1.unwrap());
    assert_eq!(a.operation.id, b.operation.id);
    assert_ne!(a.new, b.new);
    let other = protocol::api::StartOperation { params: json!({"steps": 3}), ..request() };
    assert!(matches!(engine.start(other.clone(), key()).await.unwrap_err(), EngineError::KeyReused));
    // A request to the host may keep the database open after the close.
    feed.until(|operation| operation.id == a.operation.id && operation.state.ended()).await;
    engine.close().await;
    drop(engine);
    // Also after a restart, from the store.
    let engine = stage.engine();
    let again = engine.start(request(), key()).await.unwrap();
    assert_eq!((again.operation.id, again.new), (a.operation.id, false));
    assert!(matches!(engine.start(other, key()).await.unwrap_err(), EngineError::KeyReused));
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_server_takes_over_running_and_meanwhile_ended_work() {
    let stage = Stage::new(4).await;
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    let long = start(&engine, json!({"steps": 1_000_000})).await;
    let gated = start(&engine, json!({"steps": 5, "gated": true})).await;
    feed.until_running(&[long.id, gated.id]).await;
    engine.close().await;
    drop(engine);
    feed.read_rest();
    let head = feed.last();

    // While no server runs, one of them ends.
    stage.host.open_gate();
    stage.host.ended(gated.id).await;

    let engine = stage.engine();
    assert!(engine.feed().head() >= head, "what was told before is stored");
    let mut feed = Follower::new(&engine, head);
    let ended = feed.until(|o| o.id == gated.id && o.state.ended()).await;
    assert_eq!(ended.state, State::Succeeded);
    let detail = engine.operation(gated.id).await.unwrap();
    assert_eq!(detail.result.unwrap().document, json!({"steps": 5}));
    // Every point arrived exactly once.
    let points = engine.series(gated.id, vec![], (None, None), 1_000).await.unwrap();
    let xs: Vec<f64> = points.series[0].points.iter().map(|p| p.0).collect();
    assert_eq!(xs, [1.0, 2.0, 3.0, 4.0, 5.0]);
    // The other continues and can be cancelled.
    assert_eq!(engine.operation(long.id).await.unwrap().operation.state, State::Running);
    engine.cancel(long.id, String::new()).await.unwrap();
    let end = feed.until(|o| o.id == long.id && o.state.ended()).await;
    assert_eq!(end.state, State::Cancelled);
    assert_eq!(stage.host.starts(long.id), 1);
    feed.assert_gapless();
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_host_is_a_condition_until_it_reconnects() {
    let mut stage = Stage::new(4).await;
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    let operation = start(&engine, json!({"steps": 1_000_000, "checkpoint": 3})).await;
    feed.until(|o| o.id == operation.id && o.checkpoint.is_some()).await;
    stage.kill_host();
    let silent = feed.until(|o| o.id == operation.id && o.condition.is_some()).await;
    assert_eq!(silent.state, State::Running, "nobody knows that it ended");
    let condition = silent.condition.unwrap();
    assert_eq!(condition.kind, ConditionKind::Unreachable);
    // A cancel in the meantime is kept and reported as undelivered.
    engine.cancel(operation.id, String::new()).await.unwrap();
    let kept = feed
        .until(|o| o.condition.as_ref().is_some_and(|c| c.kind == ConditionKind::CancelUndelivered))
        .await;
    assert_eq!(kept.state, State::Cancelling);
    assert_eq!(kept.receipt.unwrap().sent, None);
    stage.restart_host().await;
    let ended = feed.until(|o| o.id == operation.id && o.state.ended()).await;
    assert_eq!(ended.state, State::Failed);
    let reason = ended.failure.unwrap().reason;
    assert!(matches!(reason, FailureReason::HostRestarted | FailureReason::HostLost), "{reason:?}");
    // Work that was done is not repeated.
    let resumed = engine.again(operation.id, AttemptOrigin::Resume).await.unwrap();
    assert_eq!(resumed.attempt, 2);
    feed.until(|o| o.id == operation.id && o.state == State::Running && o.attempt == 2).await;
    assert_eq!(stage.host.resumed_from(operation.id), Some(json!(3)));
    engine.cancel(operation.id, String::new()).await.unwrap();
    feed.until(|o| o.id == operation.id && o.state == State::Cancelled).await;
    let attempts = engine.operation(operation.id).await.unwrap().attempts;
    assert_eq!(attempts.iter().map(|a| a.state).collect::<Vec<_>>(), [State::Failed, State::Cancelled]);
    feed.assert_gapless();
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_and_the_following_events_give_the_current_state() {
    let stage = Stage::new(8).await;
    let engine = stage.engine();
    stage::up(&engine).await;
    let ids: Vec<_> = {
        let mut ids = Vec::new();
        for _ in 0..6 {
            ids.push(start(&engine, json!({"steps": 40})).await.id);
        }
        ids
    };
    let snapshot = engine.snapshot();
    let mut feed = Follower::new(&engine, snapshot.seq);
    let mut known: std::collections::HashMap<_, _> =
        snapshot.operations.into_iter().map(|o| (o.id, o)).collect();
    while !ids.iter().all(|id| known.get(id).is_some_and(|o| o.state.ended())) {
        match feed.next().await.body {
            EventBody::Operation { operation } => {
                known.insert(operation.id, *operation);
            }
            EventBody::Progress { id, progress, .. } => {
                known.get_mut(&id).expect("told of before").progress = Some(progress);
            }
            _ => {}
        }
    }
    for id in ids {
        let mut stored = engine.operation(id).await.unwrap().operation;
        let published = &known[&id];
        stored.heard_at = published.heard_at;
        assert_eq!(&stored, published);
    }
    feed.assert_gapless();
    engine.close().await;
}

/// Whether a number is within the skipped ranges.
fn covers(skips: &[Skipped], seq: u64) -> bool {
    skips.iter().any(|s| (s.from..=s.to).contains(&seq))
}
