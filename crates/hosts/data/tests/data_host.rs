//! The data host over HTTP, as the server uses it.

#![expect(clippy::unwrap_used, reason = "this is a test, its helpers too")]

use form::Form;
use protocol::host::{About, Health, HostEvent, HostEventBody, HostEvents, Outcome, ResultDoc};
use protocol::results::{Bars, LoadResult};
use protocol::{Checkpoint, OperationId, Problem};
use serde_json::{Value, json};
use signalbox_data_host::{DataConfig, DataLoad, SourceConfig, TextOptions};
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::Instant;

struct Served {
    base: String,
    client: reqwest::Client,
    root: tempfile::TempDir,
    shutdown: host_kit::CancellationToken,
    after: u64,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Served {
    async fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let csv = root.path().join("csv");
        std::fs::create_dir(&csv).unwrap();
        let work = DataLoad::new(DataConfig {
            folder: root.path().join("sets"),
            sources: vec![
                SourceConfig::Synthetic { name: "synthetic".into() },
                SourceConfig::Csv { name: "files".into(), folder: csv, options: TextOptions::default() },
            ],
        });
        let host = host_kit::Host::builder("data", "test").capacity(8).work(work.unwrap()).build().unwrap();
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

    async fn get(&self, path: &str) -> reqwest::Response {
        self.client.get(format!("{}{path}", self.base)).send().await.unwrap()
    }

    async fn start(
        &self,
        id: OperationId,
        attempt: u32,
        params: &Value,
        from: Option<&Checkpoint>,
    ) -> reqwest::Response {
        let body =
            json!({"id": id, "attempt": attempt, "kind": "data.load", "params": params, "resume_from": from});
        self.client.post(format!("{}/operations", self.base)).json(&body).send().await.unwrap()
    }

    /// Next events of the host's feed, as soon as there are any.
    async fn events(&mut self) -> Vec<HostEvent> {
        let page: HostEvents =
            self.get(&format!("/events?after={}&wait=20s", self.after)).await.json().await.unwrap();
        assert!(!page.reset);
        assert!(!page.events.is_empty(), "nothing happened for 20 s");
        self.after = page.events[page.events.len() - 1].seq;
        page.events
    }

    /// All events until the attempt ends, and its outcome.
    async fn until_end(&mut self, id: OperationId) -> (Vec<HostEventBody>, Outcome) {
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

    async fn load(&mut self, params: Value) -> (LoadResult, ResultDoc) {
        let id = OperationId::new();
        assert_eq!(self.start(id, 1, &params, None).await.status(), 202);
        let (events, outcome) = self.until_end(id).await;
        assert_eq!(outcome, Outcome::Succeeded, "{events:?}");
        self.result(id).await
    }

    async fn result(&self, id: OperationId) -> (LoadResult, ResultDoc) {
        let doc: ResultDoc = self.get(&format!("/operations/{id}/result")).await.json().await.unwrap();
        (serde_json::from_value(doc.document.clone()).unwrap(), doc)
    }

    async fn bars(&self, path: &str) -> Bars {
        self.get(path.strip_prefix("/host/v1").unwrap()).await.json().await.unwrap()
    }

    fn set(&self) -> PathBuf {
        self.root.path().join("sets/synthetic/DEMO/30m")
    }
}

fn demo(rows_per_second: Option<u32>) -> Value {
    json!({"symbol": "DEMO", "source": "synthetic", "timeframe": "30m", "years": 1, "rows_per_second": rows_per_second})
}

#[tokio::test]
async fn a_cancelled_load_resumes_and_ends_as_an_uninterrupted_one() {
    let mut whole = Served::new().await;
    let (expected, doc) = whole.load(demo(None)).await;
    assert!(expected.synthetic && doc.tags == ["synthetic"]);

    let mut host = Served::new().await;
    let id = OperationId::new();
    let params = demo(Some(4_000));
    assert_eq!(host.start(id, 1, &params, None).await.status(), 202);
    let mut checkpoint = None;
    while checkpoint.is_none() {
        for event in host.events().await {
            if let HostEventBody::Checkpoint { checkpoint: new } = event.body {
                checkpoint = Some(new);
            }
        }
    }
    let requested_at = Instant::now();
    let body = json!({"attempt": 1, "reason": "test", "deadline_ms": 5000});
    let answer =
        host.client.post(format!("{}/operations/{id}/cancel", host.base)).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    let (events, outcome) = host.until_end(id).await;
    let took = requested_at.elapsed();
    assert_eq!(outcome, Outcome::Cancelled);
    println!("cancelled in {took:?}");
    assert!(took < Duration::from_millis(500), "{took:?}");
    for event in &events {
        if let HostEventBody::Checkpoint { checkpoint: new } = event {
            checkpoint = Some(new.clone());
        }
    }
    let checkpoint = checkpoint.unwrap();
    let stored = std::fs::read_dir(host.set()).unwrap().filter(|e| {
        let name = e.as_ref().unwrap().file_name();
        assert!(!name.to_string_lossy().ends_with(".part"), "no torn file");
        name.to_string_lossy().ends_with(".parquet")
    });
    let stored = stored.count();
    assert!(stored > 0 && stored < expected.segments.len(), "{stored} segments");
    assert!(checkpoint.note.starts_with(&format!("{stored} of 13 segments, ")), "{}", checkpoint.note);

    assert_eq!(host.start(id, 2, &params, Some(&checkpoint)).await.status(), 202);
    let (events, outcome) = host.until_end(id).await;
    assert_eq!(outcome, Outcome::Succeeded, "{events:?}");
    let (mut result, doc) = host.result(id).await;
    result.folder.clone_from(&expected.folder);
    assert_eq!(result, expected);
    let path = format!("{}?points=5000", doc.artifacts[0].path);
    assert_eq!(host.bars(&path).await, whole.bars(&path).await);
    for segment in &expected.segments {
        let read = |set: PathBuf| std::fs::read(set.join(&segment.file)).unwrap();
        assert!(read(host.set()) == read(whole.set()), "{} differs", segment.file);
    }
}

#[tokio::test]
async fn the_bars_of_a_load_are_returned_as_candles() {
    let mut host = Served::new().await;
    let (result, doc) = host.load(demo(None)).await;
    let path = &doc.artifacts[0].path;
    assert_eq!(path, "/host/v1/artifacts/bars/synthetic/DEMO/30m");
    let bars = host.bars(path).await;
    assert_eq!(bars.bars, result.rows);
    assert!(bars.t.len() <= 1000 && bars.bars_per_candle == 4, "{}", bars.bars_per_candle);
    let from = bars.t[100];
    let part = host.bars(&format!("{path}?from={from}&to={}&points=50", bars.t[200])).await;
    assert_eq!((part.t[0], part.o[0]), (from, bars.o[100]));
    assert!(part.t.len() <= 50);

    for (path, status) in [
        ("/artifacts/bars/synthetic/NONE/30m", 404),
        ("/artifacts/bars/elsewhere/DEMO/30m", 404),
        ("/artifacts/bars/synthetic/..%2f..%2f..%2fetc/30m", 404),
        ("/artifacts/bars/synthetic/DEMO/30m?from=yesterday", 400),
    ] {
        let answer = host.get(path).await;
        assert_eq!(answer.status(), status, "{path}");
        let problem: Problem = answer.json().await.unwrap();
        assert!(!problem.detail.is_empty());
    }
}

#[tokio::test]
async fn a_second_load_of_the_same_data_set_is_rejected_with_a_reason() {
    let mut host = Served::new().await;
    let (first, second) = (OperationId::new(), OperationId::new());
    // One row per second, so it runs as long as the test needs.
    assert_eq!(host.start(first, 1, &demo(Some(1)), None).await.status(), 202);
    let mut reads = false;
    while !reads {
        reads = host.events().await.iter().any(|e| match &e.body {
            HostEventBody::Log { lines } => lines.iter().any(|l| l.text.starts_with("Reading ")),
            _ => false,
        });
    }
    assert_eq!(host.start(second, 1, &demo(None), None).await.status(), 202);
    let (events, outcome) = host.until_end(second).await;
    assert_eq!(outcome, Outcome::Failed);
    let Some(HostEventBody::Ended { failure: Some(failure), .. }) = events.last() else {
        panic!("{events:?}")
    };
    assert!(failure.message.starts_with("Another load of DEMO 30m"), "{}", failure.message);

    let body = json!({"attempt": 1, "deadline_ms": 5000});
    host.client.post(format!("{}/operations/{first}/cancel", host.base)).json(&body).send().await.unwrap();
    assert_eq!(host.until_end(first).await.1, Outcome::Cancelled);
    assert_eq!(host.load(demo(None)).await.0.gap_count, 0, "the data set is free again");
}

#[tokio::test]
async fn the_declared_kinds_make_forms_and_invalid_params_are_rejected_by_field() {
    let host = Served::new().await;
    let about: About = host.get("/about").await.json().await.unwrap();
    let kind = &about.kinds[0];
    assert_eq!((kind.name.as_str(), kind.resumable, kind.phases.len()), ("data.load", true, 3));
    Form::from_schema(&kind.params).unwrap();
    let health: Health = host.get("/health").await.json().await.unwrap();
    assert!(health.ready, "{:?}", health.checks);

    let bad = json!({"symbol": "../up", "source": "synthetic", "start": "2024-02-01", "end": "2024-01-01"});
    let answer = host.start(OperationId::new(), 1, &bad, None).await;
    assert_eq!(answer.status(), 422);
    let problem: Problem = answer.json().await.unwrap();
    let fields: Vec<_> = problem.fields.iter().map(|f| f.field.as_str()).collect();
    assert_eq!(fields, ["symbol", "end"]);
}

#[tokio::test]
async fn a_missing_folder_of_one_source_is_reported_and_blocks_no_other_load() {
    let host = Served::new().await;
    std::fs::remove_dir(host.root.path().join("csv")).unwrap();
    let health: Health = host.get("/health").await.json().await.unwrap();
    assert!(
        health.checks.iter().any(|check| check.name == "source files" && !check.ok),
        "{:?}",
        health.checks
    );
    assert!(health.ready && health.unready_kinds.is_empty(), "other sources can be loaded from");
}

#[tokio::test]
async fn an_unknown_symbol_fails_with_the_existing_ones() {
    let mut host = Served::new().await;
    std::fs::write(host.root.path().join("csv/MSFT_1h.csv"), "x").unwrap();
    let id = OperationId::new();
    let params = json!({"symbol": "MSFFT", "source": "files"});
    assert_eq!(host.start(id, 1, &params, None).await.status(), 202);
    let (events, outcome) = host.until_end(id).await;
    assert_eq!(outcome, Outcome::Failed);
    let Some(HostEventBody::Ended { failure: Some(failure), .. }) = events.last() else {
        panic!("{events:?}")
    };
    assert!(failure.message.contains("Available: MSFT 1h"), "{}", failure.message);
    assert_eq!(failure.hint, "Did you mean MSFT?");
}

#[tokio::test]
async fn a_preview_shows_the_first_bars_as_they_will_be_stored() {
    let mut host = Served::new().await;
    let csv = host.root.path().join("csv");
    let text = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\n\
        2024.03.04\t09:00:00\t1\t2\t1\t1.5\t7\n2024.03.04\t10:00:00\tx\t2\t1\t1.5\t7\n";
    std::fs::write(csv.join("EURUSD=X_1h.csv"), text).unwrap();
    let about: About = host.get("/about").await.json().await.unwrap();
    assert_eq!(about.kinds[0].params["x-preview"], true);
    let (client, address) = (host.client.clone(), format!("{}/preview", host.base));
    let ask = async |params: Value| {
        let body = json!({"kind": "data.load", "params": params});
        client.post(&address).json(&body).send().await.unwrap()
    };
    let params = json!({"symbol": "EURUSD=X", "source": "files"});
    let undecided: protocol::Preview = ask(params.clone()).await.json().await.unwrap();
    let failure = undecided.failure.unwrap();
    assert!(
        failure.message.contains("has no time zone; MetaTrader uses the broker's server time"),
        "{}",
        failure.message
    );

    let mut chosen = params;
    chosen["time_zone"] = json!("Europe/Athens");
    let preview: protocol::Preview = ask(chosen.clone()).await.json().await.unwrap();
    let fact = |label: &str| preview.facts.iter().find(|f| f.label == label).unwrap().value.clone();
    assert_eq!(
        (fact("Format"), fact("Time zone")),
        ("metatrader (detected)".into(), "Europe/Athens (selected)".into())
    );
    assert!(fact("Columns").starts_with("date: <DATE> · time: <TIME> · open: <OPEN>"), "{}", fact("Columns"));
    let table = preview.table.as_ref().unwrap();
    assert_eq!(table.rows, [["2024-03-04T07:00:00Z", "1", "2", "1", "1.5", "7"]]);
    assert!(preview.warnings.iter().any(|w| w.contains("not_a_number")), "{:?}", preview.warnings);
    assert!(!host.root.path().join("sets").exists(), "nothing is stored");

    // The load stores what the preview showed, under a folder name that is safe for every symbol.
    let (result, doc) = host.load(chosen).await;
    assert_eq!(
        (result.rows, result.first),
        (1, Some(protocol::Time::parse("2024-03-04T07:00:00Z").unwrap()))
    );
    assert_eq!(doc.artifacts[0].path, "/host/v1/artifacts/bars/files/EURUSD%3DX/1h");
    assert_eq!(host.bars(&doc.artifacts[0].path).await.bars, 1);
    assert_eq!(ask(json!({"symbol": "../x"})).await.status(), 422);
}

#[tokio::test]
async fn a_symbol_with_a_slash_is_loaded_and_shown() {
    let mut host = Served::new().await;
    let csv = host.root.path().join("csv");
    std::fs::write(csv.join("BTC%2FUSDT_1d.csv"), "time,open,high,low,close,volume\n2024-03-04,1,2,1,2,5\n")
        .unwrap();
    let (_, doc) = host.load(json!({"symbol": "BTC/USDT", "source": "files", "timeframe": "1d"})).await;
    assert!(host.root.path().join("sets/files/BTC%2FUSDT/1d").is_dir());
    assert_eq!(host.bars(&doc.artifacts[0].path).await.bars, 1);
}
