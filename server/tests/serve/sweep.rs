//! Sweeps: many runs as children of one operation, with real bars and backtests.

use crate::process::{Follower, Home, HostProcess, Server, http_client};
use pool::{PoolError, Repeat};
use protocol::api::{Deleted, OperationPage};
use protocol::sweep::SweepResult;
use protocol::{EventBody, FailureReason, Operation, OperationId, State};
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
    assert_eq!(ended.title, "4 runs: fast 5–10, slow 30–60 · backtest.run");
    let sweep_result = result(&server, sweep.id).await;
    assert_eq!(
        (sweep_result.runs, sweep_result.ran.len(), sweep_result.names.as_slice()),
        (4, 4, ["fast".to_owned(), "slow".into()].as_slice())
    );
    let figures: Vec<_> = sweep_result.ran.iter().map(|ran| ran.figure.unwrap()).collect();
    assert!(figures.is_sorted_by(|a, b| a >= b), "{figures:?}");
    let runs = children(&server, sweep.id).await.operations;
    assert_eq!(runs.len(), 4);
    assert!(runs.iter().all(|run| run.parent == Some(sweep.id)));
    // Each metric is that of its child, whose parameters match its index.
    for ran in &sweep_result.ran {
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
    // The series continue in the order in which runs end.
    let path = format!("/api/v1/operations/{}/series", sweep.id);
    let curves: protocol::api::SeriesAnswer = server.pool.get(&path).await.unwrap();
    for name in ["figure", "best"] {
        let points = &curves.series.iter().find(|s| s.name == name).unwrap().points;
        assert_eq!(points.iter().map(|p| p.0).collect::<Vec<_>>(), [1.0, 2.0, 3.0, 4.0], "{name}");
    }
    feed.assert_gapless();
}

#[tokio::test]
async fn progress_percentage_and_checkpoint_of_a_sweep_have_the_same_count() {
    let home = Home::new();
    let server = home.serve(&[]);
    let mut feed = server.follow(0).await;
    load(&server, &mut feed).await;
    let vary = "fast=5,10,15,20; slow=30,60,90,120,150";
    let sweep = server.start("analysis.sweep", params(vary)).await.id;
    let (mut kept, mut last) = (Vec::new(), None);
    loop {
        let event = feed.next().await;
        match event.body {
            EventBody::Progress { id, progress, .. } if id == sweep => {
                if let (Some(total), Some(fraction)) = (progress.total, progress.fraction) {
                    let counted = progress.done as f64 / total as f64;
                    assert!(fraction >= counted - 1e-9, "{progress:?}");
                }
                last = Some(progress.done);
            }
            EventBody::Operation { operation } if operation.id == sweep => {
                if let Some(checkpoint) = &operation.checkpoint {
                    let known: SweepResult = serde_json::from_value(checkpoint.state.clone()).unwrap();
                    assert_eq!(checkpoint.note, format!("{} of 20 runs", known.over()));
                    kept.push(u64::from(known.over()));
                }
                if operation.state.ended() {
                    last = operation.progress.map(|p| p.done).or(last);
                    break;
                }
            }
            _ => {}
        }
    }
    assert!(kept.is_sorted(), "{kept:?}");
    assert_eq!((kept.last().copied(), last), (Some(20), Some(20)));
    assert_eq!(result(&server, sweep).await.over(), 20);
}

#[tokio::test]
async fn an_invalid_sweep_is_explained_and_starts_nothing() {
    let home = Home::new();
    let server = home.serve(&[]);
    let mut feed = server.follow(0).await;
    load(&server, &mut feed).await;
    let sweep = server.start("analysis.sweep", params("fats=5,10")).await;
    let ended = feed.until(|o| o.id == sweep.id && o.state.ended()).await;
    let failure = ended.failure.unwrap();
    assert!(failure.message.contains("has no parameter 'fats'"), "{failure:?}");
    assert_eq!(children(&server, sweep.id).await.operations, []);
    let path = "/api/v1/operations?parent=x";
    let error = server.pool.get::<Value>(path).await.unwrap_err();
    assert!(matches!(error, PoolError::Status { status: 400, .. }), "{error}");
}

/// Parameters of a sweep of trainings: those that vary, and those that all runs have beside symbol and timeframe.
fn trainings(vary: &str, fixed: &str) -> Value {
    let mut params = params(vary);
    params["run"] = json!("training.run");
    params["fixed"] = json!(format!("symbols=SWEPT; timeframe=1h; {fixed}"));
    params
}

