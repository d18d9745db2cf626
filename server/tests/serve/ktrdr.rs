//! Service of ktrdr in the configuration: started, observed, cancelled through our API, and found again by a restarted
//! server.

#[expect(dead_code, reason = "the tests of the adapters themselves use all of it")]
#[path = "../../../crates/hosts/ktrdr/tests/adapter/double.rs"]
mod double;

use crate::process::Home;
use double::{Call, Double, Reply};
use protocol::api::HostList;
use protocol::operation::AttemptOrigin;
use protocol::{Operation, State};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// Worker with one training: after `start` it runs, at a third, until it is cancelled or released.
#[derive(Default)]
struct Worker {
    id: Option<String>,
    cancelled: bool,
    completed: bool,
}

fn answer(worker: &Mutex<Worker>, call: &Call) -> Reply {
    let mut worker = worker.lock().unwrap();
    let ok = |data: Value| Reply::Json(200, json!({"success": true, "data": data}));
    match (call.method.as_str(), call.path.as_str()) {
        ("POST", "/training/start") => {
            let id = call.body["task_id"].as_str().unwrap().to_owned();
            worker.id = Some(id.clone());
            Reply::Json(200, json!({"operation_id": id, "session_id": id, "status": "started"}))
        }
        ("GET", "/api/v1/operations") => ok(json!([])),
        ("GET", "/health") => Reply::Json(200, json!({"healthy": true, "worker_status": "busy"})),
        ("GET", path) if path.ends_with("/metrics") => {
            let from: u64 = call.query.trim_start_matches("cursor=").parse().unwrap();
            let rows: Vec<Value> = (from..3)
                .map(|e| json!({"epoch": e, "train_loss": 1.0 / (e + 1) as f64, "val_loss": 0.9}))
                .collect();
            ok(json!({"operation_type": "training", "metrics": [rows, 3], "cursor": from}))
        }
        ("DELETE", path) if path.ends_with("/cancel") => {
            worker.cancelled = true;
            ok(json!({"status": "cancelled"}))
        }
        ("GET", path)
            if worker.id.as_deref().is_some_and(|id| path == format!("/api/v1/operations/{id}")) =>
        {
            let (status, percent) = match (worker.cancelled, worker.completed) {
                (true, _) => ("cancelled", 0.0),
                (_, true) => ("completed", 100.0),
                _ => ("running", 33.3),
            };
            ok(json!({"status": status, "operation_type": "training",
                "created_at": "2026-11-23T08:01:58.634045Z", "started_at": null,
                "completed_at": if worker.completed { json!("2026-11-23T08:02:09Z") } else { Value::Null },
                "error_message": if worker.cancelled { json!("Cancelled by user") } else { Value::Null },
                "result_summary": if worker.completed {
                    json!({"model_path": "/srv/models/lab", "test_metrics": {"test_loss": 0.79},
                        "training_metrics": {}, "data_summary": {"symbols": ["MSFT"]}})
                } else { Value::Null },
                "metrics": null,
                "progress": {"percentage": percent, "current_step": "Epoch 3/9 · Batch 1/147",
                    "steps_completed": 0, "steps_total": 100, "items_processed": 294, "items_total": null}}))
        }
        _ => Reply::Json(404, json!({"detail": "Not Found"})),
    }
}

async fn worker() -> (Double, Arc<Mutex<Worker>>) {
    let worker = Arc::new(Mutex::new(Worker::default()));
    let told = worker.clone();
    (Double::new(move |call| answer(&told, call)).await, worker)
}

fn configure(home: &Home, url: &str) {
    let file = format!(
        "bundled = true\n[[host]]\nname = \"gpu-1\"\nurl = \"{url}\"\nprotocol = \"ktrdr-worker\"\n\
         offers = \"training\"\ntiming = {{ fastest = 0.02, slowest = 0.1 }}\n"
    );
    std::fs::create_dir_all(home.path().join("data")).unwrap();
    std::fs::write(home.path().join("data/signalbox.toml"), file).unwrap();
}

fn params() -> Value {
    json!({"strategy": "name: example", "symbols": "MSFT", "timeframes": "1h", "start": "2022-01-01"})
}

#[tokio::test]
async fn a_ktrdr_run_next_to_bundled_hosts_is_cancelled_with_a_receipt() {
    let home = Home::new();
    let (double, _) = worker().await;
    configure(&home, &double.url);
    let server = home.serve(&[]);
    let hosts: HostList = server.pool.get("/api/v1/hosts").await.unwrap();
    let names: Vec<&str> = hosts.hosts.iter().map(|h| h.name.as_str()).collect();
    assert_eq!(names, ["gpu-1", "local", "sweeps"]);

    let mut feed = server.follow(0).await;
    let operation = server.start("ktrdr.train", params()).await;
    feed.until(|o| o.id == operation.id && o.state == State::Running).await;
    server.ask(operation.id, "cancel").await;
    let ended: Operation = feed.until(|o| o.id == operation.id && o.state.ended()).await;
    assert_eq!(ended.state, State::Cancelled, "{:?}", ended.failure);
    let receipt = ended.receipt.unwrap();
    assert!(receipt.acknowledged.is_some() && receipt.released.is_some(), "{receipt:?}");
    assert_eq!(double.calls("DELETE ").len(), 1);
}

#[tokio::test]
async fn a_ktrdr_run_survives_a_server_restart_and_is_followed_again() {
    let home = Home::new();
    let (double, worker) = worker().await;
    configure(&home, &double.url);
    let server = home.serve(&[]);
    let mut feed = server.follow(0).await;
    let operation = server.start("ktrdr.train", params()).await;
    // The data for finding it again is stored durably.
    feed.until(|o| o.id == operation.id && o.checkpoint.as_ref().is_some_and(|c| c.state["started"] == true))
        .await;
    server.kill();

    let server = home.serve(&[]);
    let mut feed = server.follow(0).await;
    feed.until(|o| o.id == operation.id && o.attempt == 2 && o.state == State::Running).await;
    worker.lock().unwrap().completed = true;
    let ended: Operation = feed.until(|o| o.id == operation.id && o.state.ended() && o.attempt == 2).await;
    assert_eq!(ended.state, State::Succeeded, "{:?}", ended.failure);
    let attempts = server.detail(operation.id).await.attempts;
    assert_eq!(attempts[1].origin, AttemptOrigin::Resume);
    // The message of the first attempt does not claim that the work ended; it says where it continues.
    let why = &attempts[0].failure.as_ref().unwrap().message;
    assert!(why.contains("runs as signalbox-") && !why.contains("the work ended"), "{why}");
    // It was started once at the service.
    assert_eq!(double.calls("POST /training/start").len(), 1);
}
