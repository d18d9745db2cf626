//! Cancels, and when they are confirmed.

use super::{KIND, STOPPED, adapter, double_but, params, session};
use crate::double::Reply;
use crate::served::Served;
use protocol::ConditionKind;
use protocol::host::{HostEventBody, HostState, Outcome};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

#[tokio::test]
async fn a_cancel_is_reported_after_confirmation_and_the_stop_sent_once() {
    let shared = session(0);
    let (open, gate) = watch::channel(false);
    let stopping = Arc::clone(&shared);
    let double = double_but(&shared, move |call| {
        (call.path == "/training/stop").then(|| {
            stopping.lock().unwrap().stops += 1;
            Reply::Behind(gate.clone(), 200, json!({"status": "stopped"}))
        })
    })
    .await;
    let mut host = Served::new(&adapter(&double)).await;
    let id = host.start(KIND, &params()).await;
    host.until_started().await;
    host.cancel(id, Duration::from_secs(60)).await;
    double.called("POST /training/stop", 1).await;
    host.cancel(id, Duration::from_secs(60)).await;
    assert_eq!(host.show(id).await.state, HostState::Stopping, "asked for, not confirmed");
    open.send_replace(true);
    let ended = host.until_end().await;
    assert_eq!(ended.outcome, Outcome::Cancelled, "{:?}", ended.failure);
    assert!(matches!(ended.events.last(), Some(HostEventBody::Stopped)));
    assert!(ended.log().contains(STOPPED), "{}", ended.log());
    assert_eq!(double.calls("POST /training/stop").len(), 1);
    assert_eq!(shared.lock().unwrap().looks_after_stop, 2, "it went by the status");
}

#[tokio::test]
async fn a_stop_beyond_the_deadline_is_cancelled_only_after_confirmation() {
    let shared = session(0);
    let deaf = Arc::clone(&shared);
    // Reports stopped, but continues.
    let double = double_but(&shared, move |call| {
        (call.path == "/training/stop").then(|| {
            let id = deaf.lock().unwrap().id.clone();
            Reply::Json(200, json!({"session_id": id, "status": "stopped"}))
        })
    })
    .await;
    let mut adapter = adapter(&double);
    adapter.timing.confirm = 0.05;
    let mut host = Served::new(&adapter).await;
    let id = host.start(KIND, &params()).await;
    host.until_started().await;
    host.cancel(id, Duration::from_millis(1)).await;
    let condition = host.until_condition(ConditionKind::Unstoppable).await;
    assert!(condition.contains("accepted the stop") && condition.contains("still active"), "{condition}");
    assert_eq!(host.show(id).await.state, HostState::Stopping, "it keeps its slot");
    assert_eq!(host.health().await.free, 0);
    shared.lock().unwrap().error = Some(STOPPED);
    assert_eq!(host.until_end().await.outcome, Outcome::Cancelled);
}

#[tokio::test]
async fn a_run_that_could_not_be_stopped_ends_with_its_real_outcome() {
    let shared = session(0);
    let double = double_but(&shared, |call| {
        (call.path == "/training/stop").then(|| Reply::Json(500, json!({"detail": "no"})))
    })
    .await;
    let mut host = Served::new(&adapter(&double)).await;
    let id = host.start(KIND, &params()).await;
    host.until_started().await;
    host.cancel(id, Duration::from_millis(1)).await;
    let condition = host.until_condition(ConditionKind::CancelUndelivered).await;
    assert!(condition.contains("did not accept the stop"), "{condition}");
    double.called("POST /training/stop", 3).await;
    shared.lock().unwrap().results = 1;
    shared.lock().unwrap().over = 20;
    assert_eq!(host.until_end().await.document()["epochs"], 20, "it trained to its end, and that is told");
}

