//! A training resumes on another host: both are real processes with their own folders.

use crate::process::{Follower, Home, HostProcess, Server};
use pool::Repeat;
use protocol::api::{HostStatus, SeriesAnswer};
use protocol::results::TrainingResult;
use protocol::{OperationId, State};
use serde_json::{Value, json};

async fn drain(server: &Server, host: &str, on: bool) {
    let path = format!("/api/v1/hosts/{host}/{}", if on { "drain" } else { "undrain" });
    let (_, told): (u16, HostStatus) = server.pool.post(&path, &json!(null), Repeat::Never).await.unwrap();
    assert_eq!(told.draining, on);
}

/// Loads the same bars on the only host that accepts work.
async fn load(server: &Server, feed: &mut Follower) {
    let params = json!({
        "symbol": "DEMO", "timeframe": "1h", "source": "synthetic", "years": 1
    });
    let load = server.start("data.load", params).await;
    let ended = feed.until(|o| o.id == load.id && o.state.ended()).await;
    assert_eq!(ended.state, State::Succeeded, "{:?}", ended.failure);
}

fn params() -> Value {
    json!({
        "symbols": "DEMO", "timeframe": "1h", "hidden": "24,24", "epochs": 40, "patience": 0,
        "checkpoint_every": 5, "batch_size": 16, "learning_rate": 0.002, "seed": 5
    })
}

/// Result without what differs between operations, and the series of the validation loss.
async fn outcome(server: &Server, id: OperationId) -> TrainingResult {
    let document = server.detail(id).await.result.unwrap().document;
    let mut result: TrainingResult = serde_json::from_value(document).unwrap();
    result.seconds = 0.0;
    result.model.clear();
    result.model_sha256.clear();
    result
}

#[tokio::test]
async fn a_training_resumed_on_another_host_ends_as_an_uninterrupted_one() {
    let home = Home::new();
    let (one, two) =
        (HostProcess::start(&home.path().join("one")), HostProcess::start(&home.path().join("two")));
    let config = home.path().join("signalbox.toml");
    let text = format!(
        "bundled = true\n[[host]]\nname = 'one'\nurl = '{}'\n[[host]]\nname = 'two'\nurl = '{}'\n",
        one.url, two.url
    );
    std::fs::write(&config, text).unwrap();
    let server = home.serve(&["--config", config.to_str().unwrap()]);
    server.host_up().await;
    let mut feed = server.follow(0).await;
    drain(&server, "local", true).await;
    drain(&server, "one", true).await;
    load(&server, &mut feed).await;
    drain(&server, "two", true).await;
    drain(&server, "one", false).await;
    load(&server, &mut feed).await;

    let whole = server.start("training.run", params()).await.id;
    let ended = feed.until(|o| o.id == whole && o.state.ended()).await;
    assert_eq!(ended.state, State::Succeeded, "{:?}", ended.failure);

    let id = server.start("training.run", params()).await.id;
    let kept = feed.until(|o| o.id == id && o.checkpoint.is_some()).await;
    assert_eq!(kept.host.as_ref().map(|h| h.as_str()), Some("one"));
    server.ask(id, "cancel").await;
    let cancelled = feed.until(|o| o.id == id && o.state.ended()).await;
    assert_eq!(cancelled.state, State::Cancelled);
    drain(&server, "one", true).await;
    drain(&server, "two", false).await;
    server.ask(id, "resume").await;
    let ended = feed.until(|o| o.id == id && o.attempt == 2 && o.state.ended()).await;
    assert_eq!(ended.state, State::Succeeded, "{:?}", ended.failure);
    assert_eq!(ended.host.as_ref().map(|h| h.as_str()), Some("two"));
    assert_eq!(outcome(&server, id).await, outcome(&server, whole).await);
    let curve: SeriesAnswer =
        server.pool.get(&format!("/api/v1/operations/{id}/series?name=validation_loss")).await.unwrap();
    assert!(curve.series[0].points[0].0 > 1.0, "it went on and did not begin again: {curve:?}");
    feed.assert_gapless();
}
