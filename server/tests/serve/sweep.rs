//! Sweeps: many runs as children of one operation, over real bars and backtests.

use crate::process::{Follower, Home, Server};
use pool::{PoolError, Repeat};
use protocol::api::OperationPage;
use protocol::sweep::SweepResult;
use protocol::{OperationId, State};
use serde_json::{Value, json};

/// Bars to trade on.
async fn load(server: &Server, feed: &mut Follower) {
    let params = json!({"symbol": "SWEPT", "timeframe": "1h", "source": "synthetic", "years": 1});
    let load = server.start("data.load", params).await;
    let ended = feed.until(|o| o.id == load.id && o.state.ended()).await;
    assert_eq!(ended.state, State::Succeeded, "{:?}", ended.failure);
}

fn params(vary: &str) -> Value {
    json!({"run": "backtest.run", "fixed": "symbol=SWEPT; timeframe=1h", "vary": vary, "at_once": 2})
}

async fn children(server: &Server, of: OperationId) -> OperationPage {
    server.pool.get(&format!("/api/v1/operations?parent={of}&limit=500")).await.unwrap()
}

async fn result(server: &Server, id: OperationId) -> SweepResult {
    serde_json::from_value(server.detail(id).await.result.unwrap().document).unwrap()
}

#[tokio::test]
async fn a_grid_is_run_ranked_and_listed_under_its_sweep() {
    let home = Home::new();
    let server = home.serve(&[]);
    let mut feed = server.follow(0).await;
    load(&server, &mut feed).await;
    let sweep = server.start("analysis.sweep", params("fast=5,10; slow=30,60")).await;
    let ended = feed.until(|o| o.id == sweep.id && o.state.ended()).await;
    assert_eq!(ended.state, State::Succeeded, "{:?}", ended.failure);
    assert_eq!(ended.title, "backtest.run · fast=5,10; slow=30,60");
    let told = result(&server, sweep.id).await;
    assert_eq!(
        (told.runs, told.ran.len(), told.names.as_slice()),
        (4, 4, ["fast".to_owned(), "slow".into()].as_slice())
    );
    let figures: Vec<_> = told.ran.iter().map(|ran| ran.figure.unwrap()).collect();
    assert!(figures.is_sorted_by(|a, b| a >= b), "{figures:?}");
    let runs = children(&server, sweep.id).await.operations;
    assert_eq!(runs.len(), 4);
    assert!(runs.iter().all(|run| run.parent == Some(sweep.id)));
    // Each figure is that of its child, whose params are those of its place.
    for ran in &told.ran {
        let child = server.detail(ran.operation).await;
        let sharpe = child.result.unwrap().document["performance"]["sharpe"].as_f64();
        assert_eq!(sharpe, ran.figure);
        let (fast, slow) = (&child.operation.params["fast"], &child.operation.params["slow"]);
        let grid = [(5, 30), (5, 60), (10, 30), (10, 60)];
        assert_eq!(
            (fast.as_u64(), slow.as_u64()),
            (Some(grid[ran.run as usize].0), Some(grid[ran.run as usize].1))
        );
    }
    // The curves go on as the runs end, whichever ends first.
    let path = format!("/api/v1/operations/{}/series", sweep.id);
    let curves: protocol::api::SeriesAnswer = server.pool.get(&path).await.unwrap();
    for name in ["figure", "best"] {
        let points = &curves.series.iter().find(|s| s.name == name).unwrap().points;
        assert_eq!(points.iter().map(|p| p.0).collect::<Vec<_>>(), [1.0, 2.0, 3.0, 4.0], "{name}");
    }
    feed.assert_gapless();
}

#[tokio::test]
async fn what_is_wrong_with_a_sweep_is_told_and_starts_nothing() {
    let home = Home::new();
    let server = home.serve(&[]);
    let mut feed = server.follow(0).await;
    load(&server, &mut feed).await;
    let sweep = server.start("analysis.sweep", params("fats=5,10")).await;
    let ended = feed.until(|o| o.id == sweep.id && o.state.ended()).await;
    let failure = ended.failure.unwrap();
    assert!(failure.message.contains("has no param 'fats'"), "{failure:?}");
    assert_eq!(children(&server, sweep.id).await.operations, []);
    let path = "/api/v1/operations?parent=x";
    let error = server.pool.get::<Value>(path).await.unwrap_err();
    assert!(matches!(error, PoolError::Status { status: 400, .. }), "{error}");
}

/// Many trainings that take long; the first of them run.
async fn long(server: &Server, feed: &mut Follower) -> (OperationId, OperationId) {
    let mut params = params("seed=1..6");
    params["run"] = json!("training.run");
    params["fixed"] = json!("symbols=SWEPT; timeframe=1h; epochs=500; patience=0");
    let sweep = server.start("analysis.sweep", params).await.id;
    let child = feed.until(|o| o.parent == Some(sweep) && o.state == State::Running).await.id;
    (sweep, child)
}

#[tokio::test]
async fn a_cancel_goes_to_all_runs_of_a_sweep() {
    let home = Home::new();
    let server = home.serve(&[]);
    let mut feed = server.follow(0).await;
    load(&server, &mut feed).await;
    let (sweep, _) = long(&server, &mut feed).await;
    server.ask(sweep, "cancel").await;
    let ended = feed.until(|o| o.id == sweep && o.state.ended()).await;
    assert_eq!(ended.state, State::Cancelled, "{:?}", ended.failure);
    loop {
        let runs = children(&server, sweep).await.operations;
        if runs.iter().all(|run| run.state.ended()) {
            assert!(!runs.is_empty() && runs.iter().all(|run| run.state == State::Cancelled), "{runs:?}");
            break;
        }
        feed.until(|o| o.parent == Some(sweep) && o.state.ended()).await;
    }
}

#[tokio::test]
async fn a_sweep_goes_on_after_the_server_was_killed_and_runs_nothing_twice() {
    let home = Home::new();
    let server = home.serve(&["--keep-hosts"]);
    let mut feed = server.follow(0).await;
    load(&server, &mut feed).await;
    let sweep = server.start("analysis.sweep", params("fast=2..41; slow=50,100")).await.id;
    feed.until(|o| o.parent == Some(sweep) && o.state == State::Succeeded).await;
    server.kill();
    while feed.try_next().await.is_some() {}
    let server = home.serve(&["--keep-hosts"]);
    let mut feed = server.follow(feed.last()).await;
    let ended = feed.until(|o| o.id == sweep && o.state.ended() && o.attempt == 2).await;
    assert_eq!(ended.state, State::Succeeded, "{:?}", ended.failure);
    let told = result(&server, sweep).await;
    let mut runs: Vec<_> = told.ran.iter().map(|ran| ran.run).collect();
    runs.sort_unstable();
    assert_eq!(runs, (0..80).collect::<Vec<_>>());
    let children = children(&server, sweep).await.operations;
    assert_eq!(children.len(), 80);
    assert!(children.iter().all(|run| run.attempt == 1 && run.state == State::Succeeded), "{children:?}");
    let body = json!({"kind": "backtest.run"});
    let error = server.pool.post::<_, Value>("/api/v1/operations", &body, Repeat::Never).await.unwrap_err();
    assert!(matches!(error, PoolError::Status { status: 422, .. }), "{error}");
}
