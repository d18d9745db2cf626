//! Metrics of requests, against services that succeed, refuse, fail, break, hang and send nonsense.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod service;

use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use service::{nowhere, quick, serve, serve_raw};
use signalbox_pool::{OTHER_ROUTES, Outcome, Pool, PoolConfig, Repeat, Requests};
use std::future::pending;
use std::time::Duration;

const ROUTES: &[&str] = &["/jobs", "/jobs/{id}", "/broken"];

fn config() -> PoolConfig {
    PoolConfig { routes: ROUTES, retries: 0, ..quick() }
}

/// The only outcome of the only route, and its requests.
fn only(pool: &Pool) -> (Outcome, Requests) {
    let routes = pool.requests();
    assert_eq!(routes.len(), 1, "{routes:?}");
    let total = routes[0].total.clone();
    let ended: Vec<_> = Outcome::ALL.into_iter().filter(|outcome| total.ended(*outcome) > 0).collect();
    assert_eq!((ended.len(), total.count()), (1, 1), "{total:?}");
    (ended[0], total)
}

#[tokio::test]
async fn requests_count_by_route_and_method() {
    let jobs = get(|| async { Json(json!(["a"])) }).post(|| async { Json(json!({"id": "b"})) });
    let router = Router::new().route("/jobs", jobs).route("/jobs/{id}", get(|| async { Json(json!({})) }));
    let pool = Pool::new(&serve(router).await, config()).unwrap();
    let _: Value = pool.get("/jobs?newest").await.unwrap();
    let _: (u16, Value) = pool.post("/jobs", &json!({"n": 1}), Repeat::Never).await.unwrap();
    for id in ["a", "b"] {
        let _: Value = pool.get(&format!("/jobs/{id}")).await.unwrap();
    }
    pool.get::<Value>("/elsewhere").await.unwrap_err();
    let routes = pool.requests();
    let counted: Vec<_> = routes.iter().map(|r| (r.method, r.route, r.total.count())).collect();
    assert_eq!(
        counted,
        [("GET", "/jobs", 1), ("POST", "/jobs", 1), ("GET", "/jobs/{id}", 2), ("GET", OTHER_ROUTES, 1)]
    );
    assert_eq!((routes[1].total.sent_bytes, routes[1].total.received_bytes), (7, 10));
    assert!(routes.iter().all(|route| route.total.latency.count() == route.total.count()));
}

#[tokio::test]
async fn a_refusal_and_a_server_error_are_told_apart() {
    for (status, outcome) in
        [(StatusCode::NOT_FOUND, Outcome::ClientError), (StatusCode::BAD_GATEWAY, Outcome::ServerError)]
    {
        let router = Router::new().route("/jobs", get(move || async move { status }));
        let pool = Pool::new(&serve(router).await, config()).unwrap();
        pool.get::<Value>("/jobs").await.unwrap_err();
        let (ended, requests) = only(&pool);
        assert_eq!((ended, ended.is_failure()), (outcome, status.is_server_error()));
        assert_eq!(requests.latency.count(), 1, "an error response has a latency");
    }
}

#[tokio::test]
async fn a_refused_connection_a_reset_and_nonsense_are_told_apart() {
    let not_http = serve_raw(vec![Some("SSH-2.0-OpenSSH_9.2\r\n")]).await;
    let not_json = serve_raw(vec![Some("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n<html")]).await;
    for (url, outcome) in [
        (nowhere().await, Outcome::Connect),
        (serve_raw(vec![None]).await, Outcome::Reset),
        (not_http, Outcome::Protocol),
        (not_json, Outcome::Protocol),
    ] {
        let pool = Pool::new(&url, config()).unwrap();
        pool.get::<Value>("/broken").await.unwrap_err();
        let (ended, requests) = only(&pool);
        assert_eq!(ended, outcome);
        assert!(ended.is_failure());
        assert_eq!(requests.latency.count(), 0, "there was no usable response");
    }
}

#[tokio::test]
async fn a_timeout_and_a_caller_that_gives_up_are_told_apart() {
    let router = Router::new().route("/jobs", get(pending::<StatusCode>));
    let url = serve(router).await;
    let pool =
        Pool::new(&url, PoolConfig { request_timeout: Duration::from_millis(30), ..config() }).unwrap();
    pool.get::<Value>("/jobs").await.unwrap_err();
    assert_eq!(only(&pool).0, Outcome::Timeout);

    let pool = Pool::new(&url, config()).unwrap();
    tokio::time::timeout(Duration::from_millis(30), pool.get::<Value>("/jobs")).await.unwrap_err();
    let (ended, _) = only(&pool);
    assert_eq!((ended, ended.is_failure()), (Outcome::Cancelled, false));
}
