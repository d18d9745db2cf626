//! Pool with services over HTTPS, tested on loopback with a CA of the test.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod service;

use axum::http::{StatusCode, header};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;
use service::{quick, serve};
use signalbox_pool::{Outcome, Pool, PoolConfig, PoolError, Tls, TlsFiles, TlsProblem, Unreached};
use std::net::SocketAddr;
use std::time::Duration;
use test_pki::{Ca, TlsFront, Validity, server_config};

fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").parse().unwrap()
}

async fn front(ca: &Ca, validity: Validity) -> TlsFront {
    let events = || async { ([(header::CONTENT_TYPE, "text/event-stream")], "data: a\n\n") };
    let router = Router::new().route("/", get(|| async { Json(7) })).route("/events", get(events));
    let service = serve(router).await;
    TlsFront::start(server_config(&ca.issue(&["localhost"], validity), None), address(&service)).await
}

fn trusting(ca: &Ca) -> PoolConfig {
    let files = TlsFiles { ca: Some(ca.file.clone()), ..TlsFiles::default() };
    PoolConfig { tls: Tls::open(files).unwrap(), ..quick() }
}

#[tokio::test]
async fn requests_over_https_reuse_their_connection() {
    let folder = tempfile::tempdir().unwrap();
    let ca = Ca::new(folder.path(), "ca");
    let front = front(&ca, Validity::Now).await;
    let pool = Pool::new(&front.url("localhost"), trusting(&ca)).unwrap();
    for _ in 0..50 {
        assert_eq!(pool.get::<u32>("/").await.unwrap(), 7);
    }
    let counters = pool.counters();
    assert_eq!((counters.opened, counters.reused), (1, 49));
    let limit = Duration::from_secs(20);
    let mut stream = pool.stream("/events", None, limit, limit).await.unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap().data, "a");
    assert_eq!(pool.requests()[0].total.latency.count(), 51);
}

#[tokio::test]
async fn an_untrusted_service_is_unreachable_at_once_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let (ca, other) = (Ca::new(folder.path(), "ca"), Ca::new(folder.path(), "other"));
    let front = front(&ca, Validity::Now).await;
    let url = front.url("localhost");
    let pool = Pool::new(&url, trusting(&other)).unwrap();
    let error = pool.get::<Value>("/").await.unwrap_err();
    assert!(
        error.to_string().starts_with(&format!("{url}/ has a certificate that no trusted CA signed.")),
        "{error}"
    );
    assert!(error.is_unreachable() && error.never_sent());
    assert_eq!(pool.counters().retries, 0, "the same certificate would be rejected again");
    assert_eq!(pool.requests()[0].total.ended(Outcome::Connect), 1);
}

#[tokio::test]
async fn a_missing_client_certificate_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let ca = Ca::new(folder.path(), "ca");
    let service = serve(Router::new().route("/", get(|| async { Json(7) }))).await;
    let config = server_config(&ca.issue(&["localhost"], Validity::Now), Some(&ca));
    let front = TlsFront::start(config, address(&service)).await;
    let pool = Pool::new(&front.url("localhost"), trusting(&ca)).unwrap();
    let error = pool.get::<Value>("/").await.unwrap_err();
    let PoolError::Unreachable { why: Unreached::Tls(problem), .. } = error else { panic!("{error:?}") };
    assert_eq!(problem, TlsProblem::ClientCertificateMissing);
}

#[tokio::test]
async fn http_and_https_are_not_mixed_up_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let ca = Ca::new(folder.path(), "ca");
    let front = front(&ca, Validity::Now).await;
    let plain = Pool::new(&format!("http://{}", front.address), quick()).unwrap();
    let error = plain.get::<Value>("/").await.unwrap_err().to_string();
    assert!(error.contains("it is not HTTP") && error.contains("begins with https://"), "{error}");

    let redirects =
        || async { (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, "https://box/?a=s3cret")]) };
    let moved = Pool::new(&serve(Router::new().route("/", get(redirects))).await, quick()).unwrap();
    let error = moved.get::<Value>("/").await.unwrap_err().to_string();
    assert!(error.ends_with("it redirects to https://box/. Use that address instead"), "{error}");
}
