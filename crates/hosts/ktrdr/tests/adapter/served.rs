//! Served adapter, and the server's side of the host contract.

use crate::double::PATIENCE;
use host_kit::{CancellationToken, Host};
use protocol::host::{
    About, Health, HostEvent, HostEventBody, HostEvents, HostOperation, Outcome, ResultDoc,
};
use protocol::{Checkpoint, ConditionKind, Failure, FailureReason, OperationId, Progress};
use serde_json::{Value, json};
use signalbox_ktrdr_host::{AdapterConfig, Protocol, Timing, host};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Short times, except for what a test must not trigger.
pub fn config(protocol: Protocol, url: &str) -> AdapterConfig {
    let timing = Timing { fastest: 0.005, slowest: 0.02, probe_every: 0.01, probe: 0.1, ..Timing::default() };
    AdapterConfig { timing, ..AdapterConfig::new(protocol, url) }
}

pub struct Served {
    base: String,
    client: reqwest::Client,
    after: u64,
    leaving: CancellationToken,
    host: Host,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.leaving.cancel();
        self.serving.abort();
    }
}

/// Ended attempt.
#[derive(Debug)]
pub struct Ended {
    pub events: Vec<HostEventBody>,
    pub outcome: Outcome,
    pub failure: Option<Failure>,
    pub result: Option<ResultDoc>,
}

impl Ended {
    pub fn failed(&self) -> &str {
        assert_eq!(self.outcome, Outcome::Failed, "{:?}", self.events);
        &self.failure.as_ref().unwrap().message
    }

    /// Failure reason.
    pub fn reason(&self) -> FailureReason {
        assert_eq!(self.outcome, Outcome::Failed, "{:?}", self.events);
        self.failure.as_ref().unwrap().reason
    }

    pub fn document(&self) -> &Value {
        assert_eq!(self.outcome, Outcome::Succeeded, "{:?}", self.failure);
        &self.result.as_ref().unwrap().document
    }

    pub fn progress(&self) -> Vec<&Progress> {
        self.events
            .iter()
            .filter_map(|e| match e {
                HostEventBody::Progress { progress } => Some(progress),
                _ => None,
            })
            .collect()
    }

    /// Points of a series, in reported order.
    pub fn points(&self, name: &str) -> Vec<(f64, f64)> {
        let batches = self.events.iter().filter_map(|e| match e {
            HostEventBody::Points { series } => Some(series),
            _ => None,
        });
        let points = batches.flatten().filter(|series| series.name == name).flat_map(|series| &series.points);
        points.map(|point| (point.0, point.1)).collect()
    }

    /// Log as one text.
    pub fn log(&self) -> String {
        let lines = self.events.iter().filter_map(|e| match e {
            HostEventBody::Log { lines } => Some(lines),
            _ => None,
        });
        lines.flatten().map(|line| format!("{:?} {}\n", line.level, line.text)).collect()
    }

    pub fn checkpoint(&self) -> Checkpoint {
        checkpoint(&self.events).unwrap()
    }
}

/// Newest checkpoint of a started run.
pub fn checkpoint(events: &[HostEventBody]) -> Option<Checkpoint> {
    events.iter().rev().find_map(|e| match e {
        HostEventBody::Checkpoint { checkpoint } if checkpoint.state["started"] == true => {
            Some(checkpoint.clone())
        }
        _ => None,
    })
}

impl Served {
    pub async fn new(config: &AdapterConfig) -> Self {
        let leaving = CancellationToken::new();
        let host = host("gpu-1", config, leaving.clone()).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/host/v1", listener.local_addr().unwrap());
        let serving = tokio::spawn(axum::serve(listener, host.router()).into_future());
        Self {
            base,
            client: https_client::builder(&https_client::Tls::default()).build().unwrap(),
            after: 0,
            leaving,
            host,
            serving,
        }
    }

    async fn get(&self, path: &str) -> reqwest::Response {
        self.client.get(format!("{}{path}", self.base)).send().await.unwrap()
    }

    pub async fn about(&self) -> About {
        self.get("/about").await.json().await.unwrap()
    }

    pub async fn health(&self) -> Health {
        self.get("/health").await.json().await.unwrap()
    }

    pub async fn show(&self, id: OperationId) -> HostOperation {
        self.get(&format!("/operations/{id}")).await.json().await.unwrap()
    }

    pub async fn artifact(&self, path: &str) -> String {
        self.get(path.strip_prefix("/host/v1").unwrap()).await.text().await.unwrap()
    }

