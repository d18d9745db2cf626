//! Proxy between an engine and its host that delays starts, and can lose the response to a cancel.

use request_splitter::RequestSplitter;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, watch};

/// What has passed so far, and what may pass.
#[derive(Clone, Copy, Default)]
pub struct ForwardedRequests {
    /// Number of starts received.
    pub starts: u32,
    /// Number of cancels received.
    pub cancels: u32,
    starts_may_pass: bool,
    /// If set, the first cancel is answered with 404 instead of by the host, once this is true.
    not_found_may_pass: Option<bool>,
}

pub struct HeldRequests {
    pub address: SocketAddr,
    passed: Arc<watch::Sender<ForwardedRequests>>,
}

impl HeldRequests {
    /// Opens a proxy to the host that delays starts. With `not_found`, the first cancel never reaches the host.
    pub async fn to(host: SocketAddr, not_found: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let first = ForwardedRequests {
            not_found_may_pass: not_found.then_some(false),
            ..ForwardedRequests::default()
        };
        let passed = Arc::new(watch::Sender::new(first));
        let shared = passed.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(forward(near, host, shared.clone()));
            }
        });
        Self { address, passed }
    }

    pub async fn until(&self, so: impl Fn(&ForwardedRequests) -> bool) {
        let mut passed = self.passed.subscribe();
        let waited = tokio::time::timeout(crate::stage::PATIENCE, passed.wait_for(|now| so(now)));
        waited.await.expect("nothing came for long").unwrap();
    }

    pub fn let_starts_pass(&self) {
        self.passed.send_modify(|passed| passed.starts_may_pass = true);
    }

    pub fn let_not_found_pass(&self) {
        self.passed.send_modify(|passed| passed.not_found_may_pass = Some(true));
    }
}

async fn forward(near: TcpStream, host: SocketAddr, passed: Arc<watch::Sender<ForwardedRequests>>) {
    let Ok(far) = TcpStream::connect(host).await else { return };
    let (near_in, near_out) = near.into_split();
    let (far_in, far_out) = far.into_split();
    let near_out = Arc::new(Mutex::new(near_out));
    tokio::select! {
        _ = up(near_in, far_out, near_out.clone(), passed) => {}
        _ = down(far_in, near_out) => {}
    }
}

async fn down(mut far: OwnedReadHalf, near: Arc<Mutex<OwnedWriteHalf>>) -> std::io::Result<()> {
    let mut buffer = vec![0u8; 16 * 1024];
    loop {
        let n = far.read(&mut buffer).await?;
        if n == 0 {
            return Ok(());
        }
        near.lock().await.write_all(&buffer[..n]).await?;
    }
}

async fn up(
    mut near: OwnedReadHalf,
    mut far: OwnedWriteHalf,
    answers: Arc<Mutex<OwnedWriteHalf>>,
    passed: Arc<watch::Sender<ForwardedRequests>>,
) -> std::io::Result<()> {
    let mut requests = RequestSplitter::default();
    let mut buffer = vec![0u8; 16 * 1024];
    let mut now = passed.subscribe();
    loop {
        let n = near.read(&mut buffer).await?;
        if n == 0 {
            return Ok(());
        }
        requests.push(&buffer[..n]);
        for request in requests.by_ref() {
            let line = String::from_utf8_lossy(&request[..request.len().min(120)]).into_owned();
            if line.starts_with("POST /host/v1/operations ") {
                passed.send_modify(|passed| passed.starts += 1);
                let _ = now.wait_for(|passed| passed.starts_may_pass).await;
            } else if line.starts_with("POST ") && line.contains("/cancel ") {
                let first = passed.borrow().cancels == 0;
                passed.send_modify(|passed| passed.cancels += 1);
                if first && now.borrow().not_found_may_pass.is_some() {
                    let _ = now.wait_for(|passed| passed.not_found_may_pass == Some(true)).await;
                    let answer = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
                    answers.lock().await.write_all(answer).await?;
                    continue;
                }
            }
            far.write_all(&request).await?;
        }
    }
}
