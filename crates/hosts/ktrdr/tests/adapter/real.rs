//! Observed behaviour of the services of April 2026, with the correct handling: inaccurate records, lost stops,
//! restarts, resumes, last epochs that are only in the result.

use crate::double::{Call, Double, Reply};
use crate::served::{Served, config};
use protocol::host::{HostEventBody, HostState, Outcome};
use protocol::{ConditionKind, FailureReason, Progress};
use serde_json::{Value, json};
use signalbox_ktrdr_host::{AdapterConfig, KtrdrRunResult, Protocol};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const TRAIN: &str = "ktrdr.train";
/// Epochs of a training, and batches of an epoch.
const EPOCHS: u64 = 40;
const BATCHES: u64 = 25;

/// Fake service: its record, and what really runs.
#[derive(Default)]
struct Service {
    id: Option<String>,
    /// Status: `running`, `cancelled`, `completed`, …
    record: String,
    error: Option<&'static str>,
    /// Whether the record shows steps and metrics; not after a restart.
    shows: bool,
    /// Epochs completed since the start or resume.
    over: u64,
    /// First epoch since the start or resume.
    first: u64,
    /// Status in the session list; workers have none.
    session: Option<&'static str>,
    starts: Vec<Value>,
    deletes: usize,
    resumes: usize,
    /// A resume is accepted, but nothing runs.
    resumes_in_vain: bool,
    /// Epochs held back from the cursor, like the last ones at the end.
    held_back: u64,
}

type Shared = Arc<Mutex<Service>>;

fn service() -> Shared {
    Arc::new(Mutex::new(Service { record: "running".to_owned(), shows: true, ..Service::default() }))
}

fn row(epoch: u64) -> Value {
    json!({"epoch": epoch, "train_loss": 2.0 / (epoch + 2) as f64, "val_loss": 0.7, "timestamp": "2026-11-24T10:00:00Z"})
}

fn record(s: &Service) -> Value {
    let running = s.record == "running" && s.shows;
    let items = s.over * BATCHES + 5;
    let of = (EPOCHS - s.first) * BATCHES;
    let epoch = s.first + s.over + 1;
    let progress = match running {
        true if epoch <= EPOCHS => json!({"percentage": 100.0 * items as f64 / of as f64,
            "current_step": format!("Epoch {epoch}/100 · Batch 5/{BATCHES}"), "steps_total": 100,
            "items_processed": items, "items_total": null}),
        _ => json!({"percentage": 0.0, "current_step": null, "steps_total": 0, "items_processed": 0}),
    };
    let history: Vec<f64> = (s.first..EPOCHS).map(|epoch| 2.0 / (epoch + 2) as f64).collect();
    let summary = (s.record == "completed").then(|| {
        json!({"model_path": "/srv/lab/models/dax/1h_v3", "test_metrics": {"test_loss": 0.61}, "training_metrics":
            {"epochs_trained": history.len(), "history": {"train_loss": history}}})
    });
    json!({"success": true, "data": {"status": s.record, "operation_type": "training", "error_message": s.error,
        "created_at": "2026-11-24T09:59:58Z", "started_at": null, "completed_at": null, "progress": progress,
        "metrics": null, "result_summary": summary}})
}

