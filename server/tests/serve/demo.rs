//! The demonstration: three ordinary operations as children of one, on synthetic bars.

use crate::process::Home;
use protocol::api::OperationPage;
use protocol::{OperationId, State};
use serde_json::json;

#[tokio::test]
async fn the_demo_loads_trains_and_backtests_on_synthetic_bars() {
    let home = Home::new();
    let server = home.serve(&[]);
    let mut feed = server.follow(0).await;
    let demo = server.start("demo.run", json!({})).await;
    let ended = feed.until(|o| o.id == demo.id && o.state.ended()).await;
    assert_eq!(ended.state, State::Succeeded, "{:?}", ended.failure);
    assert_eq!(ended.tags, ["synthetic"]);
    let children: OperationPage =
        server.pool.get(&format!("/api/v1/operations?parent={}", demo.id)).await.unwrap();
    // The newest is first.
    let kinds: Vec<_> = children.operations.iter().map(|o| o.kind.as_str()).collect();
    assert_eq!(kinds, ["backtest.run", "training.run", "data.load"]);
    assert!(children.operations.iter().all(|o| o.state == State::Succeeded && o.tags == ["synthetic"]));
    let result = server.detail(demo.id).await.result.unwrap().document;
    let of = |name: &str| -> OperationId { serde_json::from_value(result[name].clone()).unwrap() };
    let [backtest, training, load] = [0, 1, 2].map(|n| children.operations[n].id);
    assert_eq!((of("backtest"), of("training"), of("load")), (backtest, training, load));
    // The model is traded only on bars that it has not seen.
    let traded = server.detail(backtest).await;
    assert!(traded.result.unwrap().document["in_sample"].is_null());
    let trained = server.detail(training).await.result.unwrap().document;
    assert_eq!(traded.operation.params["model"], trained["model"]);
    assert_eq!(traded.operation.params["start"], trained["test"]["from"]);
    assert!(result["bars"].as_u64().is_some_and(|bars| bars > 5_000), "{result}");
    for figure in ["test_accuracy", "total_return", "buy_and_hold"] {
        assert!(result[figure].is_number(), "{figure}: {result}");
    }
    feed.assert_gapless();
}

#[tokio::test]
async fn a_demo_cancelled_at_any_moment_of_its_first_step_ends_as_cancelled() {
    let home = Home::new();
    let server = home.serve(&[]);
    let mut feed = server.follow(0).await;
    for moment in [None, Some(State::Queued), Some(State::Starting), Some(State::Running), None] {
        let demo = server.start("demo.run", json!({})).await.id;
        if let Some(moment) = moment {
            feed.until(|o| o.parent == Some(demo) && o.state == moment).await;
        }
        server.ask(demo, "cancel").await;
        let ended = feed.until(|o| o.id == demo && o.state.ended()).await;
        assert_eq!(ended.state, State::Cancelled, "at {moment:?}: {:?}", ended.failure);
    }
}

#[tokio::test]
async fn a_cancelled_demo_cancels_its_step_and_continues_with_a_retry() {
    let home = Home::new();
    let server = home.serve(&[]);
    let mut feed = server.follow(0).await;
    let demo = server.start("demo.run", json!({})).await.id;
    let child = feed.until(|o| o.parent == Some(demo) && o.state == State::Running).await;
    server.ask(demo, "cancel").await;
    feed.until(|o| o.id == child.id && o.state == State::Cancelled).await;
    feed.until(|o| o.id == demo && o.state == State::Cancelled).await;
    server.ask(demo, "retry").await;
    let ended = feed.until(|o| o.id == demo && o.state.ended()).await;
    assert_eq!(ended.state, State::Succeeded, "{:?}", ended.failure);
    let children: OperationPage =
        server.pool.get(&format!("/api/v1/operations?parent={demo}")).await.unwrap();
    let attempts: Vec<_> = children.operations.iter().map(|o| o.attempt).collect();
    assert_eq!(attempts, [1, 1, 2], "no step is started twice");
}
