//! Pipes from one service to another, tested on loopback.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod service;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::{get, put};
use service::{nowhere, quick, serve};
use signalbox_pool::{ForwardError, ForwardLimits, Pool, PoolError};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const LIMITS: ForwardLimits =
    ForwardLimits { silence: Duration::from_secs(20), whole: Duration::from_secs(20) };

type Kept = Arc<Mutex<Vec<u8>>>;

async fn target() -> (Pool, Kept) {
    let kept = Kept::default();
    let keep = |State(kept): State<Kept>, body: Bytes| async move {
        *kept.lock().unwrap() = body.to_vec();
        StatusCode::NO_CONTENT
    };
    let router = Router::new()
        .route("/there", put(keep))
        .route("/full", put(|_: Bytes| async { StatusCode::CONFLICT }))
        .layer(DefaultBodyLimit::disable())
        .with_state(kept.clone());
    (Pool::new(&serve(router).await, quick()).unwrap(), kept)
}

async fn source() -> Pool {
    let large = || async { vec![7_u8; 5 << 20] };
    let broken = || async {
        let pieces = [Ok("abc"), Err(io::Error::other("the disk is gone"))];
        Body::from_stream(futures::stream::iter(pieces))
    };
    let router = Router::new().route("/large", get(large)).route("/broken", get(broken));
    Pool::new(&serve(router).await, quick()).unwrap()
}

#[tokio::test]
async fn a_forwarded_body_arrives_unchanged() {
    let (from, (to, kept)) = (source().await, target().await);
    from.forward("/large", &to, "/there", LIMITS).await.unwrap();
    assert_eq!(*kept.lock().unwrap(), vec![7_u8; 5 << 20]);
}

#[tokio::test]
async fn a_broken_transfer_names_the_side_that_broke() {
    let (from, (to, kept)) = (source().await, target().await);
    let missing = from.forward("/none", &to, "/there", LIMITS).await.unwrap_err();
    assert!(matches!(missing, ForwardError::Source(PoolError::Status { status: 404, .. })), "{missing:?}");
    let broken = from.forward("/broken", &to, "/there", LIMITS).await.unwrap_err();
    assert!(matches!(broken, ForwardError::Source(PoolError::Unreachable { .. })), "{broken:?}");
    let full = from.forward("/large", &to, "/full", LIMITS).await.unwrap_err();
    assert!(matches!(full, ForwardError::Target(PoolError::Status { status: 409, .. })), "{full:?}");
    let gone = Pool::new(&nowhere().await, quick()).unwrap();
    let away = from.forward("/large", &gone, "/there", LIMITS).await.unwrap_err();
    assert!(matches!(away, ForwardError::Target(PoolError::Unreachable { .. })), "{away:?}");
    let away = gone.forward("/large", &to, "/there", LIMITS).await.unwrap_err();
    assert!(matches!(away, ForwardError::Source(PoolError::Unreachable { .. })), "{away:?}");
    assert!(kept.lock().unwrap().is_empty(), "nothing that is not whole is taken");
}