fn answer(shared: &Shared, call: &Call) -> Reply {
    let mut s = shared.lock().unwrap();
    match (call.method.as_str(), call.path.as_str()) {
        ("POST", "/training/start") => {
            s.starts.push(call.body.clone());
            let id = call.body["task_id"].as_str().unwrap().to_owned();
            s.id = Some(id.clone());
            Reply::Json(200, json!({"success": true, "operation_id": id, "status": "started"}))
        }
        ("POST", "/training/resume") => {
            s.resumes += 1;
            if s.session.is_some() {
                return Reply::Json(404, json!({"detail": "Not Found"}));
            }
            (s.record, s.error) = ("running".to_owned(), Some("cancelled in Signalbox"));
            (s.first, s.over, s.shows) = (12, 0, !s.resumes_in_vain);
            let id = s.id.clone();
            Reply::Json(
                200,
                json!({"success": true, "operation_id": id, "status": "started", "resumed_from_epoch": 11}),
            )
        }
        ("GET", "/training/sessions") => match s.session {
            Some("") => Reply::Json(200, json!({"total_sessions": 0, "sessions": []})),
            Some(status) => Reply::Json(
                200,
                json!({"total_sessions": 1, "sessions": [{"session_id": s.id, "status": status, "progress": {
                    "epoch": s.over, "total_epochs": EPOCHS, "batch": 5, "total_batches": BATCHES,
                    "progress_percent": 100.0 * s.over as f64 / EPOCHS as f64, "message": "Epoch by the list"}}]}),
            ),
            None => Reply::Json(404, json!({"detail": "Not Found"})),
        },
        ("GET", path) if path.ends_with("/metrics") => {
            let cursor: u64 = call.query.strip_prefix("cursor=").unwrap().parse().unwrap();
            // Without the training process, the cursor stays the same.
            if !s.shows || s.record != "running" {
                return Reply::Json(200, json!({"success": true, "data": {"metrics": [[], cursor]}}));
            }
            let rows: Vec<Value> = (cursor..s.over - s.held_back).map(|at| row(s.first + at)).collect();
            Reply::Json(200, json!({"success": true, "data": {"metrics": [rows, s.over - s.held_back]}}))
        }
        ("DELETE", _) => {
            s.deletes += 1;
            (s.record, s.error) = ("cancelled".to_owned(), Some("cancelled in Signalbox"));
            Reply::Json(200, json!({"success": true, "data": {"success": true, "status": "cancelled"}}))
        }
        ("GET", path) if s.id.as_deref().is_some_and(|id| path == format!("/api/v1/operations/{id}")) => {
            Reply::Json(200, record(&s))
        }
        ("GET", "/api/v1/operations") => Reply::Json(200, json!({"success": true, "data": []})),
        _ => Reply::Json(404, json!({"detail": "Operation not found"})),
    }
}

async fn double(shared: &Shared) -> Double {
    let shared = Arc::clone(shared);
    Double::new(move |call| answer(&shared, call)).await
}

fn adapter(double: &Double) -> AdapterConfig {
    config(Protocol::Worker, &double.url)
}

fn params() -> Value {
    json!({"strategy": "name: dax", "symbols": "DAX", "timeframes": "1h", "start": "2022-01-01", "end": "2024-01-01"})
}

fn done(e: &HostEventBody, done: u64) -> bool {
    matches!(e, HostEventBody::Progress { progress } if progress.done == done)
}

#[tokio::test]
async fn a_cancelled_record_is_not_cancelled_while_its_session_runs() {
    let shared = service();
    shared.lock().unwrap().session = Some("running");
    let double = double(&shared).await;
    let mut adapter = adapter(&double);
    adapter.timing.confirm = 0.05;
    let mut host = Served::new(&adapter).await;
    let id = host.start(TRAIN, &params()).await;
    shared.lock().unwrap().over = 7;
    host.until(|e| done(e, 7)).await;
    host.cancel(id, Duration::from_millis(1)).await;
    let condition = host.until_condition(ConditionKind::Unstoppable).await;
    assert!(condition.contains("can't stop") && condition.contains("the run continues"), "{condition}");
    assert_eq!(host.show(id).await.state, HostState::Stopping);
    assert_eq!(host.health().await.free, 0, "it keeps its slot");
    // The training continues to its end, which is reported.
    shared.lock().unwrap().over = 30;
    host.until(|e| done(e, 30)).await;
    {
        let mut service = shared.lock().unwrap();
        (service.record, service.session, service.over) = ("completed".to_owned(), Some("completed"), EPOCHS);
    }
    let ended = host.until_end().await;
    assert_eq!(ended.document()["model"], "/srv/lab/models/dax/1h_v3", "it ends by what really ended");
    assert_eq!(shared.lock().unwrap().deletes, 1, "another one would change nothing");
}

