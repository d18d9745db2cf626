//! Secret parameters: the host gets them, and nothing else contains them; a missing key disturbs only its operations.

use crate::stage::{self, Follower, Stage, start};
use protocol::api::StartOperation;
use protocol::operation::AttemptOrigin;
use protocol::{FailureReason, State, secret};
use serde_json::{Value, json};
use signalbox_engine::{Engine, EngineConfig, EngineError, SecretKeys, Started, new_key};
use std::sync::Arc;
use store::{Filter, Store};

/// Marked value of the secret.
const MARKED: &str = "hunter2-marked";

fn keys(lines: &[&str]) -> impl FnOnce(&mut EngineConfig) {
    let keys = Arc::new(SecretKeys::parse(&lines.join("\n")).unwrap());
    |config| config.secret_keys = Some(keys)
}

fn contains(bytes: &[u8]) -> bool {
    bytes.windows(MARKED.len()).any(|part| part == MARKED.as_bytes())
}

async fn start_keyed(engine: &Engine, params: Value, key: &str) -> Result<Started, EngineError> {
    let request = StartOperation { kind: "test.count".parse().unwrap(), params, priority: 0 };
    engine.start(request, Some(key.to_owned())).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_reaches_the_host_and_is_nowhere_else() {
    let stage = Stage::new(1).await;
    let key = new_key().unwrap();
    let engine = stage.engine_with(keys(&[&key]));
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    let params = json!({"steps": 3, "token": MARKED});
    let started = start_keyed(&engine, params.clone(), "key-1").await.unwrap().operation;
    assert_eq!(started.params["token"], secret::marker());
    feed.until(|o| o.id == started.id && o.state == State::Succeeded).await;
    assert_eq!(stage.host.tokens(started.id), [MARKED]);

    // The same request is recognized by its fingerprint, in memory and in the store.
    for _ in 0..2 {
        let again = start_keyed(&engine, params.clone(), "key-1").await.unwrap();
        assert!(!again.new && again.operation.id == started.id);
    }
    let other = start_keyed(&engine, json!({"steps": 3, "token": "another"}), "key-1").await;
    assert!(matches!(other.err().unwrap(), EngineError::KeyReused));

    let detail = engine.operation(started.id).await.unwrap();
    assert!(!contains(serde_json::to_string(&detail).unwrap().as_bytes()));
    assert!(!contains(serde_json::to_string(&engine.snapshot()).unwrap().as_bytes()));
    let found = |text: &str| engine.page(Filter::parse([("q", text)]).unwrap());
    assert_eq!(found(MARKED).await.unwrap().operations, []);
    let by_param = Filter::parse([("param.token", MARKED)]).unwrap();
    assert_eq!(engine.page(by_param).await.unwrap().operations, []);
    engine.close().await;
    drop(engine);

    let store = stage.store();
    for event in store.events(0, 10_000).unwrap().unwrap() {
        assert!(!contains(event.json.as_bytes()), "{}", event.json);
    }
    assert!(!contains(store.key("key-1").unwrap().unwrap().1.as_bytes()));
    drop(store);
    let files = stage.database_files();
    assert!(!files.is_empty() && !files.iter().any(|bytes| contains(bytes)), "a file of the database has it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_with_a_secret_is_refused_without_a_key_before_anything_is_stored() {
    let stage = Stage::new(1).await;
    let engine = stage.engine();
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    let refused = start_keyed(&engine, json!({"steps": 3, "token": MARKED}), "key-1").await;
    let EngineError::NoSecretKey(names) = refused.err().unwrap() else { panic!("another error") };
    assert_eq!(names, ["token"]);
    // Without the secret, the kind needs no key.
    let open = start_keyed(&engine, json!({"steps": 3}), "key-1").await.unwrap().operation;
    feed.until(|o| o.id == open.id && o.state == State::Succeeded).await;
    assert_eq!(engine.snapshot().operations.len(), 1);
    engine.close().await;
    drop(engine);
    assert!(!stage.database_files().iter().any(|bytes| contains(bytes)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_key_only_operations_with_secrets_fail_and_they_run_once_it_is_back() {
    let stage = Stage::new(1).await;
    let [old, new] = [(); 2].map(|()| new_key().unwrap());
    let engine = stage.engine_with(keys(&[&old]));
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    let running = start(&engine, json!({"steps": 2, "gated": true, "token": MARKED})).await;
    feed.until(|o| o.id == running.id && o.state == State::Running).await;
    let queued = start(&engine, json!({"steps": 2, "token": MARKED})).await;
    let open = start(&engine, json!({"steps": 2})).await;
    engine.close().await;
    drop(engine);

    let engine = stage.engine_with(keys(&[&new]));
    let mut feed = Follower::new(&engine, engine.feed().head());
    stage::up(&engine).await;
    stage.host.open_gate();
    // What runs goes on, and what needs no key runs.
    for id in [running.id, open.id] {
        let ended = feed.until(|o| o.id == id && o.state.ended()).await;
        assert_eq!(ended.state, State::Succeeded, "{:?}", ended.failure);
    }
    let locked = engine.operation(queued.id).await.unwrap().operation;
    let failure = locked.failure.unwrap();
    assert_eq!((locked.state, failure.reason), (State::Failed, FailureReason::SecretsUnreadable));
    assert!(
        failure.message.contains("is missing") && failure.hint.contains("secrets.key_file"),
        "{failure:?}"
    );
    let refused = engine.again(queued.id, AttemptOrigin::Retry).await.unwrap_err();
    assert!(matches!(refused, EngineError::SecretsUnreadable { .. }), "{refused:?}");
    assert_eq!(engine.operation(queued.id).await.unwrap().attempts.len(), 1);
    engine.close().await;
    drop(engine);

    // The new key encrypts, the old one still decrypts.
    let engine = stage.engine_with(keys(&[&new, &old]));
    let mut feed = Follower::new(&engine, engine.feed().head());
    stage::up(&engine).await;
    engine.again(queued.id, AttemptOrigin::Retry).await.unwrap();
    let ended = feed.until(|o| o.id == queued.id && o.state.ended()).await;
    assert_eq!(ended.state, State::Succeeded, "{:?}", ended.failure);
    assert_eq!(stage.host.tokens(queued.id), [MARKED]);
    let later = start(&engine, json!({"steps": 2, "token": MARKED})).await;
    feed.until(|o| o.id == later.id && o.state == State::Succeeded).await;
    engine.close().await;
    drop(engine);
    let keys = stage.store().secret_keys().unwrap();
    let mut operations: Vec<u64> = keys.into_iter().map(|(_, operations)| operations).collect();
    operations.sort_unstable();
    assert_eq!(operations, [1, 2], "two operations have the old key, and one the new key");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_was_removed_from_the_configuration_locks_its_operations_too() {
    let stage = Stage::new(1).await;
    let engine = stage.engine_with(keys(&[&new_key().unwrap()]));
    let mut feed = Follower::new(&engine, 0);
    stage::up(&engine).await;
    let operation = start(&engine, json!({"steps": 1_000_000, "token": MARKED})).await;
    feed.until(|o| o.id == operation.id && o.state == State::Running).await;
    engine.close().await;
    drop(engine);

    let engine = stage.engine();
    let mut feed = Follower::new(&engine, engine.feed().head());
    stage::up(&engine).await;
    // It can still be cancelled, because that needs no secret.
    engine.cancel(operation.id, String::new()).await.unwrap();
    feed.until(|o| o.id == operation.id && o.state == State::Cancelled).await;
    let refused = engine.again(operation.id, AttemptOrigin::Retry).await.unwrap_err();
    assert!(matches!(refused, EngineError::SecretsUnreadable { .. }), "{refused:?}");
    engine.close().await;
}
