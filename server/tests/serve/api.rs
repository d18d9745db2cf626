//! The API as programs use it.

use crate::process::{Home, http_client};
use pool::Repeat;
use protocol::api::OperationPage;
use protocol::results::LoadResult;
use protocol::{Operation, Problem, ProblemType, State};
use serde_json::{Value, json};

async fn problem(error: pool::PoolError) -> Problem {
    let pool::PoolError::Status { problem: Some(problem), status, .. } = error else { panic!("{error}") };
    let problem: Problem = serde_json::from_value(*problem).unwrap();
    assert_eq!(problem.status, status);
    problem
}

#[tokio::test]
async fn a_load_goes_from_start_to_candles() {
    let home = Home::new();
    let server = home.serve(&[]);
    let mut feed = server.follow(0).await;
    let operation = server.load("ACME", None).await;
    let ended = feed.until(|o| o.id == operation.id && o.state.ended()).await;
    assert_eq!(ended.state, State::Succeeded, "{:?}", ended.failure);
    assert_eq!(ended.tags, ["synthetic"]);
    let detail = server.detail(operation.id).await;
    let result: LoadResult = serde_json::from_value(detail.result.unwrap().document).unwrap();
    assert!(result.rows > 1_000 && result.synthetic);
    let bars: protocol::results::Bars = server
        .pool
        .get(&format!("/api/v1/operations/{}/artifacts/bars?points=200", operation.id))
        .await
        .unwrap();
    assert!((2..=200).contains(&bars.t.len()));
    assert_eq!(bars.bars, result.rows);
    let logs: Value =
        server.pool.get(&format!("/api/v1/operations/{}/logs?limit=5", operation.id)).await.unwrap();
    assert!(!logs["lines"].as_array().unwrap().is_empty());
    let page: OperationPage = server.pool.get("/api/v1/operations?state=succeeded&q=acme").await.unwrap();
    assert_eq!(page.operations.len(), 1);
    for (query, found) in [
        ("param.symbol=acme&since=1h", 1),
        ("param.symbol=ACME&param.symbol=OTHER&kind=data.load&order=oldest", 1),
        ("param.symbol=other", 0),
        ("until=2020-01-01", 0),
    ] {
        let page: OperationPage = server.pool.get(&format!("/api/v1/operations?{query}")).await.unwrap();
        assert_eq!(page.operations.len(), found, "{query}");
    }
}

#[tokio::test]
async fn a_cancelled_load_keeps_its_segments_and_a_resumed_one_has_the_same_rows() {
    let home = Home::new();
    let server = home.serve(&[]);
    let mut feed = server.follow(0).await;
    let whole = server.load("WHOLE", None).await;
    let cut = server.load("CUT", Some(800)).await;
    feed.until(|o| o.id == cut.id && o.checkpoint.is_some()).await;
    server.ask(cut.id, "cancel").await;
    let cancelled = feed.until(|o| o.id == cut.id && o.state.ended()).await;
    assert_eq!(cancelled.state, State::Cancelled);
    let receipt = cancelled.receipt.unwrap();
    assert!(receipt.sent.is_some() && receipt.acknowledged.is_some() && receipt.released.is_some());
    let resumed = server.ask(cut.id, "resume").await;
    assert_eq!(resumed.attempt, 2);
    let ended = feed.until(|o| o.id == cut.id && o.attempt == 2 && o.state.ended()).await;
    assert_eq!(ended.state, State::Succeeded, "{:?}", ended.failure);
    let rows = |detail: protocol::api::OperationDetail| {
        serde_json::from_value::<LoadResult>(detail.result.unwrap().document).unwrap().rows
    };
    if server.detail(whole.id).await.result.is_none() {
        feed.until(|o| o.id == whole.id && o.state.ended()).await;
    }
    assert_eq!(rows(server.detail(cut.id).await), rows(server.detail(whole.id).await));
    feed.assert_gapless();
}

