//! Requests and responses of the pool, tested on loopback.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod service;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use service::{nowhere, quick, serve, serve_raw};
use signalbox_pool::{Pool, PoolConfig, PoolError, Repeat};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use tokio::sync::watch;

/// Number of requests at the service, and the largest number at once.
#[derive(Clone)]
struct RequestCounter {
    here: watch::Sender<usize>,
    most: Arc<AtomicUsize>,
    gate: watch::Sender<bool>,
}

async fn wait_at_the_gate(State(counter): State<RequestCounter>) -> Json<Value> {
    counter.here.send_modify(|here| {
        *here += 1;
        counter.most.fetch_max(*here, SeqCst);
    });
    counter.gate.subscribe().wait_for(|open| *open).await.unwrap();
    counter.here.send_modify(|here| *here -= 1);
    Json(json!(1))
}

#[tokio::test]
async fn concurrent_requests_are_limited() {
    const ALLOWED: usize = 10;
    let counter =
        RequestCounter { here: watch::channel(0).0, most: Arc::default(), gate: watch::channel(false).0 };
    let url = serve(
        Router::new()
            .route("/wait", get(wait_at_the_gate))
            .route("/knock", get(|| async { Json(json!(1)) }))
            .with_state(counter.clone()),
    )
    .await;
    let pool = Pool::new(&url, PoolConfig { max_connections: ALLOWED, ..quick() }).unwrap();

    let calls: Vec<_> = (0..ALLOWED + 5)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { pool.get::<u32>("/wait").await })
        })
        .collect();
    counter.here.subscribe().wait_for(|here| *here == ALLOWED).await.unwrap();
    // A round trip of another client gives requests that should not come enough time to come.
    let other = Pool::new(&url, quick()).unwrap();
    for _ in 0..50 {
        other.get::<u32>("/knock").await.unwrap();
    }
    assert_eq!(*counter.here.borrow(), ALLOWED);
    counter.gate.send_replace(true);
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), 1);
    }
    assert_eq!(counter.most.load(SeqCst), ALLOWED);
    assert_eq!(pool.counters().requests, ALLOWED as u64 + 5);
}

#[tokio::test]
async fn connections_are_reused_and_counted() {
    let url = serve(Router::new().route("/", get(|| async { Json(json!(1)) }))).await;
    let pool = Pool::new(&url, quick()).unwrap();
    for _ in 0..50 {
        pool.get::<u32>("/").await.unwrap();
    }
    let counters = pool.counters();
    assert_eq!(counters.requests, 50);
    assert_eq!((counters.opened, counters.reused), (1, 49));
    assert_eq!((counters.retries, counters.failures), (0, 0));
}

/// Responds with 503 to the first requests.
fn fails_first(times: usize) -> (Router, Arc<AtomicUsize>) {
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    let answer = move || {
        let number = count.fetch_add(1, SeqCst);
        async move {
            match number < times {
                true => StatusCode::SERVICE_UNAVAILABLE.into_response(),
                false => (StatusCode::ACCEPTED, Json(json!(number))).into_response(),
            }
        }
    };
    (Router::new().route("/", get(answer.clone()).post(answer)), seen)
}

#[tokio::test]
async fn a_get_that_fails_twice_succeeds_on_the_third_attempt() {
    let (router, seen) = fails_first(2);
    let pool = Pool::new(&serve(router).await, quick()).unwrap();
    assert_eq!(pool.get::<u32>("/").await.unwrap(), 2);
    assert_eq!(seen.load(SeqCst), 3);
    let counters = pool.counters();
    assert_eq!((counters.requests, counters.retries, counters.failures), (3, 2, 0));
}

#[tokio::test]
async fn a_non_repeatable_post_is_sent_once() {
    let (router, seen) = fails_first(1);
    let pool = Pool::new(&serve(router).await, quick()).unwrap();
    let error = pool.post::<_, Value>("/", &json!({}), Repeat::Never).await.unwrap_err();
    assert_eq!(error.status(), Some(503));
    assert_eq!(seen.load(SeqCst), 1);
    assert_eq!(pool.counters().failures, 1);
}

#[tokio::test]
async fn a_repeatable_post_is_retried() {
    let (router, seen) = fails_first(3);
    let pool = Pool::new(&serve(router).await, quick()).unwrap();
    let (status, number) = pool.post::<_, u32>("/", &json!({}), Repeat::Safe).await.unwrap();
    assert_eq!((status, number, seen.load(SeqCst)), (202, 3, 4));
}

#[tokio::test]
async fn retries_end_after_the_configured_number() {
    let (router, seen) = fails_first(usize::MAX);
    let pool = Pool::new(&serve(router).await, PoolConfig { retries: 2, ..quick() }).unwrap();
    assert_eq!(pool.get::<u32>("/").await.unwrap_err().status(), Some(503));
    assert_eq!(seen.load(SeqCst), 3);
}

#[tokio::test]
async fn a_broken_connection_is_retried_where_that_is_safe() {
    let fine = Some("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n7");
    let cut = Some("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n7");
    let pool = Pool::new(&serve_raw(vec![None, cut, fine]).await, quick()).unwrap();
    assert_eq!(pool.get::<u32>("/").await.unwrap(), 7);
    assert_eq!(pool.counters().retries, 2);

    let pool = Pool::new(&serve_raw(vec![cut, fine]).await, quick()).unwrap();
    let broken = pool.post::<_, u32>("/", &1, Repeat::Never).await.unwrap_err();
    assert!(
        broken.is_unreachable() && broken.to_string().contains("before the response was complete"),
        "{broken}"
    );
}