#[tokio::test]
async fn a_cancel_is_confirmed_when_its_session_no_longer_runs() {
    let shared = service();
    shared.lock().unwrap().session = Some("running");
    let double = double(&shared).await;
    let mut host = Served::new(&adapter(&double)).await;
    let id = host.start(TRAIN, &params()).await;
    shared.lock().unwrap().over = 3;
    host.until(|e| done(e, 3)).await;
    host.cancel(id, Duration::from_secs(60)).await;
    double.called("DELETE", 1).await;
    double.called("GET /training/sessions", 2).await;
    assert_eq!(host.show(id).await.state, HostState::Stopping);
    shared.lock().unwrap().session = Some("stopped");
    assert_eq!(host.until_end().await.outcome, Outcome::Cancelled);
}

#[tokio::test]
async fn an_unanswered_stop_is_repeated_until_the_run_has_ended() {
    let shared = service();
    let inner = Arc::clone(&shared);
    let frozen = Arc::new(Mutex::new(true));
    let still = Arc::clone(&frozen);
    let double = Double::new(move |call| {
        if call.method == "DELETE" && *still.lock().unwrap() {
            return Reply::Hang;
        }
        answer(&inner, call)
    })
    .await;
    let mut adapter = adapter(&double);
    adapter.timing.stop = 0.05;
    let mut host = Served::new(&adapter).await;
    let id = host.start(TRAIN, &params()).await;
    shared.lock().unwrap().over = 5;
    host.until(|e| done(e, 5)).await;
    host.cancel(id, Duration::from_millis(1)).await;
    let condition = host.until_condition(ConditionKind::CancelUndelivered).await;
    assert!(condition.contains("the run continues meanwhile"), "{condition}");
    double.called("DELETE", 3).await;
    *frozen.lock().unwrap() = false;
    let ended = host.until_end().await;
    assert_eq!(ended.outcome, Outcome::Cancelled, "{:?}", ended.failure);
}

#[tokio::test]
async fn the_last_figures_before_a_cancel_are_read() {
    let shared = service();
    let double = double(&shared).await;
    let mut host = Served::new(&AdapterConfig {
        timing: signalbox_ktrdr_host::Timing { fastest: 0.005, slowest: 3600.0, ..adapter(&double).timing },
        ..adapter(&double)
    })
    .await;
    let id = host.start(TRAIN, &params()).await;
    host.until_started().await;
    // Polls are rare by now, as for an idle run.
    double.called("GET /api/v1/operations/", 6).await;
    shared.lock().unwrap().over = 9;
    host.cancel(id, Duration::from_secs(60)).await;
    let ended = host.until_end().await;
    assert_eq!(ended.outcome, Outcome::Cancelled);
    assert_eq!(ended.points("train_loss").len(), 9);
}

#[tokio::test]
async fn a_restarted_service_is_detected_by_its_list_of_sessions() {
    let shared = service();
    shared.lock().unwrap().session = Some("running");
    let double = double(&shared).await;
    let mut host = Served::new(&adapter(&double)).await;
    let id = host.start(TRAIN, &params()).await;
    let checkpoint = host.until_started().await;
    shared.lock().unwrap().over = 4;
    host.until(|e| done(e, 4)).await;
    {
        let mut service = shared.lock().unwrap();
        (service.record, service.shows, service.session) = ("pending".to_owned(), false, Some(""));
    }
    let ended = host.until_end().await;
    assert_eq!(ended.reason(), FailureReason::HostRestarted);
    assert!(ended.failed().contains("was restarted"), "{}", ended.failed());
    // A resume does not follow a run that is not active, and this service can't resume it.
    let mut host = Served::new(&adapter(&double)).await;
    host.resume(id, TRAIN, &params(), &checkpoint).await;
    let ended = host.until_end().await;
    assert!(ended.failed().contains("can't resume it"), "{}", ended.failed());
}