#[tokio::test]
async fn a_repeated_cancel_sends_the_stop_again() {
    let shared = session(0);
    let deaf = Arc::clone(&shared);
    let double = double_but(&shared, move |call| {
        (call.path == "/training/stop").then(|| {
            let mut session = deaf.lock().unwrap();
            session.stops += 1;
            if session.stops == 2 {
                session.error = Some(STOPPED);
            }
            session.looks_after_stop = 2;
            Reply::Json(200, json!({"status": "stopped"}))
        })
    })
    .await;
    let mut host = Served::new(&adapter(&double)).await;
    let id = host.start(KIND, &params()).await;
    host.until_started().await;
    host.cancel(id, Duration::from_secs(60)).await;
    host.until_logged("accepted the stop").await;
    assert_eq!(double.calls("POST /training/stop").len(), 1);
    host.cancel(id, Duration::from_secs(60)).await;
    assert_eq!(host.until_end().await.outcome, Outcome::Cancelled);
    assert_eq!(double.calls("POST /training/stop").len(), 2);
}

#[tokio::test]
async fn an_abandoned_run_is_no_longer_followed() {
    let shared = session(0);
    let double = double_but(&shared, |call| {
        (call.path == "/training/stop").then(|| Reply::Json(200, json!({"status": "stopped"})))
    })
    .await;
    let mut host = Served::new(&adapter(&double)).await;
    let id = host.start(KIND, &params()).await;
    host.until_started().await;
    host.cancel(id, Duration::from_millis(1)).await;
    double.called("POST /training/stop", 1).await;
    host.abandon(id).await;
    host.until_end().await;
    assert_eq!(host.health().await.free, 1);
}

#[tokio::test]
async fn a_run_that_completes_before_the_stop_has_its_result() {
    let shared = session(0);
    let ending = Arc::clone(&shared);
    let double = double_but(&shared, move |call| {
        (call.path == "/training/stop").then(|| {
            ending.lock().unwrap().over = 20;
            ending.lock().unwrap().results = 1;
            Reply::Json(500, json!({"detail": "Session is not running"}))
        })
    })
    .await;
    let mut host = Served::new(&adapter(&double)).await;
    let id = host.start(KIND, &params()).await;
    host.until_started().await;
    host.cancel(id, Duration::from_secs(60)).await;
    assert_eq!(host.until_end().await.document()["epochs"], 20);
}

#[tokio::test]
async fn a_hanging_poll_does_not_delay_a_cancel() {
    let shared = session(0);
    let watched = Arc::clone(&shared);
    let double = double_but(&shared, move |call| {
        let hangs = call.path.starts_with("/training/status") && watched.lock().unwrap().stops == 0;
        hangs.then_some(Reply::Hang)
    })
    .await;
    let mut adapter = adapter(&double);
    adapter.timing.poll = 3600.0;
    let mut host = Served::new(&adapter).await;
    let id = host.start(KIND, &params()).await;
    double.called("GET /training/status", 1).await;
    host.cancel(id, Duration::from_secs(60)).await;
    assert_eq!(host.until_end().await.outcome, Outcome::Cancelled);
    assert_eq!(double.calls("POST /training/stop").len(), 1);
}

#[tokio::test]
async fn a_cancel_while_waiting_for_a_slot_stops_no_other_run() {
    let shared = session(0);
    let double = double_but(&shared, |call| {
        (call.path == "/training/start")
            .then(|| Reply::Json(503, json!({"detail": "Maximum concurrent sessions (1)"})))
    })
    .await;
    let mut host = Served::new(&adapter(&double)).await;
    let id = host.start(KIND, &params()).await;
    double.called("POST /training/start", 2).await;
    host.cancel(id, Duration::from_secs(60)).await;
    assert_eq!(host.until_end().await.outcome, Outcome::Cancelled);
    assert!(double.calls("POST /training/stop").is_empty());
}

#[tokio::test]
async fn a_cancel_during_an_unanswered_start_is_reported_as_uncertain() {
    let shared = session(0);
    let double = double_but(&shared, |call| (call.path == "/training/start").then_some(Reply::Hang)).await;
    let mut adapter = adapter(&double);
    adapter.timing.confirm = 0.05;
    let mut host = Served::new(&adapter).await;
    let id = host.start(KIND, &params()).await;
    double.called("POST /training/start", 1).await;
    host.cancel(id, Duration::from_secs(3600)).await;
    let ended = host.until_end().await;
    assert!(ended.failed().contains("may still be running"), "{}", ended.failed());
    assert!(ended.failed().contains("no response to the start"), "{}", ended.failed());
    assert!(!double.calls("POST /training/stop").is_empty(), "it may have started all the same");
}
