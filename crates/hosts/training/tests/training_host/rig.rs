//! Test host with both kinds, and a minimal client.

use protocol::host::{HostEvent, HostEventBody, HostEvents, Outcome, ResultDoc};
use protocol::results::TrainingResult;
use protocol::{Checkpoint, Failure, LogLevel, OperationId, ResourceUsage};
use serde_json::{Value, json};
use signalbox_training_host::{ModelStore, TrainingConfig, TrainingRun};
use std::collections::BTreeMap;
use std::path::PathBuf;

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

/// Events of an attempt.
#[derive(Default)]
pub struct AttemptEvents {
    /// Points by series: x and the bits of y.
    pub points: BTreeMap<String, Vec<(f64, u64)>>,
    pub checkpoints: Vec<Checkpoint>,
    pub warnings: Vec<String>,
    /// Reported fractions.
    pub fractions: Vec<f64>,
    pub phases: Vec<String>,
    pub end: Option<(Outcome, Option<Failure>)>,
    pub usage: Option<ResourceUsage>,
}

impl AttemptEvents {
    fn take(&mut self, body: HostEventBody) {
        match body {
            HostEventBody::Points { series } => {
                for of in series {
                    let points = of.points.iter().map(|p| (p.0, p.1.to_bits()));
                    self.points.entry(of.name).or_default().extend(points);
                }
            }
            HostEventBody::Checkpoint { checkpoint } => self.checkpoints.push(checkpoint),
            HostEventBody::Log { lines } => {
                let warnings = lines.into_iter().filter(|l| l.level == LogLevel::Warn);
                self.warnings.extend(warnings.map(|l| l.text));
            }
            HostEventBody::Progress { progress } => {
                self.fractions.extend(progress.fraction);
                self.phases.extend(progress.phase.map(|p| p.name));
            }
            HostEventBody::Ended { outcome, failure, usage, .. } => {
                self.end = Some((outcome, failure));
                self.usage = usage.map(|usage| *usage);
            }
            _ => {}
        }
    }

    /// Last epoch with points.
    pub fn last_epoch(&self) -> f64 {
        self.points.get("train_loss").and_then(|p| p.last()).map_or(0.0, |p| p.0)
    }

    /// Reproducible series: all except the throughput.
    pub fn curves(&self) -> BTreeMap<String, Vec<(f64, u64)>> {
        let mut curves = self.points.clone();
        curves.remove("samples_per_second").unwrap();
        curves
    }

    pub fn outcome(&self) -> Outcome {
        self.end.as_ref().unwrap().0
    }

    pub fn failure(&self) -> &Failure {
        self.end.as_ref().unwrap().1.as_ref().unwrap()
    }
}

impl Served {
    /// Host with a year of hourly synthetic bars of DEMO.
    pub async fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let data = data_host::DataLoad::new(data_host::DataConfig {
            folder: root.path().join("sets"),
            sources: vec![data_host::SourceConfig::Synthetic { name: "synthetic".into() }],
        });
        let training = TrainingRun::new(TrainingConfig {
            bars: root.path().join("sets"),
            models: root.path().join("models"),
        });
        let host = host_kit::Host::builder("training", "test")
            .capacity(8)
            .checkpoints(root.path().join("checkpoints"))
            .work(data.unwrap())
            .work(training)
            .build()
            .unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/host/v1", listener.local_addr().unwrap());
        let shutdown = host_kit::CancellationToken::new();
        tokio::spawn(host.serve(listener, shutdown.clone()));
        let mut served = Self {
            base,
            client: https_client::builder(&https_client::Tls::default()).build().unwrap(),
            root,
            shutdown,
            after: 0,
        };
        served.load(1).await;
        served
    }

    /// Loads this many years of DEMO.
    pub async fn load(&mut self, years: u32) {
        let params = json!({"symbol": "DEMO", "source": "synthetic", "timeframe": "1h", "years": years});
        let id = OperationId::new();
        assert_eq!(self.start_of("data.load", id, 1, &params, None).await.status(), 202);
        assert_eq!(self.until_end(id).await.outcome(), Outcome::Succeeded);
    }

    pub fn store(&self) -> ModelStore {
        ModelStore::new(self.root.path().join("models"))
    }

    pub fn checkpoints(&self) -> PathBuf {
        self.root.path().join("checkpoints")
    }

    pub async fn get(&self, path: &str) -> reqwest::Response {
        self.client.get(format!("{}{path}", self.base)).send().await.unwrap()
    }

    async fn start_of(
        &self,
        kind: &str,
        id: OperationId,
        attempt: u32,
        params: &Value,
        from: Option<&Checkpoint>,
    ) -> reqwest::Response {
        let body = json!({"id": id, "attempt": attempt, "kind": kind, "params": params, "resume_from": from});
        self.client.post(format!("{}/operations", self.base)).json(&body).send().await.unwrap()
    }

    pub async fn start(
        &self,
        id: OperationId,
        attempt: u32,
        params: &Value,
        from: Option<&Checkpoint>,
    ) -> reqwest::Response {
        self.start_of("training.run", id, attempt, params, from).await
    }

    pub async fn cancel(&self, id: OperationId, attempt: u32) {
        let body = json!({"attempt": attempt, "reason": "test", "deadline_ms": 5000});
        let url = format!("{}/operations/{id}/cancel", self.base);
        assert_eq!(self.client.post(url).json(&body).send().await.unwrap().status(), 202);
    }

    /// Follows an operation until `enough` returns true, or its attempt ends.
    pub async fn listen(
        &mut self,
        id: OperationId,
        attempt_events: &mut AttemptEvents,
        enough: impl Fn(&AttemptEvents) -> bool,
    ) {
        while attempt_events.end.is_none() && !enough(attempt_events) {
            let page: HostEvents =
                self.get(&format!("/events?after={}&wait=20s", self.after)).await.json().await.unwrap();
            assert!(!page.reset);
            assert!(!page.events.is_empty(), "nothing happened for 20 s");
            self.after = page.events[page.events.len() - 1].seq;
            let ours = page.events.into_iter().filter(|e: &HostEvent| e.id == id);
            ours.for_each(|event| attempt_events.take(event.body));
        }
    }

    pub async fn until_end(&mut self, id: OperationId) -> AttemptEvents {
        let mut attempt_events = AttemptEvents::default();
        self.listen(id, &mut attempt_events, |_| false).await;
        attempt_events
    }

    pub async fn result(&self, id: OperationId) -> (TrainingResult, ResultDoc) {
        let doc: ResultDoc = self.get(&format!("/operations/{id}/result")).await.json().await.unwrap();
        (serde_json::from_value(doc.document.clone()).unwrap(), doc)
    }
}
