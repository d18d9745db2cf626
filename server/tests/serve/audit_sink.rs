//! Sink of the audit log: a webhook gets all entries in order, also those of times at which it was away.

use crate::access::{Caller, SHARED};
use crate::process::{Home, PATIENCE};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use protocol::Action;
use protocol::access::Role;
use protocol::api::AuditLine;
use reqwest::Method;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::mpsc;

/// Listener that stands for a log collector.
struct Collector {
    url: String,
    lines: mpsc::Receiver<AuditLine>,
}

#[derive(Clone)]
struct Receiver {
    lines: mpsc::Sender<AuditLine>,
    /// Number of requests that are still answered with 503.
    failures: Arc<AtomicU32>,
}

impl Collector {
    async fn start(failures: u32) -> Self {
        let (sender, lines) = mpsc::channel(1_000);
        let receiver = Receiver { lines: sender, failures: Arc::new(AtomicU32::new(failures)) };
        let router = Router::new().route("/in/s3cret", post(receive)).with_state(receiver);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/in/s3cret", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, lines }
    }

    /// Lines until the first one of an action.
    async fn until(&mut self, action: Action) -> Vec<AuditLine> {
        let mut lines: Vec<AuditLine> = Vec::new();
        while lines.last().is_none_or(|line| line.entry.action != action) {
            let next = tokio::time::timeout(PATIENCE, self.lines.recv()).await;
            lines.push(next.expect("no entry came").unwrap());
        }
        lines
    }
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: String) -> StatusCode {
    assert_eq!(headers["authorization"], "Bearer t0p-s3cret");
    assert_eq!(headers["content-type"], "application/jsonl");
    let fails = |left: u32| left.checked_sub(1);
    if receiver.failures.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fails).is_ok() {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    for line in body.lines() {
        receiver.lines.send(serde_json::from_str(line).unwrap()).await.unwrap();
    }
    StatusCode::NO_CONTENT
}

/// Waits until a sample of the server has a value.
async fn until_sample(admin: &Caller, sample: &str) {
    let found = async {
        loop {
            let metrics = admin.request(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
            if metrics.lines().any(|line| line == sample) {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("{sample} does not come"));
}

#[tokio::test]
async fn a_webhook_gets_each_entry_of_the_audit_log_in_order() {
    let home = Home::new();
    let mut collector = Collector::start(1).await;
    let token = home.path().join("token");
    std::fs::write(&token, "t0p-s3cret\n").unwrap();
    let file = format!(
        "token = '{SHARED}'\n[audit]\nwebhook_url = '{}'\ntoken_file = '{}'\n",
        collector.url,
        token.display()
    );
    let server = home.serve_by(home.configured(&file));
    let admin = Caller::new(&server, Some(SHARED));
    let nightly = admin.create("nightly", Role::Operator).await;
    let mut received = collector.until(Action::CreateToken).await;
    until_sample(&admin, "signalbox_audit_entries_waiting 0").await;
    assert!(server.stop().success());

    // While the sink is not configured, entries wait in the audit log.
    let server = home.serve_by(home.configured(&format!("token = '{SHARED}'\n")));
    let admin = Caller::new(&server, Some(SHARED));
    assert_eq!(admin.revoke(&nightly.token).await, 204);
    assert!(server.stop().success());

    let server = home.serve_by(home.configured(&file));
    received.extend(collector.until(Action::RevokeToken).await);
    let admin = Caller::new(&server, Some(SHARED));
    until_sample(&admin, "signalbox_audit_entries_waiting 0").await;
    while let Ok(line) = collector.lines.try_recv() {
        received.push(line);
    }
    let export = admin.request(Method::GET, "/api/v1/audit/export").send().await.unwrap();
    let export = export.text().await.unwrap();
    let mut all: Vec<AuditLine> = export.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    all.reverse();
    assert_eq!(received, all, "each entry came once, with its hash");
}
