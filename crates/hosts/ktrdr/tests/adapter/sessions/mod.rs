//! `ktrdr-training-2025`: fake of the training host of October 2025, with its observed behaviour.

mod begin;
mod cancel;
mod follow;

use crate::double::{Call, Double, Reply};
use crate::served::config;
use serde_json::{Value, json};
use signalbox_ktrdr_host::{AdapterConfig, Protocol};
use std::sync::{Arc, Mutex};

const KIND: &str = "ktrdr.train-2025";
const STOPPED: &str = "Training cancelled by user request";

/// State of a session.
#[derive(Clone, Default)]
struct Session {
    id: Option<String>,
    /// Completed epochs, of 20.
    over: u64,
    /// Epochs between two polls; 0 stands still.
    stride: u64,
    error: Option<&'static str>,
    starts: usize,
    stops: usize,
    results: usize,
    looks_after_stop: usize,
}

type Shared = Arc<Mutex<Session>>;

fn session(stride: u64) -> Shared {
    Arc::new(Mutex::new(Session { stride, ..Session::default() }))
}

/// Status with its history: two batches and an end per epoch, in the format of that host.
fn status(session: &Session) -> Value {
    let over = session.over;
    let state = match (over, session.error) {
        (_, Some(_)) => "failed",
        (20, None) => "completed",
        _ => "running",
    };
    let (mut epoch, mut kind, mut train) = (vec![], vec![], vec![]);
    for e in 0..over {
        for what in ["batch", "batch", "epoch"] {
            epoch.push(e);
            kind.push(what);
            train.push(1.0 / (e + 1) as f64 + if what == "batch" { 0.5 } else { 0.0 });
        }
    }
    let val: Vec<f64> = (0..over).map(|e| 0.8 - e as f64 / 100.0).collect();
    let progress = if over == 0 {
        json!({"epoch": 0, "total_epochs": 100, "batch": 0, "total_batches": 0, "progress_percent": 0.0,
            "items_processed": 0, "items_total": null, "message": "Starting training pipeline"})
    } else {
        let shown = over.min(19);
        json!({"epoch": shown, "total_epochs": 20, "batch": 0, "total_batches": 110,
            "progress_percent": over as f64 * 5.0, "items_processed": over * 110, "items_total": 2200,
            "message": format!("Epoch {shown}/20"), "current_item": format!("Epoch {shown}/20")})
    };
    json!({"session_id": session.id, "status": state, "progress": progress,
        "metrics": {"current": {"epoch": epoch, "progress_type": kind, "total_bars": vec![3513; train.len()],
            "train_loss": train, "val_loss": val}, "best": {}},
        "start_time": "2026-11-23T07:45:42.185658", "last_updated": "2026-11-23T07:45:47.352588",
        "error": session.error})
}

fn not_found(call: &Call) -> Reply {
    let id = call.path.rsplit('/').next().unwrap_or_default();
    Reply::Json(404, json!({"detail": format!("Session {id} not found")}))
}

/// Default behaviour. A stop takes effect at the second poll after it.
fn answer(shared: &Shared, call: &Call) -> Reply {
    let mut s = shared.lock().unwrap();
    let known = s.id.as_deref().is_some_and(|id| call.path.ends_with(id));
    match (call.method.as_str(), call.path.split('/').nth(2).unwrap_or_default()) {
        ("POST", "start") => {
            s.starts += 1;
            let id = call.body["session_id"].as_str().unwrap().to_owned();
            if s.id.as_ref() == Some(&id) {
                return Reply::Json(409, json!({"detail": format!("Session {id} already exists")}));
            }
            s.id = Some(id.clone());
            Reply::Json(200, json!({"session_id": id, "status": "started", "gpu_allocated": false}))
        }
        ("GET", "status") if known => {
            if s.stops > 0 {
                s.looks_after_stop += 1;
                if s.looks_after_stop == 2 {
                    s.error = Some(STOPPED);
                }
            }
            let response = status(&s);
            if s.error.is_none() {
                s.over = (s.over + s.stride).min(20);
            }
            Reply::Json(200, response)
        }
        ("POST", "stop") => {
            s.stops += 1;
            match s.stops {
                1 => Reply::Json(200, json!({"session_id": s.id, "status": "stopped"})),
                _ => Reply::Json(500, json!({"detail": "Failed to stop session"})),
            }
        }
        ("GET", "result") if known => {
            s.results += 1;
            match s.results {
                1 => Reply::Json(400, json!({"detail": "Training not completed"})),
                _ => Reply::Json(
                    200,
                    json!({"model_path": "/srv/models/mean/1h_v1", "status": "completed",
                    "training_metrics": {"epochs_trained": 20, "history": {"train_loss": vec![0.5; 20]}},
                    "test_metrics": {"test_loss": 0.7687}}),
                ),
            }
        }
        ("GET", "sessions") => Reply::Json(200, json!({"total_sessions": 0, "sessions": []})),
        _ => not_found(call),
    }
}

async fn double(shared: &Shared) -> Double {
    let shared = Arc::clone(shared);
    Double::new(move |call| answer(&shared, call)).await
}

/// Default behaviour, except for what `but` answers.
async fn double_but(shared: &Shared, but: impl Fn(&Call) -> Option<Reply> + Send + Sync + 'static) -> Double {
    let shared = Arc::clone(shared);
    Double::new(move |call| but(call).unwrap_or_else(|| answer(&shared, call))).await
}

fn adapter(double: &Double) -> AdapterConfig {
    config(Protocol::Training2025, &double.url)
}

fn params() -> Value {
    json!({"strategy": "name: example", "symbols": "MSFT, AAPL", "timeframes": "1h", "start": "2023-01-01",
        "end": "2025-06-01"})
}