#[tokio::test]
async fn a_restarted_worker_is_detected_by_an_empty_record() {
    let shared = service();
    let double = double(&shared).await;
    let mut host = Served::new(&adapter(&double)).await;
    let id = host.start(TRAIN, &params()).await;
    let checkpoint = host.until_started().await;
    shared.lock().unwrap().over = 14;
    host.until(|e| done(e, 14)).await;
    shared.lock().unwrap().shows = false;
    let ended = host.until_end().await;
    assert_eq!(ended.reason(), FailureReason::HostRestarted);
    assert_eq!(ended.progress().last().map(|p| p.done), Some(14).filter(|_| !ended.progress().is_empty()));

    // Resumed from the worker's own checkpoint, with continued counts.
    let mut host = Served::new(&adapter(&double)).await;
    host.resume(id, TRAIN, &params(), &checkpoint).await;
    host.until_started().await;
    shared.lock().unwrap().over = 5;
    let reported =
        |p: &Progress| (p.done, p.total) == (17, Some(EPOCHS)) && p.fraction.is_some_and(|f| f > 0.42);
    host.until(|e| matches!(e, HostEventBody::Progress { progress } if reported(progress))).await;
    // The cursor is an index and not an epoch: more rows arrive.
    shared.lock().unwrap().over = 8;
    host.until(|e| done(e, 20)).await;
    shared.lock().unwrap().record = "completed".to_owned();
    let ended = host.until_end().await;
    let result: KtrdrRunResult = serde_json::from_value(ended.document().clone()).unwrap();
    assert_eq!(result.epochs, EPOCHS);
    let last = ended.points("train_loss");
    assert_eq!(
        last.last().map(|(x, _)| *x),
        Some(EPOCHS as f64),
        "the history begins at the epoch of the resume"
    );
    assert_eq!(shared.lock().unwrap().resumes, 1);
}

#[tokio::test]
async fn a_resume_that_never_runs_is_reported() {
    let shared = service();
    shared.lock().unwrap().resumes_in_vain = true;
    let double = double(&shared).await;
    let mut adapter = adapter(&double);
    adapter.timing.idle = 0.05;
    let mut host = Served::new(&adapter).await;
    let id = host.start(TRAIN, &params()).await;
    let checkpoint = host.until_started().await;
    shared.lock().unwrap().over = 2;
    host.until(|e| done(e, 2)).await;
    host.cancel(id, Duration::from_secs(60)).await;
    assert_eq!(host.until_end().await.outcome, Outcome::Cancelled);
    host.resume(id, TRAIN, &params(), &checkpoint).await;
    let ended = host.until_end().await;
    assert_eq!(ended.reason(), FailureReason::Work);
    assert!(ended.failed().contains("then nothing ran"), "{}", ended.failed());
    assert_eq!(shared.lock().unwrap().record, "cancelled", "its record does not say for ever that it runs");
}

#[tokio::test]
async fn the_last_epochs_are_taken_from_the_result() {
    let shared = service();
    let double = double(&shared).await;
    let mut host = Served::new(&adapter(&double)).await;
    let id = host.start(TRAIN, &params()).await;
    let checkpoint = host.until_started().await;
    {
        let mut service = shared.lock().unwrap();
        (service.over, service.held_back) = (39, 2);
    }
    let before = host.until(|e| done(e, 39)).await;
    assert!(!before.is_empty());
    shared.lock().unwrap().record = "completed".to_owned();
    let ended = host.until_end().await;
    let points = ended.points("train_loss");
    assert_eq!(points.last(), Some(&(40.0, 2.0 / 41.0)));
    assert_eq!(ended.document()["epochs"], 40);

    // A run that completed without being polled has its complete series.
    let mut host = Served::new(&adapter(&double)).await;
    host.resume(id, TRAIN, &params(), &checkpoint).await;
    let ended = host.until_end().await;
    assert_eq!((ended.document()["epochs"].clone(), ended.points("train_loss").len()), (json!(40), 40));
    assert_eq!(ended.progress().last().unwrap().done, 40);
}

