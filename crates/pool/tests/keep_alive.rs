//! Pool with services that close idle connections, tested with raw sockets on loopback.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod service;

use serde_json::{Value, json};
use service::quick;
use signalbox_pool::{Pool, PoolConfig, PoolError, Repeat};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Outcome of a request.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    /// Answers and keeps the connection.
    Answer,
    /// Closes the connection without a response.
    Close,
    /// Resets the connection without a response.
    Reset,
    /// Sends half of a response's head, then closes the connection.
    HalfAnAnswer,
}

/// Service whose n-th request has the n-th outcome; later ones are answered. Returns its URL, and the number of
/// requests.
async fn service(fates: Vec<Then>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(speak(connection, fates.clone(), Arc::clone(&count)));
        }
    });
    (url, seen)
}

async fn speak(mut connection: TcpStream, fates: Vec<Then>, seen: Arc<AtomicUsize>) {
    while read_request(&mut connection).await {
        let fate = fates.get(seen.fetch_add(1, SeqCst)).copied().unwrap_or(Then::Answer);
        match fate {
            Then::Answer => {
                let answer =
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1\r\n\r\n7";
                connection.write_all(answer).await.unwrap();
            }
            Then::HalfAnAnswer => {
                connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-le").await.unwrap();
                return;
            }
            Then::Close => return,
            Then::Reset => {
                connection.set_zero_linger().unwrap();
                return;
            }
        }
    }
}

/// Reads one request with its body; `false` if there are no more.
async fn read_request(connection: &mut TcpStream) -> bool {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match connection.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return false,
        }
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    connection.read_exact(&mut body).await.is_ok()
}

/// Pool with one idle connection to the service, and without retries.
async fn with_an_idle_connection(url: &str) -> Pool {
    let pool = Pool::new(url, PoolConfig { retries: 0, ..quick() }).unwrap();
    assert_eq!(pool.get::<u32>("/").await.unwrap(), 7);
    pool
}

#[tokio::test]
async fn a_reused_connection_closed_by_the_service_is_no_failure() {
    for fate in [Then::Close, Then::Reset] {
        let (url, seen) = service(vec![Then::Answer, fate]).await;
        let pool = with_an_idle_connection(&url).await;
        assert_eq!(pool.get::<u32>("/").await.unwrap(), 7);
        assert_eq!(seen.load(SeqCst), 3);
        let counters = pool.counters();
        assert_eq!((counters.requests, counters.retries, counters.failures), (2, 0, 0));
        assert_eq!((counters.opened, counters.reused), (2, 0));
    }
}

#[tokio::test]
async fn a_repeatable_post_is_resent_at_once() {
    let (url, seen) = service(vec![Then::Answer, Then::Reset]).await;
    let pool = with_an_idle_connection(&url).await;
    let (_, answer) = pool.post::<_, Value>("/", &json!({"id": 1}), Repeat::AtOnce).await.unwrap();
    assert_eq!((answer, seen.load(SeqCst)), (json!(7), 3));
    pool.delete("/").await.unwrap();
}

#[tokio::test]
async fn a_non_repeatable_post_is_sent_once_on_a_closed_connection() {
    let (url, seen) = service(vec![Then::Answer, Then::Close]).await;
    let pool = with_an_idle_connection(&url).await;
    let error = pool.post::<_, Value>("/", &json!({"id": 1}), Repeat::Never).await.unwrap_err();
    assert!(matches!(error, PoolError::Unreachable { .. }), "{error}");
    assert_eq!(seen.load(SeqCst), 2);
}

#[tokio::test]
async fn a_service_that_resets_connections_is_retried_once_and_unreachable() {
    let (url, seen) = service([vec![Then::Answer], vec![Then::Reset; 20]].concat()).await;
    let pool = with_an_idle_connection(&url).await;
    let error = pool.get::<u32>("/").await.unwrap_err();
    assert!(error.is_unreachable(), "{error}");
    assert_eq!((seen.load(SeqCst), pool.counters().failures), (3, 1));
}

#[tokio::test]
async fn a_broken_first_connection_is_a_failure() {
    let (url, seen) = service(vec![Then::Close]).await;
    let pool = Pool::new(&url, PoolConfig { retries: 0, ..quick() }).unwrap();
    assert!(pool.get::<u32>("/").await.unwrap_err().is_unreachable());
    assert_eq!((seen.load(SeqCst), pool.counters().failures), (1, 1));
}

#[tokio::test]
async fn a_response_broken_in_its_head_is_requested_again() {
    let (url, seen) = service(vec![Then::Answer, Then::HalfAnAnswer]).await;
    let pool = with_an_idle_connection(&url).await;
    // A GET is safe to repeat in any case.
    assert_eq!(pool.get::<u32>("/").await.unwrap(), 7);
    assert_eq!(seen.load(SeqCst), 3);
}