/// Many long trainings; the first of them run.
async fn long(server: &Server, feed: &mut Follower) -> (OperationId, OperationId) {
    let params = trainings("seed=1..6", "epochs=500; patience=0");
    let sweep = server.start("analysis.sweep", params).await.id;
    let child = feed.until(|o| o.parent == Some(sweep) && o.state == State::Running).await.id;
    (sweep, child)
}

#[tokio::test]
async fn a_cancel_reaches_all_runs_of_a_sweep() {
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
    // Runs that were cancelled together with it are run again.
    server.ask(sweep, "resume").await;
    feed.until(|o| o.parent == Some(sweep) && o.attempt == 2 && o.state == State::Running).await;
    server.ask(sweep, "cancel").await;
    feed.until(|o| o.id == sweep && o.attempt == 2 && o.state == State::Cancelled).await;
}

#[tokio::test]
async fn a_sweep_with_all_runs_started_can_be_cancelled_and_resumed() {
    let home = Home::new();
    let server = home.serve(&[]);
    let mut feed = server.follow(0).await;
    load(&server, &mut feed).await;
    let mut params = trainings("epochs=1,9000,9001", "patience=0");
    params["at_once"] = json!(3);
    let sweep = server.start("analysis.sweep", params).await.id;
    // One run succeeds before the cancel; the others run, and none is left to start.
    let short = feed.until(|o| o.parent == Some(sweep) && o.state == State::Succeeded).await.id;
    for attempt in 1..=4 {
        loop {
            let runs = children(&server, sweep).await.operations;
            let long: Vec<_> = runs.iter().filter(|run| run.id != short).collect();
            if long.len() == 2 && long.iter().all(|r| r.attempt == attempt && r.state == State::Running) {
                break;
            }
            feed.until(|o| o.parent == Some(sweep) && o.state == State::Running).await;
        }
        server.ask(sweep, "cancel").await;
        let ended = feed.until(|o| o.id == sweep && o.attempt == attempt && o.state.ended()).await;
        assert_eq!(ended.state, State::Cancelled, "{:?}", ended.failure);
        assert_eq!(ended.checkpoint.unwrap().note, "1 of 3 runs", "a resume repeats the others");
        let receipt = ended.receipt.unwrap();
        assert!(receipt.sent.is_some() && receipt.stopped.is_some() && receipt.released.is_some());
        let runs = children(&server, sweep).await.operations;
        assert!(runs.iter().all(|run| run.id == short || run.state == State::Cancelled), "{runs:?}");
        if attempt < 4 {
            server.ask(sweep, "resume").await;
        }
    }
    assert_eq!(server.detail(short).await.operation.attempt, 1);
}

#[tokio::test]
async fn a_sweep_cancelled_while_it_starts_its_runs_ends_as_cancelled() {
    let home = Home::new();
    let server = home.serve(&[]);
    let mut feed = server.follow(0).await;
    load(&server, &mut feed).await;
    let mut params = trainings("seed=1..400", "epochs=500; patience=0");
    params["at_once"] = json!(32);
    let sweep = server.start("analysis.sweep", params).await.id;
    feed.until(|o| o.parent == Some(sweep)).await;
    server.ask(sweep, "cancel").await;
    let ended = feed.until(|o| o.id == sweep && o.state.ended()).await;
    assert_eq!(ended.state, State::Cancelled, "{:?}", ended.failure);
}

#[tokio::test]
async fn a_sweep_continues_after_a_killed_server_and_runs_nothing_twice() {
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
    let sweep_result = result(&server, sweep).await;
    let mut runs: Vec<_> = sweep_result.ran.iter().map(|ran| ran.run).collect();
    runs.sort_unstable();
    assert_eq!(runs, (0..80).collect::<Vec<_>>());
    let children = children(&server, sweep).await.operations;
    assert_eq!(children.len(), 80);
    assert!(children.iter().all(|run| run.attempt == 1 && run.state == State::Succeeded), "{children:?}");
    let body = json!({"kind": "backtest.run"});
    let error = server.pool.post::<_, Value>("/api/v1/operations", &body, Repeat::Never).await.unwrap_err();
    assert!(matches!(error, PoolError::Status { status: 422, .. }), "{error}");
}