    /// Response to a start.
    pub async fn try_start(&self, body: Value) -> reqwest::Response {
        self.client.post(format!("{}/operations", self.base)).json(&body).send().await.unwrap()
    }

    pub async fn start(&self, kind: &str, params: &Value) -> OperationId {
        let id = OperationId::new();
        let answer = self.try_start(json!({"id": id, "attempt": 1, "kind": kind, "params": params})).await;
        assert_eq!(answer.status(), 202, "{}", answer.text().await.unwrap());
        id
    }

    pub async fn resume(&self, id: OperationId, kind: &str, params: &Value, from: &Checkpoint) {
        let body = json!({"id": id, "attempt": 2, "kind": kind, "params": params, "resume_from": from});
        let answer = self.try_start(body).await;
        assert_eq!(answer.status(), 202, "{}", answer.text().await.unwrap());
    }

    pub async fn cancel(&self, id: OperationId, deadline: Duration) {
        self.ask_cancel(
            id,
            json!({"attempt": 1, "reason": "test", "deadline_ms": deadline.as_millis() as u64}),
        )
        .await;
    }

    /// Abandons an attempt, as the server does.
    pub async fn abandon(&self, id: OperationId) {
        self.ask_cancel(id, json!({"attempt": 1, "reason": "test", "deadline_ms": 1, "abandoned": true}))
            .await;
    }

    async fn ask_cancel(&self, id: OperationId, body: Value) {
        let url = format!("{}/operations/{id}/cancel", self.base);
        assert_eq!(self.client.post(url).json(&body).send().await.unwrap().status(), 202);
    }

    /// Next events of the host's feed, as soon as there are any.
    async fn events(&mut self) -> Vec<HostEvent> {
        let page: HostEvents =
            self.get(&format!("/events?after={}&wait=25s", self.after)).await.json().await.unwrap();
        assert!(!page.events.is_empty(), "nothing happened for 25 s");
        self.after = page.events.last().unwrap().seq;
        page.events
    }

    /// All events until one matches.
    pub async fn until(&mut self, mut happens: impl FnMut(&HostEventBody) -> bool) -> Vec<HostEventBody> {
        let mut seen = Vec::new();
        let waiting = async {
            loop {
                let mut found = false;
                for event in self.events().await {
                    found |= happens(&event.body);
                    seen.push(event.body);
                }
                if found {
                    return;
                }
            }
        };
        // A run that goes on for ever reports events for ever.
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(waited.is_ok(), "not in {PATIENCE:?}: {seen:?}");
        seen
    }

    /// All events until this text is logged.
    pub async fn until_logged(&mut self, text: &str) -> Vec<HostEventBody> {
        self.until(
            |e| matches!(e, HostEventBody::Log { lines } if lines.iter().any(|l| l.text.contains(text))),
        )
        .await
    }

    /// Message of a condition, as soon as it is reported.
    pub async fn until_condition(&mut self, kind: ConditionKind) -> String {
        let mut message = String::new();
        self.until(|e| match e {
            HostEventBody::Condition { condition: Some(condition) } if condition.kind == kind => {
                message.clone_from(&condition.message);
                true
            }
            _ => false,
        })
        .await;
        message
    }

    /// All events until the run is started on the service.
    pub async fn until_started(&mut self) -> Checkpoint {
        let seen = self
            .until(|e| matches!(e, HostEventBody::Checkpoint { checkpoint } if checkpoint.state["started"] == true))
            .await;
        checkpoint(&seen).unwrap()
    }

    /// All events until the running attempt ends.
    pub async fn until_end(&mut self) -> Ended {
        let mut events = self.until(|e| matches!(e, HostEventBody::Ended { .. })).await;
        let Some(HostEventBody::Ended { outcome, failure, result, .. }) = events.pop() else {
            panic!("its end is the last that is told")
        };
        Ended { events, outcome, failure, result }
    }

    pub async fn run(&mut self, kind: &str, params: &Value) -> Ended {
        self.start(kind, params).await;
        self.until_end().await
    }

    /// Polls the health until it matches.
    pub async fn until_health(&self, so: impl Fn(&Health) -> bool) -> Health {
        let asking = async {
            loop {
                let health = self.health().await;
                if so(&health) {
                    return health;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, asking).await.expect("the health becomes so")
    }

    /// Shuts the adapter down in the order of `Host::serve`; its last events stay readable.
    pub async fn leave(&self) {
        self.leaving.cancel();
        self.host.stop().await;
    }
}
