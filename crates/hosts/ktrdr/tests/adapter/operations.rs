//! `ktrdr-worker`: one test per peculiarity of the training host and the workers of April 2026.

use crate::double::{Call, Double, Reply};
use crate::served::{Served, config};
use protocol::Progress;
use protocol::host::{HostEventBody, Outcome};
use serde_json::{Value, json};
use signalbox_ktrdr_host::{AdapterConfig, KtrdrRunResult, Offers, Protocol};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const TRAIN: &str = "ktrdr.train";
const BACKTEST: &str = "ktrdr.backtest";

/// Operation: steps through the poll results, and stays at the last.
#[derive(Default)]
struct Operation {
    id: Option<String>,
    looks: Vec<Value>,
    at: usize,
    /// Completed epochs, by poll.
    over: Vec<u64>,
    after_resume: Vec<Value>,
    started: Vec<Value>,
}

type Shared = Arc<Mutex<Operation>>;

fn rows(from: u64, over: u64) -> Vec<Value> {
    (from..over)
        .map(|e| {
            json!({"epoch": e, "train_loss": 1.0 / (e + 1) as f64, "val_loss": 0.9, "learning_rate": 0.001,
            "timestamp": "2026-11-23T08:02:00Z"})
        })
        .collect()
}

fn look(status: &str, percent: f64, step: Option<&str>, items: u64) -> Value {
    json!({"status": status, "operation_type": "training", "created_at": "2026-11-23T08:01:58.634045Z",
        "started_at": null, "completed_at": null, "error_message": null, "result_summary": null, "metrics": null,
        "progress": {"percentage": percent, "current_step": step, "steps_completed": 0, "steps_total": 100,
            "items_processed": items, "items_total": null}})
}

fn completed() -> Value {
    let mut look = look("completed", 100.0, None, 0);
    look["completed_at"] = json!("2026-11-23T08:02:09.092014Z");
    look["result_summary"] = json!({"model_path": "/srv/models/lab/1h_v2", "test_metrics": {"test_loss": 0.79},
        "training_metrics": {}, "data_summary": {"symbols": ["MSFT"]}});
    look
}

fn failed(why: &str) -> Value {
    let mut look = look("failed", 0.0, None, 0);
    look["error_message"] = json!(why);
    look
}

fn shared(looks: Vec<(Value, u64)>) -> Shared {
    let (looks, over) = looks.into_iter().unzip();
    Arc::new(Mutex::new(Operation { looks, over, ..Operation::default() }))
}

/// Run of 60 epochs with 147 batches each, as observed: progress goes back from 5 to 3.3 %, "of 100", and is missing at
/// the end.
fn run_of_60() -> Vec<(Value, u64)> {
    let items = |epoch: u64, batch: u64| epoch * 147 + batch;
    let percent = |items: u64| items as f64 / 88.2;
    let at = |epoch, batch| {
        let items = items(epoch, batch);
        let step = format!("Epoch {}/100 · Batch {batch}/147", epoch + 1);
        look("running", percent(items), Some(&step), items)
    };
    vec![
        (look("running", 0.0, Some(""), 0), 0),
        (look("running", 5.0, Some("Creating model (input_dim=2)"), 0), 0),
        (at(2, 1), 2),
        (at(24, 10), 24),
        (at(24, 10), 24),
        (at(59, 30), 59),
        (completed(), 60),
    ]
}