#[tokio::test]
async fn a_refused_connection_is_named_in_the_error() {
    let url = nowhere().await;
    let pool = Pool::new(&url, quick()).unwrap();
    let error = pool.get::<Value>("/about?x=secret").await.unwrap_err();
    assert!(error.is_unreachable());
    assert_eq!(error.to_string(), format!("{url}/about refused the connection. Check that it is running."));
    let counters = pool.counters();
    assert_eq!((counters.opened, counters.reused, counters.requests), (0, 0, 4));
}

#[tokio::test]
async fn a_service_that_hangs_is_a_timeout() {
    let url = serve(Router::new().route("/", get(std::future::pending::<()>))).await;
    let config = PoolConfig { request_timeout: Duration::from_millis(50), retries: 1, ..quick() };
    let pool = Pool::new(&url, config).unwrap();
    let error = pool.get::<Value>("/").await.unwrap_err();
    assert!(matches!(error, PoolError::Timeout { .. }) && error.is_unreachable(), "{error}");
    assert!(error.to_string().contains("did not answer within 50 ms"), "{error}");
    assert_eq!(pool.counters().requests, 2);
}

#[tokio::test]
async fn an_error_response_has_the_message_of_the_service() {
    let refuse = || async {
        let problem = json!({"type": "/problems/host-full", "detail": "All 4 slots are in use."});
        (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "60")], Json(problem))
    };
    let pool = Pool::new(&serve(Router::new().route("/", post(refuse))).await, quick()).unwrap();
    // It asks for a longer pause than the cap of the backoff, so the caller gets the error at once.
    let error = pool.post::<_, Value>("/", &1, Repeat::Safe).await.unwrap_err();
    assert_eq!(pool.counters().requests, 1);
    assert!(error.to_string().contains("429 Too Many Requests: All 4 slots are in use."), "{error}");
    let PoolError::Status { retry_after, problem, .. } = error else { panic!("{error}") };
    assert_eq!(retry_after, Some(Duration::from_secs(60)));
    assert_eq!(problem.unwrap()["type"], "/problems/host-full");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let router =
        Router::new().route("/", get(|| async { (StatusCode::FOUND, [(header::LOCATION, "/there")]) }));
    let pool = Pool::new(&serve(router.route("/there", get(|| async { Json(1) }))).await, quick()).unwrap();
    assert_eq!(pool.get::<u32>("/").await.unwrap_err().status(), Some(302));
}

#[tokio::test]
async fn the_token_is_sent_as_a_bearer() {
    let serve_raw =
        |headers: HeaderMap| async move { headers[header::AUTHORIZATION].to_str().unwrap().to_owned() };
    let url = serve(Router::new().route("/", get(serve_raw))).await;
    let pool = Pool::new(&url, PoolConfig { token: Some("sesame".into()), ..quick() }).unwrap();
    let (media_type, bytes) = pool.get_bytes("/").await.unwrap();
    assert_eq!((&media_type[..], &bytes[..]), ("text/plain; charset=utf-8", &b"Bearer sesame"[..]));
}

#[tokio::test]
async fn an_unbounded_response_is_rejected() {
    let endless = Some("HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n");
    let pool = Pool::new(&serve_raw(vec![endless]).await, quick()).unwrap();
    let error = pool.get_bytes("/").await.unwrap_err();
    assert!(matches!(error, PoolError::TooLarge { .. }), "{error}");

    let flood = || async {
        let chunk = bytes::Bytes::from(vec![b' '; 1 << 20]);
        let chunks = tokio_stream::iter((0..65).map(move |_| Ok::<_, std::io::Error>(chunk.clone())));
        axum::body::Body::from_stream(chunks)
    };
    let pool = Pool::new(&serve(Router::new().route("/", get(flood))).await, quick()).unwrap();
    let error = pool.get_bytes("/").await.unwrap_err();
    assert!(matches!(error, PoolError::TooLarge { .. }), "{error}");
}

#[tokio::test]
async fn non_http_and_unexpected_json_are_distinguished() {
    let pool = Pool::new(&serve_raw(vec![Some("SSH-2.0-OpenSSH_9.2\r\n")]).await, quick()).unwrap();
    let error = pool.get::<u32>("/").await.unwrap_err();
    assert!(error.to_string().contains("it is not HTTP"), "{error}");

    let url = serve(Router::new().route("/", get(|| async { Json("text") }))).await;
    let pool = Pool::new(&url, quick()).unwrap();
    let error = pool.get::<u32>("/").await.unwrap_err();
    assert!(matches!(error, PoolError::Decode { .. }) && !error.is_unreachable(), "{error}");
    assert_eq!(pool.counters().failures, 1);

    let login = || async { ([("content-type", "text/html")], "<html>\n  <b>Please log in</b>") };
    let pool = Pool::new(&serve(Router::new().route("/", get(login))).await, quick()).unwrap();
    let error = pool.get::<u32>("/").await.unwrap_err().to_string();
    assert!(error.contains("in text/html that begins with \"<html> <b>Please log in</b>\""), "{error}");
}

#[tokio::test]
async fn an_empty_response_is_nothing() {
    let url = serve(Router::new().route("/", post(|| async { StatusCode::NO_CONTENT }))).await;
    let pool = Pool::new(&url, quick()).unwrap();
    let (status, ()) = pool.post("/", &1, Repeat::Never).await.unwrap();
    assert_eq!(status, 204);
}
