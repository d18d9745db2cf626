//! `ktrdr-ib`: one test per peculiarity of the ib host.

use crate::double::{Call, Double, Reply};
use crate::served::{Served, config};
use serde_json::{Value, json};
use signalbox_ktrdr_host::{AdapterConfig, KtrdrLoadResult, Protocol};
use std::time::Duration;

const KIND: &str = "ktrdr.load";

async fn double(historical: impl Fn() -> Reply + Send + Sync + 'static) -> Double {
    Double::new(move |call: &Call| match call.path.as_str() {
        "/data/historical" => historical(),
        "/data/head-timestamp" => {
            Reply::Json(200, json!({"success": true, "timestamp": "1980-12-12T14:30:00+00:00"}))
        }
        "/health" | "/health/" => Reply::Json(200, json!({"healthy": true})),
        _ => Reply::Json(404, json!({"detail": "Not Found"})),
    })
    .await
}

fn adapter(double: &Double) -> AdapterConfig {
    config(Protocol::Ib, &double.url)
}

fn params() -> Value {
    json!({"symbol": "AAPL", "timeframe": "1d", "start": "2024-01-02", "end": "2024-01-03"})
}

#[tokio::test]
async fn bars_in_a_text_are_read_and_stored() {
    let bars = r#"{"2024-01-03T00:00:00.000Z":{"open":2.5,"volume":null},"2024-01-02T00:00:00.000Z":{"open":1,"volume":9}}"#;
    let double =
        double(move || Reply::Json(200, json!({"success": true, "data": bars, "error": null, "rows": 3})))
            .await;
    let folder = tempfile::tempdir().unwrap();
    let mut host =
        Served::new(&AdapterConfig { folder: Some(folder.path().to_owned()), ..adapter(&double) }).await;
    let ended = host.run(KIND, &params()).await;
    let result: KtrdrLoadResult = serde_json::from_value(ended.document().clone()).unwrap();
    assert_eq!((result.rows, result.rows_said, result.kept), (2, Some(3), true));
    assert_eq!(result.columns, ["open", "volume"]);
    assert_eq!(result.first.unwrap().to_string(), "2024-01-02T00:00:00.000000Z");
    let artifact = &ended.result.as_ref().unwrap().artifacts[0];
    assert_eq!(
        host.artifact(&artifact.path).await,
        "time,open,volume\n2024-01-02T00:00:00Z,1,9\n2024-01-03T00:00:00Z,2.5,\n"
    );
    assert_eq!(
        double.calls("POST /data/historical")[0].body,
        json!({"symbol": "AAPL", "timeframe": "1d", "start": "2024-01-02T00:00:00Z", "end": "2024-01-03T23:59:59Z"})
    );
}

#[tokio::test]
async fn an_error_in_a_200_is_an_error() {
    let why = "Symbol validation failed: Not connected to IB";
    let double =
        double(move || Reply::Json(200, json!({"success": false, "data": null, "error": why}))).await;
    let ended = Served::new(&adapter(&double)).await.run(KIND, &params()).await;
    assert_eq!(ended.failed(), format!("The ib host loaded no bars: {why}"));
}

#[tokio::test]
async fn a_cancel_of_a_hanging_call_takes_effect_and_claims_nothing() {
    let double = double(|| Reply::Hang).await;
    let mut host = Served::new(&adapter(&double)).await;
    let id = host.start(KIND, &params()).await;
    double.called("POST /data/historical", 1).await;
    // The abort at the deadline, which would make it cancelled, is far away: it ends by itself.
    host.cancel(id, Duration::from_secs(3600)).await;
    let ended = host.until_end().await;
    assert!(ended.failed().contains("may still be running"), "{}", ended.failed());
    assert!(ended.log().contains("can't be stopped"), "{}", ended.log());
}

#[tokio::test]
async fn a_call_that_hangs_too_long_is_given_up() {
    let double = double(|| Reply::Hang).await;
    let mut adapter = adapter(&double);
    adapter.timing.load = 0.1;
    let ended = Served::new(&adapter).await.run(KIND, &params()).await;
    assert!(ended.failed().contains("may still be loading"), "{}", ended.failed());
}

#[tokio::test]
async fn an_unreadable_response_is_reported_with_its_location() {
    let double = double(|| Reply::Json(200, json!({"success": true, "data": {"t": 1}, "rows": 1}))).await;
    let ended = Served::new(&adapter(&double)).await.run(KIND, &params()).await;
    let why = ended.failed();
    assert!(why.contains("POST /data/historical") && why.contains("'data' should be text"), "{why}");
}

#[tokio::test]
async fn the_service_is_unhealthy_without_its_gateway_whatever_it_reports() {
    let double = Double::new(|call: &Call| match call.path.as_str() {
        "/health" => Reply::Json(200, json!({"healthy": true})),
        _ => Reply::Json(200, json!({"success": false, "error": "Not connected to IB"})),
    })
    .await;
    let host = Served::new(&adapter(&double)).await;
    let health =
        host.until_health(|h| h.checks.iter().any(|c| c.message.contains("Not connected to IB"))).await;
    assert!(!health.ready);
    assert_eq!(double.calls("GET /data/head-timestamp")[0].query, "symbol=AAPL&timeframe=1d");
}

#[tokio::test]
async fn a_success_without_a_timestamp_is_unhealthy() {
    let double = Double::new(|call: &Call| match call.path.as_str() {
        "/data/head-timestamp" => {
            Reply::Json(200, json!({"success": true, "timestamp": null, "error": null}))
        }
        _ => Reply::Json(404, json!({"detail": "Not Found"})),
    })
    .await;
    let host = Served::new(&adapter(&double)).await;
    let health =
        host.until_health(|h| h.checks.iter().any(|c| c.message.contains("without a timestamp"))).await;
    assert!(!health.ready);
}

#[tokio::test]
async fn without_the_gateway_the_symbol_is_not_blamed() {
    let double = Double::new(|call: &Call| match call.path.as_str() {
        "/data/head-timestamp" => Reply::Json(200, json!({"success": true, "timestamp": null})),
        _ => {
            let why = "Symbol validation failed: Symbol SAP not found";
            Reply::Json(200, json!({"success": false, "data": null, "error": why, "rows": null}))
        }
    })
    .await;
    let ended = Served::new(&adapter(&double)).await.run(KIND, &params()).await;
    assert!(ended.failed().starts_with("The ib host's gateway seems to be down"), "{}", ended.failed());
    assert!(ended.failed().contains("Symbol SAP not found"), "{}", ended.failed());
    let hint = &ended.failure.as_ref().unwrap().hint;
    assert!(hint.contains("logged in") && !hint.contains("Fix the cause"), "{hint}");
}

#[tokio::test]
async fn with_the_gateway_an_unknown_symbol_is_the_cause() {
    let why = "Symbol validation failed: Symbol NOSUCH not found";
    let double =
        double(move || Reply::Json(200, json!({"success": false, "data": null, "error": why}))).await;
    let ended = Served::new(&adapter(&double)).await.run(KIND, &params()).await;
    assert_eq!(ended.failed(), format!("The ib host loaded no bars: {why}"));
    assert!(ended.failure.as_ref().unwrap().hint.contains("Fix the cause"));
}
