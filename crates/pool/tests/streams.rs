//! Streams of events, tested on loopback.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod service;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use service::{nowhere, quick, say, serve};
use signalbox_pool::{Pool, PoolConfig, PoolError, Sse, SseStream};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

const LONG: Duration = Duration::from_secs(20);

fn event_stream(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "text/event-stream; charset=utf-8")], body).into_response()
}

/// Service whose stream sends what the test puts into the channel.
async fn spoken_by_the_test() -> (String, mpsc::Sender<&'static str>) {
    let (speak, said) = mpsc::channel::<&'static str>(16);
    let said = Arc::new(Mutex::new(Some(said)));
    let answer = |State(said): State<Arc<Mutex<Option<mpsc::Receiver<&'static str>>>>>| async move {
        let said = said.lock().await.take().unwrap();
        event_stream(Body::from_stream(ReceiverStream::new(said).map(Ok::<_, Infallible>)))
    };
    (serve(Router::new().route("/events", get(answer)).with_state(said)).await, speak)
}

async fn open(url: &str, silence: Duration) -> SseStream {
    Pool::new(url, quick()).unwrap().stream("/events", None, LONG, silence).await.unwrap()
}

#[tokio::test]
async fn events_arrive_one_by_one_until_the_service_ends_the_stream() {
    let (url, speak) = spoken_by_the_test().await;
    let mut stream = open(&url, LONG).await;
    speak.send(": hello\nid: 1\nevent: be").await.unwrap();
    speak.send("at\ndata: a\n\nda").await.unwrap();
    let first = stream.next().await.unwrap().unwrap();
    assert_eq!(first, Sse { event: "beat".into(), id: Some("1".into()), data: "a".into() });
    speak.send("ta: b\n\nretry: 70\ndata: never ended").await.unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap().data, "b");
    drop(speak);
    assert!(stream.next().await.is_none());
    assert!(stream.next().await.is_none());
    assert_eq!(stream.retry(), Some(Duration::from_millis(70)));
}

#[tokio::test]
async fn a_stream_resumes_from_the_last_event_id() {
    let echo = |headers: HeaderMap| async move {
        let told = |name| headers.get(name).map(|v: &header::HeaderValue| v.to_str().unwrap().to_owned());
        event_stream(Body::from(format!("data: {:?}\ndata: {:?}\n\n", told("last-event-id"), told("accept"))))
    };
    let pool = Pool::new(&serve(Router::new().route("/events", get(echo))).await, quick()).unwrap();
    for (id, expected) in [(Some("4711"), "Some(\"4711\")"), (None, "None")] {
        let mut stream = pool.stream("/events?after=3", id, LONG, LONG).await.unwrap();
        let data = stream.next().await.unwrap().unwrap().data;
        assert_eq!(data, format!("{expected}\nSome(\"text/event-stream\")"));
    }
    let error = pool.stream("/events", Some("4\n7"), LONG, LONG).await.err().unwrap();
    assert!(matches!(error, PoolError::Decode { .. }), "{error}");
}

#[tokio::test]
async fn silence_ends_a_stream_with_a_timeout() {
    let (url, speak) = spoken_by_the_test().await;
    let mut stream = open(&url, Duration::from_millis(100)).await;
    speak.send("data: a\n\n").await.unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap().data, "a");
    let error = stream.next().await.unwrap().unwrap_err();
    assert!(matches!(error, PoolError::Timeout { .. }) && error.is_unreachable(), "{error}");
    assert!(error.to_string().contains("did not send any data within 100 ms"), "{error}");
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn a_reader_that_waits_in_slices_still_times_out() {
    let (url, _speak) = spoken_by_the_test().await;
    let mut stream = open(&url, Duration::from_millis(100)).await;
    let mut slice = tokio::time::interval(Duration::from_millis(10));
    let error = loop {
        tokio::select! {
            event = stream.next() => break event.unwrap().unwrap_err(),
            _ = slice.tick() => {}
        }
    };
    assert!(matches!(error, PoolError::Timeout { .. }), "{error}");
}

#[tokio::test]
async fn comments_count_as_signs_of_life() {
    let (url, speak) = spoken_by_the_test().await;
    let mut stream = open(&url, Duration::from_secs(1)).await;
    tokio::spawn(async move {
        let mut beat = tokio::time::interval(Duration::from_millis(100));
        for _ in 0..14 {
            beat.tick().await;
            speak.send(":\n").await.unwrap();
        }
        speak.send("data: after all\n\n").await.unwrap();
    });
    assert_eq!(stream.next().await.unwrap().unwrap().data, "after all");
}

#[tokio::test]
async fn streams_do_not_use_the_permits_of_requests() {
    let router = Router::new()
        .route(
            "/events",
            get(|| async {
                event_stream(Body::from_stream(tokio_stream::pending::<Result<Bytes, Infallible>>()))
            }),
        )
        .route("/", get(|| async { "1" }));
    let pool = Pool::new(&serve(router).await, PoolConfig { max_connections: 1, ..quick() }).unwrap();
    let _one = pool.stream("/events", None, LONG, LONG).await.unwrap();
    let _two = pool.stream("/events", None, LONG, LONG).await.unwrap();
    assert_eq!(pool.get::<u32>("/").await.unwrap(), 1);
    assert_eq!(pool.counters().opened, 1);
}

#[tokio::test]
async fn a_broken_stream_delivers_its_events_and_then_an_error() {
    let cut = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 900\r\n\r\ndata: a\n\ndata: b\n\n";
    let mut stream = open(&say(vec![Some(cut)]).await, LONG).await;
    assert_eq!(stream.next().await.unwrap().unwrap().data, "a");
    assert_eq!(stream.next().await.unwrap().unwrap().data, "b");
    let error = stream.next().await.unwrap().unwrap_err();
    assert!(
        error.is_unreachable() && error.to_string().contains("before the response was complete"),
        "{error}"
    );
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn a_response_that_is_no_stream_is_rejected() {
    let router = Router::new()
        .route("/page", get(|| async { "<html>" }))
        .route("/busy", get(|| async { (StatusCode::SERVICE_UNAVAILABLE, "Not just now.") }))
        .route("/hangs", get(std::future::pending::<()>));
    let pool = Pool::new(&serve(router).await, quick()).unwrap();
    let open = async |path, patience| pool.stream(path, None, patience, LONG).await.err().unwrap();
    let page = open("/page", LONG).await;
    assert!(matches!(page, PoolError::Decode { .. }), "{page}");
    let busy = open("/busy", LONG).await;
    assert!(busy.to_string().contains("503 Service Unavailable: Not just now."), "{busy}");
    let hangs = open("/hangs", Duration::from_millis(50)).await;
    assert!(matches!(hangs, PoolError::Timeout { .. }), "{hangs}");

    let away = Pool::new(&nowhere().await, quick()).unwrap();
    assert!(away.stream("/events", None, LONG, LONG).await.err().unwrap().is_unreachable());
}
