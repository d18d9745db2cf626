//! Services on loopback for tests of the pool.

use signalbox_pool::{Backoff, PoolConfig};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Serves a router on a free port until the test ends; returns its URL.
#[allow(dead_code, reason = "not every test file needs it")]
pub async fn serve(router: axum::Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// Answers each connection in turn with one of these texts, then closes it; `None` closes it at once.
#[allow(dead_code, reason = "not every test file needs it")]
pub async fn serve_raw(answers: Vec<Option<&'static str>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for answer in answers {
            let (mut connection, _) = listener.accept().await.unwrap();
            if let Some(answer) = answer {
                read_request(&mut connection).await;
                connection.write_all(answer.as_bytes()).await.unwrap();
                connection.shutdown().await.unwrap();
            }
        }
    });
    url
}

#[allow(dead_code, reason = "not every test file needs it")]
async fn read_request(connection: &mut TcpStream) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(connection.read_u8().await.unwrap());
    }
}

/// Defaults, with short pauses.
pub fn quick() -> PoolConfig {
    PoolConfig {
        backoff: Backoff::new(Duration::from_millis(1), Duration::from_millis(5)),
        ..PoolConfig::default()
    }
}

/// URL at which nothing listens.
#[allow(dead_code, reason = "not every test file needs it")]
pub async fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
