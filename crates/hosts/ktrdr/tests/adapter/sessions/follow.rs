//! Following a run to its end, with the reports on the way.

use super::{KIND, adapter, double, double_but, params, session};
use crate::double::Reply;
use crate::served::Served;
use serde_json::{Value, json};
use signalbox_ktrdr_host::KtrdrRunResult;
use std::sync::{Arc, Mutex};

#[tokio::test]
async fn a_training_is_followed_to_its_end_and_each_epoch_is_reported_once() {
    let shared = session(5);
    let double = double(&shared).await;
    let mut host = Served::new(&adapter(&double)).await;
    let ended = host.run(KIND, &params()).await;

    let result: KtrdrRunResult = serde_json::from_value(ended.document().clone()).unwrap();
    assert_eq!((result.epochs, result.metrics["test_metrics.test_loss"]), (20, 0.7687));
    assert_eq!(result.model.as_deref(), Some("/srv/models/mean/1h_v1"));
    let started = result.started.unwrap();
    assert_eq!((started.text.as_str(), started.at), ("2026-11-23T07:45:42.185658", None), "it says no zone");
    assert_eq!(ended.result.as_ref().unwrap().tags, ["ktrdr"]);
    assert_eq!(double.calls("GET /training/result").len(), 2, "not completed yet, then the result");

    let epochs: Vec<f64> = (1..=20).map(f64::from).collect();
    for series in ["train_loss", "val_loss"] {
        let x: Vec<f64> = ended.points(series).into_iter().map(|(x, _)| x).collect();
        assert_eq!(x, epochs, "{series}");
    }
    assert_eq!(ended.points("train_loss")[1], (2.0, 0.5), "the end of the epoch, no batch of it");
    assert!(ended.points("total_bars").is_empty());

    let progress = ended.progress();
    assert!(progress.iter().all(|p| p.total != Some(100)), "100 epochs are never believed");
    assert!(progress.is_sorted_by(|a, b| a.fraction.unwrap_or(0.0) <= b.fraction.unwrap_or(0.0)));
    let last = progress.last().unwrap();
    assert_eq!((last.done, last.total, last.fraction), (20, Some(20), Some(1.0)), "not 19 of 20");

    let order = &double.calls("POST /training/start")[0].body;
    assert_eq!((&order["symbols"], &order["end_date"]), (&json!(["MSFT", "AAPL"]), &json!("2025-06-01")));
    assert!(ended.log().contains("can't resume a stopped run"), "its limits are told: {}", ended.log());
}

#[tokio::test]
async fn unreadable_responses_are_located_and_temporary_errors_retried() {
    let shared = session(0);
    let requests = Arc::new(Mutex::new(0));
    let double = double_but(&shared, move |call| {
        if !call.path.starts_with("/training/status") {
            return None;
        }
        let mut requests = requests.lock().unwrap();
        *requests += 1;
        (*requests > 1).then(|| match *requests {
            2 | 3 => Reply::Json(502, json!({"detail": "Bad Gateway"})),
            _ => Reply::Json(200, json!({"status": {"name": "running"}})),
        })
    })
    .await;
    let ended = Served::new(&adapter(&double)).await.run(KIND, &params()).await;
    let why = ended.failed();
    assert!(why.contains("may still be running") && why.contains("GET /training/status"), "{why}");
    assert!(why.contains("'status' should be text, but is an object with name"), "{why}");
    assert!(ended.progress().iter().any(|p| p.message.contains("No valid response")), "{:?}", ended.events);
}

#[tokio::test]
async fn a_service_that_forgot_the_run_is_reported() {
    let shared = session(0);
    let double = double(&shared).await;
    let mut host = Served::new(&adapter(&double)).await;
    host.start(KIND, &params()).await;
    host.until_started().await;
    shared.lock().unwrap().id = None;
    let ended = host.until_end().await;
    assert!(ended.failed().contains("no longer knows run"), "{}", ended.failed());
}

#[tokio::test]
async fn invalid_params_are_rejected_by_field_before_any_request() {
    let shared = session(0);
    let double = double(&shared).await;
    let host = Served::new(&adapter(&double)).await;
    let mut bad = params();
    bad["end"] = json!("2022-01-01");
    bad["strategy"] = json!("mean.yaml");
    let body = json!({"id": protocol::OperationId::new(), "attempt": 1, "kind": KIND, "params": bad});
    let answer = host.try_start(body).await;
    assert_eq!(answer.status(), 422);
    let problem: Value = answer.json().await.unwrap();
    let fields: Vec<_> = problem["fields"].as_array().unwrap().iter().map(|f| f["field"].clone()).collect();
    assert_eq!(fields, ["strategy", "end"], "{problem}");
    assert!(double.calls("POST").is_empty());
}

#[tokio::test]
async fn health_comes_from_a_real_call_and_has_its_age() {
    let hangs = Arc::new(Mutex::new(true));
    let hanging = Arc::clone(&hangs);
    let shared = session(0);
    let double = double_but(&shared, move |call| match call.path.as_str() {
        "/health" | "/health/" => Some(Reply::Json(200, json!({"healthy": true, "status": "operational"}))),
        "/training/sessions" => hanging.lock().unwrap().then_some(Reply::Hang),
        _ => None,
    })
    .await;
    let host = Served::new(&adapter(&double)).await;
    let health = host.until_health(|h| h.checks.iter().any(|c| c.message.contains("timed out after"))).await;
    assert!(!health.ready, "{health:?}");
    *hangs.lock().unwrap() = false;
    let health = host.until_health(|h| h.ready).await;
    let check = health.checks.iter().find(|c| c.name == "ktrdr-training-2025 gpu-1").unwrap();
    assert!(check.message.contains("s ago"), "{check:?}");
    assert!(double.calls("GET /health").is_empty(), "what it says of itself is not asked");
}
