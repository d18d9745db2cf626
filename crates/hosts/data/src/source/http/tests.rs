//! The http source against a server on loopback: good, flaky, wrong and slow.

use super::*;
use crate::bars::{Timeframe, at};
use crate::config::SourceConfig;
use crate::params::Mode;
use crate::symbol::Symbol;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query};
use axum::http::{Response as Answer, header};
use axum::routing::get;
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

const CSV: &str =
    "Date,Open,High,Low,Close,Volume\n2024-01-02T10:00:00Z,1,2,1,2,5\n2024-01-02T11:00:00Z,1,2,1,2,5\n";

const QUICK: Patience =
    Patience { tries: 3, pause: Duration::from_millis(1), longest: Duration::from_millis(1) };

async fn served(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

fn request(range: Range) -> Request {
    Request {
        symbol: Symbol::new("BRK.B").unwrap(),
        timeframe: Timeframe::H1,
        source: SourceConfig::Http { name: "web".into(), template: String::new() },
        mode: Mode::Full,
        range,
        rows_per_second: None,
        max_rejected_share: None,
        seed: 1,
    }
}

async fn load(template: &str, range: Range) -> Result<Vec<Row>, WorkError> {
    let token = CancellationToken::new();
    let mut opened = open_with(QUICK, "web", template, &request(range), range, &token).await?;
    let mut rows = Vec::new();
    while let Some(slice) = opened.rows.next(&token).await? {
        rows.extend(slice);
    }
    Ok(rows)
}

async fn told(template: &str) -> Failure {
    match load(template, Range::default()).await {
        Err(WorkError::Failed(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

fn csv(body: impl Into<Body>) -> Answer<Body> {
    Answer::builder().header(header::CONTENT_TYPE, "text/csv").body(body.into()).unwrap()
}

#[tokio::test]
async fn the_url_is_filled_and_the_answer_read() {
    let router = Router::new().route(
        "/bars/{symbol}/{timeframe}",
        get(
            |Path((symbol, timeframe)): Path<(String, String)>,
             Query(query): Query<HashMap<String, String>>| async move {
                assert_eq!((symbol.as_str(), timeframe.as_str()), ("BRK.B", "1h"));
                assert_eq!(query["from"], "2024-01-02T00:00:00Z");
                assert_eq!(query["to"], "2024-01-02T23:59:59.999999Z");
                csv(CSV)
            },
        ),
    );
    let base = served(router).await;
    let range = Range { from: Some(at("2024-01-02T00:00:00Z")), to: Some(at("2024-01-03T00:00:00Z")) };
    let rows = load(&format!("{base}/bars/{{symbol}}/{{timeframe}}?from={{start}}&to={{end}}"), range)
        .await
        .unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1].time, Some(at("2024-01-02T11:00:00Z")));
}

#[tokio::test]
async fn a_source_that_fails_twice_is_asked_a_third_time_and_no_more() {
    let asked = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&asked);
    let router = Router::new().route(
        "/{file}",
        get(move |Path(file): Path<String>| async move {
            let n = counter.fetch_add(1, Ordering::SeqCst);
            let fails = if file == "flaky" { 2 } else { u32::MAX };
            if n < fails {
                let status = if n == 0 { 503 } else { 429 };
                return Answer::builder()
                    .status(status)
                    .header("retry-after", "3600")
                    .body(Body::from("too busy"))
                    .unwrap();
            }
            csv(CSV)
        }),
    );
    let base = served(router).await;
    assert_eq!(load(&format!("{base}/flaky?{{symbol}}"), Range::default()).await.unwrap().len(), 2);
    assert_eq!(asked.swap(0, Ordering::SeqCst), 3);
    let failure = told(&format!("{base}/down?{{symbol}}")).await;
    assert!(
        failure.message.contains("answered 429 Too Many Requests 3 times. It said: too busy"),
        "{}",
        failure.message
    );
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn wrong_answers_say_what_is_wrong() {
    let router = Router::new()
        .route("/html", get(|| async { axum::response::Html("<html>log in</html>") }))
        .route("/sneaky", get(|| async { csv("<html>log in</html>\n") }))
        .route("/forbidden", get(|| async { (axum::http::StatusCode::FORBIDDEN, "no key") }))
        .route("/header", get(|| async { csv("a,b\n1,2\n") }));
    let base = served(router).await;
    let at = |path: &str| format!("{base}/{path}?s={{symbol}}");
    let none = told(&at("none")).await;
    assert!(none.message.starts_with("The source 'web' has no BRK.B 1h: "), "{}", none.message);
    assert!(told(&at("html")).await.message.contains("text/html"));
    assert!(told(&at("sneaky")).await.message.contains("web page"));
    assert!(told(&at("forbidden")).await.message.contains("403 Forbidden. It said: no key"));
    assert!(told(&at("header")).await.message.contains("lacks a time"));
}

#[tokio::test]
async fn a_source_that_is_not_there_is_told_with_its_address() {
    // A port that was free a moment ago.
    let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let failure = told(&format!("http://127.0.0.1:{port}/{{symbol}}")).await;
    assert!(
        failure.message.contains(&format!("127.0.0.1:{port}/BRK.B can't be reached, after 3 tries")),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_a_failure_and_not_a_short_load() {
    let break_off = Arc::new(tokio::sync::Notify::new());
    let told = Arc::clone(&break_off);
    let broken = move || async move {
        let first = futures::stream::iter([Ok(Bytes::from(CSV))]);
        let gone = futures::stream::once(async move {
            told.notified().await;
            Err(std::io::Error::other("gone"))
        });
        csv(Body::from_stream(futures::StreamExt::chain(first, gone)))
    };
    let base = served(Router::new().route("/b", get(broken))).await;
    let token = CancellationToken::new();
    let (range, template) = (Range::default(), format!("{base}/b?{{symbol}}"));
    let mut opened = open_with(QUICK, "web", &template, &request(range), range, &token).await.ok().unwrap();
    assert_eq!(opened.rows.next(&token).await.unwrap().unwrap().len(), 2);
    break_off.notify_one();
    let Err(WorkError::Failed(failure)) = opened.rows.next(&token).await else {
        panic!("it was taken for whole")
    };
    assert!(failure.message.contains("broke off"), "{}", failure.message);
    assert!(failure.hint.contains("Resume"));
}

#[tokio::test]
async fn a_cancel_ends_the_wait_for_a_silent_source() {
    let silent = || async {
        let first = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from(CSV))]);
        csv(Body::from_stream(futures::StreamExt::chain(first, futures::stream::pending())))
    };
    let base = served(Router::new().route("/s", get(silent))).await;
    let token = CancellationToken::new();
    let range = Range::default();
    let mut opened = open_with(QUICK, "web", &format!("{base}/s?{{symbol}}"), &request(range), range, &token)
        .await
        .ok()
        .unwrap();
    assert_eq!(opened.rows.next(&token).await.unwrap().unwrap().len(), 2);
    let waiting = tokio::spawn({
        let token = token.clone();
        async move { opened.rows.next(&token).await }
    });
    token.cancel();
    assert!(matches!(waiting.await.unwrap(), Err(WorkError::Cancelled)));
}

#[test]
fn what_goes_into_a_url_is_encoded() {
    let filled = fill("http://h/{symbol}?t={end}", |n| {
        Some(if n == "symbol" { "a/b c".into() } else { "10:00+é".into() })
    });
    assert_eq!(filled.unwrap(), "http://h/a%2Fb%20c?t=10%3A00%2B%C3%A9");
}