#[tokio::test]
async fn errors_are_problem_documents_with_advice() {
    let home = Home::new();
    let server = home.serve(&[]);
    server.host_up().await;
    let post = |body: Value| {
        let pool = server.pool.clone();
        async move { pool.post::<_, Operation>("/api/v1/operations", &body, Repeat::Never).await.unwrap_err() }
    };
    let wrong =
        problem(post(json!({"kind": "data.load", "params": {"symbol": "../etc", "timeframe": "2h"}})).await)
            .await;
    assert_eq!(wrong.kind, ProblemType::BadParams);
    assert!(wrong.fields.iter().any(|f| f.field == "timeframe" && f.message.contains("1h")), "{wrong:?}");
    let unknown = problem(post(json!({"kind": "data.lode"})).await).await;
    assert_eq!(unknown.kind, ProblemType::UnknownKind);
    let unread = problem(post(json!({"kind": "no kind at all"})).await).await;
    assert_eq!(unread.kind, ProblemType::BadRequest);
    for (path, status) in [
        ("/api/v1/operations/7", 404),
        ("/api/v1/operations/0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d", 404),
        ("/api/v1/operations?state=runing", 400),
        ("/api/v1/operations?since=tomorrow", 400),
        ("/api/v1/operations?params.symbol=MSFT", 400),
        ("/api/v1/nothing", 404),
        ("/api/v1/events?after=x", 400),
    ] {
        let answer = problem(server.pool.get::<Value>(path).await.unwrap_err()).await;
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        assert!(!answer.detail.is_empty());
    }
    let large = json!({"reason": "x".repeat(1 << 20)});
    for path in ["/api/v1/operations", "/api/v1/operations/0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d/cancel"] {
        let refused = server.pool.post::<_, Value>(path, &large, Repeat::Never).await.unwrap_err();
        let refused = problem(refused).await;
        assert_eq!(refused.kind, ProblemType::TooLarge, "{path}");
        assert_eq!(refused.detail, "The request body is larger than 1 MiB. Send less at once.");
    }
}

#[tokio::test]
async fn an_unknown_symbol_fails_with_the_existing_ones() {
    let home = Home::new();
    let bars =
        "time,open,high,low,close,volume\n2024-01-02T10:00:00Z,1,2,1,2,5\n2024-01-02T11:00:00Z,2,3,2,3,5\n";
    std::fs::write(home.csv().join("MSFT_1h.csv"), bars).unwrap();
    std::fs::write(home.csv().join("EMPTY_1h.csv"), "").unwrap();
    let server = home.serve(&[]);
    let mut feed = server.follow(0).await;
    for (symbol, word) in [("MSFFT", "MSFT"), ("EMPTY", "empty")] {
        let params = json!({"symbol": symbol, "timeframe": "1h", "source": "csv"});
        let operation = server.start("data.load", params).await;
        let ended = feed.until(|o| o.id == operation.id && o.state.ended()).await;
        let failure = ended.failure.unwrap();
        let text = format!("{} {}", failure.message, failure.hint);
        assert!(ended.state == State::Failed && text.contains(word), "{text}");
    }
    let operation =
        server.start("data.load", json!({"symbol": "MSFT", "timeframe": "1h", "source": "csv"})).await;
    let ended = feed.until(|o| o.id == operation.id && o.state.ended()).await;
    assert_eq!(ended.state, State::Succeeded, "{:?}", ended.failure);
}

#[tokio::test]
async fn a_page_of_another_origin_can_start_nothing() {
    let home = Home::new();
    let server = home.serve(&[]);
    let client = http_client();
    let post = |header: &'static str, value: &'static str| {
        let request =
            client.post(format!("{}/api/v1/operations", server.url)).header(header, value).body("{}");
        async move { request.send().await.unwrap().status().as_u16() }
    };
    assert_eq!(post("origin", "http://evil.example.org").await, 403);
    assert_eq!(post("host", "evil.example.org").await, 403);
    assert_ne!(post("accept", "application/json").await, 403);
}

#[tokio::test]
async fn with_a_token_nothing_is_readable_without_it() {
    let home = Home::new();
    let server = home.serve(&["--token", "s3cret"]);
    let client = http_client();
    let url = &server.url;
    let status =
        |request: reqwest::RequestBuilder| async move { request.send().await.unwrap().status().as_u16() };
    assert_eq!(status(client.get(format!("{url}/api/v1/snapshot"))).await, 401);
    assert_eq!(status(client.get(format!("{url}/api/v1/events"))).await, 401);
    assert_eq!(status(client.get(format!("{url}/?token=wrong"))).await, 401);
    assert_eq!(status(client.get(format!("{url}/healthz"))).await, 200);
    assert_eq!(status(client.get(format!("{url}/api/v1/snapshot")).bearer_auth("s3cret")).await, 200);
    let answer = client.get(format!("{url}/?token=s3cret")).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["location"].to_str().unwrap()), (303, "/"));
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert_eq!(status(client.get(format!("{url}/api/v1/snapshot")).header("cookie", cookie)).await, 200);
}

#[tokio::test]
async fn a_token_with_any_characters_opens_the_page_by_link_and_cookie() {
    let home = Home::new();
    let server = home.serve(&["--token", "p&s;s=% +"]);
    let client = http_client();
    let url = &server.url;
    let answer = client.get(format!("{url}/?token=p%26s%3Bs%3D%25%20%2B")).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 303);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let snapshot =
        client.get(format!("{url}/api/v1/snapshot")).header("cookie", cookie).send().await.unwrap();
    assert_eq!(snapshot.status().as_u16(), 200);
    // The scheme of the header is case-insensitive, here as on hosts.
    let lower = client.get(format!("{url}/api/v1/snapshot")).header("authorization", "bearer p&s;s=% +");
    assert_eq!(lower.send().await.unwrap().status().as_u16(), 200);
}