#[tokio::test]
async fn a_sweep_waits_for_a_host_that_starts_after_the_server() {
    let home = Home::new();
    let folder = home.path().join("one");
    let host = HostProcess::start(&folder);
    let url = host.url.clone();
    let command = || home.configured(&format!("[[host]]\nname = 'one'\nurl = '{url}'"));
    let server = home.serve_by(command());
    let mut feed = server.follow(0).await;
    load(&server, &mut feed).await;
    let sweep = server.start("analysis.sweep", params("fast=2..41; slow=50,100")).await.id;
    feed.until(|o| o.parent == Some(sweep) && o.state == State::Succeeded).await;
    server.kill();
    host.kill();
    while feed.try_next().await.is_some() {}

    let server = home.serve_by(command());
    let mut feed = server.follow(feed.last()).await;
    feed.until_progress(sweep, |progress| {
        progress.message == "waiting for a host that supports backtest.run"
    })
    .await;
    let _host = HostProcess::start_at(&folder, url.trim_start_matches("http://"));
    let ended = feed.until(|o| o.id == sweep && o.state.ended() && o.attempt == 2).await;
    assert_eq!(ended.state, State::Succeeded, "{:?}", ended.failure);
    assert_eq!(result(&server, sweep).await.ran.len(), 80);
    // Runs on the host ended with it; nothing was cancelled, and nothing was run twice.
    let children = children(&server, sweep).await.operations;
    let kept = |state| matches!(state, State::Succeeded | State::Failed);
    assert!(children.iter().all(|run| run.attempt == 1 && kept(run.state)), "{children:?}");
}

#[tokio::test]
async fn a_sweep_of_a_kind_without_a_host_is_rejected_at_once() {
    let home = Home::new();
    // An adapter is connected whatever its service does, and offers none of our backtests.
    let server = home.serve_by(home.configured(
        "[[host]]\nname = 'gpu-1'\nurl = 'http://127.0.0.1:9'\nprotocol = 'ktrdr-worker'\noffers = 'training'",
    ));
    let mut feed = server.follow(0).await;
    let sweep = server.start("analysis.sweep", params("fast=5,10")).await.id;
    let ended = feed.until(|o| o.id == sweep && o.state.ended()).await;
    let failure = ended.failure.unwrap();
    assert_eq!(failure.reason, FailureReason::Refused);
    assert!(failure.message.contains("No host supports backtest.run"), "{failure:?}");
}

#[tokio::test]
async fn a_sweep_continues_without_deleted_runs_and_keeps_user_cancels() {
    let home = Home::new();
    let server = home.serve(&["--keep-hosts"]);
    let mut feed = server.follow(0).await;
    load(&server, &mut feed).await;
    let mut params = trainings("epochs=1,9000,9001", "patience=0");
    params["at_once"] = json!(3);
    let sweep = server.start("analysis.sweep", params).await.id;
    let run = |o: &Operation, epochs: u32| o.parent == Some(sweep) && o.params["epochs"] == epochs;
    let taken = |o: &Operation, runs: usize| {
        let ran = o.checkpoint.as_ref().and_then(|kept| kept.state["ran"].as_array());
        o.id == sweep && ran.is_some_and(|ran| ran.len() == runs)
    };
    let stays = feed.until(|o| run(o, 9001)).await.id;
    feed.until(|o| taken(o, 1)).await;
    let all = children(&server, sweep).await.operations;
    let [short, unwanted] = [1, 9000].map(|epochs| all.iter().find(|o| run(o, epochs)).unwrap().id);
    let sweep_result = server.detail(short).await.result.unwrap().document["test"]["accuracy"].as_f64();
    let client = http_client();
    let path = format!("{}/api/v1/operations/{short}", server.url);
    let deleted: Deleted = client.delete(path).send().await.unwrap().json().await.unwrap();
    assert_eq!(deleted.deleted, 1);
    server.ask(unwanted, "cancel").await;
    feed.until(|o| o.id == unwanted && o.state == State::Cancelled).await;
    server.kill();
    while feed.try_next().await.is_some() {}

    let server = home.serve(&["--keep-hosts"]);
    let mut feed = server.follow(feed.last()).await;
    feed.until(|o| taken(o, 2) && o.attempt == 2 && o.checkpoint.as_ref().unwrap().attempt == 2).await;
    server.ask(stays, "cancel").await;
    let ended = feed.until(|o| o.id == sweep && o.state.ended() && o.attempt == 2).await;
    assert_eq!(ended.state, State::Succeeded, "{:?}", ended.failure);
    let ran = result(&server, sweep).await.ran;
    let ran: Vec<_> = ran.iter().map(|ran| (ran.run, ran.operation, ran.state, ran.figure)).collect();
    let wanted = [
        (0, short, State::Succeeded, sweep_result),
        (1, unwanted, State::Cancelled, None),
        (2, stays, State::Cancelled, None),
    ];
    assert_eq!(ran, wanted);
    assert!(sweep_result.is_some());
    assert!(children(&server, sweep).await.operations.iter().all(|run| run.attempt == 1));
}
