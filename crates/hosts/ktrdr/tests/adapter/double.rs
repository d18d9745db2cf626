//! Fake service that responds as a test defines, and records requests.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

/// Timeout of waits; nothing takes nearly that long.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Received request.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: String,
    pub path: String,
    pub query: String,
    pub body: Value,
}

/// Response.
pub enum Reply {
    Json(u16, Value),
    /// None, until the client disconnects.
    Hang,
    /// None, until the gate is opened; then this response.
    Behind(watch::Receiver<bool>, u16, Value),
}

type Answer = dyn Fn(&Call) -> Reply + Send + Sync;

pub struct Double {
    pub url: String,
    calls: Arc<Mutex<Vec<Call>>>,
    news: watch::Sender<usize>,
}

#[derive(Clone)]
struct Shared {
    answer: Arc<Answer>,
    calls: Arc<Mutex<Vec<Call>>>,
    news: watch::Sender<usize>,
}

impl Double {
    pub async fn new(answer: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Self {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let news = watch::channel(0).0;
        let shared = Shared { answer: Arc::new(answer), calls: Arc::clone(&calls), news: news.clone() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer_call).with_state(shared);
        tokio::spawn(axum::serve(listener, router).into_future());
        Self { url, calls, news }
    }

    /// Calls whose method and path start like this: `POST /training/start`.
    pub fn calls(&self, which: &str) -> Vec<Call> {
        let all = self.calls.lock().unwrap();
        all.iter().filter(|c| format!("{} {}", c.method, c.path).starts_with(which)).cloned().collect()
    }

    /// Waits for this number of calls.
    pub async fn called(&self, which: &str, times: usize) {
        let mut news = self.news.subscribe();
        let waiting = async {
            while self.calls(which).len() < times {
                news.changed().await.unwrap();
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(waited.is_ok(), "no {times} calls of {which} in {PATIENCE:?}");
    }
}

async fn answer_call(State(shared): State<Shared>, method: Method, uri: Uri, body: Bytes) -> Response {
    let call = Call {
        method: method.to_string(),
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    let reply = (shared.answer)(&call);
    shared.calls.lock().unwrap().push(call);
    shared.news.send_modify(|n| *n += 1);
    let (status, value) = match reply {
        Reply::Json(status, value) => (status, value),
        Reply::Hang => std::future::pending().await,
        Reply::Behind(mut gate, status, value) => {
            gate.wait_for(|open| *open).await.unwrap();
            (status, value)
        }
    };
    let status = StatusCode::from_u16(status).unwrap();
    (status, [(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}
