//! A training from its form to its model.

use crate::rig::Served;
use form::Form;
use market_data::{Library, Range, Timeframe};
use protocol::host::{About, Health, Outcome};
use protocol::{Measured, OperationId, Problem};
use serde_json::json;

#[tokio::test]
async fn three_epochs_give_curves_a_result_and_a_usable_model() {
    let mut host = Served::new().await;
    let id = OperationId::new();
    let params = json!({"symbols": "DEMO", "hidden": "8", "epochs": 3, "features": "return_1, rsi_14, macd"});
    assert_eq!(host.start(id, 1, &params, None).await.status(), 202);
    let events = host.until_end(id).await;
    assert_eq!(events.outcome(), Outcome::Succeeded, "{:?}", events.end);
    assert_eq!(events.points.len(), 7);
    for (series, points) in &events.points {
        assert_eq!(points.iter().map(|p| p.0).collect::<Vec<_>>(), [1.0, 2.0, 3.0], "{series}");
    }
    assert!(events.fractions.windows(2).all(|f| f[0] <= f[1]));
    assert_eq!(events.phases.last().unwrap(), "evaluate");

    let usage = events.usage.unwrap();
    assert_eq!((usage.measured, usage.peak_threads), (Measured::Threads, Some(1)));
    assert!(usage.cpu_seconds > Some(0.0) && usage.cpu_seconds <= Some(usage.wall_seconds), "{usage:?}");
    assert_eq!(usage.peak_memory_bytes, None, "threads share their memory");

    let (result, doc) = host.result(id).await;
    assert!(result.synthetic && doc.tags == ["synthetic"]);
    assert_eq!((result.epochs, result.stopped_early, result.parameters), (3, false, 3 * 8 + 8 + 8 * 3 + 3));
    assert_eq!(result.confusion.iter().flatten().sum::<u64>(), result.test.samples);
    assert_eq!(result.scores.iter().map(|s| s.support).sum::<u64>(), result.test.samples);
    let lowest =
        events.points["validation_loss"].iter().map(|p| f64::from_bits(p.1)).fold(f64::INFINITY, f64::min);
    assert_eq!(result.validation.loss, lowest, "the best weights are judged, as they were in their epoch");
    assert!(result.train.to < result.validation.from && result.validation.to < result.test.from);

    let answer = host.get(doc.artifacts[0].path.strip_prefix("/host/v1").unwrap()).await;
    assert_eq!(answer.status(), 200);
    let disposition = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
    assert_eq!(disposition, format!("attachment; filename=\"{}.json\"", result.model));
    let bytes = answer.bytes().await.unwrap();
    let stored = std::fs::read(host.root.path().join(format!("models/{}.json", result.model))).unwrap();
    assert_eq!(bytes, stored);

    let (store, library) = (host.store(), Library::new(host.root.path().join("sets")));
    assert_eq!(store.names(), [result.model.as_str()]);
    let set = library.find("DEMO", Timeframe::H1, None).unwrap();
    let bars = library.bars(&set, Range::default()).unwrap().bars;
    let signals = store.signals(&result.model, &bars).unwrap();
    assert_eq!(signals.len(), bars.len());
    // Predictions on the test set match the counts of the result.
    let card = store.card(&result.model).unwrap();
    assert!(card.trained_until < result.test.from);
    let of = |class: i8| {
        let judged = bars
            .iter()
            .zip(&signals)
            .filter(|(bar, s)| bar.time >= result.test.from && bar.time <= result.test.to && **s == class);
        judged.count() as u64
    };
    for (column, class) in [-1, 0, 1].into_iter().enumerate() {
        assert_eq!(of(class), result.confusion.iter().map(|row| row[column]).sum::<u64>(), "{class}");
    }
    assert!(!host.checkpoints().exists() || host.checkpoints().read_dir().unwrap().next().is_none());
}

#[tokio::test]
async fn the_declared_kinds_make_forms_and_invalid_params_are_rejected_by_field() {
    let host = Served::new().await;
    let about: About = host.get("/about").await.json().await.unwrap();
    let kind = about.kinds.iter().find(|k| k.name.as_str() == "training.run").unwrap();
    assert_eq!((kind.resumable, kind.phases.len(), kind.series.len()), (true, 3, 7));
    let form = Form::from_schema(&kind.params).unwrap();
    assert_eq!(form.fields[0].examples, ["DEMO"]);
    let health: Health = host.get("/health").await.json().await.unwrap();
    assert!(health.ready, "{:?}", health.checks);

    for (params, fields) in [
        (
            json!({"symbols": "DEMO, MSFT", "features": "magic", "hidden": "0"}),
            vec!["symbols", "features", "hidden"],
        ),
        (
            json!({"symbols": "DEMO", "source": "files", "start": "2024-02-01", "end": "2024-01-01"}),
            vec!["symbols", "end"],
        ),
        (json!({"symbols": "../up"}), vec!["symbols"]),
        (json!({"symbols": "DEMO", "dropout": 0.95, "epochs": 0}), vec!["dropout", "epochs"]),
    ] {
        let answer = host.start(OperationId::new(), 1, &params, None).await;
        assert_eq!(answer.status(), 422, "{params}");
        let problem: Problem = answer.json().await.unwrap();
        let invalid: Vec<_> = problem.fields.iter().map(|f| f.field.as_str()).collect();
        assert_eq!(invalid, fields, "{:?}", problem.fields);
    }
    for path in ["/artifacts/models/none", "/artifacts/models/..%2f..%2fsecret"] {
        let answer = host.get(path).await;
        assert_eq!(answer.status(), 404, "{path}");
        assert!(!answer.json::<Problem>().await.unwrap().detail.is_empty());
    }
}

#[tokio::test]
async fn too_few_bars_fail_with_advice() {
    let mut host = Served::new().await;
    let id = OperationId::new();
    let params = json!({"symbols": "DEMO", "start": "2025-12-20"});
    assert_eq!(host.start(id, 1, &params, None).await.status(), 202);
    let events = host.until_end(id).await;
    assert_eq!(events.outcome(), Outcome::Failed);
    assert!(events.failure().message.contains("at least 20 are needed"), "{:?}", events.failure());
    assert!(events.failure().hint.contains("Load more bars"));
}