fn answer(shared: &Shared, call: &Call) -> Reply {
    let mut o = shared.lock().unwrap();
    let ok = |data: Value| Reply::Json(200, json!({"success": true, "data": data}));
    match (call.method.as_str(), call.path.as_str()) {
        ("POST", "/training/start" | "/backtests/start") => {
            let id = call.body["task_id"].as_str().unwrap().to_owned();
            o.started.push(call.body.clone());
            o.id = Some(id.clone());
            Reply::Json(200, json!({"operation_id": id, "session_id": id, "status": "started"}))
        }
        ("POST", "/training/resume" | "/backtests/resume") => {
            if o.after_resume.is_empty() {
                return Reply::Json(404, json!({"detail": "No checkpoint found"}));
            }
            o.looks = std::mem::take(&mut o.after_resume);
            o.over = vec![3; o.looks.len()];
            o.at = 0;
            Reply::Json(
                200,
                json!({"success": true, "operation_id": call.body["operation_id"], "status": "started"}),
            )
        }
        ("GET", "/api/v1/operations") => ok(json!([])),
        ("GET", "/health") => Reply::Json(200, json!({"healthy": true, "worker_status": "idle"})),
        ("GET", path) if path.ends_with("/metrics") => {
            let from: u64 = call.query.strip_prefix("cursor=").unwrap().parse().unwrap();
            let over = o.over[o.at.saturating_sub(1).min(o.over.len() - 1)];
            ok(json!({"operation_type": "training", "metrics": [rows(from, over), over], "cursor": from}))
        }
        ("DELETE", path) if path.ends_with("/cancel") => {
            let mut cancelled = look("cancelled", 0.0, None, 0);
            cancelled["error_message"] = json!("Cancelled by user");
            o.looks = vec![look("running", 0.0, None, 0), cancelled];
            o.over = vec![0, 0];
            o.at = 0;
            Reply::Json(200, json!({"success": true, "data": {"status": "cancelled"}}))
        }
        ("GET", path) if o.id.as_deref().is_some_and(|id| path == format!("/api/v1/operations/{id}")) => {
            let at = o.at.min(o.looks.len() - 1);
            o.at = at + 1;
            ok(o.looks[at].clone())
        }
        _ => Reply::Json(404, json!({"detail": "Not Found"})),
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
    json!({"strategy": "name: example", "symbols": "MSFT", "timeframes": "1h", "start": "2022-01-01"})
}

#[tokio::test]
async fn decreasing_progress_and_wrong_totals_are_not_adopted() {
    let (looks, over): (Vec<_>, Vec<_>) = run_of_60().into_iter().unzip();
    // Stays there until that was reported.
    let shared = shared(vec![(looks[1].clone(), 0)]);
    let go = |to: std::ops::Range<usize>| {
        let mut operation = shared.lock().unwrap();
        (operation.looks, operation.over, operation.at) = (looks[to.clone()].to_vec(), over[to].to_vec(), 0);
    };
    let double = double(&shared).await;
    let mut host = Served::new(&adapter(&double)).await;
    host.start(TRAIN, &params()).await;
    let told = |e: &HostEventBody, so: fn(&Progress) -> bool| matches!(e, HostEventBody::Progress { progress } if so(progress));
    host.until(|e| told(e, |p| p.fraction == Some(0.05))).await;
    go(2..3);
    // 3.3 % on the service.
    host.until(|e| told(e, |p| (p.done, p.total, p.fraction) == (2, Some(60), Some(0.05)))).await;
    go(3..7);
    let ended = host.until_end().await;
    let result: KtrdrRunResult = serde_json::from_value(ended.document().clone()).unwrap();
    assert_eq!((result.epochs, result.metrics["test_metrics.test_loss"]), (60, 0.79));
    assert!(result.ended.unwrap().at.is_some(), "its times have a zone");

    let progress = ended.progress();
    let fractions: Vec<f64> = progress.iter().filter_map(|p| p.fraction).collect();
    assert!(fractions.is_sorted() && fractions[0] >= 0.05, "{fractions:?}");
    let totals: Vec<u64> = progress.iter().filter_map(|p| p.total).collect();
    assert!(totals.iter().all(|total| *total == 60) && !totals.is_empty(), "{totals:?}");
    assert!(progress.iter().all(|p| !p.message.contains("/100")));
    assert_eq!((progress.last().unwrap().done, progress.last().unwrap().fraction), (60, Some(1.0)));
}

#[tokio::test]
async fn metrics_given_as_a_pair_are_requested_by_cursor_and_reported_once() {
    let shared = shared(run_of_60());
    let double = double(&shared).await;
    let ended = Served::new(&adapter(&double)).await.run(TRAIN, &params()).await;
    let x: Vec<f64> = ended.points("train_loss").into_iter().map(|(x, _)| x).collect();
    assert_eq!(x, (1..=60).map(f64::from).collect::<Vec<_>>());
    assert_eq!(ended.points("learning_rate").len(), 60);
    let id = shared.lock().unwrap().id.clone().unwrap();
    let asked = double.calls(&format!("GET /api/v1/operations/{id}/metrics"));
    let cursors: Vec<_> = asked.into_iter().map(|call| call.query).collect();
    assert_eq!(cursors.last().unwrap(), "cursor=59", "only what is new: {cursors:?}");
}

#[tokio::test]
async fn unreadable_curves_do_not_lose_the_run() {
    let shared = shared(run_of_60());
    let inner = Arc::clone(&shared);
    let double = Double::new(move |call| {
        if call.path.ends_with("/metrics") {
            return Reply::Json(200, json!({"success": true, "data": {"metrics": {"epochs": "many"}}}));
        }
        answer(&inner, call)
    })
    .await;
    let ended = Served::new(&adapter(&double)).await.run(TRAIN, &params()).await;
    assert_eq!(ended.document()["run"], json!(shared.lock().unwrap().id));
    let log = ended.log();
    assert!(log.contains("'data.metrics.epochs' should be a list, but is text ('many')"), "{log}");
    assert_eq!(log.matches("unexpected response").count(), 1, "told once: {log}");
}

#[tokio::test]
async fn a_cancel_is_a_delete_and_the_reset_progress_is_ignored() {
    let mut looks = run_of_60();
    looks.pop();
    let shared = shared(looks);
    let double = double(&shared).await;
    let mut host = Served::new(&adapter(&double)).await;
    let id = host.start(TRAIN, &params()).await;
    let before =
        host.until(|e| matches!(e, HostEventBody::Progress { progress } if progress.done == 59)).await;
    assert!(!before.is_empty());
    host.cancel(id, Duration::from_secs(60)).await;
    let ended = host.until_end().await;
    assert_eq!(ended.outcome, Outcome::Cancelled, "{:?}", ended.failure);
    assert!(ended.progress().iter().all(|p| p.done == 59 && p.fraction > Some(0.9)), "{:?}", ended.events);
    let asked = double.calls("DELETE");
    assert_eq!((asked.len(), asked[0].query.as_str()), (1, "reason=cancelled%20in%20Signalbox"));
}

#[tokio::test]
async fn a_resume_of_a_stopped_run_uses_the_resume_of_the_service() {
    let shared = shared(vec![(look("running", 0.0, Some("Loading"), 0), 0), (failed("worker shut down"), 0)]);
    let double = double(&shared).await;
    let mut host = Served::new(&adapter(&double)).await;
    let id = host.start(TRAIN, &params()).await;
    let ended = host.until_end().await;
    assert!(ended.failed().contains("worker shut down"), "{}", ended.failed());

    shared.lock().unwrap().after_resume = vec![look("running", 0.0, Some("Restored"), 0), completed()];
    host.resume(id, TRAIN, &params(), &ended.checkpoint()).await;
    let resumed = host.until_end().await;
    assert_eq!(resumed.document()["epochs"], 3);
    let run = shared.lock().unwrap().id.clone();
    assert_eq!(double.calls("POST /training/resume")[0].body, json!({"operation_id": run}));
    assert_eq!(shared.lock().unwrap().started.len(), 1, "nothing was started a second time");

    // Without a checkpoint on the service it says so.
    shared.lock().unwrap().looks = vec![failed("worker shut down")];
    let mut host = Served::new(&adapter(&double)).await;
    host.resume(id, TRAIN, &params(), &ended.checkpoint()).await;
    let ended = host.until_end().await;
    assert!(ended.failed().contains("No checkpoint found"), "{}", ended.failed());
}

#[tokio::test]
async fn an_error_in_a_200_is_an_error() {
    let shared = shared(run_of_60());
    let inner = Arc::clone(&shared);
    let double = Double::new(move |call| match call.path.starts_with("/api/v1/operations/") {
        true => Reply::Json(200, json!({"success": false, "error": "registry is locked"})),
        false => answer(&inner, call),
    })
    .await;
    let ended = Served::new(&adapter(&double)).await.run(TRAIN, &params()).await;
    assert!(ended.failed().contains("registry is locked"), "{}", ended.failed());
}

#[tokio::test]
async fn a_backtest_is_requested_in_the_terms_of_the_worker_and_counts_bars() {
    let mut half = look("running", 50.0, Some("Bar 500"), 500);
    half["progress"]["items_total"] = json!(1000);
    let mut done = completed();
    done["result_summary"] =
        json!({"metrics": {"total_return": 0.12, "total_trades": 31}, "trades": vec![1; 500]});
    // Stays at 50 % until that was reported.
    let shared = shared(vec![(half, 0)]);
    let double = double(&shared).await;
    let mut host = Served::new(&adapter(&double)).await;
    let params = json!({"strategy": "mean", "symbol": "MSFT", "timeframe": "1h", "start": "2024-01-01",
        "end": "2024-06-01", "capital": 5000});
    host.start(BACKTEST, &params).await;
    let is_half =
        |p: &Progress| (p.done, p.total, p.unit.as_str(), p.fraction) == (500, Some(1000), "bars", Some(0.5));
    host.until(|e| matches!(e, HostEventBody::Progress { progress } if is_half(progress))).await;
    shared.lock().unwrap().looks = vec![done];
    let ended = host.until_end().await;
    assert_eq!(ended.document()["what"], "backtest");
    assert_eq!(ended.document()["metrics"]["metrics.total_return"], 0.12);
    assert_eq!(ended.document()["said"]["trades"], json!({"left_out": 500}));
    assert_eq!(ended.progress().last().unwrap().done, 1000);
    let mut order = shared.lock().unwrap().started[0].clone();
    assert!(order.as_object_mut().unwrap().remove("task_id").is_some());
    assert_eq!(
        order,
        json!({"strategy_name": "mean", "symbol": "MSFT", "timeframe": "1h",
        "start_date": "2024-01-01", "end_date": "2024-06-01", "initial_capital": 5000.0})
    );
}

#[tokio::test]
async fn a_worker_offers_its_configured_kinds_and_reports_its_health_once() {
    let shared = shared(run_of_60());
    let double = double(&shared).await;
    let both = Served::new(&adapter(&double)).await;
    let kinds: Vec<String> = both.about().await.kinds.into_iter().map(|kind| kind.name.to_string()).collect();
    assert_eq!(kinds, [TRAIN, BACKTEST]);
    let health = both.until_health(|h| h.ready).await;
    assert_eq!(health.checks.iter().filter(|c| c.name.starts_with("ktrdr-worker")).count(), 1, "{health:?}");
    let one = Served::new(&AdapterConfig { offers: Offers::Backtests, ..adapter(&double) }).await;
    let kinds = one.about().await.kinds;
    assert_eq!((kinds.len(), kinds[0].name.to_string()), (1, BACKTEST.to_owned()));
    assert_eq!(one.until_health(|h| h.ready).await.checks.len(), health.checks.len());
}