#[tokio::test]
async fn empty_symbols_and_timeframes_are_those_of_the_strategy() {
    let shared = service();
    shared.lock().unwrap().record = "completed".to_owned();
    let double = double(&shared).await;
    let strategy = "name: dax\ntraining_data:\n  symbols: {mode: multi_symbol, list: [DAX, CAC]}\n  timeframes:\n    \
                    mode: single\n    timeframe: 4h\n  date_range: {start: 2021-05-06}\n";
    let mut host = Served::new(&adapter(&double)).await;
    host.run(
        TRAIN,
        &json!({"strategy": strategy, "end": "2024-01-01", "strategy_path": "/srv/lab/dax.yaml"}),
    )
    .await;
    let order = shared.lock().unwrap().starts[0].clone();
    assert_eq!((&order["symbols"], &order["timeframes"]), (&json!(["DAX", "CAC"]), &json!(["4h"])));
    assert_eq!((&order["start_date"], &order["end_date"]), (&json!("2021-05-06"), &json!("2024-01-01")));
    assert_eq!(order["strategy_path"], "/srv/lab/dax.yaml");
    assert_eq!(order["strategy_yaml"], strategy, "its lines are kept");

    // A strategy without symbols is rejected, because the service would train on other data.
    let body = json!({"id": protocol::OperationId::new(), "attempt": 1, "kind": TRAIN, "params": {"strategy": "name: dax"}});
    let answer = host.try_start(body).await;
    assert_eq!(answer.status(), 422);
    let problem: Value = answer.json().await.unwrap();
    let fields: Vec<_> = problem["fields"].as_array().unwrap().iter().map(|f| f["field"].clone()).collect();
    assert_eq!(fields, ["symbols", "timeframes"], "{problem}");
    assert_eq!(shared.lock().unwrap().starts.len(), 1);
}

#[tokio::test]
async fn a_path_alone_is_rejected_before_the_service_is_called() {
    let shared = service();
    let double = double(&shared).await;
    let host = Served::new(&adapter(&double)).await;
    let mut bad = params();
    bad["strategy"] = json!("strategies/dax.yaml");
    let body = json!({"id": protocol::OperationId::new(), "attempt": 1, "kind": TRAIN, "params": bad});
    let answer = host.try_start(body).await;
    assert_eq!(answer.status(), 422);
    assert!(double.calls("POST").is_empty());
}

#[tokio::test]
async fn the_form_has_a_multiline_field_for_a_strategy() {
    let double = double(&service()).await;
    let schema = |about: protocol::host::About| about.kinds[0].params["properties"].clone();
    let worker = schema(Served::new(&adapter(&double)).await.about().await);
    assert_eq!(worker["strategy"]["format"], "multiline");
    assert!(worker.get("strategy_path").is_some());
    let of_2025 = schema(Served::new(&config(Protocol::Training2025, &double.url)).await.about().await);
    assert!(of_2025.get("strategy_path").is_none(), "it can't resume");
}

#[tokio::test]
async fn a_training_completed_during_an_outage_has_its_epochs_from_the_sessions() {
    let shared = service();
    let inner = Arc::clone(&shared);
    // The training host has no history in its result.
    let double = Double::new(move |call| match answer(&inner, call) {
        Reply::Json(200, mut record) if record.pointer("/data/result_summary/training_metrics").is_some() => {
            record["data"]["result_summary"]["training_metrics"] = json!({});
            Reply::Json(200, record)
        }
        reply => reply,
    })
    .await;
    shared.lock().unwrap().session = Some("running");
    let mut host = Served::new(&adapter(&double)).await;
    let id = host.start(TRAIN, &params()).await;
    let checkpoint = host.until_started().await;
    host.leave().await;
    host.until_end().await;
    {
        let mut service = shared.lock().unwrap();
        (service.record, service.session, service.over) =
            ("completed".to_owned(), Some("completed"), EPOCHS - 1);
    }
    let mut host = Served::new(&adapter(&double)).await;
    host.resume(id, TRAIN, &params(), &checkpoint).await;
    let ended = host.until_end().await;
    assert_eq!(ended.document()["epochs"], EPOCHS);
    assert_eq!(ended.progress().last().unwrap().done, EPOCHS);
}
