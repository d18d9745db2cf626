//! Starts, waiting for a slot, and finding a run again.

use super::{KIND, adapter, double, double_but, params, session};
use crate::double::Reply;
use crate::served::Served;
use protocol::FailureReason;
use protocol::host::Outcome;
use serde_json::json;
use std::sync::{Arc, Mutex};

#[tokio::test]
async fn a_busy_service_is_awaited_or_the_start_rejected_with_a_reason() {
    let shared = session(20);
    let busy = Arc::new(Mutex::new(3));
    let left = Arc::clone(&busy);
    let double = double_but(&shared, move |call| {
        let mut left = left.lock().unwrap();
        (call.path == "/training/start" && *left > 0).then(|| {
            *left -= 1;
            let why = "Service temporarily unavailable: Maximum concurrent sessions (1) reached.";
            Reply::Json(503, json!({"detail": why}))
        })
    })
    .await;
    let mut host = Served::new(&adapter(&double)).await;
    let ended = host.run(KIND, &params()).await;
    assert_eq!(ended.document()["epochs"], 20);
    assert!(
        ended.progress().iter().any(|p| p.message.starts_with("Waiting for a free slot")),
        "{:?}",
        ended.events
    );
    assert_eq!(host.about().await.capacity, 1, "who comes second waits in the server's line");

    *busy.lock().unwrap() = 1;
    let mut hasty = adapter(&double);
    hasty.timing.queue = 0.0;
    let ended = Served::new(&hasty).await.run(KIND, &params()).await;
    assert!(ended.failed().contains("has no free slot") && ended.failed().contains("Maximum concurrent"));
}

#[tokio::test]
async fn a_start_with_a_lost_response_starts_nothing_twice() {
    let shared = session(20);
    let begun = Arc::clone(&shared);
    let double = double_but(&shared, move |call| {
        (call.path == "/training/start").then(|| {
            begun.lock().unwrap().id = call.body["session_id"].as_str().map(str::to_owned);
            Reply::Hang
        })
    })
    .await;
    let mut adapter = adapter(&double);
    adapter.timing.start = 0.1;
    let ended = Served::new(&adapter).await.run(KIND, &params()).await;
    assert_eq!(ended.document()["epochs"], 20);
    assert_eq!(double.calls("POST /training/start").len(), 1);
}

#[tokio::test]
async fn an_existing_session_is_followed() {
    let shared = session(20);
    let taken = Arc::clone(&shared);
    let double = double_but(&shared, move |call| {
        if call.path == "/training/start" {
            // As if the first of two identical requests was executed.
            taken.lock().unwrap().id = call.body["session_id"].as_str().map(str::to_owned);
        }
        None
    })
    .await;
    let ended = Served::new(&adapter(&double)).await.run(KIND, &params()).await;
    assert_eq!(ended.document()["epochs"], 20);
    assert!(ended.log().contains("already has run"), "{}", ended.log());
}

#[tokio::test]
async fn after_an_adapter_restart_a_resume_follows_the_continuing_run() {
    let shared = session(0);
    let double = double(&shared).await;
    let mut host = Served::new(&adapter(&double)).await;
    shared.lock().unwrap().over = 5;
    let id = host.start(KIND, &params()).await;
    let checkpoint = host.until_started().await;
    host.leave().await;
    let ended = host.until_end().await;
    assert!(ended.failed().contains("continues at"), "{}", ended.failed());
    assert_eq!(ended.failure.as_ref().unwrap().reason, FailureReason::HostStopped);
    assert!(double.calls("POST /training/stop").is_empty(), "a shutdown is no cancel");

    shared.lock().unwrap().stride = 5;
    let mut host = Served::new(&adapter(&double)).await;
    host.resume(id, KIND, &params(), &checkpoint).await;
    let ended = host.until_end().await;
    assert_eq!(ended.document()["epochs"], 20);
    assert_eq!(ended.points("val_loss").len(), 20, "the attempt has its whole curve, once");
    assert!(ended.log().contains("Following it again"), "{}", ended.log());
    assert_eq!(double.calls("POST /training/start").len(), 1);

    // It ended meanwhile, so its result is fetched.
    let mut host = Served::new(&adapter(&double)).await;
    host.resume(id, KIND, &params(), &checkpoint).await;
    assert_eq!(host.until_end().await.document()["epochs"], 20);
    assert_eq!(double.calls("POST /training/start").len(), 1);
}

#[tokio::test]
async fn an_impossible_resume_is_explained_and_starts_nothing() {
    let shared = session(0);
    let double = double(&shared).await;
    let mut host = Served::new(&adapter(&double)).await;
    let id = host.start(KIND, &params()).await;
    host.until_started().await;
    shared.lock().unwrap().error = Some("CUDA out of memory");
    let ended = host.until_end().await;
    assert!(ended.failed().contains("CUDA out of memory"));

    let checkpoint = {
        let mut host = Served::new(&adapter(&double)).await;
        shared.lock().unwrap().error = None;
        host.start(KIND, &params()).await;
        let checkpoint = host.until_started().await;
        shared.lock().unwrap().error = Some("CUDA out of memory");
        assert_eq!(host.until_end().await.outcome, Outcome::Failed);
        checkpoint
    };
    let starts = shared.lock().unwrap().starts;
    host.resume(id, KIND, &params(), &checkpoint).await;
    let ended = host.until_end().await;
    assert!(ended.failed().contains("cannot resume runs"), "{}", ended.failed());

    let mut elsewhere = checkpoint.clone();
    elsewhere.state["service"] = json!("http://gpu-9:5002");
    let mut host = Served::new(&adapter(&double)).await;
    host.resume(id, KIND, &params(), &elsewhere).await;
    let ended = host.until_end().await;
    assert!(ended.failed().contains("http://gpu-9:5002"), "{}", ended.failed());
    assert_eq!(shared.lock().unwrap().starts, starts);
}
