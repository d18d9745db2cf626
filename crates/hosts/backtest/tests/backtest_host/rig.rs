//! Test host with both works on a free port, and helpers to call it.

use crate::models::Puppet;
use data_host::{DataConfig, DataLoad, SourceConfig};
use protocol::host::{HostEvent, HostEventBody, HostEvents, Outcome, ResultDoc};
use protocol::{LogLine, OperationId};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use signalbox_backtest_host::{BacktestConfig, BacktestRun, Models};
use std::sync::Arc;

pub struct Served {
    pub base: String,
    pub client: reqwest::Client,
    pub root: tempfile::TempDir,
    shutdown: host_kit::CancellationToken,
    after: u64,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// Parameters for the bars that [`Served::load`] loads.
pub fn demo(mut params: Value) -> Value {
    params["symbol"] = json!("DEMO");
    params["timeframe"] = json!("30m");
    params
}

impl Served {
    pub async fn with(models: Puppet) -> Self {
        Self::new(Some(Arc::new(models))).await
    }

    pub async fn without_models() -> Self {
        Self::new(None).await
    }

    async fn new(models: Option<Arc<dyn Models>>) -> Self {
        let root = tempfile::tempdir().unwrap();
        let bars = root.path().join("sets");
        let sources = vec![SourceConfig::Synthetic { name: "synthetic".into() }];
        let load = DataLoad::new(DataConfig { folder: bars.clone(), sources }).unwrap();
        let run = BacktestRun::new(BacktestConfig { bars, results: root.path().join("results"), models });
        let host = host_kit::Host::builder("data", "test").capacity(8).work(load).work(run).build().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/host/v1", listener.local_addr().unwrap());
        let shutdown = host_kit::CancellationToken::new();
        tokio::spawn(host.serve(listener, shutdown.clone()));
        Self {
            base,
            client: https_client::builder(&https_client::Tls::default()).build().unwrap(),
            root,
            shutdown,
            after: 0,
        }
    }

    pub async fn get(&self, path: &str) -> reqwest::Response {
        self.client.get(format!("{}{path}", self.base)).send().await.unwrap()
    }

    pub async fn start(&self, id: OperationId, kind: &str, params: &Value) -> reqwest::Response {
        let body = json!({"id": id, "attempt": 1, "kind": kind, "params": params});
        self.client.post(format!("{}/operations", self.base)).json(&body).send().await.unwrap()
    }

    /// Next events of the host's feed, as soon as there are any.
    pub async fn events(&mut self) -> Vec<HostEvent> {
        let path = format!("/events?after={}&wait=20s", self.after);
        let page: HostEvents = self.get(&path).await.json().await.unwrap();
        assert!(!page.reset);
        assert!(!page.events.is_empty(), "nothing happened for 20 s");
        self.after = page.events[page.events.len() - 1].seq;
        page.events
    }

    /// All events until the attempt ends, and its outcome.
    pub async fn until_end(&mut self, id: OperationId) -> (Vec<HostEventBody>, Outcome) {
        let mut seen = Vec::new();
        loop {
            for event in self.events().await.into_iter().filter(|e| e.id == id) {
                let outcome = match &event.body {
                    HostEventBody::Ended { outcome, .. } => Some(*outcome),
                    _ => None,
                };
                seen.push(event.body);
                if let Some(outcome) = outcome {
                    return (seen, outcome);
                }
            }
        }
    }

    /// Runs an operation that must succeed.
    async fn run(&mut self, kind: &str, params: Value) -> (OperationId, Vec<HostEventBody>, ResultDoc) {
        let id = OperationId::new();
        let answer = self.start(id, kind, &params).await;
        let status = answer.status();
        assert_eq!(status, 202, "{}", answer.text().await.unwrap());
        let (events, outcome) = self.until_end(id).await;
        assert_eq!(outcome, Outcome::Succeeded, "{:?}", events.last());
        let doc = self.get(&format!("/operations/{id}/result")).await.json().await.unwrap();
        (id, events, doc)
    }

    /// Loads a year of synthetic 30-minute bars of DEMO.
    pub async fn load(&mut self) {
        let params = json!({"symbol": "DEMO", "source": "synthetic", "timeframe": "30m", "years": 1});
        self.run("data.load", params).await;
    }

    pub async fn backtest(&mut self, params: Value) -> (OperationId, Vec<HostEventBody>, ResultDoc) {
        self.run("backtest.run", params).await
    }

    pub async fn artifact<T: DeserializeOwned>(&self, id: OperationId, name: &str, query: &str) -> T {
        let answer = self.get(&format!("/artifacts/backtests/{id}/{name}{query}")).await;
        assert_eq!(answer.status(), 200, "{name}");
        answer.json().await.unwrap()
    }

    /// Points of one series.
    pub fn series(events: &[HostEventBody], name: &str) -> Vec<protocol::Point> {
        let points = |body: &HostEventBody| match body {
            HostEventBody::Points { series } => {
                series.iter().filter(|s| s.name == name).flat_map(|s| s.points.clone()).collect()
            }
            _ => Vec::new(),
        };
        events.iter().flat_map(points).collect()
    }

    /// Names of the reported phases.
    pub fn phases(events: &[HostEventBody]) -> Vec<String> {
        let phase = |body: &HostEventBody| match body {
            HostEventBody::Progress { progress } => progress.phase.as_ref().map(|p| p.name.clone()),
            _ => None,
        };
        events.iter().filter_map(phase).collect()
    }

    pub fn lines(events: &[HostEventBody]) -> Vec<LogLine> {
        let lines = |body: &HostEventBody| match body {
            HostEventBody::Log { lines } => lines.clone(),
            _ => Vec::new(),
        };
        events.iter().flat_map(lines).collect()
    }
}
